//! So many at once, in all and for each network.

use super::networks::{ClientNetwork, networks_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Of all permits, the part that clients have whom nobody names.
const UNNAMED_PART: u32 = 4;

/// Who takes a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// Somebody of this network.
    Network(IpAddr),
    /// Somebody whom a trusted proxy does not name.
    Unnamed,
    /// Somebody who stands for others, such as a proxy: only all permits together are limited.
    Many,
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken.
    All,
    /// The network has its share.
    Network,
}

/// What is counted: a network, or those without a name.
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

/// One permit, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    holder: Holder,
}

impl Permits {
    /// So many in all, and so many for one network.
    #[must_use]
    pub fn new(max: u32, max_per_network: u32) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_network,
            taken: Mutex::default(),
        })
    }

    /// Everything that a holder counts for, with its share.
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

    /// What is left of a share when only so many are free. While half of all are, it is whole; from
    /// there it shrinks with the square of what is free, so that networks which take all they can
    /// leave room: eight of them a quarter of all, and thirty a fifteenth.
    fn shrunk(&self, share: u32, free: u32) -> u32 {
        if free >= self.max / 2 {
            return share;
        }
        let (free, max) = (2 * u128::from(free), u128::from(self.max));
        let left = (u128::from(share) * free * free).div_ceil(max * max);
        u32::try_from(left).unwrap_or(share)
    }

    /// Takes one. A network never has more than its share.
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
            // A network that has none is forgotten, so that the map never outgrows the permits.
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

    /// Of 2001:db8::/32.
    fn v6(third: u16, fourth: u16) -> Holder {
        let address = Ipv6Addr::new(0x2001, 0xdb8, third, fourth, 0, 0, 0, 0);
        Holder::Network(address.into())
    }

    /// As many as each of the holders gets, and all that they get.
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
    fn a_network_has_its_share_and_all_of_them_have_no_more_than_there_are() {
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
    fn many_networks_that_take_all_they_can_leave_room_for_the_next() {
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
    fn small_networks_of_a_large_one_share_what_it_has() {
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
    fn clients_without_a_name_have_a_part_and_no_more() {
        let permits = Permits::new(2048, 256);
        let (all, counts) = taken(&permits, &[Holder::Unnamed, v4(1)]);
        assert_eq!(counts, [512, 256]);
        drop(all);
        assert!(permits.taken.lock().unwrap().by_network.is_empty());
    }
}
