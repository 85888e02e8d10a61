//! Customers, instruments and agreements in the database: who is first decides.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{ATTEMPTS, NOW_MS, claimed, new_id, opened, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::ids::{
    AgreementId, CustomerId, EventId, InstrumentId, MerchantId, PaymentId,
};
use sealpay_protocol::method::Method;
use sealpay_provider::CredentialReference;
use verifier_server::agreements::model::{Agreement, AgreementState};
use verifier_server::agreements::store::{AgreementFilter, InstrumentChange};
use verifier_server::customers::model::Customer;
use verifier_server::customers::store::CustomerFilter;
use verifier_server::idempotency::model::{ChangedNothing, IdempotentRequest};
use verifier_server::idempotency::write::Written;
use verifier_server::instruments::model::{Instrument, InstrumentState, StoredCard};
use verifier_server::instruments::store::InstrumentFilter;
use verifier_server::store::Store;
use verifier_server::webhooks::events::model::Event;

fn customer(merchant: MerchantId, reference: &str) -> Customer {
    Customer {
        id: new_id!(CustomerId),
        merchant,
        reference: Some(reference.into()),
        email: Some("ada@example.com".into()),
        name: None,
        locale: Some("de-AT".into()),
        time_zone: "Europe/Vienna".into(),
        default_instrument: None,
        simulate: None,
        sequence: 1,
        erased_at_ms: None,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
    }
}

fn about(merchant: MerchantId, subject: impl ToString, sequence: i64) -> Event {
    Event {
        id: new_id!(EventId),
        merchant,
        subject: subject.to_string(),
        kind: "customer.updated".into(),
        sequence,
        body: "{}".into(),
        created_at_ms: NOW_MS,
    }
}

fn request(merchant: MerchantId, key: &str) -> IdempotentRequest {
    IdempotentRequest {
        merchant,
        credential: "key_1".into(),
        key: key.into(),
        digest: "digest".into(),
        changed_nothing: ChangedNothing::default(),
    }
}

async fn customer_has_one_reference_and_one_winner(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let first = customer(merchant, "c-1");
    let event = |sequence| about(merchant, first.id, sequence);
    let (created, request) = (event(1), request(merchant, "k"));
    assert_eq!(
        store.customers.add(&first, &created, None).await,
        Ok(Written::Done)
    );
    let second = customer(merchant, "c-1");
    let added = store
        .customers
        .add(&second, &event(1), Some(&request))
        .await;
    assert_eq!(added, Ok(Written::Moved));

    let after = Customer {
        name: Some("Ada".into()),
        sequence: 2,
        ..first.clone()
    };
    for expected in [Written::Done, Written::Moved] {
        let changed = store
            .customers
            .change(&first, &after, &event(2), None)
            .await;
        assert_eq!(changed, Ok(expected));
    }
    let other = registered(&store).await.id;
    assert_eq!(store.customers.get_owned(other, first.id).await, Ok(None));
    assert_eq!(
        store.customers.get_by_reference(other, "c-1").await,
        Ok(None)
    );
    assert_eq!(
        store.customers.get_by_reference(merchant, "c-1").await,
        Ok(Some(after.clone()))
    );
    let filter = CustomerFilter {
        limit: 10,
        ..CustomerFilter::default()
    };
    assert_eq!(
        store.customers.list(merchant, &filter).await,
        Ok(vec![after])
    );
}

async fn added(store: &Store, customer: &Customer) {
    let event = about(customer.merchant, customer.id, 1);
    let added = store.customers.add(customer, &event, None).await;
    assert_eq!(added, Ok(Written::Done));
}

