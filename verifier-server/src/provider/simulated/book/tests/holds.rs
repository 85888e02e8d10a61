//! Holds are taken in part or whole, let go, or expire.

use super::{HARBOR, HOLD_MS, NOON, approved, euros, reference, stored, times, wish};
use crate::provider::Answer;
use crate::provider::simulated::account::{Account, tests::account};
use crate::provider::simulated::book::{
    EntryState, ask, authorize, capture, expire_holds, newest, void,
};
use crate::provider::simulated::world::tests::{TestFolder, database};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// What is done about a hold of 60.00 EUR.
enum Deed {
    Take(i64),
    TakeYen(i64),
    LetGo,
    Wait,
}

/// Deeds with the reason of a refusal if it is one, and what is booked and held after them.
type HoldRow<'a> = (&'a [(Deed, Option<&'a str>)], (i64, i64));

#[tokio::test]
async fn a_hold_ends_once_and_as_it_was_told() {
    use Deed::{LetGo, Take, TakeYen, Wait};
    let folder = TestFolder::new("holds");
    let database = database(&folder).await;
    let (yes, amount, transaction) = (None, Some("invalid_amount"), Some("invalid_transaction"));
    let rows: [HoldRow<'_>; 9] = [
        (&[(Take(6_000), yes), (Take(6_000), yes)], (6_000, 0)),
        (
            &[(Take(6_000), yes), (Take(1), amount), (LetGo, transaction)],
            (6_000, 0),
        ),
        (
            &[
                (Take(2_500), yes),
                (Take(2_500), yes),
                (Take(6_000), amount),
            ],
            (2_500, 0),
        ),
        (&[(Take(1), yes)], (1, 0)),
        (
            &[(Take(6_001), amount), (Take(0), amount), (Take(-1), amount)],
            (0, 6_000),
        ),
        (&[(TakeYen(6_000), amount), (Take(6_000), yes)], (6_000, 0)),
        (
            &[(LetGo, yes), (LetGo, yes), (Take(6_000), transaction)],
            (0, 0),
        ),
        (
            &[(Wait, yes), (Take(6_000), transaction), (LetGo, yes)],
            (0, 0),
        ),
        (&[(Wait, yes), (LetGo, yes)], (0, 0)),
    ];
    for (number, (deeds, (booked, held))) in (1..).zip(rows) {
        let state = Account {
            id: format!("card:{number}"),
            ..account()
        };
        let wish = wish(number, &state, euros(6_000), Capture::Manual);
        let answer = authorize(&database, wish, times(NOON)).await.unwrap();
        assert_eq!(answer, approved(), "{number}");
        let mut now_ms = NOON;
        for (deed, expected) in deeds {
            let answer = match deed {
                Take(amount) => {
                    let money = euros(*amount);
                    capture(&database, HARBOR, reference(number), money, now_ms).await
                }
                TakeYen(amount) => {
                    let money = Money::new(*amount, "JPY".parse().unwrap());
                    capture(&database, HARBOR, reference(number), money, now_ms).await
                }
                LetGo => void(&database, HARBOR, reference(number), now_ms).await,
                Wait => {
                    now_ms += HOLD_MS;
                    Ok(Answer::Approved)
                }
            };
            let expected = expected.map_or(Answer::Approved, |key| Answer::Declined(key.into()));
            assert_eq!(answer.unwrap(), expected, "{number}");
        }
        let now = stored(&database, &state).await;
        let counted = (now.day_count, now.day_sum_minor);
        assert_eq!(
            (10_000 - now.balance_minor, now.held_minor),
            (booked, held),
            "{number}"
        );
        assert_eq!(counted, (1, 6_000), "{number}: the day's count stays");
        let asked = ask(&database, HARBOR, reference(number), now_ms).await;
        assert_eq!(
            asked.unwrap(),
            approved(),
            "{number}: it was approved all the same"
        );
    }
    let unknown = capture(&database, HARBOR, reference(99), euros(1), NOON).await;
    assert_eq!(
        unknown.unwrap(),
        Answer::Declined("invalid_transaction".into())
    );
}

#[tokio::test]
async fn holds_that_nobody_took_expire_and_give_the_money_back() {
    let folder = TestFolder::new("expiry");
    let database = database(&folder).await;
    for (number, later) in [(1, 0), (2, 10), (3, 20)] {
        let wish = wish(number, &account(), euros(3_000), Capture::Manual);
        let answer = authorize(&database, wish, times(NOON + later))
            .await
            .unwrap();
        assert_eq!(answer, approved());
    }
    assert_eq!(stored(&database, &account()).await.held_minor, 9_000);
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
    assert_eq!((now.held_minor, now.balance_minor), (0, 10_000));
    let entries = newest(&database, 10).await.unwrap();
    assert_eq!(entries.len(), 3);
    assert!(
        entries
            .iter()
            .all(|entry| entry.state == EntryState::Released)
    );
    assert!(entries.iter().all(|entry| entry.hold_until_ms.is_none()));
}
