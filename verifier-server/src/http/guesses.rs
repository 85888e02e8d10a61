//! A separate rate limit for failed guesses. A client that tries keys, ids or codes is slowed down;
//! other shoppers of its network, and other keys, are not. Credentials that succeeded recently are
//! not slowed down by others' failures, even if those present the same key name.

use super::client::Client;
use crate::listener::{ClientNetwork, networks_of};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// The number of requests that one failed guess counts as: of 50 requests a second, this leaves two
/// and a half guesses.
pub(crate) const GUESS_COSTS: u32 = 20;
/// A network's limit of failed guesses, as a multiple of one credential's: an attacker changes
/// credentials, while a network has several honest ones.
const NETWORK_SHARE: u64 = 10;
/// Maximum number of buckets.
const REMEMBERED: usize = 20_000;
const SWEPT_EVERY_MS: u64 = 1_000;
/// The limit of clients that a proxy does not name, as a multiple of one network's.
const UNKNOWN_ARE: u64 = 4;
/// How long a successful credential is remembered, milliseconds, at least; at most twice as long. A
/// session lasts half an hour.
const GOOD_FOR_MS: u64 = 30 * 60 * 1000;
/// Successful credentials remembered in each period; the oldest are dropped first.
const REMEMBERED_GOOD: usize = 50_000;

/// The target of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// Merchants' keys and resources.
    Merchants,
    /// Checkout sessions and one-time codes.
    Sessions,
    /// The form's documents.
    Forms,
    /// Simulation endpoints.
    Simulation,
}

/// A request that counts as a guess if it fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guess {
    client: Client,
    target: Target,
    /// A hash of the credential's public part. Its secret part is what is being guessed.
    credential: u64,
    /// A hash of the whole credential.
    whole: u64,
    /// Whether there is a credential.
    is_somebodys: bool,
}

/// The credential of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credential<'a> {
    /// Its public part.
    pub(crate) name: &'a [u8],
    /// All of it.
    pub(crate) whole: &'a [u8],
}

impl<'a> Credential<'a> {
    /// No credential.
    pub(crate) const NONE: Self = Self::named(b"");

    /// A credential that is not secret, or that is looked up as a whole.
    pub(crate) const fn named(name: &'a [u8]) -> Self {
        Self { name, whole: name }
    }
}

/// Why a guess failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The credential is not valid.
    Credential,
    /// The requested resource does not exist, and the credential is authenticated.
    OfProven,
    /// The requested resource does not exist, and the credential was not authenticated yet: it may
    /// belong to another client.
    OfStranger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    /// None for clients that cannot be distinguished.
    network: Option<ClientNetwork>,
    target: Target,
    guesser: Guesser,
}

/// The owner of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Guesser {
    /// A client that presents a credential of this name.
    Claims(u64),
    /// The authenticated owner of the credential of this name.
    Is(u64),
    /// The whole network.
    Anybody,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each bucket is full again, milliseconds since 1970 (GCRA).
    full_at_ms: HashMap<Bucket, u64>,
    swept_at_ms: u64,
    good: Good,
}

/// Hashes of recently successful credentials with their clients.
#[derive(Debug, Default)]
struct Good {
    now: HashSet<u64>,
    before: HashSet<u64>,
    since_ms: u64,
}

impl Good {
    fn contains(&self, hash: u64) -> bool {
        self.now.contains(&hash) || self.before.contains(&hash)
    }

    fn remove(&mut self, hash: u64) {
        self.now.remove(&hash);
        self.before.remove(&hash);
    }

    fn insert(&mut self, hash: u64, now_ms: u64) {
        let is_over = now_ms.abs_diff(self.since_ms) >= GOOD_FOR_MS;
        if is_over || self.now.len() >= REMEMBERED_GOOD {
            self.before = std::mem::take(&mut self.now);
            self.since_ms = now_ms;
        }
        self.now.insert(hash);
    }
}

