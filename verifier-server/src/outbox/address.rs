//! Which addresses webhooks may go to: public ones, and what an operator allows for development.
//!
//! A webhook address is chosen by a merchant and connected to from inside the operator's network:
//! without this check it would be a way to reach the operator's own services.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use url::{Host, Url};

/// An address that webhooks may not go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is not public; allow it with --webhook-allow in development")
    }
}

impl std::error::Error for Refused {}

/// A network, such as `127.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text} is not a network such as 127.0.0.0/8 or ::1/128");
        let (address, prefix) = text.split_once('/').ok_or_else(refused)?;
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix
            .parse()
            .ok()
            .filter(|prefix| *prefix <= most)
            .ok_or_else(refused)?;
        Ok(Self { address, prefix })
    }
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6(first: u16, second: u16, prefix: u8) -> Self {
        Self {
            address: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)),
            prefix,
        }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let difference = network.to_bits() ^ address.to_bits();
                difference
                    .checked_shr(32 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let difference = network.to_bits() ^ address.to_bits();
                difference
                    .checked_shr(128 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

/// What is not public: the special-purpose registries of RFC 6890 and their later additions.
const NOT_PUBLIC: [Network; 30] = [
    Network::v4(0, 0, 0, 0, 8),
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(127, 0, 0, 0, 8),
    Network::v4(169, 254, 0, 0, 16),
    Network::v4(172, 16, 0, 0, 12),
    Network::v4(192, 0, 0, 0, 24),
    Network::v4(192, 0, 2, 0, 24),
    Network::v4(192, 31, 196, 0, 24),
    Network::v4(192, 52, 193, 0, 24),
    Network::v4(192, 88, 99, 0, 24),
    Network::v4(192, 168, 0, 0, 16),
    Network::v4(192, 175, 48, 0, 24),
    Network::v4(198, 18, 0, 0, 15),
    Network::v4(198, 51, 100, 0, 24),
    Network::v4(203, 0, 113, 0, 24),
    Network::v4(224, 0, 0, 0, 4),
    Network::v4(240, 0, 0, 0, 4),
    // ::/16 holds the unspecified, loopback, IPv4-compatible and IPv4-mapped addresses.
    Network::v6(0, 0, 16),
    // NAT64 (RFC 6052, RFC 8215) reaches IPv4 by another name.
    Network::v6(0x64, 0xff9b, 32),
    Network::v6(0x100, 0, 16),
    // 2001::/23 holds Teredo, benchmarking and ORCHID.
    Network::v6(0x2001, 0, 23),
    Network::v6(0x2001, 0xdb8, 32),
    // 6to4 (RFC 3056) reaches IPv4 by another name.
    Network::v6(0x2002, 0, 16),
    Network::v6(0x3fff, 0, 20),
    Network::v6(0x5f00, 0, 16),
    Network::v6(0xfc00, 0, 7),
    Network::v6(0xfe80, 0, 10),
    Network::v6(0xfec0, 0, 10),
    Network::v6(0xff00, 0, 8),
];

/// Where webhooks may go.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Vec<Network>,
    http: bool,
}

impl AddressPolicy {
    /// Public addresses over https, and besides them the networks that are named here.
    #[must_use]
    pub const fn new(allowed: Vec<Network>, http: bool) -> Self {
        Self { allowed, http }
    }

    /// Whether a webhook may go to this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(address))
            || !NOT_PUBLIC.iter().any(|network| network.contains(address))
    }

    /// Whether a webhook may be sent there, as far as the text says: a name is looked up only when
    /// something is sent, and a literal address never reaches the resolver.
    ///
    /// # Errors
    /// A few words for the merchant.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        if url.scheme() != "https" && !(self.http && url.scheme() == "http") {
            return Err("only https is allowed".into());
        }
        let allowed = match url.host() {
            Some(Host::Ipv4(address)) => self.allows(address.into()),
            Some(Host::Ipv6(address)) => self.allows(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(Refused.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressPolicy, Network};

    #[test]
    fn only_public_addresses_are_allowed() {
        let rows = [
            ("93.184.216.34", true),
            ("1.1.1.1", true),
            ("2606:4700::1111", true),
            ("2a00:1450::1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("100.128.0.1", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.20.0.1", true),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("fc00::1", false),
            ("fd12::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ];
        let policy = AddressPolicy::default();
        for (address, allowed) in rows {
            assert_eq!(
                policy.allows(address.parse().unwrap()),
                allowed,
                "{address}"
            );
        }
    }

    #[test]
    fn an_operator_can_allow_networks() {
        let policy = AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], true);
        assert!(policy.allows("127.0.0.1".parse().unwrap()));
        assert!(policy.allows("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!policy.allows("10.0.0.1".parse().unwrap()));
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.0/33",
            "::1/129",
            "x/8",
            "127.0.0.0/-1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_of_zero_is_everything() {
        let everything: Network = "0.0.0.0/0".parse().unwrap();
        assert!(everything.contains("10.0.0.1".parse().unwrap()));
        assert!(!everything.contains("::1".parse().unwrap()));
    }
}
