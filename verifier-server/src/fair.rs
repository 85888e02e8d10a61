//! Concurrency slots for each merchant, endpoint or host, so that none uses up those of others.

pub(crate) mod merchant_queues;
pub(crate) mod payment_waiters;

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Maximum number of owners before idle ones are dropped.
const KNOWN: usize = 1024;

/// A limited number of slots for each owner.
#[derive(Debug)]
pub(crate) struct Places<K> {
    each: usize,
    owners: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Eq + Hash + Debug> Places<K> {
    /// Creates slots with a limit for each owner.
    pub(crate) fn new(each: usize) -> Self {
        Self {
            each,
            owners: Mutex::new(HashMap::new()),
        }
    }

    /// The slots of one owner.
    pub(crate) fn for_owner(&self, owner: K) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= KNOWN {
            // A caller that holds or waits for a slot also holds a reference to the semaphore.
            owners.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = owners
            .entry(owner)
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Arc::clone(places)
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Places};
    use std::sync::Arc;

    #[test]
    fn owners_have_separate_slots_and_idle_ones_are_dropped() {
        let places = Places::new(1);
        let held = places.for_owner(0).try_acquire_owned().unwrap();
        for owner in 1..=2 * KNOWN {
            assert!(places.for_owner(owner).try_acquire().is_ok());
        }
        assert!(places.owners.lock().unwrap().len() <= KNOWN);
        assert!(places.for_owner(0).try_acquire().is_err());
        drop(held);
        assert!(Arc::clone(&places.for_owner(0)).try_acquire().is_ok());
    }
}
