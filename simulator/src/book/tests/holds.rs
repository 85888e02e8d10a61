//! Holds are taken by parts or whole, let go, or expire; what was taken goes back by parts or
//! whole.

use super::{HARBOR, HOLD_MS, NOON, approved, euros, input, reference, stored, times};
use crate::account::{AccountStatus, tests::account};
use crate::book::{
    Change, Entry, EntryState, Modified, ask, authorize, change_account, expire_holds, modify,
    modify_authorization, newest,
};
use crate::world::tests::{TestFolder, database};
use sealpay_protocol::ids::ModificationId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{ModificationRequest, ProviderDecision};
use sealpay_storage::Database;

/// A change of payment 1 by the modification of a number, unless a test says otherwise.
pub(super) fn change(number: u64, kind: ModificationKind, money: Money) -> Change {
    Change {
        provider: HARBOR.into(),
        request: ModificationRequest {
            modification: ModificationId::new(number, [1; 10]),
            payment: reference(1),
            kind,
            money,
            is_final: false,
        },
        script: None,
        now_ms: NOON,
    }
}

pub(super) async fn run(database: &Database, change: Change) -> Modified {
    let modified = modify(database, change, |tx, change| {
        Box::pin(modify_authorization(tx, change))
    });
    modified.await.unwrap()
}

/// Lets go what is held of the payment of a number.
pub(super) async fn let_go(database: &Database, number: u64) -> ProviderDecision {
    let mut input = change(number, ModificationKind::Void, euros(1));
    input.request.payment = reference(number);
    run(database, input).await.answer
}

pub(super) async fn entry(database: &Database) -> Entry {
    let newest = newest(database, 100).await.unwrap();
    let reference = reference(1).to_string();
    let found = newest
        .into_iter()
        .find(|entry| entry.reference == reference);
    found.unwrap()
}

/// What is done about a hold of 60.00 EUR.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Take(i64),
    TakeLast(i64),
    TakeYen(i64),
    LetGo,
    Expire,
    GiveBack(i64),
    GiveBackYen(i64),
    Close,
    Wait,
}

impl Deed {
    /// The change, if it is one of the payment.
    fn change(self, number: u64, now_ms: i64) -> Option<Change> {
        use ModificationKind::{Capture, Expiry, Refund, Void};
        let yen = |amount| Money::new(amount, "JPY".parse().unwrap());
        let (kind, money) = match self {
            Self::Take(amount) | Self::TakeLast(amount) => (Capture, euros(amount)),
            Self::TakeYen(amount) => (Capture, yen(amount)),
            Self::LetGo => (Void, euros(1)),
            Self::Expire => (Expiry, euros(1)),
            Self::GiveBack(amount) => (Refund, euros(amount)),
            Self::GiveBackYen(amount) => (Refund, yen(amount)),
            Self::Close | Self::Wait => return None,
        };
        let mut change = change(number, kind, money);
        change.request.is_final = matches!(self, Self::TakeLast(_));
        change.now_ms = now_ms;
        Some(change)
    }
}

