mod any_history;

use super::super::history::{CardAttempt, CardCredential, CardDecline, History, PastAttempt};
use super::super::policy::DunningPolicy;
use super::super::scheme_limits::SchemeLimits;
use super::{Next, decide, decide_first};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sealpay_protocol::card::Brand;
use sealpay_protocol::money::Money;
use sealpay_provider::decline::find;

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn credential(brand: Brand, reference: &str) -> CardCredential<'_> {
    CardCredential {
        reference,
        fingerprint: "card",
        brand: Some(brand),
    }
}

fn decline<'a>(key: &str, advice: Option<&'a str>) -> CardDecline<'a> {
    CardDecline::new(find(key).unwrap(), advice).unwrap()
}

/// `expired_card`, or `do_not_honor/25` with an advice code.
fn read_decline(text: &str) -> CardDecline<'_> {
    let (key, advice) = text.split_once('/').unwrap_or((text, ""));
    decline(key, Some(advice).filter(|advice| !advice.is_empty()))
}

fn attempt(credential: CardCredential<'static>, at: Timestamp) -> CardAttempt<'static> {
    CardAttempt {
        at,
        credential,
        amount: Money::new(990, "EUR".parse().unwrap()),
        invoice_id: "inv_1",
    }
}

fn history<'a>(
    attempts: &'a [PastAttempt<'a>],
    credential: CardCredential<'a>,
    zone: &'a TimeZone,
) -> History<'a> {
    History {
        attempts,
        credential,
        credential_since: at("2026-01-01T00:00"),
        is_updater_asked: false,
        zone,
    }
}

