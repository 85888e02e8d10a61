//! Slots for each merchant, endpoint or host, so that none of them uses up those of the others.

pub(crate) mod merchant_queues;
pub(crate) mod payment_waiters;

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many owners are kept before idle ones are forgotten.
const KNOWN: usize = 1024;

/// A limited number of slots for each owner.
#[derive(Debug)]
pub(crate) struct Places<K> {
    each: usize,
    owners: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Eq + Hash + Debug> Places<K> {
    /// So many for each.
    pub(crate) fn new(each: usize) -> Self {
        Self {
            each,
            owners: Mutex::new(HashMap::new()),
        }
    }

    /// Those of one owner.
    pub(crate) fn for_owner(&self, owner: K) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= KNOWN {
            // Whoever holds a place or waits for one holds the semaphore as well.
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
    fn each_owner_has_places_and_those_who_have_nothing_under_way_are_forgotten() {
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
