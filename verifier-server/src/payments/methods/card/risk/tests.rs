use super::{HOUR_MS, PriorPayment, RULES, RiskInput, RiskOutcome, assess, numbers};
use crate::payments::state::PaymentState;
use crate::payments::state::PaymentState::{Captured, Declined};
use sealpay_protocol::money::Money;
use std::collections::HashSet;

const NOW_MS: i64 = 1_800_000_000_000;

fn euros(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap())
}

fn earlier(count: usize, card: &str, state: PaymentState, age_ms: i64) -> Vec<PriorPayment> {
    let one = PriorPayment {
        fingerprint: card.into(),
        money: euros(1000),
        state,
        created_at_ms: NOW_MS - age_ms,
    };
    vec![one; count]
}

fn facts<'a>(of_card: &'a [PriorPayment], of_address: &'a [PriorPayment]) -> RiskInput<'a> {
    RiskInput {
        money: euros(1000),
        now_ms: NOW_MS,
        issuer_country: Some("DE"),
        billing_country: None,
        session_attempts: 0,
        is_address_unknown: false,
        of_card,
        of_address,
    }
}

#[test]
fn every_rule_names_a_fact_and_every_fact_has_a_rule() {
    let rules = RULES.as_ref().unwrap();
    let known: HashSet<_> = numbers(&facts(&[], &[])).into_keys().collect();
    let used: HashSet<_> = rules.rules.iter().map(|rule| rule.fact.as_str()).collect();
    assert_eq!(known, used);
    let keys: HashSet<_> = rules.rules.iter().map(|rule| &rule.key).collect();
    assert_eq!(keys.len(), rules.rules.len());
    let thresholds = &rules.thresholds;
    assert!(thresholds.step_up < thresholds.review && thresholds.review < thresholds.block);
    assert!(
        rules
            .rules
            .iter()
            .all(|rule| rule.weight > 0 && rule.at_least > 0)
    );
}

#[test]
fn a_new_card_is_allowed() {
    let assessment = assess(&facts(&[], &[]));
    assert_eq!(
        (assessment.outcome, assessment.score),
        (RiskOutcome::Allow, 0)
    );
    assert!(assessment.reasons.is_empty());
}

#[test]
fn outcomes_follow_the_facts() {
    use RiskOutcome::{Allow, Block, Review, StepUp};
    let fresh = 60_000;
    let many_cards: Vec<PriorPayment> = (0..8)
        .flat_map(|n| earlier(1, &format!("card {n}"), Declined, fresh))
        .collect();
    let rows = [
        (
            "five in an hour",
            earlier(5, "a", Captured, fresh),
            vec![],
            Allow,
        ),
        (
            "six in an hour",
            earlier(6, "a", Captured, fresh),
            vec![],
            StepUp,
        ),
        (
            "six, but yesterday",
            earlier(6, "a", Captured, 25 * HOUR_MS),
            vec![],
            Allow,
        ),
        (
            "four declines",
            earlier(4, "a", Declined, 2 * HOUR_MS),
            vec![],
            StepUp,
        ),
        (
            "an address with many cards and declines",
            vec![],
            many_cards,
            Block,
        ),
        (
            "a busy address",
            vec![],
            earlier(40, "a", Captured, fresh),
            StepUp,
        ),
        (
            "a card with many declines within the hour",
            earlier(12, "a", Declined, fresh),
            vec![],
            Review,
        ),
    ];
    for (name, of_card, of_address, expected) in rows {
        let assessment = assess(&facts(&of_card, &of_address));
        assert_eq!(assessment.outcome, expected, "{name}: {assessment:?}");
    }
}

#[test]
fn an_unusually_high_amount_requires_authentication() {
    let habit = earlier(3, "a", Captured, 72 * HOUR_MS);
    let at = |amount, of_card: &[PriorPayment]| {
        let assessment = assess(&RiskInput {
            money: euros(amount),
            ..facts(of_card, &[])
        });
        assessment.outcome
    };
    assert_eq!(at(9_999, &habit), RiskOutcome::Allow);
    assert_eq!(at(10_000, &habit), RiskOutcome::StepUp);
    assert_eq!(
        at(10_000, &habit[..2]),
        RiskOutcome::Allow,
        "two payments are no habit"
    );
}

#[test]
fn an_issuer_outside_the_billing_country_requires_authentication() {
    let at = |issuer, billing| {
        let assessment = assess(&RiskInput {
            issuer_country: issuer,
            billing_country: billing,
            ..facts(&[], &[])
        });
        assessment.outcome
    };
    assert_eq!(at(Some("DE"), Some("DE")), RiskOutcome::Allow);
    assert_eq!(at(Some("DE"), Some("US")), RiskOutcome::StepUp);
    assert_eq!(at(None, Some("US")), RiskOutcome::Allow);
    assert_eq!(at(Some("DE"), None), RiskOutcome::Allow);
}
