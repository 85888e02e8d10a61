//! Captures, voids, refunds and expiry: in parts or whole, and never more than is left.

use super::{HARBOR, input, reference, tombstoned};
use crate::account::{AccountStatus, tests::account};
use crate::journal::modification::Modified;
use crate::journal::{Authorization, AuthorizationState, Change, HOLD_MS};
use crate::journal::{Journal, modify_authorization};
use crate::simulation::tests::{
    APPROVED, NOON, declined, euros, journal, modification, money as money_of,
};
use sealpay_protocol::ids::ModificationId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
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

/// A step after an authorization of 60.00 EUR.
#[derive(Debug, Clone, Copy)]
enum Action {
    Capture(i64),
    CaptureLast(i64),
    CaptureYen(i64),
    Void,
    Expire,
    Refund(i64),
    RefundYen(i64),
    Close,
    Wait,
}

impl Action {
    /// The modification, if it is one.
    fn change(self, number: u64, now_ms: i64) -> Option<Change> {
        use ModificationKind::{Capture, Expiry, Refund, Void};
        let yen = |amount| money_of(amount, "JPY");
        let (kind, money) = match self {
            Self::Capture(amount) | Self::CaptureLast(amount) => (Capture, euros(amount)),
            Self::CaptureYen(amount) => (Capture, yen(amount)),
            Self::Void => (Void, euros(1)),
            Self::Expire => (Expiry, euros(1)),
            Self::Refund(amount) => (Refund, euros(amount)),
            Self::RefundYen(amount) => (Refund, yen(amount)),
            Self::Close | Self::Wait => return None,
        };
        let mut change = change(number, kind, money);
        change.request.is_final = matches!(self, Self::CaptureLast(_));
        change.now_ms = now_ms;
        Some(change)
    }
}

