//! Which peers are proxies of the operator: what they say about a client is believed.

use crate::outbox::address::Network;
use std::net::IpAddr;

/// The proxies in front, as networks.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Reads the setting: networks, or addresses, which are networks of one.
    ///
    /// # Errors
    /// A sentence that names the text.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let networks = texts.iter().map(|text| network(text));
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is a proxy's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

fn network(text: &str) -> Result<Network, String> {
    let whole = match text.parse() {
        Ok(IpAddr::V4(address)) => format!("{address}/32"),
        Ok(IpAddr::V6(address)) => format!("{address}/128"),
        Err(_) => text.to_owned(),
    };
    if whole.ends_with("/0") {
        return Err(format!(
            "trusted_proxies holds \"{text}\", which is everybody: any client could then name any \
             address; name the networks of your proxies, such as \"10.0.0.0/8\""
        ));
    }
    let network = whole.parse();
    network.map_err(|_| {
        format!(
            "trusted_proxies holds \"{text}\", which is neither an address nor a network such as \
             \"10.0.0.0/8\""
        )
    })
}

/// What counts as one client: an address of IPv4, and of IPv6 the /64 that one subscriber has.
#[must_use]
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::TrustedProxies;

    fn proxies(texts: &[&str]) -> Result<TrustedProxies, String> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        TrustedProxies::parse(&texts)
    }

    #[test]
    fn proxies_are_named_by_network_or_by_address() {
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
    fn everybody_is_no_proxy_and_a_name_is_no_network() {
        let rows = [
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
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
}
