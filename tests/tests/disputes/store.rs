//! Disputes in the database: each change is stored together with its payment's.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, event, new_id, paid, reachable, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::{DisputeId, LedgerTransferId, ModificationId, TransactionId};
use sealpay_protocol::money::Money;
use verifier_server::disputes::model::{Dispute, DisputeReason, DisputeState};
use verifier_server::disputes::store::{DisputeChange, DisputeStep};
use verifier_server::idempotency::model::{ChangedNothing, IdempotencyReplay, IdempotentRequest};
use verifier_server::ledger::posting;
use verifier_server::ledger::posting::PostingContext;
use verifier_server::modifications::model::{Modification, ModificationKind, ModificationState};
use verifier_server::modifications::store::ModificationClaim;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::Store;

fn dispute(payment: &Payment, amount_minor: i64) -> Dispute {
    Dispute {
        id: new_id!(DisputeId),
        payment: payment.id,
        merchant: payment.merchant,
        money: Money::new(amount_minor, payment.money.currency()),
        reason: DisputeReason::ProductNotReceived,
        state: DisputeState::NeedsResponse,
        evidence: None,
        answered_by: None,
        evidence_due_ms: NOW_MS + 1_000,
        created_at_ms: NOW_MS + 10,
        updated_at_ms: NOW_MS + 10,
    }
}

fn disputed(before: &Payment, amount_minor: i64) -> Payment {
    Payment {
        disputed_minor: before.disputed_minor + amount_minor,
        sequence: before.sequence + 1,
        updated_at_ms: NOW_MS + 10,
        ..before.clone()
    }
}

async fn opened(store: &Store, before: &Payment) -> (Payment, Dispute) {
    let (after, dispute) = (disputed(before, 100), dispute(before, 100));
    let ids = PostingContext {
        transfer: new_id!(LedgerTransferId),
        overpayment: new_id!(LedgerTransferId),
        line: new_id!(TransactionId),
        at_ms: NOW_MS + 10,
        acquirer_country: Some("DE".into()),
    };
    let step = DisputeStep {
        before,
        after: &after,
        dispute: &dispute,
        event: &event(before, after.sequence),
        posting: Some(&posting::of_dispute(&ids, &after, &dispute)),
        request: None,
    };
    assert_eq!(store.disputes.open(step).await, Ok(DisputeChange::Done));
    (after, dispute)
}

async fn dispute_updates_its_payment_and_is_found(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let before = paid(&store, merchant.id, PaymentState::Captured).await;
    let other = paid(&store, merchant.id, PaymentState::Captured).await;
    let (after, dispute) = opened(&store, &before).await;
    assert_eq!(
        store.payments.get_owned(merchant.id, before.id).await,
        Ok(Some(after))
    );
    assert_eq!(
        store.disputes.get(dispute.id).await,
        Ok(Some(dispute.clone()))
    );
    let all = store.disputes.list(merchant.id, None, None, 10).await;
    assert_eq!(all, Ok(vec![dispute.clone()]));
    let of_payment = store
        .disputes
        .list(merchant.id, Some(before.id), None, 10)
        .await;
    assert_eq!(of_payment, Ok(vec![dispute.clone()]));
    let of_other = store
        .disputes
        .list(merchant.id, Some(other.id), None, 10)
        .await;
    assert_eq!(of_other, Ok(Vec::new()));
    let older = store
        .disputes
        .list(merchant.id, None, Some(dispute.id), 10)
        .await;
    assert_eq!(older, Ok(Vec::new()));
    assert_eq!(
        store.disputes.overdue(NOW_MS + 999, 10).await,
        Ok(Vec::new())
    );
    assert_eq!(
        store.disputes.overdue(NOW_MS + 1_000, 10).await,
        Ok(vec![dispute])
    );
}

async fn dispute_change_is_made_once_per_request(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let payment = paid(&store, merchant.id, PaymentState::Captured).await;
    let (before, dispute) = opened(&store, &payment).await;
    let answered = Dispute {
        state: DisputeState::UnderReview,
        evidence: Some("Delivered.\n🏮".into()),
        updated_at_ms: NOW_MS + 20,
        ..dispute.clone()
    };
    let request = IdempotentRequest {
        merchant: merchant.id,
        credential: "key_1".into(),
        key: "evidence".into(),
        digest: "digest".into(),
        changed_nothing: ChangedNothing::default(),
    };
    let after = disputed(&before, 0);
    let told = event(&before, after.sequence);
    let step = DisputeStep {
        before: &before,
        after: &after,
        dispute: &answered,
        event: &told,
        posting: None,
        request: Some(&request),
    };
    assert_eq!(store.disputes.change(step).await, Ok(DisputeChange::Done));
    assert_eq!(
        store.disputes.get(dispute.id).await,
        Ok(Some(answered.clone()))
    );
    let same = IdempotencyReplay::Same {
        resource: dispute.id.to_string(),
        response: None,
    };
    let again = store.disputes.change(step).await;
    assert_eq!(again, Ok(DisputeChange::Repeated(same)));
    // Somebody who saw the payment before that changes nothing.
    let late = DisputeStep {
        request: None,
        ..step
    };
    assert_eq!(store.disputes.change(late).await, Ok(DisputeChange::Moved));
    assert_eq!(store.disputes.get(dispute.id).await, Ok(Some(answered)));
}

async fn payment_with_a_pending_operation_is_not_disputed(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let before = paid(&store, merchant.id, PaymentState::Captured).await;
    let refund = Modification {
        id: new_id!(ModificationId),
        payment: before.id,
        merchant: merchant.id,
        kind: ModificationKind::Refund,
        money: before.money,
        is_final: false,
        reference: None,
        state: ModificationState::Pending,
        failure: None,
        created_by: None,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
        lease_until_ms: NOW_MS,
    };
    let claim = store.modifications.claim(&before, &refund, None).await;
    assert_eq!(claim, Ok(ModificationClaim::Claimed));
    let (after, dispute) = (disputed(&before, 100), dispute(&before, 100));
    let step = DisputeStep {
        before: &before,
        after: &after,
        dispute: &dispute,
        event: &event(&before, after.sequence),
        posting: None,
        request: None,
    };
    assert_eq!(store.disputes.open(step).await, Ok(DisputeChange::Moved));
    assert_eq!(store.disputes.get(dispute.id).await, Ok(None));
}

on_both_databases!(
    TestDatabase:
    dispute_updates_its_payment_and_is_found,
    dispute_change_is_made_once_per_request,
    payment_with_a_pending_operation_is_not_disputed,
);
