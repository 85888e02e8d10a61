//! Client networks: the units for all limits per client (concurrent connections and requests,
//! request rates, failed guesses) and for the household in fraud rules.

use std::net::IpAddr;

/// A network of one size, whose addresses share limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientNetwork {
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 prefix. Its length is in the last bits, so that prefixes of different lengths never
    /// share a count.
    V6(u128),
}

/// A network size and its share of the limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkTier {
    bits: u32,
    /// The share in halves of one client's: many small networks in a large one do not add up their
    /// shares.
    halves: u32,
}

const SUBSCRIBER_BITS: u32 = 64;
const HOUSEHOLD_BITS: u32 = 56;
const SITE_BITS: u32 = 48;

/// A literal: types need it, and an optimized build cannot compute a length from calls in a type.
pub(crate) const TIERS: usize = 3;

/// IPv6 networks as they are assigned (RFC 6177): a link has a /64, a household a /56, and a site
/// or a rented machine often a /48.
pub(crate) const NETWORK_TIERS: [NetworkTier; TIERS] = [
    NetworkTier::new(SUBSCRIBER_BITS, 2),
    NetworkTier::new(HOUSEHOLD_BITS, 3),
    NetworkTier::new(SITE_BITS, 4),
];

impl NetworkTier {
    const fn new(bits: u32, halves: u32) -> Self {
        Self { bits, halves }
    }

    /// The limit of a network of this size, given that of one client.
    pub(crate) const fn share(self, of_one: u32) -> u32 {
        of_one.saturating_mul(self.halves).div_ceil(2)
    }

    /// The counted interval for a network of this size.
    pub(crate) fn interval_ms(self, of_one_ms: u64) -> u64 {
        of_one_ms.saturating_mul(2) / u64::from(self.halves)
    }
}

const fn prefix(address: u128, bits: u32) -> u128 {
    address & (u128::MAX << (u128::BITS - bits))
}

/// The networks that an address counts for, smallest first, each with its tier. An IPv4 address is
/// its own network.
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

/// The network shown in logs and the audit trail: an IPv4 address, or the IPv6 /64 of a link.
#[must_use]
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    masked(address, SUBSCRIBER_BITS)
}

/// The network for fraud rules: an IPv4 address, or the IPv6 /56 of a household.
#[must_use]
pub(crate) fn household_of(address: IpAddr) -> IpAddr {
    masked(address, HOUSEHOLD_BITS)
}

#[cfg(test)]
mod tests {
    use super::{household_of, network_of, networks_of};
    use std::net::IpAddr;

    #[test]
    fn ipv6_addresses_count_for_link_household_and_site() {
        let networks = |text: &str| -> Vec<_> {
            let address = text.parse().unwrap();
            networks_of(address).map(|(network, _)| network).collect()
        };
        // The number of networks shared with 2001:db8:1:100::1.
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
    fn each_use_maps_addresses_to_the_right_network() {
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
