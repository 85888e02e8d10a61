//! Payouts in the database: leased by one worker, sent once.

use crate::databases::on_both_databases;
use crate::settlements::store::{close, closed, event_id, ids, ledger_balances, sold};
use crate::storage::fixtures::{NOW_MS, reachable, registered};
use crate::storage::test_database::TestDatabase;
use verifier_server::ledger::posting;
use verifier_server::payouts::model::{Payout, PayoutState};
use verifier_server::payouts::store::PayoutFilter;
use verifier_server::webhooks::events::model::Event;

fn told(payout: &Payout, kind: &str, sequence: i64) -> Event {
    Event {
        id: event_id(),
        merchant: payout.merchant,
        subject: payout.id.to_string(),
        kind: kind.into(),
        sequence,
        body: "{}".into(),
        created_at_ms: NOW_MS,
    }
}

async fn payout_is_leased_by_one_and_sent_once(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    sold(&store, merchant.id, 1_000, "2026-11-25").await;
    closed(close(&store, merchant.id, "2026-11-25").await);
    let open = store.payouts.open(NOW_MS, 10).await.unwrap();
    assert_eq!(open.len(), 1);
    let pending = open[0].clone();
    assert_eq!(store.payouts.lease(&pending, NOW_MS + 1).await, Ok(true));
    assert_eq!(store.payouts.lease(&pending, NOW_MS + 1).await, Ok(false));
    assert_eq!(store.payouts.open(NOW_MS, 10).await, Ok(vec![]));
    assert_eq!(store.payouts.open(NOW_MS + 1, 10).await.unwrap().len(), 1);

    let mut paid = pending.clone();
    paid.state = PayoutState::Paid;
    paid.updated_at_ms = NOW_MS + 9;
    let event = told(&paid, "payout.paid", 1);
    assert_eq!(
        store.payouts.change(&pending, &paid, &event, None).await,
        Ok(true)
    );
    // The event of the second one is not written either: its name is taken.
    assert_eq!(
        store.payouts.change(&pending, &paid, &event, None).await,
        Ok(false)
    );
    assert_eq!(store.payouts.in_transit(merchant.id).await, Ok(vec![]));
    ledger_balances(&store).await;

    let mut returned = paid.clone();
    returned.state = PayoutState::Returned;
    returned.failure = Some("account_closed".into());
    let event = told(&returned, "payout.returned", 2);
    let posting = posting::of_payout_return(&ids(), &returned);
    let change = || {
        store
            .payouts
            .change(&paid, &returned, &event, Some(&posting))
    };
    assert_eq!(change().await, Ok(true));
    assert_eq!(change().await, Ok(false), "it comes back once");
    let stored = store.payouts.get(paid.id).await.unwrap().unwrap();
    assert_eq!(stored.failure.as_deref(), Some("account_closed"));
    assert_eq!(
        store.payouts.get_owned(merchant.id, paid.id).await,
        Ok(Some(stored))
    );
    let other = registered(&store).await.id;
    assert_eq!(store.payouts.get_owned(other, paid.id).await, Ok(None));
    let filter = PayoutFilter {
        state: Some(PayoutState::Returned),
        currency: Some("EUR".parse().unwrap()),
        after: None,
        limit: 10,
    };
    assert_eq!(
        store
            .payouts
            .list(merchant.id, &filter)
            .await
            .unwrap()
            .len(),
        1
    );
    let pending = PayoutFilter {
        state: Some(PayoutState::Pending),
        ..filter
    };
    assert_eq!(store.payouts.list(merchant.id, &pending).await, Ok(vec![]));
    ledger_balances(&store).await;
}

async fn account_is_named_once_and_only_while_the_payout_waits(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    sold(&store, merchant.id, 1_000, "2026-11-25").await;
    closed(close(&store, merchant.id, "2026-11-25").await);
    let payout = store.payouts.open(i64::MAX, 1).await.unwrap().remove(0);
    assert_eq!(
        store
            .payouts
            .name_account(&payout, "NL91ABNA0417164300")
            .await,
        Ok(payout.account.is_empty()),
    );
    database.tamper("UPDATE payouts SET account = ''").await;
    for is_first in [true, false] {
        let named = store.payouts.name_account(&payout, "NL91ABNA0417164300");
        assert_eq!(named.await, Ok(is_first));
    }
    database
        .tamper("UPDATE payouts SET account = '', state = 'paid'")
        .await;
    let named = store.payouts.name_account(&payout, "NL91ABNA0417164300");
    assert_eq!(named.await, Ok(false));
}

on_both_databases! {
    TestDatabase:
    account_is_named_once_and_only_while_the_payout_waits,
    payout_is_leased_by_one_and_sent_once,
}