fn instrument(customer: &Customer, fingerprint: &str) -> Instrument {
    Instrument {
        id: new_id!(InstrumentId),
        merchant: customer.merchant,
        customer: customer.id,
        method: Method::Card,
        card: StoredCard {
            brand: "visa".into(),
            last4: "4242".into(),
            expiry: "2029-12".into(),
            fingerprint: fingerprint.into(),
            country: None,
        },
        provider: "harbor".into(),
        credential: CredentialReference::new(format!("crd_{fingerprint}")).unwrap(),
        state: InstrumentState::Active,
        is_assessed: true,
        sequence: 1,
        used_at_ms: NOW_MS,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
    }
}

fn agreement(instrument: &Instrument, kind: AgreementKind) -> Agreement {
    Agreement {
        id: new_id!(AgreementId),
        merchant: instrument.merchant,
        customer: instrument.customer,
        instrument: instrument.id,
        kind,
        state: AgreementState::Active,
        currency: "EUR".parse().unwrap(),
        maximum_minor: Some(900),
        network_transaction_id: Some("123".into()),
        first_payment: new_id!(PaymentId),
        consent: "I agree.".into(),
        mandate: None,
        lapses_at_ms: None,
        accepted_at_ms: NOW_MS,
        sequence: 1,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
    }
}

/// Writes rows as a payment's outcome does.
async fn saved(database: &TestDatabase, instrument: &Instrument, agreement: &Agreement) {
    database.insert(instrument).await;
    database.insert(agreement).await;
}

async fn instrument_and_its_agreements_change_together(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let owner = customer(merchant, "c-1");
    added(&store, &owner).await;
    let before = instrument(&owner, "a");
    let made = agreement(&before, AgreementKind::CardOnFile);
    saved(database, &before, &made).await;
    assert_eq!(
        store.instruments.on_file(owner.id, 5).await,
        Ok(vec![before.clone()])
    );
    assert_eq!(
        store.instruments.get_by_card(owner.id, "a", "harbor").await,
        Ok(Some(before.clone()))
    );
    assert_eq!(
        store
            .instruments
            .get_by_card(owner.id, "a", "meridian")
            .await,
        Ok(None)
    );
    assert_eq!(
        store
            .instruments
            .list_by_credential("harbor", "crd_a")
            .await,
        Ok(vec![before.clone()])
    );
    assert_eq!(
        store.instruments.is_in_use("harbor", "crd_a").await,
        Ok(true)
    );

    let mut after = before.clone();
    (after.state, after.sequence) = (InstrumentState::Detached, 2);
    let mut revoked = made.clone();
    (revoked.state, revoked.sequence) = (AgreementState::Revoked, 2);
    let change = |key: &'static str| {
        let request = request(merchant, key);
        let (store, after, revoked) = (store.clone(), after.clone(), revoked.clone());
        async move {
            let change = InstrumentChange {
                before_sequence: 1,
                instrument: &after,
                agreements: &[revoked],
                events: &[],
                request: Some((&request, after.id.to_string())),
            };
            store.agreements.change(change).await
        }
    };
    let (one, other) = tokio::join!(change("one"), change("other"));
    let done = [&one, &other]
        .iter()
        .filter(|written| ***written == Ok(Written::Done))
        .count();
    assert_eq!(done, 1, "{one:?} {other:?}");
    assert_eq!(store.agreements.of_instrument(before.id).await, Ok(vec![]));
    assert_eq!(
        store.agreements.get(made.id).await,
        Ok(Some(revoked.clone()))
    );
    assert_eq!(store.instruments.on_file(owner.id, 5).await, Ok(vec![]));
    assert_eq!(store.instruments.of_customer(owner.id).await, Ok(vec![]));
    assert_eq!(
        store.instruments.is_in_use("harbor", "crd_a").await,
        Ok(false)
    );

    // The credential waits for its provider.
    let due = vec![("harbor".to_owned(), "crd_a".to_owned())];
    assert_eq!(
        store.instruments.revocations(NOW_MS, 5).await,
        Ok(due.clone())
    );
    store
        .instruments
        .postpone_revocation("harbor", "crd_a", NOW_MS + 5)
        .await
        .unwrap();
    assert_eq!(
        store.instruments.revocations(NOW_MS + 4, 5).await,
        Ok(vec![])
    );
    assert_eq!(store.instruments.revocations(NOW_MS + 5, 5).await, Ok(due));
    store
        .instruments
        .end_revocation("harbor", "crd_a")
        .await
        .unwrap();
    assert_eq!(store.instruments.revocations(i64::MAX, 5).await, Ok(vec![]));
    let credential = &before.credential;
    for _ in 0..2 {
        store
            .instruments
            .schedule_revocation("harbor", credential, NOW_MS)
            .await
            .unwrap();
    }
    assert_eq!(
        store
            .instruments
            .revocations(NOW_MS, 5)
            .await
            .map(|due| due.len()),
        Ok(1)
    );

    let filter = AgreementFilter {
        limit: 5,
        ..AgreementFilter::default()
    };
    assert_eq!(
        store.agreements.list(merchant, &filter).await,
        Ok(vec![revoked.clone()])
    );
    assert_eq!(
        store.agreements.get_owned(merchant, made.id).await,
        Ok(Some(revoked))
    );
    let filter = InstrumentFilter {
        state: Some(InstrumentState::Detached),
        limit: 5,
        ..InstrumentFilter::default()
    };
    assert_eq!(
        store.instruments.list(merchant, &filter).await,
        Ok(vec![after.clone()])
    );
    assert_eq!(
        store.instruments.get(before.id).await,
        Ok(Some(after.clone()))
    );
    assert_eq!(
        store.instruments.get_owned(merchant, before.id).await,
        Ok(Some(after))
    );
}

