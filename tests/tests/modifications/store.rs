//! Operations in the database: one at a time, each request once, outcome and event together.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, event, new_id, paid, reachable, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId, ModificationId, TransactionId};
use sealpay_protocol::money::Money;
use verifier_server::idempotency::model::{ChangedNothing, IdempotencyReplay, IdempotentRequest};
use verifier_server::ledger::posting;
use verifier_server::ledger::posting::{Posting, PostingContext};
use verifier_server::modifications::model::{Modification, ModificationKind, ModificationState};
use verifier_server::modifications::store::{ModificationClaim, ModificationRecorded};
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::Store;

fn request(merchant: MerchantId, key: &str) -> IdempotentRequest {
    IdempotentRequest {
        merchant,
        credential: "key_1".into(),
        key: key.into(),
        digest: "digest".into(),
        changed_nothing: ChangedNothing::default(),
    }
}

fn modification(payment: &Payment, kind: ModificationKind, amount_minor: i64) -> Modification {
    Modification {
        id: new_id!(ModificationId),
        payment: payment.id,
        merchant: payment.merchant,
        kind,
        money: Money::new(amount_minor, payment.money.currency()),
        is_final: true,
        reference: Some("return 7".into()),
        state: ModificationState::Pending,
        failure: None,
        created_by: None,
        created_at_ms: NOW_MS + 10,
        updated_at_ms: NOW_MS + 10,
        lease_until_ms: NOW_MS + 1_000,
    }
}

fn posting(payment: &Payment, modification: &Modification) -> Posting {
    let ids = PostingContext {
        transfer: new_id!(LedgerTransferId),
        overpayment: new_id!(LedgerTransferId),
        line: new_id!(TransactionId),
        at_ms: NOW_MS + 20,
        acquirer_country: Some("DE".into()),
    };
    let amount_minor = modification.money.amount_minor();
    posting::of_capture(&ids, payment, modification.id.to_string(), amount_minor)
}

async fn claimed(store: &Store, payment: &Payment) -> Modification {
    let modification = modification(payment, ModificationKind::Capture, 100);
    let claim = store
        .modifications
        .claim(payment, &modification, None)
        .await;
    assert_eq!(claim, Ok(ModificationClaim::Claimed));
    modification
}

/// Settles a capture of 100; the payment and the modification as they are to be afterwards.
async fn settle(store: &Store, before: &Payment, of: &Modification) -> (Payment, Modification) {
    let mut ended = of.clone();
    ended.state = ModificationState::Succeeded;
    ended.updated_at_ms = NOW_MS + 20;
    let mut after = before.modified(&ended);
    (after.sequence, after.updated_at_ms) = (before.sequence + 1, NOW_MS + 20);
    let told = event(before, after.sequence);
    let booked = posting(&after, of);
    let settled = store
        .modifications
        .record(before, &after, &ended, Some(&told), Some(&booked));
    assert_eq!(settled.await, Ok(ModificationRecorded::Done));
    (after, ended)
}

async fn operation_is_claimed_once_and_locks_the_payment(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Authorized).await;
    let first = modification(&payment, ModificationKind::Capture, 100);
    let request = request(merchant.id, "one");
    let claim = store
        .modifications
        .claim(&payment, &first, Some(&request))
        .await;
    assert_eq!(claim, Ok(ModificationClaim::Claimed));
    let held = store
        .payments
        .get_owned(merchant.id, payment.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.modification, Some(first.id));
    assert_eq!(
        store.modifications.get(first.id).await,
        Ok(Some(first.clone()))
    );
    // The same request, whatever it would make now.
    let second = modification(&payment, ModificationKind::Capture, 100);
    let claim = store
        .modifications
        .claim(&payment, &second, Some(&request))
        .await;
    assert_eq!(claim, Ok(ModificationClaim::Same(first.clone())));
    let another = IdempotentRequest {
        digest: "another".into(),
        ..request.clone()
    };
    let claim = store
        .modifications
        .claim(&payment, &second, Some(&another))
        .await;
    assert_eq!(claim, Ok(ModificationClaim::KeyReused));
    let claim = store.modifications.claim(&payment, &second, None).await;
    assert_eq!(claim, Ok(ModificationClaim::Moved));
    assert_eq!(store.modifications.get(second.id).await, Ok(None));
    let resource = first.id.to_string();
    let response = None;
    let same = IdempotencyReplay::Same { resource, response };
    assert_eq!(store.idempotency.replay(&request).await, Ok(Some(same)));
    assert_eq!(
        store.idempotency.replay(&another).await,
        Ok(Some(IdempotencyReplay::Other))
    );
    assert_eq!(store.modifications.count_open().await, Ok(1));
}

