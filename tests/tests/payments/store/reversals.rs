//! Declined payments that the provider may still approve: who asks, how often, and until when.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, claimed, moved, opened, registered};
use crate::storage::test_database::TestDatabase;
use tokio::task::JoinSet;
use verifier_server::payments::model::Payment;
use verifier_server::payments::reversals::model::{Reversal, ReversalState};
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::outcome::OutcomeEffects;
use verifier_server::store::Store;

/// A payment that was declined for a reason.
async fn declined(store: &Store, reason: &str) -> Payment {
    let merchant = registered(store).await;
    let session = opened(store, merchant.id).await;
    let payment = claimed(store, &session).await;
    let mut after = moved(&payment, PaymentState::Declined, NOW_MS);
    after.decline = Some(reason.into());
    let settled = store
        .payments
        .record_outcome(&payment, &after, OutcomeEffects::new(None, None))
        .await;
    assert!(settled.is_ok(), "{settled:?}");
    after
}

async fn only(store: &Store, payment: &Payment) -> Reversal {
    let mut found = store.reversals.list(payment.id).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

async fn decline_that_may_be_contradicted_is_watched(database: &TestDatabase) {
    let store = database.open().await;
    let own_word = declined(&store, "insufficient_funds").await;
    assert_eq!(store.reversals.list(own_word.id).await, Ok(Vec::new()));
    let doubtful = declined(&store, "not_processed").await;
    let watched = only(&store, &doubtful).await;
    assert_eq!(
        (watched.state, watched.tries, watched.provider.as_str()),
        (ReversalState::Watched, 0, doubtful.provider.as_str())
    );
    assert_eq!(watched.due_at_ms, NOW_MS + 60_000);
    assert_eq!(
        store.reversals.due(NOW_MS + 59_999, 9).await,
        Ok(Vec::new())
    );
    let due = store.reversals.due(NOW_MS + 60_000, 9).await;
    assert_eq!(due, Ok(vec![watched.clone()]));
    assert_eq!(store.reversals.count(ReversalState::Watched).await, Ok(1));
    assert_eq!(store.reversals.remove(&watched).await, Ok(true));
    assert_eq!(store.reversals.list(doubtful.id).await, Ok(Vec::new()));
}

async fn one_of_many_watchers_queries_the_provider(database: &TestDatabase) {
    let store = database.open().await;
    let payment = declined(&store, "not_processed").await;
    let seen = only(&store, &payment).await;
    let mut taking = JoinSet::new();
    for _ in 0..10 {
        let (store, seen) = (store.clone(), seen.clone());
        taking.spawn(async move { store.reversals.take(&seen, NOW_MS + 700_000).await.unwrap() });
    }
    let taken = taking.join_all().await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    let after = only(&store, &payment).await;
    assert_eq!((after.tries, after.due_at_ms), (1, NOW_MS + 700_000));
}

async fn late_approval_is_reversed_once(database: &TestDatabase) {
    let store = database.open().await;
    let payment = declined(&store, "not_processed").await;
    let watched = only(&store, &payment).await;
    assert_eq!(
        store
            .reversals
            .note_late_approval(&payment, NOW_MS + 5)
            .await,
        Ok(())
    );
    let approved = only(&store, &payment).await;
    assert_eq!(
        (approved.state, approved.due_at_ms, approved.modification),
        (ReversalState::Approved, NOW_MS + 5, watched.modification)
    );
    // The approval is recorded now, so the reversal can no longer be removed.
    assert_eq!(store.reversals.remove(&watched).await, Ok(false));
    let marked = store
        .reversals
        .mark(&approved, ReversalState::Reversed)
        .await;
    assert_eq!(marked, Ok(true));
    assert_eq!(
        store
            .reversals
            .note_late_approval(&payment, NOW_MS + 9)
            .await,
        Ok(())
    );
    let again = store
        .reversals
        .mark(&approved, ReversalState::Approved)
        .await;
    assert_eq!(again, Ok(false));
    assert_eq!(only(&store, &payment).await.state, ReversalState::Reversed);
    assert_eq!(store.reversals.due(i64::MAX, 9).await, Ok(Vec::new()));
    // A late approval of a payment that was not watched.
    let other = declined(&store, "expired_card").await;
    assert_eq!(
        store.reversals.note_late_approval(&other, NOW_MS).await,
        Ok(())
    );
    assert_eq!(only(&store, &other).await.state, ReversalState::Approved);
}

on_both_databases! {
    TestDatabase:
    decline_that_may_be_contradicted_is_watched,
    one_of_many_watchers_queries_the_provider,
    late_approval_is_reversed_once,
}
