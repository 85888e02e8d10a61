//! So many at once, in all and from one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken.
    All,
    /// The network has its share.
    Network,
}

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_network: HashMap<IpAddr, u32>,
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
    network: Option<IpAddr>,
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

    /// Takes one; without a network only all of them together are limited.
    pub(crate) fn take(self: &Arc<Self>, network: Option<IpAddr>) -> Result<Permit, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.max {
            return Err(Full::All);
        }
        if let Some(network) = network {
            let count = taken.by_network.get(&network).copied().unwrap_or(0);
            if count >= self.max_per_network {
                return Err(Full::Network);
            }
            taken.by_network.insert(network, count + 1);
        }
        taken.all += 1;
        drop(taken);
        Ok(Permit {
            permits: Arc::clone(self),
            network,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let taken = &self.permits.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let Some(network) = self.network else {
            return;
        };
        // A network that has none is forgotten, so that the map never outgrows the permits.
        match taken.by_network.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, Permits};
    use std::net::IpAddr;

    #[test]
    fn a_network_has_its_share_and_all_of_them_have_no_more_than_there_are() {
        let permits = Permits::new(4, 2);
        let network = |last| Some(IpAddr::from([192, 0, 2, last]));
        let first = permits.take(network(1)).unwrap();
        let _second = permits.take(network(1)).unwrap();
        assert_eq!(permits.take(network(1)).err(), Some(Full::Network));
        let other = permits.take(network(2)).unwrap();
        let _unknown = permits.take(None).unwrap();
        assert_eq!(permits.take(None).err(), Some(Full::All));
        assert_eq!(permits.take(network(3)).err(), Some(Full::All));
        drop(other);
        assert_eq!(permits.take(network(1)).err(), Some(Full::Network));
        drop(first);
        let _third = permits.take(network(1)).unwrap();
        let networks = permits.taken.lock().unwrap().by_network.len();
        assert_eq!(networks, 1, "a network without a permit is forgotten");
    }
}
