//! The permitted addresses of webhooks: public ones, and networks that an operator allows for
//! development.
//!
//! Merchants choose webhook addresses, and the server connects to them from inside the operator's
//! network. Without this check they could reach the operator's internal services (SSRF).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use url::{Host, Url};

/// Why an address is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Only https is allowed.
    Http,
    /// The address is not public.
    Address,
    /// The port is not permitted.
    Port,
    /// The name does not exist or its addresses are not public. Merchants are not told which: that
    /// would disclose names of the operator's network.
    Name,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "only https is allowed",
            Self::Address => {
                "the address is not public; allow it with --webhook-allow in development"
            }
            Self::Port => "the port is not allowed; webhooks go to 443 and 8443",
            Self::Name => "no public address was found for the name",
        })
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

    /// Whether it is wider than any network of a single operator: at most a /8 in IPv4 and a /16 in
    /// IPv6, except for the unique local addresses, which are a /7.
    pub(crate) fn is_wider_than_an_operators(self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.prefix < 8,
            IpAddr::V6(address) if address.segments()[0] >= 0xfc00 => self.prefix < 7,
            IpAddr::V6(_) => self.prefix < 16,
        }
    }

    /// Its size in 2^-32 parts of all addresses of its version.
    pub(crate) fn parts(self) -> u64 {
        1 << 32_u8.saturating_sub(self.prefix)
    }

    pub(crate) const fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
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

/// Networks that are not public: the special-purpose registries of RFC 6890 and later additions.
const NOT_PUBLIC: [Network; 31] = [
    Network::v4(0, 0, 0, 0, 8),
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(127, 0, 0, 0, 8),
    // Azure's wire server, which responds to every virtual machine.
    Network::v4(168, 63, 129, 16, 32),
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
    // ::/16 contains the unspecified, loopback, IPv4-compatible and IPv4-mapped addresses.
    Network::v6(0, 0, 16),
    // Local-use NAT64 (RFC 8215). The well-known prefix is checked by the IPv4 address inside.
    Network::v6(0x64, 0xff9b, 32),
    Network::v6(0x100, 0, 16),
    // 2001::/23 contains Teredo, benchmarking and ORCHID.
    Network::v6(0x2001, 0, 23),
    Network::v6(0x2001, 0xdb8, 32),
    // 6to4 (RFC 3056) embeds IPv4 addresses.
    Network::v6(0x2002, 0, 16),
    Network::v6(0x3fff, 0, 20),
    Network::v6(0x5f00, 0, 16),
    Network::v6(0xfc00, 0, 7),
    Network::v6(0xfe80, 0, 10),
    Network::v6(0xfec0, 0, 10),
    Network::v6(0xff00, 0, 8),
];

/// The prefix through which an IPv6-only network reaches IPv4 (RFC 6052).
const NAT64: Network = Network::v6(0x64, 0xff9b, 96);

/// Ports that are always permitted: those of https.
const PORTS: [u16; 2] = [443, 8443];

/// The address to check: for an IPv4 address embedded in IPv6, the IPv4 address.
fn judged(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(inside) if NAT64.contains(inside.into()) => {
            let [.., a, b, c, d] = inside.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        address => address,
    }
}

/// The permitted destinations of webhooks.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Vec<Network>,
    denied: Vec<Network>,
    ports: Vec<u16>,
    http: bool,
    store_responses: bool,
    verify_allowed: bool,
}

impl AddressPolicy {
    /// Public addresses over https, and the given networks.
    #[must_use]
    pub const fn new(allowed: Vec<Network>, http: bool) -> Self {
        Self {
            allowed,
            denied: Vec::new(),
            ports: Vec::new(),
            http,
            store_responses: false,
            verify_allowed: false,
        }
    }

    /// Excludes networks, whatever else is allowed.
    #[must_use]
    pub fn denying(mut self, networks: Vec<Network>) -> Self {
        self.denied = networks;
        self
    }

    /// Also permits these ports.
    #[must_use]
    pub fn with_ports(mut self, ports: Vec<u16>) -> Self {
        self.ports = ports;
        self
    }

