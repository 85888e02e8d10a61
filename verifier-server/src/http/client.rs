//! Identifies the client of a request. It is the peer address of the connection, unless that is a
//! trusted proxy; then `X-Forwarded-For` names the client.

use crate::auth::signed_request::Source;
use crate::gateway::Gateway;
use crate::listener::{Holder, Throttle, TrustedProxies, household_of, network_of};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// How often the log reports a proxy that does not name a client.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// The client of a request, for handlers behind [`identify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// A network: an IPv4 address, or an IPv6 /64.
    Network(IpAddr),
    /// A trusted proxy did not name the client. These may be many clients, so they get more than
    /// one network does, but share a limit.
    Unknown,
}

impl Client {
    /// The network, if known.
    pub(crate) const fn network(self) -> Option<IpAddr> {
        match self {
            Self::Network(network) => Some(network),
            Self::Unknown => None,
        }
    }

    /// The holder of the request's slots.
    pub(crate) const fn holder(self) -> Holder {
        match self {
            Self::Network(network) => Holder::Network(network),
            Self::Unknown => Holder::Unnamed,
        }
    }

    /// The source for the fraud rules.
    pub(crate) fn source(self) -> Source {
        match self {
            Self::Network(network) => Source::Network(household_of(network)),
            Self::Unknown => Source::Unknown,
        }
    }
}

/// Identifies the clients of requests.
#[derive(Debug)]
pub struct Clients {
    proxies: TrustedProxies,
    nameless: Throttle,
}

impl Clients {
    /// Trusts these proxies.
    #[must_use]
    pub const fn new(proxies: TrustedProxies) -> Self {
        Self {
            proxies,
            nameless: Throttle::new(SAID_EVERY),
        }
    }

    /// Whether the peer of the connection is a trusted proxy.
    pub(crate) fn came_by_proxy(&self, request: &Request) -> bool {
        peer(request).is_some_and(|address| self.proxies.contains(address))
    }

    /// None if the request did not come over a connection.
    fn client(&self, request: &Request, now_ms: u64) -> Option<Client> {
        let peer = peer(request)?;
        if !self.proxies.contains(peer) {
            return Some(Client::Network(network_of(peer)));
        }
        if let Some(address) = forwarded_for(request.headers(), &self.proxies) {
            return Some(Client::Network(network_of(address)));
        }
        if let Some(left_out) = self.nameless.pass(now_ms) {
            tracing::warn!(proxy = %peer, left_out,
                "X-Forwarded-For of a trusted proxy names no client: limits and fraud rules \
                 cannot distinguish its clients");
        }
        Some(Client::Unknown)
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(address)| address.ip())
}

/// Each proxy appends the address of its peer, so the list is read from its end: the first address
/// that is not a trusted proxy is the client. Entries before it may be forged by the client and are
/// ignored. If a trusted proxy is preceded by an invalid entry, that proxy is the client; if all
/// addresses are trusted, the farthest one is.
///
/// The peer counts as a hop; after the maximum number of hops the next address is the client,
/// whatever network it is in.
fn forwarded_for(headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    // Empty list elements are ignored (RFC 9110 section 5.6.1.2).
    let mut entries = entries
        .map(<[u8]>::trim_ascii)
        .filter(|entry| !entry.is_empty());
    let mut farthest = None;
    for _ in 0..proxies.hops() {
        let address = entries.next().and_then(address_in);
        let Some(address) = address else {
            break;
        };
        farthest = Some(address);
        if !proxies.contains(address) {
            break;
        }
    }
    farthest
}

/// Bytes that are not text are not an address.
fn address_in(entry: &[u8]) -> Option<IpAddr> {
    address_of(str::from_utf8(entry).ok()?)
}

/// The address in an entry, without the quotes, brackets, port or zone that proxies add.
fn address_of(entry: &str) -> Option<IpAddr> {
    let quoted = entry
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let node = quoted.unwrap_or(entry);
    let host = match node.strip_prefix('[') {
        Some(literal) => {
            let (host, rest) = literal.split_once(']')?;
            (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port)).then_some(host)?
        }
        None => match node.split_once(':') {
            // More colons are an IPv6 address without brackets.
            Some((host, port)) if !port.contains(':') => is_port(port).then_some(host)?,
            _ => node,
        },
    };
    let address: IpAddr = host.split('%').next()?.parse().ok()?;
    let address = address.to_canonical();
    (!address.is_unspecified()).then_some(address)
}

/// A number, or an obfuscated identifier (RFC 7239 section 6).
fn is_port(port: &str) -> bool {
    port.parse::<u16>().is_ok() || port.starts_with('_')
}

