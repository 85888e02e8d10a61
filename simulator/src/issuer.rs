//! Banks that issue cards, and the accounts of their cards.
//!
//! Nothing is random: the keyed fingerprint of a card number determines its account, so the same
//! card has the same account wherever the bank's key is the same.

use super::account::{Account, Enrolment};
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::currency::Currency;
use serde::Deserialize;
use std::sync::LazyLock;

/// A bank that issues cards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The bank's name.
    pub name: String,
    /// The country of its accounts (ISO 3166-1).
    pub country: String,
    /// Their currency.
    pub currency: Currency,
    /// The prefixes of its card numbers (ISO/IEC 7812-1); the longest that matches decides.
    pub prefixes: Vec<String>,
    /// The credit limits of its accounts, minor units.
    pub credit_limits_minor: Vec<i64>,
}

static ISSUERS: LazyLock<Vec<Issuer>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty list never ships.
    serde_json::from_str(include_str!("../data/issuers.json")).unwrap_or_default()
});

/// The issuer of a card number. The last of the list issues every other number.
#[must_use]
pub fn find(number: &CardNumber) -> Option<&'static Issuer> {
    let digits = number.digits();
    let longest_prefix = |issuer: &'static Issuer| {
        let prefixes = issuer.prefixes.iter();
        let matching = prefixes.filter(|prefix| digits.starts_with(prefix.as_str()));
        matching
            .map(String::len)
            .max()
            .map(|length| (length, issuer))
    };
    let best = ISSUERS.iter().filter_map(longest_prefix);
    best.max_by_key(|(length, _)| *length)
        .map(|(_, issuer)| issuer)
}

const GIVEN_NAMES: [&str; 16] = [
    "Anna", "Boris", "Chiara", "David", "Eva", "Farid", "Grace", "Hannes", "Ida", "Jonas", "Kofi",
    "Lucia", "Mei", "Noah", "Oona", "Pavel",
];

const FAMILY_NAMES: [&str; 16] = [
    "Almeida",
    "Berg",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanov",
    "Janssen",
    "Kimura",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
];

fn one_of<T: Copy>(list: &[T], byte: u8) -> Option<T> {
    list.get(usize::from(byte).checked_rem(list.len())?)
        .copied()
}

/// Bytes as letters, so that an id has no digits.
pub(crate) fn letters(bytes: &[u8]) -> String {
    let letter = |nibble: u8| char::from(b'a' + nibble);
    let letters = bytes.iter();
    letters
        .flat_map(|byte| [letter(byte >> 4), letter(byte & 15)])
        .collect()
}

/// The id of an account.
fn account_id(fingerprint: &[u8; 32]) -> String {
    ["card:", &letters(&fingerprint[..16])].concat()
}

/// The account of a card that is not a persona's, as it is before its first payment. None where no
/// issuer matches, which a test excludes.
pub(crate) fn derived(number: &CardNumber, fingerprint: &[u8; 32], now_ms: i64) -> Option<Account> {
    let issuer = find(number)?;
    // The first half is the id of the account; the second half determines its properties.
    let [.., given, family, limit, a, b, c, d] = *fingerprint;
    let holder = [
        one_of(&GIVEN_NAMES, given).unwrap_or_default(),
        one_of(&FAMILY_NAMES, family).unwrap_or_default(),
    ];
    let subscriber = u32::from_be_bytes([a, b, c, d]) % 10_000_000;
    Some(Account {
        holder: holder.join(" "),
        issuer: issuer.name.clone(),
        last4: number.last_four().to_owned(),
        brand: number
            .brand()
            .map_or("unknown", |brand| brand.slug())
            .to_owned(),
        country: issuer.country.clone(),
        credit_limit_minor: one_of(&issuer.credit_limits_minor, limit),
        enrolment: Enrolment::Code,
        // The country code 999 is not assigned (ITU-T E.164).
        phone: format!("+9991{subscriber:07}"),
        ..Account::new(account_id(fingerprint), issuer.currency, now_ms)
    })
}

#[cfg(test)]
mod tests {
    use super::{ISSUERS, account_id, derived, find};
    use sealpay_protocol::card::CardNumber;
    use std::collections::HashSet;

    #[test]
    fn every_issuer_has_a_country_limits_and_prefixes_of_its_own() {
        assert!(ISSUERS.len() > 10);
        let mut prefixes = HashSet::new();
        for issuer in ISSUERS.iter() {
            assert!(!issuer.name.is_empty() && issuer.country.len() == 2);
            assert!(issuer.credit_limits_minor.iter().all(|limit| *limit > 0));
            assert!(!issuer.credit_limits_minor.is_empty(), "{}", issuer.name);
            for prefix in &issuer.prefixes {
                assert!(prefix.bytes().all(|digit| digit.is_ascii_digit()));
                assert!(prefixes.insert(prefix), "{prefix}");
            }
        }
        assert!(prefixes.contains(&String::new()), "one issues every number");
    }

    #[test]
    fn the_longest_prefix_decides() {
        let rows = [
            ("4242424242424242", "DE", "EUR"),
            ("4111111111111111", "NL", "EUR"),
            ("4462030000000000", "US", "USD"),
            ("371449635398431", "US", "USD"),
            ("3530111333300000", "JP", "JPY"),
            ("6200000000000005", "CN", "CNY"),
            ("9792020000000001", "TR", "TRY"),
        ];
        for (digits, country, currency) in rows {
            let issuer = find(&CardNumber::parse(digits).unwrap()).unwrap();
            let found = (issuer.country.as_str(), issuer.currency.code());
            assert_eq!(found, (country, currency), "{digits}");
        }
    }

    #[test]
    fn the_fingerprint_determines_the_account() {
        let number = CardNumber::parse("4111 1111 1111 1111").unwrap();
        let made = |byte| derived(&number, &[byte; 32], 5).unwrap();
        let account = made(7);
        assert_eq!(account, made(7));
        assert_ne!(account.id, made(8).id);
        assert_eq!(account.id, account_id(&[7; 32]));
        assert!(!account.id.contains(|c: char| c.is_ascii_digit()));
        assert_eq!(account.last4, "1111");
        assert!(account.credit_limit_minor.is_some_and(|limit| limit > 0));
        assert!(account.phone.starts_with("+9991") && account.phone.len() == 12);
    }
}