/// Deeds with the reason of an error if it is one; then what has gone from the account and what is
/// held of it.
type HoldRow<'a> = (&'a [(Deed, Option<&'a str>)], (i64, i64));

const YES: Option<&str> = None;
const AMOUNT: Option<&str> = Some("invalid_amount");
const TRANSACTION: Option<&str> = Some("invalid_transaction");

/// Does one thing after the other, each change twice: the second time changes nothing.
async fn check(name: &str, capture: Capture, rows: &[HoldRow<'_>]) {
    for (place, (deeds, (gone, held))) in rows.iter().enumerate() {
        let folder = TestFolder::new(&format!("{name}-{place}"));
        let database = database(&folder).await;
        let input = input(1, &account(), euros(6_000), capture);
        let answer = authorize(&database, input, times(NOON)).await.unwrap();
        assert_eq!(answer, approved(), "{name} {place}");
        let mut now_ms = NOON;
        for (number, (deed, expected)) in (1..).zip(*deeds) {
            let what = format!("{name} {place}: {number} {deed:?}");
            match deed {
                Deed::Wait => now_ms += HOLD_MS,
                Deed::Close => {
                    let order = serde_json::from_str(r#"{"status":"closed"}"#).unwrap();
                    let closed = change_account(&database, account(), order).await.unwrap();
                    assert_eq!(closed.status, AccountStatus::Closed);
                }
                _ => {}
            }
            let Some(change) = deed.change(number, now_ms) else {
                continue;
            };
            let expected = expected.map_or(ProviderDecision::Approved, |key| {
                ProviderDecision::Declined(key.into())
            });
            for is_repeated in [false, true] {
                let modified = run(&database, change.clone()).await;
                let answer = expected.clone();
                let expected = Modified {
                    answer,
                    is_repeated,
                };
                assert_eq!(modified, expected, "{what}");
            }
        }
        let now = stored(&database, &account()).await;
        let sums = (10_000 - now.balance_minor, now.held_minor);
        assert_eq!(sums, (*gone, *held), "{name} {place}");
        let counted = (now.day_count, now.day_sum_minor);
        assert_eq!(counted, (1, 6_000), "{name} {place}: the day's count stays");
        let asked = ask(&database, HARBOR, reference(1), now_ms).await.unwrap();
        assert_eq!(
            asked,
            approved(),
            "{name} {place}: it was approved all the same"
        );
    }
}

#[tokio::test]
async fn a_hold_is_taken_by_parts_and_never_more_than_there_is() {
    use Deed::{Expire, LetGo, Take, TakeLast, TakeYen, Wait};
    let rows: [HoldRow<'_>; 16] = [
        (&[(Take(6_000), YES), (Take(1), TRANSACTION)], (6_000, 0)),
        (
            &[
                (Take(6_000), YES),
                (LetGo, TRANSACTION),
                (Expire, TRANSACTION),
            ],
            (6_000, 0),
        ),
        (&[(Take(2_500), YES)], (2_500, 3_500)),
        (
            &[
                (Take(2_500), YES),
                (Take(3_501), AMOUNT),
                (Take(3_500), YES),
            ],
            (6_000, 0),
        ),
        (
            &[(Take(1), YES), (Take(1), YES), (Take(1), YES)],
            (3, 5_997),
        ),
        (
            &[(Take(1), YES), (TakeLast(2), YES), (Take(1), TRANSACTION)],
            (3, 0),
        ),
        (&[(TakeLast(1), YES), (LetGo, YES)], (1, 0)),
        (
            &[
                (Take(6_001), AMOUNT),
                (Take(0), AMOUNT),
                (Take(-1), AMOUNT),
                (Take(i64::MAX), AMOUNT),
                (Take(i64::MIN), AMOUNT),
            ],
            (0, 6_000),
        ),
        (&[(TakeYen(6_000), AMOUNT), (Take(6_000), YES)], (6_000, 0)),
        (
            &[(LetGo, YES), (LetGo, YES), (Take(6_000), TRANSACTION)],
            (0, 0),
        ),
        (
            &[(Take(2_000), YES), (LetGo, YES), (Take(1), TRANSACTION)],
            (2_000, 0),
        ),
        (
            &[(Wait, YES), (Take(6_000), TRANSACTION), (LetGo, YES)],
            (0, 0),
        ),
        (
            &[
                (Take(5), YES),
                (Wait, YES),
                (Take(1), TRANSACTION),
                (Expire, YES),
            ],
            (5, 0),
        ),
        (&[(Take(5), YES), (Wait, YES), (Expire, YES)], (5, 0)),
        (&[(Wait, YES), (LetGo, YES)], (0, 0)),
        (&[(Expire, YES), (Expire, YES)], (0, 0)),
    ];
    check("holds", Capture::Manual, &rows).await;
}

#[tokio::test]
async fn what_was_taken_goes_back_and_never_more() {
    use Deed::{Close, GiveBack, GiveBackYen, LetGo, Take, Wait};
    let rows: [HoldRow<'_>; 8] = [
        (&[(GiveBack(6_000), YES), (GiveBack(1), AMOUNT)], (0, 0)),
        (
            &[
                (GiveBack(1_000), YES),
                (GiveBack(2_000), YES),
                (GiveBack(3_001), AMOUNT),
                (GiveBack(3_000), YES),
            ],
            (0, 0),
        ),
        (
            &[
                (GiveBack(0), AMOUNT),
                (GiveBack(-1), AMOUNT),
                (GiveBack(i64::MAX), AMOUNT),
                (GiveBackYen(1), AMOUNT),
            ],
            (6_000, 0),
        ),
        (&[(GiveBack(1), YES), (Take(1), TRANSACTION)], (5_999, 0)),
        (&[(LetGo, TRANSACTION), (GiveBack(1), YES)], (5_999, 0)),
        // Long after any hold.
        (&[(Wait, YES), (Wait, YES), (GiveBack(6_000), YES)], (0, 0)),
        (
            &[(Close, YES), (GiveBack(1), Some("closed_account"))],
            (6_000, 0),
        ),
        (
            &[(GiveBack(1), YES), (Close, YES), (GiveBack(6_000), AMOUNT)],
            (5_999, 0),
        ),
    ];
    check("refunds", Capture::Automatic, &rows).await;
    let rows: [HoldRow<'_>; 5] = [
        (&[(GiveBack(1), TRANSACTION)], (0, 6_000)),
        (&[(LetGo, YES), (GiveBack(1), TRANSACTION)], (0, 0)),
        // What is still held is let go by a refund.
        (
            &[
                (Take(2_000), YES),
                (GiveBack(500), YES),
                (Take(1), TRANSACTION),
                (GiveBack(1_501), AMOUNT),
                (GiveBack(1_500), YES),
            ],
            (0, 0),
        ),
        (
            &[
                (Take(2_000), YES),
                (GiveBack(2_001), AMOUNT),
                (Take(4_000), YES),
            ],
            (6_000, 0),
        ),
        (&[(Close, YES), (Take(2_000), YES)], (2_000, 4_000)),
    ];
    check("refunds-of-parts", Capture::Manual, &rows).await;
}

#[tokio::test]
async fn what_is_unknown_is_refused_or_struck_out_and_an_issuers_answer_is_kept() {
    use ModificationKind::{Expiry, Refund, Void};
    let folder = TestFolder::new("unknown-changes");
    let database = database(&folder).await;
    let refused = |key: &str| ProviderDecision::Declined(key.into());
    for (number, kind) in [(1, ModificationKind::Capture), (2, Refund)] {
        let modified = run(&database, change(number, kind, euros(1))).await;
        assert_eq!(modified.answer, refused("invalid_transaction"), "{kind:?}");
    }
    for (number, kind) in [(3, Void), (4, Expiry), (5, Void)] {
        let modified = run(&database, change(number, kind, euros(1))).await;
        assert_eq!(modified.answer, ProviderDecision::Approved, "{kind:?}");
        assert_eq!(entry(&database).await.state, EntryState::StruckOut);
    }
    let modified = run(&database, change(6, ModificationKind::Capture, euros(1))).await;
    assert_eq!(modified.answer, refused("invalid_transaction"));
    // Another acquirer knows its own modifications only, whatever their names.
    let paid = input(7, &account(), euros(6_000), Capture::Automatic);
    authorize(&database, paid, times(NOON)).await.unwrap();
    let mut refund = change(7, Refund, euros(6_000));
    refund.request.payment = reference(7);
    let elsewhere = Change {
        provider: "meridian".into(),
        ..refund.clone()
    };
    assert_eq!(
        run(&database, elsewhere).await.answer,
        refused("invalid_transaction")
    );
    let unreached = Change {
        script: Some(refused("issuer_unavailable")),
        ..refund.clone()
    };
    assert_eq!(
        run(&database, unreached).await.answer,
        refused("issuer_unavailable")
    );
    assert_eq!(
        run(&database, refund.clone()).await.answer,
        refused("issuer_unavailable")
    );
    refund.request.modification = ModificationId::new(8, [1; 10]);
    assert_eq!(
        run(&database, refund).await.answer,
        ProviderDecision::Approved
    );
    assert_eq!(stored(&database, &account()).await.balance_minor, 10_000);
}

#[tokio::test]
async fn holds_that_nobody_took_expire_and_give_the_money_back() {
    let folder = TestFolder::new("expiry");
    let database = database(&folder).await;
    for (number, later) in [(1, 0), (2, 10), (3, 20)] {
        let input = input(number, &account(), euros(3_000), Capture::Manual);
        let answer = authorize(&database, input, times(NOON + later))
            .await
            .unwrap();
        assert_eq!(answer, approved());
    }
    assert_eq!(stored(&database, &account()).await.held_minor, 9_000);
    // Of the second a part was taken.
    let mut part = change(1, ModificationKind::Capture, euros(1_000));
    part.request.payment = reference(2);
    assert_eq!(
        run(&database, part).await.answer,
        ProviderDecision::Approved
    );
    let rows = [
        (-1, 9, 0),
        (0, 9, 1),
        (0, 9, 0),
        (20, 1, 1),
        (20, 9, 1),
        (20, 9, 0),
    ];
    for (after, limit, expected) in rows {
        let expired = expire_holds(&database, NOON + HOLD_MS + after, limit).await;
        assert_eq!(expired.unwrap(), expected, "{after} {limit}");
    }
    let now = stored(&database, &account()).await;
    assert_eq!((now.held_minor, now.balance_minor), (0, 9_000));
    let entries = newest(&database, 10).await.unwrap();
    let states: Vec<_> = entries.iter().map(|entry| entry.state).collect();
    let expected = [
        EntryState::Released,
        EntryState::Captured,
        EntryState::Released,
    ];
    assert_eq!(states, expected);
    assert!(entries.iter().all(|entry| entry.hold_until_ms.is_none()));
}
