//! The operator's trusted proxies, whose `X-Forwarded-For` is accepted.

use crate::webhooks::outbox::address::Network;
use std::net::IpAddr;

/// Default maximum of proxies that a request passes: two tiers of a content delivery network, a
/// load balancer, and one beside the server.
pub const DEFAULT_HOPS: u8 = 4;
/// More than any real deployment has.
pub const MOST_HOPS: u8 = 8;

/// Maximum total size of the networks, in 2^-32 parts of all addresses: an eighth of IPv4, and of
/// IPv6 an eighth of the assigned addresses (2000::/3). Content delivery networks have far less.
const MOST_PARTS_V4: u64 = 1 << 29;
const MOST_PARTS_V6: u64 = 1 << 26;

/// The trusted proxies, as networks.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    hops: u8,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            hops: DEFAULT_HOPS,
        }
    }
}

impl TrustedProxies {
    /// Parses the setting: networks, or single addresses.
    ///
    /// # Errors
    /// A sentence that names the text.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let networks = texts.iter().map(|text| network(text));
        let networks: Vec<_> = networks.collect::<Result<_, _>>()?;
        let parts_of = |is_ipv4: bool| -> u64 {
            let version = networks.iter().filter(|one| one.is_ipv4() == is_ipv4);
            version.map(|network| network.parts()).sum()
        };
        if parts_of(true) > MOST_PARTS_V4 || parts_of(false) > MOST_PARTS_V6 {
            return Err(too_many("networks that together are"));
        }
        Ok(Self {
            networks,
            hops: DEFAULT_HOPS,
        })
    }

    /// Sets the maximum number of proxies that a request passes.
    #[must_use]
    pub fn walking(self, hops: u8) -> Self {
        Self { hops, ..self }
    }

    /// The maximum number of proxies that a request passes, including the connecting one.
    pub(crate) const fn hops(&self) -> u8 {
        self.hops
    }

    /// Whether there are no trusted proxies.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether an address is a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }
}

fn network(text: &str) -> Result<Network, String> {
    let whole = match text.parse() {
        Ok(IpAddr::V4(address)) => format!("{address}/32"),
        Ok(IpAddr::V6(address)) => format!("{address}/128"),
        Err(_) => text.to_owned(),
    };
    let network: Network = whole.parse().map_err(|_| {
        format!(
            "trusted_proxies holds \"{text}\", which is neither an address nor a network such as \
             \"10.0.0.0/8\""
        )
    })?;
    if network.is_wider_than_an_operators() {
        return Err(too_many(&format!("\"{text}\", which is")));
    }
    Ok(network)
}

fn too_many(what: &str) -> String {
    format!(
        "trusted_proxies holds {what} everybody: any client could then name any address; name the \
         networks of your proxies, such as \"10.0.0.0/8\""
    )
}

#[cfg(test)]
mod tests {
    use super::TrustedProxies;

    fn proxies(texts: &[&str]) -> Result<TrustedProxies, String> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        TrustedProxies::parse(&texts)
    }

    #[test]
    fn proxies_parse_as_networks_or_addresses() {
        let trusted = proxies(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"]).unwrap();
        let rows = [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::1", true),
        ];
        for (address, expected) in rows {
            let contained = trusted.contains(address.parse().unwrap());
            assert_eq!(contained, expected, "{address}");
        }
        assert!(!proxies(&[]).unwrap().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn networks_of_all_addresses_and_names_are_rejected() {
        let rows = [
            ("0.0.0.0/0", "everybody"),
            ("0.0.0.0/00", "everybody"),
            ("128.0.0.0/1", "everybody"),
            ("10.0.0.0/7", "everybody"),
            ("::/0", "everybody"),
            ("2000::/3", "everybody"),
            ("fc00::/6", "everybody"),
            ("proxy.internal", "proxy.internal"),
            ("10.0.0.0/33", "10.0.0.0/33"),
            ("", "neither an address nor a network"),
        ];
        for (text, expected) in rows {
            let error = proxies(&[text]).unwrap_err();
            assert!(
                error.contains("trusted_proxies") && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn the_total_size_of_networks_is_limited() {
        let eighths: Vec<_> = (0..33).map(|first| format!("{first}.0.0.0/8")).collect();
        let networks = |count| eighths.iter().take(count).map(String::as_str);
        assert!(proxies(&networks(32).collect::<Vec<_>>()).is_ok());
        let error = proxies(&networks(33).collect::<Vec<_>>()).unwrap_err();
        assert!(error.contains("together are everybody"), "{error}");
        // The largest private networks.
        let local = ["10.0.0.0/8", "fc00::/7", "fe80::/10", "172.16.0.0/12"];
        assert!(proxies(&local).is_ok());
    }
}
