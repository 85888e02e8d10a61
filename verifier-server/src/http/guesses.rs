//! Failed guesses have a limit of their own. Who tries keys, names or codes waits for more of the
//! same; a shopper of the same network, or another key of it, does not. RequestCredentials that were let in
//! lately do not wait for what strangers of their network guess.

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    /// None for all clients that nobody can tell apart.
    network: Option<ClientNetwork>,
    target: Target,
    /// None for all credentials of the network together.
    credential: Option<u64>,
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
    fn buckets(&self, guess: &Guess, interval_ms: u64) -> Vec<(Bucket, u64)> {
        let bucket = |network, credential| Bucket {
            network,
            target: guess.target,
            credential,
        };
        let own = Some(guess.credential);
        let shared_ms = interval_ms / NETWORK_SHARE;
        match guess.client {
            Client::Network(address) => networks_of(address)
                .flat_map(|(network, tier)| {
                    let network = Some(network);
                    [
                        (bucket(network, own), tier.interval_ms(interval_ms)),
                        (bucket(network, None), tier.interval_ms(shared_ms).max(1)),
                    ]
                })
                .collect(),
            // Clients that nobody can tell apart have no limit of one of them where nothing else
            // tells them apart.
            Client::Unknown => {
                let own = guess.is_somebodys.then(|| (bucket(None, own), interval_ms));
                let shared = (bucket(None, None), (shared_ms / UNKNOWN_ARE).max(1));
                own.into_iter().chain([shared]).collect()
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
        for (bucket, one_ms) in self.buckets(guess, interval_ms) {
            if is_good && bucket.credential.is_none() {
                continue;
            }
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
    pub(crate) fn failed(&self, guess: &Guess, now_ms: u64) {
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
    use super::{
        Client, Credential, GOOD_FOR_MS, Guess, Guesses, REMEMBERED, REMEMBERED_GOOD, Target,
    };
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    const NOW: u64 = 1_000_000;

    fn at_merchants(guesses: &Guesses, client: Client, credential: &str) -> Guess {
        let credential = Credential::named(credential.as_bytes());
        guesses.guess(client, Target::Merchants, credential)
    }

    /// As many as are answered before the guesser waits.
    fn tried(guesses: &Guesses, client: Client, credentials: &[&str], now_ms: u64) -> usize {
        let mut count = 0;
        for credential in credentials.iter().cycle() {
            let guess = at_merchants(guesses, client, credential);
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

    fn network(last: u8) -> Client {
        Client::Network(IpAddr::from([192, 0, 2, last]))
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
        let elsewhere = Credential::named(b"a");
        let elsewhere = guesses.guess(network(1), Target::Sessions, elsewhere);
        assert!(guesses.allows(&elsewhere, NOW), "another target");
    }

    #[test]
    fn a_network_that_takes_another_credential_each_time_waits_as_well() {
        let guesses = default_limit();
        let credentials: Vec<_> = (0..500).map(|number: u32| number.to_string()).collect();
        let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
        assert_eq!(tried(&guesses, network(1), &credentials, NOW), 100);
    }

    #[test]
    fn networks_of_a_household_have_not_as_many_guesses() {
        let guesses = default_limit();
        let client = |fourth: u16| {
            let first = [0x2001, 0xdb8, 1, fourth, 0, 0, 0, 0];
            Client::Network(IpAddr::from(first))
        };
        // Of one credential 10 by a link, 15 by a household and 20 by a site.
        for (fourth, expected) in [(0x100, 10), (0x101, 5), (0x102, 0), (0x200, 5), (0x300, 0)] {
            assert_eq!(
                tried(&guesses, client(fourth), &["a"], NOW),
                expected,
                "{fourth:x}"
            );
        }
        // Of all credentials ten times as many.
        let guesses = default_limit();
        let mut count = 0;
        for fourth in 0..256 {
            let credentials: Vec<_> = (0..100)
                .map(|number: u32| format!("{fourth}-{number}"))
                .collect();
            let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
            count += tried(&guesses, client(fourth), &credentials, NOW);
        }
        assert!((150..=160).contains(&count), "{count}");
    }

    #[test]
    fn clients_without_a_name_wait_together_later_than_a_network() {
        let credentials: Vec<_> = (0..900).map(|number: u32| number.to_string()).collect();
        let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
        let unknown = |credentials: &[&str]| {
            let guesses = default_limit();
            tried(&guesses, Client::Unknown, credentials, NOW)
        };
        assert_eq!(unknown(&["a"]), 10);
        assert_eq!(unknown(&credentials), 400);
        assert_eq!(unknown(&[""]), 400, "nobody's");
    }

    #[test]
    fn a_credential_that_was_let_in_waits_for_its_own_guesses_alone() {
        let guesses = default_limit();
        let good = at_merchants(&guesses, network(1), "good");
        guesses.succeeded(&good, NOW);
        let credentials: Vec<_> = (0..500).map(|number: u32| number.to_string()).collect();
        let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
        assert_eq!(tried(&guesses, network(1), &credentials, NOW), 100);
        // One that looks like it and is not.
        let similar = Credential {
            name: b"good",
            whole: b"good, but not the same",
        };
        let similar = guesses.guess(network(1), Target::Merchants, similar);
        assert!(!guesses.allows(&similar, NOW));
        assert_eq!(tried(&guesses, network(1), &["good"], NOW), 10);
        assert_eq!(tried(&guesses, network(1), &["new"], NOW), 0);
        let elsewhere = at_merchants(&guesses, network(2), "good");
        tried(&guesses, network(2), &credentials, NOW);
        assert!(!guesses.allows(&elsewhere, NOW), "from another network");
    }

    #[test]
    fn good_credentials_are_forgotten_after_a_while_and_bounded() {
        let guesses = default_limit();
        let is_remembered =
            |guess: &Guess| guesses.buckets.lock().unwrap().good.contains(guess.whole);
        let first = at_merchants(&guesses, network(1), "first");
        guesses.succeeded(&first, NOW);
        let later = NOW + GOOD_FOR_MS;
        guesses.succeeded(&at_merchants(&guesses, network(1), "second"), later);
        assert!(is_remembered(&first));
        let later = later + GOOD_FOR_MS;
        guesses.succeeded(&at_merchants(&guesses, network(1), "third"), later);
        assert!(!is_remembered(&first));
        for number in 0..3 * REMEMBERED_GOOD {
            let guess = at_merchants(&guesses, network(1), &number.to_string());
            guesses.succeeded(&guess, later);
        }
        let buckets = guesses.buckets.lock().unwrap();
        let remembered = buckets.good.now.len() + buckets.good.before.len();
        assert!(remembered <= 2 * REMEMBERED_GOOD, "{remembered}");
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
            let guess = guesses.guess(
                network(1),
                Target::Forms,
                Credential::named(&number.to_be_bytes()),
            );
            guesses.failed(&guess, NOW);
        }
        assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= REMEMBERED + 5);
        let later = NOW + 10_000;
        let guess = guesses.guess(network(2), Target::Forms, Credential::named(b"x"));
        guesses.failed(&guess, later);
        assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= 3);
        assert_eq!(tried(&Guesses::new(None), network(1), &["a"], NOW), 1000);
    }
}
