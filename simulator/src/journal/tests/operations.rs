//! Captures, voids, refunds and expiry: in parts or whole, and never more than is left.

use super::{HARBOR, input, reference, tombstoned};
use crate::account::{AccountStatus, tests::account};
use crate::journal::modification::Modified;
use crate::journal::{Authorization, AuthorizationState, Change, HOLD_MS};
use crate::journal::{Journal, modify_authorization};
use crate::simulation::tests::{APPROVED, NOON, declined, euros, journal, modification, money};
use sealpay_protocol::ids::ModificationId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::ProviderDecision;
use sealpay_provider::modification::ModificationKind;

/// A modification of payment 1, unless a test changes that.
pub(super) fn change(number: u64, kind: ModificationKind, money: Money) -> Change {
    Change {
        provider: HARBOR.into(),
        request: modification(number, reference(1), kind, money),
        decision: None,
        now_ms: NOON,
    }
}

impl Journal {
    pub(super) async fn run(&self, change: Change) -> Modified {
        let modified = self.modify(change, |tx, change| {
            Box::pin(modify_authorization(tx, change))
        });
        modified.await.unwrap()
    }

    async fn decide_change(&self, change: Change) -> ProviderDecision {
        self.run(change).await.decision
    }

    /// Voids the payment with a number.
    pub(super) async fn void(&self, number: u64) -> ProviderDecision {
        let mut void = change(number, ModificationKind::Void, euros(1));
        void.request.payment = reference(number);
        self.decide_change(void).await
    }

    /// Payment 1.
    pub(super) async fn first(&self) -> Authorization {
        let newest = self.authorizations(100).await.unwrap().into_iter();
        let mut found = newest.filter(|found| found.reference == reference(1));
        found.next().unwrap()
    }
}

