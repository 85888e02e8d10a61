//! When the issuer is asked who the shopper is. The amounts are data.

use super::risk::RiskOutcome;
use sealpay_protocol::money::Money;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// From this amount the issuer is asked, minor units by currency.
    ask_from_minor: BTreeMap<String, i64>,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it.
    serde_json::from_str(include_str!("../../../../data/step_up.json")).ok()
});

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeInput {
    /// How much.
    pub money: Money,
    /// What the risk rules say.
    pub risk: RiskOutcome,
    /// Whether the merchant asked for it in the order.
    pub merchant_requires: bool,
    /// Whether a tester staged it.
    pub is_staged: bool,
}

/// Whether the issuer is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeDecision {
    /// Whether a challenge is wished for, whatever the issuer would do by itself.
    pub wants_challenge: bool,
    /// Keys of the rules that fitted; at least one.
    pub reasons: Vec<String>,
}

/// Decides; none when the issuer need not be asked.
#[must_use]
pub fn decision(circumstances: &ChallengeInput) -> Option<ChallengeDecision> {
    // A higher score never asks for less.
    let by_risk = matches!(
        circumstances.risk,
        RiskOutcome::StepUp | RiskOutcome::Review
    );
    let rows = [
        ("merchant", circumstances.merchant_requires, true),
        ("risk", by_risk, true),
        ("amount", is_large(circumstances.money), false),
        ("staged", circumstances.is_staged, false),
    ];
    let fitting: Vec<_> = rows.into_iter().filter(|(_, fits, _)| *fits).collect();
    let reasons = fitting.iter().map(|(key, ..)| (*key).to_owned()).collect();
    (!fitting.is_empty()).then(|| ChallengeDecision {
        wants_challenge: fitting.iter().any(|(.., challenge)| *challenge),
        reasons,
    })
}

fn is_large(money: Money) -> bool {
    let currency = money.currency();
    let code = currency.code();
    let rules = RULES.as_ref();
    // A currency without a limit of its own is asked about always: better once too often.
    let limit = rules
        .and_then(|rules| rules.ask_from_minor.get(code))
        .copied()
        .unwrap_or(0);
    money.amount_minor() >= limit
}

#[cfg(test)]
mod tests {
    use super::{ChallengeDecision, ChallengeInput, RULES, decision};
    use crate::payments::methods::card::risk::RiskOutcome;
    use crate::payments::methods::card::risk::RiskOutcome::{Allow, Block, Review, StepUp};
    use sealpay_protocol::money::Money;

    #[test]
    fn the_issuer_is_asked_when_a_rule_says_so() {
        assert!(RULES.is_some());
        let at = |amount, currency: &str, risk: RiskOutcome, merchant, staged| {
            decision(&ChallengeInput {
                money: Money::new(amount, currency.parse().unwrap()),
                risk,
                merchant_requires: merchant,
                is_staged: staged,
            })
        };
        let asked = |wants_challenge, reasons: &[&str]| {
            Some(ChallengeDecision {
                wants_challenge,
                reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
            })
        };
        let rows = [
            (at(24_999, "EUR", Allow, false, false), None),
            (
                at(24_999, "EUR", Review, false, false),
                asked(true, &["risk"]),
            ),
            (at(24_999, "EUR", Block, false, false), None),
            (
                at(25_000, "EUR", Allow, false, false),
                asked(false, &["amount"]),
            ),
            (at(1, "EUR", StepUp, false, false), asked(true, &["risk"])),
            (at(1, "EUR", Allow, true, false), asked(true, &["merchant"])),
            (at(1, "EUR", Allow, false, true), asked(false, &["staged"])),
            (at(39_999, "JPY", Allow, false, false), None),
            (
                at(40_000, "JPY", Allow, false, false),
                asked(false, &["amount"]),
            ),
            (at(1, "BHD", Allow, false, false), asked(false, &["amount"])),
            (
                at(25_000, "EUR", StepUp, true, true),
                asked(true, &["merchant", "risk", "amount", "staged"]),
            ),
        ];
        for (place, (found, expected)) in rows.into_iter().enumerate() {
            assert_eq!(found, expected, "row {place}");
        }
    }
}