async fn changed_payment_is_not_claimed_and_the_key_stays_unused(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let seen = paid(&store, merchant.id, PaymentState::Authorized).await;
    let first = claimed(&store, &seen).await;
    settle(&store, &seen, &first).await;
    let late = modification(&seen, ModificationKind::Void, 100);
    let request = request(merchant.id, "late");
    let claim = store
        .modifications
        .claim(&seen, &late, Some(&request))
        .await;
    assert_eq!(claim, Ok(ModificationClaim::Moved));
    assert_eq!(store.idempotency.replay(&request).await, Ok(None));
}

async fn completed_operation_is_recorded_once(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let before = paid(&store, merchant.id, PaymentState::Authorized).await;
    let pending = claimed(&store, &before).await;
    let (after, ended) = settle(&store, &before, &pending).await;
    assert_eq!(
        store.payments.get_owned(merchant.id, before.id).await,
        Ok(Some(after.clone()))
    );
    assert_eq!(
        store.modifications.get(ended.id).await,
        Ok(Some(ended.clone()))
    );
    let listed = store
        .modifications
        .list(merchant.id, before.id, None, 10)
        .await;
    assert_eq!(listed, Ok(vec![ended.clone()]));
    let older = store
        .modifications
        .list(merchant.id, before.id, Some(ended.id), 10)
        .await;
    assert_eq!(older, Ok(Vec::new()));
    // The slower caller gets the recorded result and writes nothing.
    let mut failed = pending.clone();
    failed.state = ModificationState::Failed;
    let told = event(&before, 2);
    let late = store
        .modifications
        .record(&before, &before, &failed, Some(&told), None)
        .await;
    assert_eq!(late, Ok(ModificationRecorded::Ended(ended)));
    assert_eq!(
        store.payments.get_owned(merchant.id, before.id).await,
        Ok(Some(after))
    );
    assert_eq!(store.modifications.count_open().await, Ok(0));
}

async fn one_of_many_reconcilers_gets_the_operation_lease(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Authorized).await;
    let pending = claimed(&store, &payment).await;
    assert_eq!(
        store.modifications.open(NOW_MS + 999, 10).await,
        Ok(Vec::new())
    );
    let open = store.modifications.open(NOW_MS + 1_000, 10).await.unwrap();
    assert_eq!(open.first(), Some(&pending));
    let (from_ms, to_ms) = (pending.lease_until_ms, NOW_MS + 9_000);
    let taken = store
        .modifications
        .extend_lease(pending.id, from_ms, to_ms)
        .await
        .unwrap();
    assert_eq!(taken.map(|taken| taken.lease_until_ms), Some(to_ms));
    let late = store
        .modifications
        .extend_lease(pending.id, from_ms, to_ms)
        .await;
    assert_eq!(late, Ok(None));
}

async fn one_of_many_concurrent_claims_succeeds(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Authorized).await;
    let mut racing = tokio::task::JoinSet::new();
    for place in 0..16 {
        let (store, payment) = (store.clone(), payment.clone());
        // Half of them are one request, again and again.
        let key = if place % 2 == 0 {
            "same".into()
        } else {
            format!("key-{place}")
        };
        let request = request(merchant.id, &key);
        racing.spawn(async move {
            let wanted = modification(&payment, ModificationKind::Capture, 100);
            let claim = store.modifications.claim(&payment, &wanted, Some(&request));
            claim.await.unwrap()
        });
    }
    let claims = racing.join_all().await;
    let won = claims
        .iter()
        .filter(|claim| **claim == ModificationClaim::Claimed);
    assert_eq!(won.count(), 1, "{claims:?}");
    assert_eq!(store.modifications.count_open().await, Ok(1));
}