/// Actions, each with the reason if it is declined; then the account's debited and held amounts.
type Row<'a> = (&'a [(Action, Option<&'a str>)], (i64, i64));

const YES: Option<&str> = None;
const AMOUNT: Option<&str> = Some("invalid_amount");
const TRANSACTION: Option<&str> = Some("invalid_transaction");

/// Takes the actions in order, each modification twice: the second one changes nothing.
async fn check(name: &str, capture: order::Capture, rows: &[Row<'_>]) {
    for (place, (actions, (debited, held))) in rows.iter().enumerate() {
        let (journal, _folder) = journal(&format!("{name}-{place}")).await;
        let authorized = input(1, &account(), euros(6_000), capture);
        assert_eq!(journal.decide(authorized).await, APPROVED, "{name} {place}");
        let mut now_ms = NOON;
        for (number, (action, expected)) in (1..).zip(*actions) {
            let row = format!("{name} {place}: {number} {action:?}");
            match action {
                Action::Wait => now_ms += HOLD_MS,
                Action::Close => {
                    let request = serde_json::from_str(r#"{"status":"closed"}"#).unwrap();
                    let closed = journal.change_account(account(), request).await.unwrap();
                    assert_eq!(closed.status, AccountStatus::Closed);
                }
                _ => {}
            }
            let Some(change) = action.change(number, now_ms) else {
                continue;
            };
            for is_repeated in [false, true] {
                let expected = Modified {
                    decision: expected.map_or(APPROVED, declined),
                    is_repeated,
                };
                assert_eq!(journal.run(change.clone()).await, expected, "{row}");
            }
        }
        let now = journal.stored(&account()).await;
        let sums = (10_000 - now.balance_minor, now.held_minor);
        assert_eq!(sums, (*debited, *held), "{name} {place}");
        let counted = (now.day_count, now.day_sum_minor);
        assert_eq!(counted, (1, 6_000), "{name} {place}: the day's count stays");
        let inquired = journal.inquire(HARBOR, reference(1), now_ms).await;
        let approved = Ok(Some(APPROVED));
        assert_eq!(
            inquired, approved,
            "{name} {place}: the first decision stays"
        );
    }
}

#[tokio::test]
async fn captures_in_parts_are_at_most_the_authorized_amount() {
    use Action::{Capture, CaptureLast, CaptureYen, Expire, Void, Wait};
    let rows: [Row<'_>; 16] = [
        (
            &[(Capture(6_000), YES), (Capture(1), TRANSACTION)],
            (6_000, 0),
        ),
        (
            &[
                (Capture(6_000), YES),
                (Void, TRANSACTION),
                (Expire, TRANSACTION),
            ],
            (6_000, 0),
        ),
        (&[(Capture(2_500), YES)], (2_500, 3_500)),
        (
            &[
                (Capture(2_500), YES),
                (Capture(3_501), AMOUNT),
                (Capture(3_500), YES),
            ],
            (6_000, 0),
        ),
        (
            &[(Capture(1), YES), (Capture(1), YES), (Capture(1), YES)],
            (3, 5_997),
        ),
        (
            &[
                (Capture(1), YES),
                (CaptureLast(2), YES),
                (Capture(1), TRANSACTION),
            ],
            (3, 0),
        ),
        (&[(CaptureLast(1), YES), (Void, YES)], (1, 0)),
        (
            &[
                (Capture(6_001), AMOUNT),
                (Capture(0), AMOUNT),
                (Capture(-1), AMOUNT),
                (Capture(i64::MAX), AMOUNT),
                (Capture(i64::MIN), AMOUNT),
            ],
            (0, 6_000),
        ),
        (
            &[(CaptureYen(6_000), AMOUNT), (Capture(6_000), YES)],
            (6_000, 0),
        ),
        (
            &[(Void, YES), (Void, YES), (Capture(6_000), TRANSACTION)],
            (0, 0),
        ),
        (
            &[
                (Capture(2_000), YES),
                (Void, YES),
                (Capture(1), TRANSACTION),
            ],
            (2_000, 0),
        ),
        (
            &[(Wait, YES), (Capture(6_000), TRANSACTION), (Void, YES)],
            (0, 0),
        ),
        (
            &[
                (Capture(5), YES),
                (Wait, YES),
                (Capture(1), TRANSACTION),
                (Expire, YES),
            ],
            (5, 0),
        ),
        (&[(Capture(5), YES), (Wait, YES), (Expire, YES)], (5, 0)),
        (&[(Wait, YES), (Void, YES)], (0, 0)),
        (&[(Expire, YES), (Expire, YES)], (0, 0)),
    ];
    check("holds", order::Capture::Manual, &rows).await;
}

#[tokio::test]
async fn refunds_are_at_most_the_captured_amount() {
    use Action::{Capture, Close, Refund, RefundYen, Void, Wait};
    let rows: [Row<'_>; 8] = [
        (&[(Refund(6_000), YES), (Refund(1), AMOUNT)], (0, 0)),
        (
            &[
                (Refund(1_000), YES),
                (Refund(2_000), YES),
                (Refund(3_001), AMOUNT),
                (Refund(3_000), YES),
            ],
            (0, 0),
        ),
        (
            &[
                (Refund(0), AMOUNT),
                (Refund(-1), AMOUNT),
                (Refund(i64::MAX), AMOUNT),
                (RefundYen(1), AMOUNT),
            ],
            (6_000, 0),
        ),
        (&[(Refund(1), YES), (Capture(1), TRANSACTION)], (5_999, 0)),
        (&[(Void, TRANSACTION), (Refund(1), YES)], (5_999, 0)),
        // Long after an authorization would have expired.
        (&[(Wait, YES), (Wait, YES), (Refund(6_000), YES)], (0, 0)),
        (
            &[(Close, YES), (Refund(1), Some("closed_account"))],
            (6_000, 0),
        ),
        (
            &[(Refund(1), YES), (Close, YES), (Refund(6_000), AMOUNT)],
            (5_999, 0),
        ),
    ];
    check("refunds", order::Capture::Automatic, &rows).await;
    let rows: [Row<'_>; 5] = [
        (&[(Refund(1), TRANSACTION)], (0, 6_000)),
        (&[(Void, YES), (Refund(1), TRANSACTION)], (0, 0)),
        // A refund releases the held amount.
        (
            &[
                (Capture(2_000), YES),
                (Refund(500), YES),
                (Capture(1), TRANSACTION),
                (Refund(1_501), AMOUNT),
                (Refund(1_500), YES),
            ],
            (0, 0),
        ),
        (
            &[
                (Capture(2_000), YES),
                (Refund(2_001), AMOUNT),
                (Capture(4_000), YES),
            ],
            (6_000, 0),
        ),
        (&[(Close, YES), (Capture(2_000), YES)], (2_000, 4_000)),
    ];
    check("refunds-of-parts", order::Capture::Manual, &rows).await;
}

#[tokio::test]
async fn unknown_payments_are_declined_or_tombstoned() {
    use ModificationKind::{Capture, Expiry, Refund, Void};
    let (journal, _folder) = journal("unknown").await;
    let invalid = declined("invalid_transaction");
    for (number, kind) in [(1, Capture), (2, Refund)] {
        let decision = journal.decide_change(change(number, kind, euros(1))).await;
        assert_eq!(decision, invalid, "{kind:?}");
    }
    for (number, kind) in [(3, Void), (4, Expiry), (5, Void)] {
        let decision = journal.decide_change(change(number, kind, euros(1))).await;
        assert_eq!(decision, APPROVED, "{kind:?}");
        assert_eq!(journal.first().await.state, AuthorizationState::Tombstoned);
    }
    let decision = journal.decide_change(change(6, Capture, euros(1))).await;
    assert_eq!(decision, invalid);
    let late = input(1, &account(), euros(1), order::Capture::Manual);
    assert_eq!(journal.decide(late).await, tombstoned());
}

#[tokio::test]
async fn the_first_decision_about_a_modification_stands() {
    let (journal, _folder) = journal("modifications").await;
    let paid = input(7, &account(), euros(6_000), order::Capture::Automatic);
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
        let mut input = input(number, &account(), euros(3_000), order::Capture::Manual);
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
