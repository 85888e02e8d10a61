//! Concurrency permits, limited in total and for each network.

use super::networks::{ClientNetwork, networks_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The fraction of all permits for clients that a proxy does not name.
const UNNAMED_PART: u32 = 4;

/// The holder of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A client of this network.
    Network(IpAddr),
    /// A client that a trusted proxy does not name.
    Unnamed,
    /// Stands for many clients, such as a proxy: only the total is limited.
    Many,
}

/// Why no permit is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The total limit is reached.
    All,
    /// The limit of the network is reached.
    Network,
}

/// The counted unit: a network, or all unnamed clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Network(ClientNetwork),
    Unnamed,
}

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_network: HashMap<Counted, u32>,
}

/// Permits for connections or requests.
#[derive(Debug)]
pub struct Permits {
    max: u32,
    max_per_network: u32,
    taken: Mutex<Taken>,
}

/// A permit, released on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    holder: Holder,
}

impl Permits {
    /// Creates permits with a total limit and a limit per network.
    #[must_use]
    pub fn new(max: u32, max_per_network: u32) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_network,
            taken: Mutex::default(),
        })
    }

    /// The units that a holder counts for, with their shares.
    fn shares(&self, holder: Holder) -> impl Iterator<Item = (Counted, u32)> {
        let (network, unnamed) = match holder {
            Holder::Network(network) => (Some(network), None),
            Holder::Unnamed => (None, Some(self.max.div_ceil(UNNAMED_PART))),
            Holder::Many => (None, None),
        };
        let share = self.max_per_network;
        let networks = network.into_iter().flat_map(networks_of);
        let networks =
            networks.map(move |(network, tier)| (Counted::Network(network), tier.share(share)));
        networks.chain(unnamed.map(|share| (Counted::Unnamed, share)))
    }

    /// Reduces a share when few permits are free. It is complete while half of all are free, and
    /// then shrinks with the square of the free ones, so that greedy networks leave room for
    /// others: eight of them leave a quarter of all, and thirty a fifteenth.
    fn shrunk(&self, share: u32, free: u32) -> u32 {
        if free >= self.max / 2 {
            return share;
        }
        let (free, max) = (2 * u128::from(free), u128::from(self.max));
        let left = (u128::from(share) * free * free).div_ceil(max * max);
        u32::try_from(left).unwrap_or(share)
    }

    /// Acquires a permit. A network never has more than its share.
    pub(crate) fn take(self: &Arc<Self>, holder: Holder) -> Result<Permit, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.max.saturating_sub(taken.all);
        if free == 0 {
            return Err(Full::All);
        }
        let is_over = |(counted, share): (Counted, u32)| {
            let count = taken.by_network.get(&counted).copied().unwrap_or(0);
            count >= self.shrunk(share, free)
        };
        if self.shares(holder).any(is_over) {
            return Err(Full::Network);
        }
        for (counted, _) in self.shares(holder) {
            *taken.by_network.entry(counted).or_default() += 1;
        }
        taken.all += 1;
        drop(taken);
        Ok(Permit {
            permits: Arc::clone(self),
            holder,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let taken = &self.permits.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        for (counted, _) in self.permits.shares(self.holder) {
            // Networks without permits are removed, so that the map never outgrows the permits.
            match taken.by_network.get_mut(&counted) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    taken.by_network.remove(&counted);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, Holder, Permits};
    use std::net::{IpAddr, Ipv6Addr};
    use std::sync::Arc;

    fn v4(last: u8) -> Holder {
        Holder::Network(IpAddr::from([192, 0, 2, last]))
    }

    /// In 2001:db8::/32.
    fn v6(third: u16, fourth: u16) -> Holder {
        let address = Ipv6Addr::new(0x2001, 0xdb8, third, fourth, 0, 0, 0, 0);
        Holder::Network(address.into())
    }

    /// The number of permits that each holder gets, and those permits.
    fn taken(permits: &Arc<Permits>, holders: &[Holder]) -> (Vec<super::Permit>, Vec<usize>) {
        let (mut all, mut counts) = (Vec::new(), Vec::new());
        for holder in holders {
            let before = all.len();
            while let Ok(permit) = permits.take(*holder) {
                all.push(permit);
            }
            counts.push(all.len() - before);
        }
        (all, counts)
    }

    #[test]
    fn permits_are_limited_per_network_and_in_total() {
        let permits = Permits::new(4, 2);
        let first = permits.take(v4(1)).unwrap();
        let _second = permits.take(v4(1)).unwrap();
        assert_eq!(permits.take(v4(1)).err(), Some(Full::Network));
        let other = permits.take(v4(2)).unwrap();
        let _proxy = permits.take(Holder::Many).unwrap();
        assert_eq!(permits.take(Holder::Many).err(), Some(Full::All));
        assert_eq!(permits.take(v4(3)).err(), Some(Full::All));
        drop(other);
        assert_eq!(permits.take(v4(1)).err(), Some(Full::Network));
        drop(first);
        assert!(permits.take(v4(3)).is_ok());
        let networks = permits.taken.lock().unwrap().by_network.len();
        assert_eq!(networks, 1, "a network without a permit is forgotten");
    }

    #[test]
    fn greedy_networks_leave_room_for_others() {
        let rows = [(4, 1024, 170), (8, 512, 50), (30, 128, 4), (100, 16, 1)];
        for (networks, fewest_free, next) in rows {
            let permits = Permits::new(2048, 256);
            let greedy: Vec<_> = (0..networks).map(v4).collect();
            let (all, counts) = taken(&permits, &greedy);
            assert_eq!(&counts[..4], [256; 4], "half of all are whole shares");
            let free = 2048 - all.len();
            assert!(free >= fewest_free, "{networks}: {free}");
            let (_more, counts) = taken(&permits, &[v4(200)]);
            assert!(counts[0] >= next, "{networks}: {counts:?}");
        }
    }

    #[test]
    fn small_networks_share_the_limit_of_their_large_one() {
        let permits = Permits::new(2048, 256);
        let of_a_household: Vec<_> = (0..8).map(|fourth| v6(1, fourth)).collect();
        let (_all, counts) = taken(&permits, &of_a_household);
        assert_eq!(counts, [256, 128, 0, 0, 0, 0, 0, 0]);
        let of_a_machine: Vec<_> = (1..8).map(|fourth| v6(1, fourth << 8)).collect();
        let (_more, counts) = taken(&permits, &of_a_machine);
        assert_eq!(counts, [128, 0, 0, 0, 0, 0, 0]);
        let (_others, counts) = taken(&permits, &[v6(2, 0)]);
        assert_eq!(counts, [256]);
    }

    #[test]
    fn unnamed_clients_are_limited_to_a_fraction() {
        let permits = Permits::new(2048, 256);
        let (all, counts) = taken(&permits, &[Holder::Unnamed, v4(1)]);
        assert_eq!(counts, [512, 256]);
        drop(all);
        assert!(permits.taken.lock().unwrap().by_network.is_empty());
    }
}
