//! Failed guesses have a limit of their own. Who tries keys, names or codes waits for more of the
//! same; a shopper of the same network, or another key of it, does not.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// How many requests of the limit a failed guess counts for: of 50 requests a second, two and a half.
pub(super) const GUESS_COSTS: u32 = 20;
/// Failed guesses of a whole network, in those of one credential: a guesser takes another
/// credential each time, while a network has several honest ones.
const NETWORK_SHARE: u64 = 10;
/// Buckets remembered.
const REMEMBERED: usize = 20_000;
const SWEPT_EVERY_MS: u64 = 1_000;

/// What is guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// Keys and resources of merchants.
    Merchants,
    /// Checkout sessions and one-time codes.
    Sessions,
    /// The form's documents.
    Forms,
    /// The simulated world.
    Simulation,
}

/// What a request would be if it failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    network: Option<IpAddr>,
    target: Target,
    credential: u64,
    /// Clients that nobody can tell apart are not limited together.
    is_somebodys: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    network: Option<IpAddr>,
    target: Target,
    /// None for all credentials of the network together.
    credential: Option<u64>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each is full again, milliseconds since 1970 (GCRA).
    full_at_ms: HashMap<Bucket, u64>,
    swept_at_ms: u64,
}

/// The limit of failed guesses.
#[derive(Debug)]
pub(super) struct Guesses {
    /// How long one guess of a credential takes to be forgiven; none for no limit.
    interval_ms: Option<u64>,
    burst: u64,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

impl Guesses {
    /// From the limit of requests: so many a second, and so many at once.
    pub(super) fn new(limit: Option<(NonZeroU32, NonZeroU32)>) -> Self {
        let interval = |(rate, _): (NonZeroU32, _)| 1000 * GUESS_COSTS / rate;
        let burst = limit.map_or(1, |(_, burst)| burst.get() / GUESS_COSTS);
        Self {
            interval_ms: limit.map(|limit| u64::from(interval(limit)).max(NETWORK_SHARE)),
            burst: u64::from(burst).max(1),
            buckets: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// A guess at a target. Of a credential only a keyed hash is kept, and only in memory.
    pub(super) fn guess(
        &self,
        network: Option<IpAddr>,
        target: Target,
        credential: &[u8],
    ) -> Guess {
        Guess {
            network,
            target,
            credential: self.hasher.hash_one(credential),
            is_somebodys: network.is_some() || !credential.is_empty(),
        }
    }

    /// Both limits have the same length in time; that of the network takes more guesses in it.
    fn buckets(&self, guess: &Guess, interval_ms: u64) -> impl Iterator<Item = (Bucket, u64)> {
        let bucket = |credential| Bucket {
            network: guess.network,
            target: guess.target,
            credential,
        };
        let own = (bucket(Some(guess.credential)), interval_ms);
        let own = guess.is_somebodys.then_some(own);
        let shared = guess
            .network
            .map(|_| (bucket(None), interval_ms / NETWORK_SHARE));
        own.into_iter().chain(shared)
    }

    /// Whether one more may be tried.
    pub(super) fn allows(&self, guess: &Guess, now_ms: u64) -> bool {
        let Some(interval_ms) = self.interval_ms else {
            return true;
        };
        let most_ms = self.burst.saturating_mul(interval_ms);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut allows = true;
        for (bucket, one_ms) in self.buckets(guess, interval_ms) {
            let Some(full_at_ms) = buckets.full_at_ms.get_mut(&bucket) else {
                continue;
            };
            // A clock that was set back makes nobody wait longer than a full bucket.
            *full_at_ms = (*full_at_ms).min(now_ms.saturating_add(most_ms));
            allows &= full_at_ms.saturating_sub(now_ms) + one_ms <= most_ms;
        }
        allows
    }

    /// One has failed.
    pub(super) fn failed(&self, guess: &Guess, now_ms: u64) {
        let Some(interval_ms) = self.interval_ms else {
            return;
        };
        let most_ms = self.burst.saturating_mul(interval_ms);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.sweep(now_ms);
        let has_room = buckets.full_at_ms.len() < REMEMBERED;
        for (bucket, one_ms) in self.buckets(guess, interval_ms) {
            if has_room || buckets.full_at_ms.contains_key(&bucket) {
                let full_at_ms = buckets.full_at_ms.entry(bucket).or_default();
                let later = (*full_at_ms).max(now_ms).saturating_add(one_ms);
                *full_at_ms = later.min(now_ms.saturating_add(most_ms));
            }
        }
    }
}

impl Buckets {
    fn sweep(&mut self, now_ms: u64) {
        let is_due = now_ms.abs_diff(self.swept_at_ms) >= SWEPT_EVERY_MS;
        if is_due && self.full_at_ms.len() >= REMEMBERED {
            self.full_at_ms.retain(|_, full_at_ms| *full_at_ms > now_ms);
            self.swept_at_ms = now_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Guesses, REMEMBERED, Target};
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    const NOW: u64 = 1_000_000;

    /// As many as are answered before the guesser waits.
    fn tried(
        guesses: &Guesses,
        network: Option<IpAddr>,
        credentials: &[&str],
        now_ms: u64,
    ) -> usize {
        let mut count = 0;
        for credential in credentials.iter().cycle() {
            let guess = guesses.guess(network, Target::Merchants, credential.as_bytes());
            if !guesses.allows(&guess, now_ms) || count == 1000 {
                break;
            }
            guesses.failed(&guess, now_ms);
            count += 1;
        }
        count
    }

    fn default_limit() -> Guesses {
        Guesses::new(Some((
            NonZeroU32::new(50).unwrap(),
            NonZeroU32::new(200).unwrap(),
        )))
    }

    fn network(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_credential_is_tried_ten_times_and_then_once_in_400_milliseconds() {
        let guesses = default_limit();
        assert_eq!(tried(&guesses, network(1), &["a"], NOW), 10);
        assert_eq!(tried(&guesses, network(1), &["a"], NOW + 399), 0);
        assert_eq!(tried(&guesses, network(1), &["a"], NOW + 400), 1);
        assert_eq!(
            tried(&guesses, network(1), &["b"], NOW + 400),
            10,
            "another key"
        );
        assert_eq!(
            tried(&guesses, network(2), &["a"], NOW + 400),
            10,
            "another network"
        );
        let elsewhere = guesses.guess(network(1), Target::Sessions, b"a");
        assert!(guesses.allows(&elsewhere, NOW), "another target");
    }

    #[test]
    fn a_network_that_takes_another_credential_each_time_waits_as_well() {
        let guesses = default_limit();
        let credentials: Vec<_> = (0..500).map(|number: u32| number.to_string()).collect();
        let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
        assert_eq!(tried(&guesses, network(1), &credentials, NOW), 100);
        assert_eq!(
            tried(&guesses, None, &credentials, NOW),
            1000,
            "these are many"
        );
        assert_eq!(tried(&guesses, None, &["a"], NOW), 10);
        assert_eq!(tried(&guesses, None, &[""], NOW), 1000, "nobody's");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_for_it() {
        let guesses = default_limit();
        assert_eq!(tried(&guesses, network(1), &["a"], NOW), 10);
        assert_eq!(tried(&guesses, network(1), &["a"], NOW / 2), 0);
        assert_eq!(tried(&guesses, network(1), &["a"], NOW / 2 + 4_000), 10);
    }

    #[test]
    fn memory_is_bounded_and_no_limit_is_none() {
        let guesses = default_limit();
        for number in 0..REMEMBERED + 500 {
            let guess = guesses.guess(network(1), Target::Forms, &number.to_be_bytes());
            guesses.failed(&guess, NOW);
        }
        assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= REMEMBERED + 1);
        let later = NOW + 10_000;
        let guess = guesses.guess(network(2), Target::Forms, b"x");
        guesses.failed(&guess, later);
        assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= 3);
        assert_eq!(tried(&Guesses::new(None), network(1), &["a"], NOW), 1000);
    }
}