async fn payment_with_a_pending_operation_does_not_expire(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let free = paid(&store, merchant.id, PaymentState::Authorized).await;
    let held = paid(&store, merchant.id, PaymentState::Authorized).await;
    claimed(&store, &held).await;
    let ids: Vec<_> = store
        .payments
        .authorized_before(NOW_MS, NOW_MS, 10)
        .await
        .unwrap();
    let ids: Vec<_> = ids.iter().map(|payment| payment.id).collect();
    assert_eq!(ids, [free.id]);
}

async fn rejected_void_of_an_expired_authorization_is_retried_with_backoff(
    database: &TestDatabase,
) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let held = paid(&store, merchant.id, PaymentState::Authorized).await;
    let minute_ms = 60_000;
    // The hold had to end an hour after it was made.
    let ended_ms = held.created_at_ms + 60 * minute_ms;
    let is_listed = async |now_ms: i64| {
        let made_by_ms = now_ms - 60 * minute_ms;
        let listed = store
            .payments
            .authorized_before(made_by_ms, now_ms, 10)
            .await
            .unwrap();
        !listed.is_empty()
    };
    let refuse = async |at_ms: i64| {
        let seen = store.payments.get(held.id).await.unwrap().unwrap();
        let mut wanted = modification(&seen, ModificationKind::Expiry, 100);
        assert_eq!(
            store.modifications.claim(&seen, &wanted, None).await,
            Ok(ModificationClaim::Claimed)
        );
        (wanted.state, wanted.failure) = (ModificationState::Failed, Some("do_not_honor".into()));
        wanted.updated_at_ms = at_ms;
        let ended = store
            .modifications
            .record(&seen, &seen, &wanted, None, None);
        assert_eq!(ended.await, Ok(ModificationRecorded::Done));
    };
    assert!(is_listed(ended_ms).await);
    refuse(ended_ms).await;
    assert!(!is_listed(ended_ms + minute_ms - 1).await);
    assert!(is_listed(ended_ms + minute_ms).await);
    // Ten minutes after the end of the hold: ten more.
    refuse(ended_ms + 10 * minute_ms).await;
    assert!(!is_listed(ended_ms + 20 * minute_ms - 1).await);
    assert!(is_listed(ended_ms + 20 * minute_ms).await);
    // Never longer than a day.
    let late_ms = ended_ms + 5 * 24 * 60 * minute_ms;
    refuse(late_ms).await;
    assert!(!is_listed(late_ms + 24 * 60 * minute_ms - 1).await);
    assert!(is_listed(late_ms + 24 * 60 * minute_ms).await);
}

async fn old_idempotency_keys_are_purged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Authorized).await;
    let request = request(merchant.id, "old");
    let wanted = modification(&payment, ModificationKind::Capture, 100);
    let claim = store
        .modifications
        .claim(&payment, &wanted, Some(&request))
        .await;
    assert_eq!(claim, Ok(ModificationClaim::Claimed));
    // What is pending would be done once more if it were forgotten.
    assert_eq!(store.idempotency.purge(NOW_MS + 11).await, Ok(0));
    settle(&store, &payment, &wanted).await;
    assert_eq!(store.idempotency.purge_responses(NOW_MS + 11).await, Ok(0));
    assert_eq!(store.idempotency.purge(NOW_MS + 10).await, Ok(0));
    assert_eq!(store.idempotency.purge(NOW_MS + 11).await, Ok(1));
    assert_eq!(store.idempotency.replay(&request).await, Ok(None));
}

on_both_databases!(
    TestDatabase:
    operation_is_claimed_once_and_locks_the_payment,
    changed_payment_is_not_claimed_and_the_key_stays_unused,
    completed_operation_is_recorded_once,
    one_of_many_reconcilers_gets_the_operation_lease,
    one_of_many_concurrent_claims_succeeds,
    payment_with_a_pending_operation_does_not_expire,
    rejected_void_of_an_expired_authorization_is_retried_with_backoff,
    old_idempotency_keys_are_purged,
);