/// Declines an hour apart from 2026-01-01; the last one is decided about.
fn decide_after(
    policy: &DunningPolicy,
    brand: Brand,
    declines: &[&'static str],
    alter: impl FnOnce(&mut History<'_>),
) -> (Next, Timestamp) {
    let card = credential(brand, "cred_1");
    let mut attempts = Vec::new();
    let mut now = at("2026-01-01T00:00");
    for text in declines {
        attempts.push(PastAttempt {
            attempt: attempt(card, now),
            decline: Some(read_decline(text)),
        });
        now += hours(1);
    }
    let last = attempts.pop().unwrap();
    let utc = TimeZone::UTC;
    let mut history = history(&attempts, card, &utc);
    alter(&mut history);
    let limits = SchemeLimits::built_in();
    let next = decide(
        policy,
        limits,
        &history,
        &last.attempt,
        &last.decline.unwrap(),
    );
    (next, last.attempt.at)
}

/// Hours from the last decline, or another step.
#[derive(Debug, PartialEq)]
enum Expected {
    Hours(i64),
    Step(Next),
}

#[test]
fn declines_are_followed_by_the_step_of_their_class() {
    use Expected::{Hours, Step};
    let (visa, mastercard) = (Brand::Visa, Brand::Mastercard);
    let rows: [(Brand, &[&str], Expected); 31] = [
        // The delays of a class, one for each decline, then the end.
        (visa, &["do_not_honor"], Hours(24)),
        (visa, &["do_not_honor"; 2], Hours(72)),
        (visa, &["do_not_honor"; 3], Hours(120)),
        (visa, &["do_not_honor"; 4], Hours(168)),
        (visa, &["do_not_honor"; 5], Step(Next::Exhausted)),
        (visa, &["system_malfunction"; 3], Hours(1)),
        (visa, &["system_malfunction"; 4], Step(Next::Exhausted)),
        (
            visa,
            &["system_malfunction", "do_not_honor", "issuer_unavailable"],
            Hours(1),
        ),
        (
            visa,
            &["do_not_honor", "issuer_unavailable", "insufficient_funds"],
            Hours(72),
        ),
        // Authentication is waited for and does not count.
        (visa, &["sca_required"], Step(Next::WaitForShopper)),
        (visa, &["sca_required", "do_not_honor"], Hours(24)),
        (visa, &["sca_required"; 9], Step(Next::WaitForShopper)),
        // An unknown outcome comes first.
        (visa, &["response_timeout"], Step(Next::AskOutcome)),
        (
            visa,
            &["lost_card", "response_timeout"],
            Step(Next::AskOutcome),
        ),
        // The card is over, and stays it.
        (visa, &["pickup_card"], Step(Next::Never)),
        (visa, &["invalid_number"], Step(Next::Never)),
        (visa, &["revocation_one"], Step(Next::Never)),
        (visa, &["risk_blocked"], Step(Next::Never)),
        (visa, &["cvv2_mismatch"], Step(Next::Never)),
        (visa, &["revocation_all", "do_not_honor"], Step(Next::Never)),
        (visa, &["revocation_all", "sca_required"], Step(Next::Never)),
        // There may be a new card.
        (visa, &["expired_card"], Step(Next::AskUpdater)),
        (visa, &["lost_card"], Step(Next::AskUpdater)),
        (visa, &["lost_card", "revocation_one"], Step(Next::Never)),
        (mastercard, &["mc_lifecycle/01"], Step(Next::AskUpdater)),
        // Mastercard's advice.
        (mastercard, &["mc_policy/03"], Step(Next::Never)),
        (mastercard, &["do_not_honor/21"], Step(Next::Never)),
        (mastercard, &["do_not_honor/02"], Hours(24)),
        (mastercard, &["issuer_unavailable/02"], Hours(24)),
        (mastercard, &["do_not_honor/30"], Hours(240)),
        (
            mastercard,
            &["issuer_unavailable/30", "issuer_unavailable/24"],
            Hours(239),
        ),
    ];
    for (brand, declines, expected) in rows {
        let (next, last) = decide_after(DunningPolicy::built_in(), brand, declines, |_| {});
        let found = match next {
            Next::RetryAt(at) => Hours(at.duration_since(last).as_hours()),
            step => Step(step),
        };
        assert_eq!(found, expected, "{brand:?} {declines:?}");
    }
    // An advice code of Mastercard has no meaning to Visa.
    let (next, last) = decide_after(
        DunningPolicy::built_in(),
        visa,
        &["do_not_honor/03"],
        |_| {},
    );
    assert_eq!(next, Next::RetryAt(last + hours(24)));
}

#[test]
fn declines_of_other_invoices_do_not_use_up_delays() {
    let card = credential(Brand::Visa, "cred_1");
    let mut attempts = Vec::new();
    for day in 0..3 {
        let mut attempt = attempt(card, at("2026-01-01T00:00") + hours(24 * day));
        attempt.invoice_id = if day == 0 { "inv_1" } else { "inv_2" };
        attempts.push(PastAttempt {
            attempt,
            decline: Some(decline("do_not_honor", None)),
        });
    }
    let utc = TimeZone::UTC;
    let history = history(&attempts, card, &utc);
    let declined = attempt(card, at("2026-01-04T00:00"));
    let (policy, limits) = (DunningPolicy::built_in(), SchemeLimits::built_in());
    let next = decide(
        policy,
        limits,
        &history,
        &declined,
        &decline("do_not_honor", None),
    );
    // It is the second decline of this invoice.
    assert_eq!(next, Next::RetryAt(declined.at + hours(72)));
}

#[test]
fn approvals_are_no_declines() {
    assert!(CardDecline::new(find("approved").unwrap(), None).is_none());
}

#[test]
fn a_card_that_changed_is_tried_at_once() {
    let policy = DunningPolicy::built_in();
    for reason in [
        "lost_card",
        "expired_card",
        "invalid_number",
        "do_not_honor",
        "sca_required",
    ] {
        let (next, last) = decide_after(policy, Brand::Visa, &[reason], |history| {
            history.credential.reference = "cred_2";
            history.credential_since = at("2026-01-03T00:00");
        });
        assert_eq!(next, Next::RetryAt(last + hours(48)), "{reason}");
    }
    // The updater had nothing new.
    for reason in ["lost_card", "expired_card"] {
        let (next, _) = decide_after(policy, Brand::Visa, &[reason], |history| {
            history.is_updater_asked = true;
        });
        assert_eq!(next, Next::Never, "{reason}");
    }
    // A new card does not extend the time that the policy allows.
    let (next, _) = decide_after(policy, Brand::Visa, &["lost_card"], |history| {
        history.credential.reference = "cred_2";
        history.credential_since = at("2026-01-31T00:01");
    });
    assert_eq!(next, Next::Exhausted);
}

#[test]
fn tries_move_to_the_first_payday_within_the_horizon() {
    let policy = |days: &str, horizon: u8| -> DunningPolicy {
        let json = format!(
            r#"{{"delays_hours":{{"later":[24]}},"horizon_days":{horizon},"end":"unpaid",
                "payday":{{"reasons":["insufficient_funds"],"on_days":{days}}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    };
    let rows = [
        // Reason, zone, days, horizon, declined; next try.
        (
            "insufficient_funds",
            "UTC",
            "[1, 15]",
            30,
            "2026-01-03T10:00",
            "2026-01-15T10:00",
        ),
        (
            "insufficient_funds",
            "UTC",
            "[1, 15]",
            30,
            "2026-01-14T10:00",
            "2026-01-15T10:00",
        ),
        (
            "insufficient_funds",
            "UTC",
            "[1, 15]",
            30,
            "2026-01-15T10:00",
            "2026-02-01T10:00",
        ),
        (
            "do_not_honor",
            "UTC",
            "[1, 15]",
            30,
            "2026-01-03T10:00",
            "2026-01-04T10:00",
        ),
        // Without a payday within the horizon the delay of the policy counts.
        (
            "insufficient_funds",
            "UTC",
            "[1, 15]",
            12,
            "2026-01-03T10:00",
            "2026-01-15T10:00",
        ),
        (
            "insufficient_funds",
            "UTC",
            "[1, 15]",
            11,
            "2026-01-03T10:00",
            "2026-01-04T10:00",
        ),
        // The last day of a short month, and of a leap year's February.
        (
            "insufficient_funds",
            "UTC",
            "[31]",
            30,
            "2026-02-03T10:00",
            "2026-02-28T10:00",
        ),
        (
            "insufficient_funds",
            "UTC",
            "[30]",
            30,
            "2028-02-03T10:00",
            "2028-02-29T10:00",
        ),
        // The customer's day: in Auckland it is the 15th at 11:00 UTC of the 14th.
        (
            "insufficient_funds",
            "Pacific/Auckland",
            "[15]",
            30,
            "2026-01-13T11:00",
            "2026-01-14T11:00",
        ),
        (
            "insufficient_funds",
            "Pacific/Auckland",
            "[15]",
            30,
            "2026-01-13T10:59",
            "2026-01-15T10:59",
        ),
        // The local time stays when clocks change, on 2026-03-29 in Berlin.
        (
            "insufficient_funds",
            "Europe/Berlin",
            "[1]",
            30,
            "2026-03-20T10:00",
            "2026-04-01T09:00",
        ),
    ];
    for (reason, zone, days, horizon, declined, expected) in rows {
        let zone = TimeZone::get(zone).unwrap();
        let card = credential(Brand::Visa, "cred_1");
        let history = history(&[], card, &zone);
        let declined = attempt(card, at(declined));
        let (policy, limits) = (policy(days, horizon), SchemeLimits::built_in());
        let next = decide(&policy, limits, &history, &declined, &decline(reason, None));
        assert_eq!(
            next,
            Next::RetryAt(at(expected)),
            "{reason} {days} {horizon} {}",
            declined.at
        );
    }
}

#[test]
fn first_tries_of_an_invoice_respect_other_invoices() {
    let card = credential(Brand::Mastercard, "cred_1");
    let limits = SchemeLimits::built_in();
    let now = at("2026-01-02T00:00");
    let first = |declines: &[&'static str], asked: bool| {
        let attempts: Vec<_> = (0_i64..)
            .zip(declines)
            .map(|(place, text)| PastAttempt {
                attempt: attempt(card, at("2026-01-01T12:00") + hours(place)),
                decline: (*text != "approved").then(|| read_decline(text)),
            })
            .collect();
        let utc = TimeZone::UTC;
        let mut history = history(&attempts, card, &utc);
        history.is_updater_asked = asked;
        decide_first(limits, &history, Money::new(1, "EUR".parse().unwrap()), now)
    };
    let approved = "approved";
    assert_eq!(first(&[], false), Next::RetryAt(now));
    assert_eq!(first(&[approved; 9], false), Next::RetryAt(now));
    let tenth_is_over = at("2026-01-02T12:00");
    assert_eq!(first(&[approved; 10], false), Next::RetryAt(tenth_is_over));
    assert_eq!(
        first(&["do_not_honor/27"], false),
        Next::RetryAt(at("2026-01-05T12:00"))
    );
    assert_eq!(first(&["revocation_one"], false), Next::Never);
    assert_eq!(first(&["expired_card"], false), Next::AskUpdater);
    assert_eq!(first(&["expired_card"], true), Next::Never);
}