    /// Stores responses from hosts in allowed networks.
    #[must_use]
    pub const fn storing_responses(mut self, stored: bool) -> Self {
        self.store_responses = stored;
        self
    }

    /// Verifies endpoints in allowed networks like all others.
    #[must_use]
    pub const fn verifying_allowed(mut self, verify: bool) -> Self {
        self.verify_allowed = verify;
        self
    }

    /// Whether a webhook may be sent to this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let judged = judged(address);
        let is_in = |network: &Network| network.contains(address) || network.contains(judged);
        !self.denied.iter().any(is_in)
            && (self.names(address) || !NOT_PUBLIC.iter().any(|network| network.contains(judged)))
    }

    /// Whether the address is in a network that the operator allows for development.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        let judged = judged(address);
        self.allowed.iter().any(|network| network.contains(judged))
    }

    /// Whether a webhook may be sent to this port of this address; every port is permitted in the
    /// operator's networks.
    #[must_use]
    pub fn allows_at(&self, address: IpAddr, port: u16) -> bool {
        self.allows(address) && (self.allows_port(port) || self.names(address))
    }

    /// The permitted addresses of a name. A name of this machine resolves to both families (RFC
    /// 6761 section 6.3), and the operator may have allowed only one of them; for any other name
    /// every address has to be permitted.
    pub(super) fn usable(&self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let is_local = addresses.iter().all(IpAddr::is_loopback);
        if is_local && addresses.iter().any(|address| self.allows(*address)) {
            addresses.retain(|address| self.allows(*address));
        }
        addresses
    }

    fn allows_port(&self, port: u16) -> bool {
        PORTS.contains(&port) || self.ports.contains(&port) || (self.http && port == 80)
    }

    /// Whether the beginning of a response from these addresses is stored for the merchant.
    pub(super) fn stores_responses_of(&self, addresses: &[IpAddr]) -> bool {
        self.store_responses || !addresses.iter().any(|address| self.names(*address))
    }

    /// Whether an endpoint needs no verification because its address is in a network that the
    /// operator allows.
    #[must_use]
    pub fn vouches_for(&self, url: &Url) -> bool {
        literal(url).is_some_and(|address| self.vouches_for_all(&[address]))
    }

    /// The same for the addresses of a name.
    pub(super) fn vouches_for_all(&self, addresses: &[IpAddr]) -> bool {
        let vouched = |a: &IpAddr| self.allows(*a) && self.names(*a);
        !self.verify_allowed && !addresses.is_empty() && addresses.iter().all(vouched)
    }

    /// Whether a webhook URL is permitted, without resolving names: a name is resolved only when
    /// something is sent, and a literal address is checked here because it never reaches the
    /// resolver.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if url.scheme() != "https" && !(self.http && url.scheme() == "http") {
            return Err(Refused::Http);
        }
        let port = url.port_or_known_default().ok_or(Refused::Port)?;
        match (url.host(), literal(url)) {
            (None, _) => Err(Refused::Address),
            (_, Some(address)) if !self.allows(address) => Err(Refused::Address),
            (_, Some(address)) if self.allows_at(address, port) => Ok(()),
            // The name may resolve to an allowed network.
            (_, None) if self.allows_port(port) || !self.allowed.is_empty() => Ok(()),
            _ => Err(Refused::Port),
        }
    }

    /// Whether a webhook may be sent to the addresses of a name. One forbidden address is enough to
    /// reject: a name with both kinds is an attack.
    pub(super) fn check_addresses(&self, addresses: &[IpAddr], port: u16) -> Result<(), Refused> {
        if addresses.is_empty() || !addresses.iter().all(|address| self.allows(*address)) {
            Err(Refused::Name)
        } else if addresses
            .iter()
            .all(|address| self.allows_at(*address, port))
        {
            Ok(())
        } else {
            Err(Refused::Port)
        }
    }
}

/// The literal address of a URL, if it has no name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        Some(Host::Domain(_)) | None => None,
    }
}

#[cfg(test)]
mod tests;