/// Steps after an authorization of 60.00 EUR, then the debited and the held amount of the account.
///
/// A step is a modification with its amount in cents, and after `!` the reason if it is declined.
/// `wait` lets the authorization expire, and `close` closes the account.
type Row = (&'static str, (i64, i64));

/// The modification of a step, and its decision.
fn parse(step: &str, number: u64, now_ms: i64) -> (Change, ProviderDecision) {
    let (step, reason) = step
        .split_once(" ! ")
        .map_or((step, None), |(step, reason)| (step, Some(reason)));
    let mut words = step.trim_start_matches("final ").split(' ');
    let kind = ModificationKind::from_name(words.next().unwrap()).unwrap();
    let amount = words.next().map_or(1, |amount| amount.parse().unwrap());
    let mut change = change(number, kind, money(amount, words.next().unwrap_or("EUR")));
    change.request.is_final = step.starts_with("final ");
    change.now_ms = now_ms;
    (change, reason.map_or(APPROVED, declined))
}

/// Takes the steps in order, each modification twice: the second one changes nothing.
async fn check(name: &str, capture: Capture, rows: &[Row]) {
    for (place, (steps, sums)) in rows.iter().enumerate() {
        let (journal, _folder) = journal(&format!("{name}-{place}")).await;
        let authorized = input(1, &account(), euros(6_000), capture);
        assert_eq!(journal.decide(authorized).await, APPROVED, "{steps}");
        let mut now_ms = NOON;
        for (number, step) in (1..).zip(steps.split(", ")) {
            match step {
                "wait" => now_ms += HOLD_MS,
                "close" => {
                    let request = serde_json::from_str(r#"{"status":"closed"}"#).unwrap();
                    let closed = journal.change_account(account(), request).await.unwrap();
                    assert_eq!(closed.status, AccountStatus::Closed);
                }
                step => {
                    let (change, decision) = parse(step, number, now_ms);
                    for is_repeated in [false, true] {
                        let modified = journal.run(change.clone()).await;
                        let decided = (&modified.decision, modified.is_repeated);
                        assert_eq!(decided, (&decision, is_repeated), "{steps}: {step}");
                    }
                }
            }
        }
        let now = journal.stored(&account()).await;
        assert_eq!(
            (10_000 - now.balance_minor, now.held_minor),
            *sums,
            "{steps}"
        );
        let counted = (now.day_count, now.day_sum_minor);
        assert_eq!(counted, (1, 6_000), "{steps}: the day's count stays");
        let inquired = journal.inquire(HARBOR, reference(1), now_ms).await;
        assert_eq!(
            inquired,
            Ok(Some(APPROVED)),
            "{steps}: the first decision stays"
        );
    }
}

#[tokio::test]
async fn captures_in_parts_are_at_most_the_authorized_amount() {
    let rows = [
        ("capture 6000, capture 1 ! invalid_transaction", (6_000, 0)),
        (
            "capture 6000, void ! invalid_transaction, expiry ! invalid_transaction",
            (6_000, 0),
        ),
        ("capture 2500", (2_500, 3_500)),
        (
            "capture 2500, capture 3501 ! invalid_amount, capture 3500",
            (6_000, 0),
        ),
        ("capture 1, capture 1, capture 1", (3, 5_997)),
        (
            "capture 1, final capture 2, capture 1 ! invalid_transaction",
            (3, 0),
        ),
        ("final capture 1, void", (1, 0)),
        (
            "capture 6001 ! invalid_amount, capture 0 ! invalid_amount, \
             capture -1 ! invalid_amount, capture 9223372036854775807 ! invalid_amount, \
             capture -9223372036854775808 ! invalid_amount",
            (0, 6_000),
        ),
        (
            "capture 6000 JPY ! invalid_amount, capture 6000",
            (6_000, 0),
        ),
        ("void, void, capture 6000 ! invalid_transaction", (0, 0)),
        (
            "capture 2000, void, capture 1 ! invalid_transaction",
            (2_000, 0),
        ),
        ("wait, capture 6000 ! invalid_transaction, void", (0, 0)),
        (
            "capture 5, wait, capture 1 ! invalid_transaction, expiry",
            (5, 0),
        ),
        ("capture 5, wait, expiry", (5, 0)),
        ("wait, void", (0, 0)),
        ("expiry, expiry", (0, 0)),
    ];
    check("captures", Capture::Manual, &rows).await;
}

#[tokio::test]
async fn refunds_are_at_most_the_captured_amount() {
    let rows = [
        ("refund 6000, refund 1 ! invalid_amount", (0, 0)),
        (
            "refund 1000, refund 2000, refund 3001 ! invalid_amount, refund 3000",
            (0, 0),
        ),
        (
            "refund 0 ! invalid_amount, refund -1 ! invalid_amount, \
             refund 9223372036854775807 ! invalid_amount, refund 1 JPY ! invalid_amount",
            (6_000, 0),
        ),
        ("refund 1, capture 1 ! invalid_transaction", (5_999, 0)),
        ("void ! invalid_transaction, refund 1", (5_999, 0)),
        // Long after an authorization would have expired.
        ("wait, wait, refund 6000", (0, 0)),
        ("close, refund 1 ! closed_account", (6_000, 0)),
        ("refund 1, close, refund 6000 ! invalid_amount", (5_999, 0)),
    ];
    check("refunds", Capture::Automatic, &rows).await;
    let rows = [
        ("refund 1 ! invalid_transaction", (0, 6_000)),
        ("void, refund 1 ! invalid_transaction", (0, 0)),
        // A refund releases the held amount.
        (
            "capture 2000, refund 500, capture 1 ! invalid_transaction, \
             refund 1501 ! invalid_amount, refund 1500",
            (0, 0),
        ),
        (
            "capture 2000, refund 2001 ! invalid_amount, capture 4000",
            (6_000, 0),
        ),
        ("close, capture 2000", (2_000, 4_000)),
    ];
    check("refunds-of-parts", Capture::Manual, &rows).await;
}

#[tokio::test]
async fn unknown_payments_are_declined_or_tombstoned() {
    use ModificationKind::{Expiry, Refund, Void};
    let (journal, _folder) = journal("unknown").await;
    let invalid = declined("invalid_transaction");
    for (number, kind) in [(1, ModificationKind::Capture), (2, Refund)] {
        let decision = journal.decide_change(change(number, kind, euros(1))).await;
        assert_eq!(decision, invalid, "{kind:?}");
    }
    for (number, kind) in [(3, Void), (4, Expiry), (5, Void)] {
        let decision = journal.decide_change(change(number, kind, euros(1))).await;
        assert_eq!(decision, APPROVED, "{kind:?}");
        assert_eq!(journal.first().await.state, AuthorizationState::Tombstoned);
    }
    let decision = journal
        .decide_change(change(6, ModificationKind::Capture, euros(1)))
        .await;
    assert_eq!(decision, invalid);
    let late = input(1, &account(), euros(1), Capture::Manual);
    assert_eq!(journal.decide(late).await, tombstoned());
}

#[tokio::test]
async fn the_first_decision_about_a_modification_stands() {
    let (journal, _folder) = journal("modifications").await;
    let paid = input(7, &account(), euros(6_000), Capture::Automatic);
    journal.decide(paid).await;
    let mut refund = change(7, ModificationKind::Refund, euros(6_000));
    refund.request.payment = reference(7);
    // Modifications of another acquirer are other modifications.
    let elsewhere = Change {
        provider: "meridian".into(),
        ..refund.clone()
    };
    let decision = journal.decide_change(elsewhere).await;
    assert_eq!(decision, declined("invalid_transaction"));
    let unavailable = declined("issuer_unavailable");
    let given = Change {
        decision: Some(unavailable.clone()),
        ..refund.clone()
    };
    assert_eq!(journal.decide_change(given).await, unavailable);
    assert_eq!(journal.decide_change(refund.clone()).await, unavailable);
    refund.request.modification = ModificationId::new(8, [1; 10]);
    assert_eq!(journal.decide_change(refund).await, APPROVED);
    assert_eq!(journal.stored(&account()).await.balance_minor, 10_000);
}

#[tokio::test]
async fn expired_authorizations_are_released() {
    let (journal, _folder) = journal("expiry").await;
    for (number, later) in [(1, 0), (2, 10), (3, 20)] {
        let mut input = input(number, &account(), euros(3_000), Capture::Manual);
        input.now_ms = NOON + later;
        assert_eq!(journal.decide(input).await, APPROVED);
    }
    assert_eq!(journal.stored(&account()).await.held_minor, 9_000);
    // A part of the second is captured.
    let mut part = change(1, ModificationKind::Capture, euros(1_000));
    part.request.payment = reference(2);
    assert_eq!(journal.decide_change(part).await, APPROVED);
    let rows = [
        (-1, 9, 0),
        (0, 9, 1),
        (0, 9, 0),
        (20, 1, 1),
        (20, 9, 1),
        (20, 9, 0),
    ];
    for (after, limit, expected) in rows {
        let released = journal.expire_holds(NOON + HOLD_MS + after, limit).await;
        assert_eq!(released, Ok(expected), "{after} {limit}");
    }
    let now = journal.stored(&account()).await;
    assert_eq!((now.held_minor, now.balance_minor), (0, 9_000));
    let all = journal.authorizations(10).await.unwrap();
    let states: Vec<_> = all
        .iter()
        .map(|authorization| authorization.state)
        .collect();
    let expected = [
        AuthorizationState::Released,
        AuthorizationState::Captured,
        AuthorizationState::Released,
    ];
    assert_eq!(states, expected);
    let mut holds = all.iter().map(|authorization| authorization.hold_until_ms);
    assert!(holds.all(|hold_until_ms| hold_until_ms.is_none()));
}
