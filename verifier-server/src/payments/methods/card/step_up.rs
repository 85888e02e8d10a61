//! Decides when to request authentication from the issuer. The thresholds are data.

use super::risk::RiskOutcome;
use sealpay_protocol::money::Money;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The key of the rule for cards that are stored.
pub(super) const STORING: &str = "agreement";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// Amounts from which authentication is requested, minor units by currency.
    ask_from_minor: BTreeMap<String, i64>,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it.
    serde_json::from_str(include_str!("../../../../data/step_up.json")).ok()
});

/// The input of the decision.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeInput {
    /// The amount.
    pub money: Money,
    /// The outcome of the fraud rules.
    pub risk: RiskOutcome,
    /// Whether the merchant requires it in the order.
    pub merchant_requires: bool,
    /// Whether the card is stored: the shopper has to be authenticated for that.
    pub is_stored: bool,
    /// Whether a test card or outcome requests it.
    pub is_staged: bool,
}

/// How authentication is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeDecision {
    /// Whether to require a challenge, even if the issuer would skip it.
    pub wants_challenge: bool,
    /// Whether the payment ends if the issuer cannot be asked; a card that is only to be stored can
    /// be paid with nevertheless.
    pub is_required: bool,
    /// Keys of the matching rules; at least one.
    pub reasons: Vec<String>,
}

/// Decides; none if authentication is not needed.
#[must_use]
pub fn decision(circumstances: &ChallengeInput) -> Option<ChallengeDecision> {
    // A higher score never requires less.
    let by_risk = matches!(
        circumstances.risk,
        RiskOutcome::StepUp | RiskOutcome::Review
    );
    let rows = [
        ("merchant", circumstances.merchant_requires, true),
        ("risk", by_risk, true),
        (STORING, circumstances.is_stored, true),
        ("amount", is_large(circumstances.money), false),
        ("staged", circumstances.is_staged, false),
    ];
    let fitting: Vec<_> = rows.into_iter().filter(|(_, fits, _)| *fits).collect();
    let reasons = fitting.iter().map(|(key, ..)| (*key).to_owned()).collect();
    (!fitting.is_empty()).then(|| ChallengeDecision {
        wants_challenge: fitting.iter().any(|(.., challenge)| *challenge),
        is_required: fitting
            .iter()
            .any(|(key, _, challenge)| *challenge && *key != STORING),
        reasons,
    })
}

fn is_large(money: Money) -> bool {
    let currency = money.currency();
    let code = currency.code();
    let rules = RULES.as_ref();
    // In a currency without a threshold, authentication is always requested, to be safe.
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
    fn authentication_is_requested_when_a_rule_matches() {
        assert!(RULES.is_some());
        let at = |amount, currency: &str, risk: RiskOutcome, merchant, staged| {
            decision(&ChallengeInput {
                is_stored: false,
                money: Money::new(amount, currency.parse().unwrap()),
                risk,
                merchant_requires: merchant,
                is_staged: staged,
            })
        };
        let asked = |wants_challenge, reasons: &[&str]| {
            Some(ChallengeDecision {
                wants_challenge,
                is_required: wants_challenge,
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

    #[test]
    fn stored_cards_are_always_challenged() {
        let stored = decision(&ChallengeInput {
            money: Money::new(1, "EUR".parse().unwrap()),
            risk: Allow,
            merchant_requires: false,
            is_stored: true,
            is_staged: false,
        });
        let stored = stored.unwrap();
        assert!(stored.wants_challenge && !stored.is_required);
        assert_eq!(stored.reasons, ["agreement"]);
    }
}
