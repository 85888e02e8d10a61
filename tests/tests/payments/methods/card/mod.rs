//! Routing, failover and fraud rules of card payments.

mod addresses;
mod decrypt;
mod failover;
mod risk;
mod route;
mod sealed_cards;
mod suspect;

use harness::gateway::TestGateway;
use sealpay_protocol::ids::PaymentId;

/// What the bank's book says of a payment: who was asked, and how it stands.
pub(crate) async fn bank_authorizations_of(
    gateway: &TestGateway,
    payment: PaymentId,
) -> Vec<Vec<String>> {
    let sql = format!(
        "SELECT provider, state FROM bank_authorizations WHERE reference = '{payment}'
         ORDER BY provider"
    );
    gateway.bank_rows(&sql).await
}

/// A number of sixteen digits of no persona, with its check digit (ISO/IEC
/// 7812-1 annex B).
pub(crate) fn number(prefix: &str, place: u32) -> String {
    let payload = format!("{prefix}{place:0width$}", width = 15 - prefix.len());
    let sum: u32 = payload
        .bytes()
        .rev()
        .enumerate()
        .map(|(from_right, digit)| {
            let digit = u32::from(digit - b'0');
            match from_right % 2 {
                0 => digit * 2 / 10 + digit * 2 % 10,
                _ => digit,
            }
        })
        .sum();
    format!("{payload}{}", (10 - sum % 10) % 10)
}

#[test]
pub(crate) fn generated_card_numbers_have_a_valid_check_digit() {
    for (prefix, place) in [("41", 7), ("44", 12_345), ("5", 0)] {
        let number = number(prefix, place);
        assert!(number.starts_with(prefix) && number.len() == 16);
        assert!(
            sealpay_protocol::card::CardNumber::parse(&number).is_ok(),
            "{number}"
        );
    }
}