/// The rate limit of failed guesses.
#[derive(Debug)]
pub(crate) struct Guesses {
    /// How long one guess of a credential is counted; none without a limit.
    interval_ms: Option<u64>,
    burst: u64,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

impl Guesses {
    /// Derived from the limit of requests: requests per second, and burst.
    pub(crate) fn new(limit: Option<(NonZeroU32, NonZeroU32)>) -> Self {
        let interval = |(rate, _): (NonZeroU32, _)| 1000 * GUESS_COSTS / rate;
        let burst = limit.map_or(1, |(_, burst)| burst.get() / GUESS_COSTS);
        Self {
            interval_ms: limit
                .map(|limit| u64::from(interval(limit)).max(NETWORK_SHARE * UNKNOWN_ARE)),
            burst: u64::from(burst).max(1),
            buckets: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// A guess at a target. Only keyed hashes of the credential are stored, in memory.
    pub(crate) fn guess(
        &self,
        client: Client,
        target: Target,
        credential: Credential<'_>,
    ) -> Guess {
        Guess {
            client,
            target,
            credential: self.hasher.hash_one(credential.name),
            whole: self.hasher.hash_one((client, target, credential.whole)),
            is_somebodys: !credential.name.is_empty(),
        }
    }

    /// The buckets, each with the time that one guess counts. All buckets span the same time; a
    /// network's takes more guesses than a credential's, and a large network's more than a small
    /// one's.
    fn buckets(&self, guess: &Guess, guessers: &[Guesser], interval_ms: u64) -> Vec<(Bucket, u64)> {
        let bucket = |network, guesser| Bucket {
            network,
            target: guess.target,
            guesser,
        };
        let interval_ms = |guesser| match guesser {
            Guesser::Anybody => interval_ms / NETWORK_SHARE,
            Guesser::Claims(_) | Guesser::Is(_) => interval_ms,
        };
        match guess.client {
            Client::Network(address) => networks_of(address)
                .flat_map(|(network, tier)| {
                    let of_one = move |guesser: &Guesser| {
                        let one_ms = tier.interval_ms(interval_ms(*guesser)).max(1);
                        (bucket(Some(network), *guesser), one_ms)
                    };
                    guessers.iter().map(of_one)
                })
                .collect(),
            // Clients that cannot be distinguished have no limit of their own.
            Client::Unknown => {
                let counts =
                    |guesser: &&Guesser| guess.is_somebodys || matches!(guesser, Guesser::Anybody);
                let of_one = |guesser: &Guesser| {
                    let share = match guesser {
                        Guesser::Anybody => UNKNOWN_ARE,
                        Guesser::Claims(_) | Guesser::Is(_) => 1,
                    };
                    let one_ms = (interval_ms(*guesser) / share).max(1);
                    (bucket(None, *guesser), one_ms)
                };
                guessers.iter().filter(counts).map(of_one).collect()
            }
        }
    }

    /// Records a successful credential.
    pub(crate) fn succeeded(&self, guess: &Guess, now_ms: u64) {
        if self.interval_ms.is_some() && guess.is_somebodys {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.good.insert(guess.whole, now_ms);
        }
    }

    /// Whether another guess is permitted.
    pub(crate) fn allows(&self, guess: &Guess, now_ms: u64) -> bool {
        let Some(interval_ms) = self.interval_ms else {
            return true;
        };
        let most_ms = self.burst.saturating_mul(interval_ms);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut allows = true;
        let is_good = guess.is_somebodys && buckets.good.contains(guess.whole);
        let guessers: &[Guesser] = if is_good {
            &[Guesser::Is(guess.credential)]
        } else {
            &[Guesser::Claims(guess.credential), Guesser::Anybody]
        };
        for (bucket, one_ms) in self.buckets(guess, guessers, interval_ms) {
            let Some(full_at_ms) = buckets.full_at_ms.get_mut(&bucket) else {
                continue;
            };
            // If the clock was set back, nobody waits longer than for a full bucket.
            *full_at_ms = (*full_at_ms).min(now_ms.saturating_add(most_ms));
            allows &= full_at_ms.saturating_sub(now_ms) + one_ms <= most_ms;
        }
        allows
    }

    /// Records a failed guess. It counts for the credential's owner only if the credential was
    /// authenticated, or is what was wrong: anybody can present its name.
    pub(crate) fn failed(&self, guess: &Guess, failure: Failure, now_ms: u64) {
        let Some(interval_ms) = self.interval_ms else {
            return;
        };
        let most_ms = self.burst.saturating_mul(interval_ms);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.sweep(now_ms);
        let own = Guesser::Claims(guess.credential);
        let guessers: &[Guesser] = match failure {
            Failure::OfProven => &[Guesser::Is(guess.credential), Guesser::Anybody],
            Failure::OfStranger if guess.is_somebodys => &[Guesser::Anybody],
            Failure::OfStranger => &[own, Guesser::Anybody],
            Failure::Credential => {
                buckets.good.remove(guess.whole);
                &[own, Guesser::Anybody]
            }
        };
        let has_room = buckets.full_at_ms.len() < REMEMBERED;
        for (bucket, one_ms) in self.buckets(guess, guessers, interval_ms) {
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
mod tests;
