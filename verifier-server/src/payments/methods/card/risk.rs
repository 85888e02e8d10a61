//! Fraud rules: facts about a payment, weights as data, and the outcome by their sum.
//!
//! The reasons are stored with the payment and logged. They are never shown to the shopper.

use crate::payments::state::PaymentState;
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// Maximum number of prior payments of a card or address, newest first. More would add nothing and
/// slow down a busy card.
pub const LOOKED_AT: u32 = 64;

/// The time span of prior payments, milliseconds.
pub const HISTORY_MS: i64 = 30 * DAY_MS;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskOutcome {
    /// The payment continues.
    Allow,
    /// The shopper has to authenticate.
    StepUp,
    /// The shopper has to authenticate, and the merchant should review the order before shipping.
    Review,
    /// The payment is declined.
    Block,
}

/// The result of the fraud rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assessment {
    /// The outcome.
    pub outcome: RiskOutcome,
    /// The sum of the weights.
    pub score: i64,
    /// Keys of the matching rules.
    pub reasons: Vec<String>,
}

/// A prior payment of the same card or from the same address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorPayment {
    /// The card.
    pub fingerprint: String,
    /// The amount.
    pub money: Money,
    /// The current state.
    pub state: PaymentState,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// The input of the fraud rules.
#[derive(Debug, Clone)]
pub struct RiskInput<'a> {
    /// The amount.
    pub money: Money,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The issuer's country, if known.
    pub issuer_country: Option<&'a str>,
    /// The country of the billing address, if the order names it.
    pub billing_country: Option<&'a str>,
    /// Earlier attempts of this session.
    pub session_attempts: u32,
    /// Whether the shopper's network address is unknown, so that address rules cannot apply.
    pub is_address_unknown: bool,
    /// Prior payments with the same card at the same merchant.
    pub of_card: &'a [PriorPayment],
    /// Prior payments from the same address, with any card.
    pub of_address: &'a [PriorPayment],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    thresholds: Thresholds,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    step_up: i64,
    review: i64,
    block: i64,
}

/// Matches if the fact is at least this value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    key: String,
    fact: String,
    at_least: i64,
    weight: i64,
    #[expect(dead_code, reason = "documents the data file")]
    meaning: String,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it.
    serde_json::from_str(include_str!("../../../../data/risk.json")).ok()
});

/// The value of every fact that a rule may name.
fn numbers(facts: &RiskInput<'_>) -> BTreeMap<&'static str, i64> {
    let within = |rows: &[PriorPayment], ms: i64, counts: fn(&PriorPayment) -> bool| {
        let recent = |row: &&PriorPayment| facts.now_ms.saturating_sub(row.created_at_ms) < ms;
        number(rows.iter().filter(recent).filter(|row| counts(row)).count())
    };
    let any = |_: &PriorPayment| true;
    let declined = |row: &PriorPayment| row.state == PaymentState::Declined;
    let recent = |row: &&PriorPayment| facts.now_ms.saturating_sub(row.created_at_ms) < HOUR_MS;
    let cards: HashSet<_> = facts
        .of_address
        .iter()
        .filter(recent)
        .map(|row| &row.fingerprint)
        .collect();
    let abroad = facts
        .issuer_country
        .zip(facts.billing_country)
        .is_some_and(|(a, b)| a != b);
    BTreeMap::from([
        (
            "card_attempts_in_an_hour",
            within(facts.of_card, HOUR_MS, any),
        ),
        ("card_attempts_in_a_day", within(facts.of_card, DAY_MS, any)),
        (
            "card_declines_in_a_day",
            within(facts.of_card, DAY_MS, declined),
        ),
        (
            "address_attempts_in_an_hour",
            within(facts.of_address, HOUR_MS, any),
        ),
        (
            "address_declines_in_an_hour",
            within(facts.of_address, HOUR_MS, declined),
        ),
        ("address_cards_in_an_hour", number(cards.len())),
        ("session_attempts", i64::from(facts.session_attempts)),
        ("address_unknown", i64::from(facts.is_address_unknown)),
        ("issuer_abroad", i64::from(abroad)),
        ("times_the_largest_before", times_the_largest(facts)),
    ])
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The amount as a multiple of the largest prior approved payment in the same currency; 0 with
/// fewer than three of them, because two payments are no pattern.
fn times_the_largest(facts: &RiskInput<'_>) -> i64 {
    let approved = |row: &&PriorPayment| {
        row.money.currency() == facts.money.currency()
            && matches!(row.state, PaymentState::Authorized | PaymentState::Captured)
    };
    let amounts: Vec<i64> = facts
        .of_card
        .iter()
        .filter(approved)
        .map(|row| row.money.amount_minor())
        .collect();
    match amounts.iter().max() {
        Some(largest) if amounts.len() >= 3 && *largest > 0 => facts.money.amount_minor() / largest,
        _ => 0,
    }
}

/// Applies the rules.
#[must_use]
pub fn assess(facts: &RiskInput<'_>) -> Assessment {
    let numbers = numbers(facts);
    let rules = RULES.as_ref();
    let fits = |rule: &&Rule| {
        numbers
            .get(rule.fact.as_str())
            .is_some_and(|number| *number >= rule.at_least)
    };
    let fitting: Vec<&Rule> = rules
        .map_or(&[][..], |rules| &rules.rules)
        .iter()
        .filter(fits)
        .collect();
    let score = fitting.iter().map(|rule| rule.weight).sum();
    let outcome = match rules.map(|rules| &rules.thresholds) {
        Some(thresholds) if score >= thresholds.block => RiskOutcome::Block,
        Some(thresholds) if score >= thresholds.review => RiskOutcome::Review,
        Some(thresholds) if score >= thresholds.step_up => RiskOutcome::StepUp,
        _ => RiskOutcome::Allow,
    };
    Assessment {
        outcome,
        score,
        reasons: fitting.iter().map(|rule| rule.key.clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
