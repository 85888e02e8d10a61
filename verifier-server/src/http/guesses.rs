//! Failed guesses have a limit of their own. Who tries keys, names or codes waits for more of the
//! same; a shopper of the same network, or another key of it, does not. Credentials that were let in
//! lately do not wait for what strangers of their network guess, also where these show their names.

use super::client::Client;
use crate::listener::{ClientNetwork, networks_of};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// How many requests of the limit a failed guess counts for: of 50 requests a second, two and a half.
pub(crate) const GUESS_COSTS: u32 = 20;
/// Failed guesses of a whole network, in those of one credential: a guesser takes another
/// credential each time, while a network has several honest ones.
const NETWORK_SHARE: u64 = 10;
/// Buckets remembered.
const REMEMBERED: usize = 20_000;
const SWEPT_EVERY_MS: u64 = 1_000;
/// Clients whom a proxy does not name have together what so many networks have.
const UNKNOWN_ARE: u64 = 4;
/// A credential that was let in is remembered for so long at least, and for twice as long at most. A
/// session lasts half an hour.
const GOOD_FOR_MS: u64 = 30 * 60 * 1000;
/// Good credentials remembered of each such time; the oldest are forgotten first.
const REMEMBERED_GOOD: usize = 50_000;

/// What is guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
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
pub(crate) struct Guess {
    client: Client,
    target: Target,
    /// As much of the credential as tells one from another, so that the rest of it can be guessed.
    credential: u64,
    /// The whole of it.
    whole: u64,
    /// There is a credential.
    is_somebodys: bool,
}

/// A credential, as a request shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credential<'a> {
    /// As much of it as is no secret.
    pub(crate) name: &'a [u8],
    /// All of it.
    pub(crate) whole: &'a [u8],
}

impl<'a> Credential<'a> {
    /// None at all.
    pub(crate) const NONE: Self = Self::named(b"");

    /// One that is no secret, or that is looked up as a whole.
    pub(crate) const fn named(name: &'a [u8]) -> Self {
        Self { name, whole: name }
    }
}

/// What was wrong with a guess that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The credential: it is nobody's.
    Credential,
    /// What it asked for, and the credential has proved itself.
    OfProven,
    /// What was asked for, before the credential proved itself: it may be somebody else's.
    OfStranger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    /// None for all clients that nobody can tell apart.
    network: Option<ClientNetwork>,
    target: Target,
    guesser: Guesser,
}

/// Whose guesses count in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Guesser {
    /// A client that shows a credential of this name.
    Claims(u64),
    /// The one whose credential of this name has proved itself.
    Is(u64),
    /// All of the network.
    Anybody,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each is full again, milliseconds since 1970 (GCRA).
    full_at_ms: HashMap<Bucket, u64>,
    swept_at_ms: u64,
    good: Good,
}

/// Hashes of the credentials that were let in lately, each with its client.
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

/// The limit of failed guesses.
#[derive(Debug)]
pub(crate) struct Guesses {
    /// How long one guess of a credential takes to be forgiven; none for no limit.
    interval_ms: Option<u64>,
    burst: u64,
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

impl Guesses {
    /// From the limit of requests: so many a second, and so many at once.
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

    /// A guess at a target. Of a credential only keyed hashes are kept, and only in memory.
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

    /// Each with how long one guess counts in it. All limits have the same length in time; that of a
    /// network takes more guesses in it than that of a credential, and a large network more than a small
    /// one.
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
            // Clients that nobody can tell apart have no limit of one of them where nothing else
            // tells them apart.
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

    /// A credential was let in.
    pub(crate) fn succeeded(&self, guess: &Guess, now_ms: u64) {
        if self.interval_ms.is_some() && guess.is_somebodys {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.good.insert(guess.whole, now_ms);
        }
    }

    /// Whether one more may be tried.
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
            // A clock that was set back makes nobody wait longer than a full bucket.
            *full_at_ms = (*full_at_ms).min(now_ms.saturating_add(most_ms));
            allows &= full_at_ms.saturating_sub(now_ms) + one_ms <= most_ms;
        }
        allows
    }

    /// One has failed. A credential's guesses are its own only where it has proved itself, or is what
    /// was wrong: anybody may show its name.
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