/// Adds the [`Client`] to the request's extensions.
pub(crate) async fn identify(
    State(gateway): State<Arc<Gateway>>,
    State(clients): State<Arc<Clients>>,
    mut request: Request,
    next: Next,
) -> Response {
    let now_ms = gateway.clock().wall_ms();
    if let Some(client) = clients.client(&request, now_ms) {
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::{FORWARDED_FOR, address_of, forwarded_for};
    use crate::listener::TrustedProxies;
    use axum::http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    #[test]
    fn entries_may_have_port_brackets_quotes_and_zone() {
        let (v4, v6) = (Some("198.51.100.7"), Some("2001:db8::7"));
        let rows = [
            ("198.51.100.7", v4),
            ("198.51.100.7:51234", v4),
            ("\"198.51.100.7\"", v4),
            ("\"198.51.100.7:51234\"", v4),
            ("198.51.100.7:_hidden", v4),
            ("::ffff:198.51.100.7", v4),
            ("[::ffff:198.51.100.7]:443", v4),
            ("2001:db8::7", v6),
            ("[2001:db8::7]", v6),
            ("[2001:db8::7]:443", v6),
            ("\"[2001:db8::7]\"", v6),
            ("\"[2001:db8::7]:443\"", v6),
            ("2001:db8::7%eth0", v6),
            ("unknown", None),
            ("_hidden", None),
            ("-", None),
            ("localhost", None),
            ("0.0.0.0", None),
            ("[::]:443", None),
            ("198.51.100.7:", None),
            ("198.51.100.7:65536", None),
            ("198.51.100.7:http", None),
            ("198.51.100.07", None),
            ("198.51.100", None),
            ("[198.51.100.7", None),
            ("[2001:db8::7]443", None),
            ("\"198.51.100.7", None),
            ("198.51.100.7 evil", None),
            ("", None),
        ];
        for (entry, expected) in rows {
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(address_of(entry), expected, "{entry}");
        }
    }

    #[test]
    fn the_client_is_the_last_untrusted_address() {
        let trusted = ["10.0.0.0/8".to_owned(), "198.51.100.0/24".to_owned()];
        let trusted = TrustedProxies::parse(&trusted).unwrap();
        let rows: [(&[&str], Option<&str>); 19] = [
            (&["203.0.113.9"], Some("203.0.113.9")),
            // A content delivery network and a load balancer.
            (&["203.0.113.9, 198.51.100.1"], Some("203.0.113.9")),
            (
                &["203.0.113.9, 198.51.100.1:443, 10.0.0.3"],
                Some("203.0.113.9"),
            ),
            // An entry that the client forged precedes its own address.
            (&["6.6.6.6, 203.0.113.9, 198.51.100.1"], Some("203.0.113.9")),
            (
                &["10.0.0.9, 203.0.113.9, 198.51.100.1"],
                Some("203.0.113.9"),
            ),
            (&["unknown, 203.0.113.9, 10.0.0.3"], Some("203.0.113.9")),
            // Each proxy may add a header line of its own.
            (
                &["6.6.6.6", "203.0.113.9", "198.51.100.1"],
                Some("203.0.113.9"),
            ),
            (&["203.0.113.9,, , 10.0.0.3,"], Some("203.0.113.9")),
            // Within the operator's own network, the farthest address is the client.
            (&["10.0.0.9, 10.0.0.3"], Some("10.0.0.9")),
            // An invalid entry does not hide the trusted proxy behind it.
            (&["203.0.113.9, unknown, 10.0.0.3"], Some("10.0.0.3")),
            (&["\u{ff}, 10.0.0.9, 10.0.0.3"], Some("10.0.0.9")),
            (&["\u{ff}", "203.0.113.9, 10.0.0.3"], Some("203.0.113.9")),
            (&["\u{ff}, 203.0.113.9"], Some("203.0.113.9")),
            // A client within a content delivery network, after the maximum number of hops.
            (
                &["6.6.6.6, 198.51.100.4, 198.51.100.3, 198.51.100.2, 198.51.100.1"],
                Some("198.51.100.4"),
            ),
            (&["203.0.113.9, unknown"], None),
            (&["203.0.113.9, \u{ff}"], None),
            (&["unknown"], None),
            (&[""], None),
            (&[], None),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(
                    FORWARDED_FOR,
                    HeaderValue::from_bytes(line.as_bytes()).unwrap(),
                );
            }
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(forwarded_for(&headers, &trusted), expected, "{lines:?}");
        }
        let mut headers = HeaderMap::new();
        let line = HeaderValue::from_bytes(b"\xff, 203.0.113.9").unwrap();
        headers.append(FORWARDED_FOR, line);
        let expected = "203.0.113.9".parse().ok();
        assert_eq!(forwarded_for(&headers, &trusted), expected);
        let one_hop = trusted.walking(1);
        let line = HeaderValue::from_static("203.0.113.9, 198.51.100.1");
        headers.insert(FORWARDED_FOR, line);
        let expected = "198.51.100.1".parse().ok();
        assert_eq!(forwarded_for(&headers, &one_hop), expected);
    }
}
