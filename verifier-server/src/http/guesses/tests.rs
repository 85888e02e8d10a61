use super::{
    Client, Credential, Failure, GOOD_FOR_MS, Guess, Guesses, REMEMBERED, REMEMBERED_GOOD, Target,
};
use std::net::IpAddr;
use std::num::NonZeroU32;

const NOW: u64 = 1_000_000;

fn at_merchants(guesses: &Guesses, client: Client, credential: &str) -> Guess {
    let credential = Credential::named(credential.as_bytes());
    guesses.guess(client, Target::Merchants, credential)
}

/// The number of guesses before the client has to wait.
fn tried(guesses: &Guesses, client: Client, credentials: &[&str], now_ms: u64) -> usize {
    let mut count = 0;
    for credential in credentials.iter().cycle() {
        let guess = at_merchants(guesses, client, credential);
        if !guesses.allows(&guess, now_ms) || count == 1000 {
            break;
        }
        guesses.failed(&guess, Failure::Credential, now_ms);
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
fn credentials_get_ten_guesses_then_one_in_400_milliseconds() {
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
fn changing_credentials_is_limited_by_network() {
    let guesses = default_limit();
    let credentials: Vec<_> = (0..500).map(|number: u32| number.to_string()).collect();
    let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
    assert_eq!(tried(&guesses, network(1), &credentials, NOW), 100);
}

#[test]
fn networks_of_one_household_share_guesses() {
    let guesses = default_limit();
    let client = |fourth: u16| {
        let first = [0x2001, 0xdb8, 1, fourth, 0, 0, 0, 0];
        Client::Network(IpAddr::from(first))
    };
    // Per credential: 10 from a link, 15 from a household and 20 from a site.
    for (fourth, expected) in [(0x100, 10), (0x101, 5), (0x102, 0), (0x200, 5), (0x300, 0)] {
        assert_eq!(
            tried(&guesses, client(fourth), &["a"], NOW),
            expected,
            "{fourth:x}"
        );
    }
    // Ten times as many for all credentials together.
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
fn unidentified_clients_share_a_higher_limit() {
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
fn successful_credentials_wait_only_for_their_own_guesses() {
    let guesses = default_limit();
    let good = at_merchants(&guesses, network(1), "good");
    guesses.succeeded(&good, NOW);
    let credentials: Vec<_> = (0..500).map(|number: u32| number.to_string()).collect();
    let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
    assert_eq!(tried(&guesses, network(1), &credentials, NOW), 100);
    // A similar credential that is not valid.
    let similar = Credential {
        name: b"good",
        whole: b"good, but not the same",
    };
    let similar = guesses.guess(network(1), Target::Merchants, similar);
    assert!(!guesses.allows(&similar, NOW));
    // Others present its name and fail.
    for _ in 0..20 {
        guesses.failed(&similar, Failure::Credential, NOW);
        guesses.failed(&good, Failure::OfStranger, NOW);
    }
    let mut own = 0;
    while guesses.allows(&good, NOW) && own < 1000 {
        guesses.failed(&good, Failure::OfProven, NOW);
        own += 1;
    }
    assert_eq!(own, 10);
    assert_eq!(tried(&guesses, network(1), &["new"], NOW), 0);
    let again = NOW + 4_000;
    assert!(guesses.allows(&good, again));
    // The credential was revoked.
    guesses.failed(&good, Failure::Credential, again);
    assert!(!guesses.buckets.lock().unwrap().good.contains(good.whole));
    let elsewhere = at_merchants(&guesses, network(2), "good");
    tried(&guesses, network(2), &credentials, NOW);
    assert!(!guesses.allows(&elsewhere, NOW), "from another network");
}

#[test]
fn successful_credentials_expire_and_are_bounded() {
    let guesses = default_limit();
    let is_remembered = |guess: &Guess| guesses.buckets.lock().unwrap().good.contains(guess.whole);
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
fn setting_the_clock_back_extends_no_wait() {
    let guesses = default_limit();
    assert_eq!(tried(&guesses, network(1), &["a"], NOW), 10);
    assert_eq!(tried(&guesses, network(1), &["a"], NOW / 2), 0);
    assert_eq!(tried(&guesses, network(1), &["a"], NOW / 2 + 4_000), 10);
}

#[test]
fn memory_is_bounded_and_the_limit_is_optional() {
    let guesses = default_limit();
    for number in 0..REMEMBERED + 500 {
        let guess = guesses.guess(
            network(1),
            Target::Forms,
            Credential::named(&number.to_be_bytes()),
        );
        guesses.failed(&guess, Failure::Credential, NOW);
    }
    assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= REMEMBERED + 5);
    let later = NOW + 10_000;
    let guess = guesses.guess(network(2), Target::Forms, Credential::named(b"x"));
    guesses.failed(&guess, Failure::Credential, later);
    assert!(guesses.buckets.lock().unwrap().full_at_ms.len() <= 3);
    assert_eq!(tried(&Guesses::new(None), network(1), &["a"], NOW), 1000);
}