async fn instruments_of_erased_customers_are_found(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let before = customer(merchant, "c-1");
    added(&store, &before).await;
    let left = instrument(&before, "a");
    saved(
        database,
        &left,
        &agreement(&left, AgreementKind::Subscription),
    )
    .await;
    assert_eq!(store.instruments.of_erased(0, 5).await, Ok(vec![]));
    let erased = Customer {
        erased_at_ms: Some(NOW_MS),
        sequence: 2,
        ..before.clone()
    };
    let event = about(merchant, before.id, 2);
    let changed = store.customers.change(&before, &erased, &event, None);
    assert_eq!(changed.await, Ok(Written::Done));
    assert_eq!(store.instruments.of_erased(NOW_MS, 5).await, Ok(vec![left]));
    assert_eq!(store.instruments.of_erased(NOW_MS + 1, 5).await, Ok(vec![]));
}

async fn revoked_agreement_claims_no_payment(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await.id;
    let owner = customer(merchant, "c-1");
    let of = instrument(&owner, "a");
    let active = agreement(&of, AgreementKind::Subscription);
    let revoked = Agreement {
        state: AgreementState::Revoked,
        ..agreement(&of, AgreementKind::Instalment)
    };
    saved(database, &of, &active).await;
    database.insert(&revoked).await;
    let session = opened(&store, merchant).await;
    let mut payment = claimed(&store, &session).await;
    assert!(session.attempts < ATTEMPTS);
    payment.session = None;
    for (agreement, key, expected) in [
        (revoked.id, "one", Written::Moved),
        (active.id, "two", Written::Done),
    ] {
        payment.id = new_id!(PaymentId);
        payment.agreement = Some(agreement);
        let request = request(merchant, key);
        let claimed = store
            .payments
            .claim_by_agreement(&payment, 1, &request)
            .await;
        assert_eq!(claimed, Ok(expected.clone()));
        let stored = store.payments.get(payment.id).await.unwrap();
        assert_eq!(stored.is_some(), expected == Written::Done);
    }
}

on_both_databases! {
    TestDatabase:
    customer_has_one_reference_and_one_winner,
    instrument_and_its_agreements_change_together,
    instruments_of_erased_customers_are_found,
    revoked_agreement_claims_no_payment,
}
