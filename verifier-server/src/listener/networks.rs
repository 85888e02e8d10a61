//! What counts as one client. Every limit that one client has is counted for these networks: connections
//! and requests at once, requests in a second, failed guesses; and the fraud rules for a household.

use std::net::IpAddr;

/// A network of one size, in which each address counts for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientNetwork {
    /// An address of IPv4.
    V4(u32),
    /// The first bits of an address of IPv6. Different lengths never meet in one count: the length
    /// stands in the last bits.
    V6(u128),
}

/// A size of networks and how much a network of that size may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkTier {
    bits: u32,
    /// Of the share of one client, in halves: whoever has many small networks in a large one has not as
    /// many shares.
    halves: u32,
}

const SUBSCRIBER_BITS: u32 = 64;
const HOUSEHOLD_BITS: u32 = 56;
const SITE_BITS: u32 = 48;

/// Networks of IPv6 as they are given out (RFC 6177): one link has a /64, a household a /56, and a site,
/// or a machine that is rented, often a /48.
pub(crate) const NETWORK_TIERS: [NetworkTier; 3] = [
    NetworkTier::new(SUBSCRIBER_BITS, 2),
    NetworkTier::new(HOUSEHOLD_BITS, 3),
    NetworkTier::new(SITE_BITS, 4),
];

impl NetworkTier {
    const fn new(bits: u32, halves: u32) -> Self {
        Self { bits, halves }
    }

    /// What a network of this size may have where one client may have so much.
    pub(crate) const fn share(self, of_one: u32) -> u32 {
        of_one.saturating_mul(self.halves).div_ceil(2)
    }

    /// How long one of them counts in a network of this size.
    pub(crate) fn interval_ms(self, of_one_ms: u64) -> u64 {
        of_one_ms.saturating_mul(2) / u64::from(self.halves)
    }
}

const fn prefix(address: u128, bits: u32) -> u128 {
    address & (u128::MAX << (u128::BITS - bits))
}

/// The networks that an address is counted for, the smallest first, each with its tier. An address of
/// IPv4 is one by itself.
pub(crate) fn networks_of(address: IpAddr) -> impl Iterator<Item = (ClientNetwork, NetworkTier)> {
    let networks = match address.to_canonical() {
        IpAddr::V4(v4) => {
            let network = ClientNetwork::V4(v4.to_bits());
            [Some((network, NETWORK_TIERS[0])), None, None]
        }
        IpAddr::V6(v6) => NETWORK_TIERS.map(|tier| {
            let first = prefix(v6.to_bits(), tier.bits);
            Some((ClientNetwork::V6(first | u128::from(tier.bits)), tier))
        }),
    };
    networks.into_iter().flatten()
}

fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(prefix(v6.to_bits(), bits).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The network that logs and the audit trail name: an address of IPv4, and of IPv6 the /64 of one link.
#[must_use]
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    masked(address, SUBSCRIBER_BITS)
}

/// What the fraud rules take for one address: an address of IPv4, and of IPv6 the /56 of a household.
#[must_use]
pub(crate) fn household_of(address: IpAddr) -> IpAddr {
    masked(address, HOUSEHOLD_BITS)
}

#[cfg(test)]
mod tests {
    use super::{household_of, network_of, networks_of};
    use std::net::IpAddr;

    #[test]
    fn an_address_of_ipv6_is_counted_for_its_link_its_household_and_its_site() {
        let networks = |text: &str| -> Vec<_> {
            let address = text.parse().unwrap();
            networks_of(address).map(|(network, _)| network).collect()
        };
        // How many of the three they share with 2001:db8:1:100::1.
        let rows = [
            ("2001:db8:1:100:ffff::9", 3),
            ("2001:db8:1:1ff::1", 2),
            ("2001:db8:1:200::1", 1),
            ("2001:db8:2:100::1", 0),
        ];
        let known = networks("2001:db8:1:100::1");
        for (address, expected) in rows {
            let shared = networks(address);
            let shared = shared.iter().filter(|network| known.contains(network));
            assert_eq!(shared.count(), expected, "{address}");
        }
        assert_eq!(networks("192.0.2.1").len(), 1);
        assert_eq!(networks("192.0.2.1"), networks("::ffff:192.0.2.1"));
    }

    #[test]
    fn each_use_of_an_address_names_the_network_that_it_needs() {
        let rows = [
            (
                "2001:db8:1:1ff:2::1",
                "2001:db8:1:1ff::",
                "2001:db8:1:100::",
            ),
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ];
        for (address, network, household) in rows {
            let address: IpAddr = address.parse().unwrap();
            let named = (network_of(address), household_of(address));
            let expected = (network.parse().unwrap(), household.parse().unwrap());
            assert_eq!(named, expected, "{address}");
        }
    }
}
