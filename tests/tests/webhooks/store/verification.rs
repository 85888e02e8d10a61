//! Endpoints that are not verified yet.

use super::endpoint_changes::untold;
use super::fresh_at;
use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, endpoint, paid, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::MerchantId;
use verifier_server::payments::state::PaymentState;
use verifier_server::store::Addition;
use verifier_server::webhooks::deliveries::model::HELD_MS;
use verifier_server::webhooks::endpoints::model::WebhookEndpoint;
use verifier_server::webhooks::endpoints::store::change::EndpointChange;
use verifier_server::webhooks::endpoints::store::usage::VERIFICATIONS_AN_HOUR;
use verifier_server::webhooks::endpoints::store::verification::{
    DueVerification, VerificationFailed,
};
use verifier_server::webhooks::endpoints::store::write::EndpointWrite;

fn unverified(merchant: MerchantId) -> WebhookEndpoint {
    WebhookEndpoint {
        verified_at_ms: None,
        verification_at_ms: Some(NOW_MS),
        ..endpoint(merchant)
    }
}

async fn endpoint_is_verified_by_one_worker_and_waiting_deliveries_become_due(
    database: &TestDatabase,
) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let asked = unverified(merchant.id);
    assert_eq!(store.endpoints.add(&asked).await, Ok(Addition::Added));
    paid(&store, merchant.id, PaymentState::Captured).await;
    let none = store.deliveries.due(HELD_MS, HELD_MS + 1, 10).await;
    assert_eq!(none, Ok(Vec::new()), "nothing goes there");
    assert_eq!(store.deliveries.next_at().await, Ok(None));
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS - 1).await,
        Ok(false)
    );
    assert_eq!(store.endpoints.verification_is_due(NOW_MS).await, Ok(true));
    let lease_ms = NOW_MS + 50;
    let (one, two) = tokio::join!(
        store.endpoints.due_verifications(NOW_MS, lease_ms, 10),
        store.endpoints.due_verifications(NOW_MS, lease_ms, 10),
    );
    let due: Vec<_> = [one.unwrap(), two.unwrap()].concat();
    let expected = DueVerification {
        endpoint: asked.clone(),
        attempts: 1,
    };
    assert_eq!(due, [expected], "one of them asks");
    let failed = VerificationFailed {
        endpoint: asked.id,
        url: asked.url.clone(),
        why: "it answered 404".into(),
        next_at_ms: Some(NOW_MS + 100),
    };
    assert_eq!(store.endpoints.verification_failed(&failed).await, Ok(true));
    let elsewhere = VerificationFailed {
        url: "https://other.example/".into(),
        ..failed
    };
    assert_eq!(
        store.endpoints.verification_failed(&elsewhere).await,
        Ok(false)
    );
    let seen = store
        .endpoints
        .get_owned(merchant.id, asked.id)
        .await
        .unwrap()
        .unwrap();
    let error = seen.verification_error.as_deref();
    assert_eq!(error, Some("it answered 404"));
    let again = store
        .endpoints
        .due_verifications(NOW_MS + 100, lease_ms + 100, 10)
        .await;
    assert_eq!(again.unwrap()[0].attempts, 2);
    let verified = async |url: &str| {
        let verified = store.endpoints.verified(asked.id, url, NOW_MS + 110);
        verified.await
    };
    assert_eq!(verified("https://other.example/").await, Ok(false));
    assert_eq!(verified(&asked.url).await, Ok(true));
    assert_eq!(verified(&asked.url).await, Ok(false));
    let due = store.deliveries.due(NOW_MS + 110, NOW_MS + 150, 10).await;
    assert_eq!(due.unwrap().len(), 1);
    assert_eq!(
        store.endpoints.verification_is_due(HELD_MS).await,
        Ok(false)
    );
}

async fn changed_url_suspends_deliveries_until_verified(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let known = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&known).await, Ok(Addition::Added));
    paid(&store, merchant.id, PaymentState::Captured).await;
    let moved = |url: &str, verified_at_ms| {
        let change = EndpointChange {
            url: Some(url.into()),
            verified_at_ms,
            ..EndpointChange::default()
        };
        store.endpoints.change(
            merchant.id,
            known.id,
            change,
            untold(),
            fresh_at(merchant.id, NOW_MS + 20),
        )
    };
    let done = Ok(EndpointWrite::Done(()));
    assert_eq!(moved(&known.url, None).await, done);
    let seen = store
        .endpoints
        .get_owned(merchant.id, known.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.verified_at_ms, Some(NOW_MS), "it stays where it is");
    assert_eq!(moved("https://other.example/", None).await, done);
    assert_eq!(store.deliveries.next_at().await, Ok(None));
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS + 20).await,
        Ok(true)
    );
    assert_eq!(
        moved("https://named.example/", Some(NOW_MS + 20)).await,
        done
    );
    assert_eq!(store.deliveries.next_at().await, Ok(Some(NOW_MS + 20)));
    assert_eq!(
        store.endpoints.verification_is_due(HELD_MS).await,
        Ok(false)
    );
    // What was written at the moment of a change is put right afterwards, either way.
    database
        .tamper(&format!("UPDATE deliveries SET next_at_ms = {HELD_MS}"))
        .await;
    assert_eq!(
        store.endpoints.end_held_deliveries(NOW_MS + 30).await,
        Ok(1)
    );
    assert_eq!(store.deliveries.next_at().await, Ok(Some(NOW_MS + 30)));
    database
        .tamper("UPDATE webhook_endpoints SET verified_at_ms = NULL")
        .await;
    assert_eq!(
        store.endpoints.end_held_deliveries(NOW_MS + 40).await,
        Ok(1)
    );
    assert_eq!(store.deliveries.next_at().await, Ok(None));
    assert_eq!(
        store.endpoints.end_held_deliveries(NOW_MS + 50).await,
        Ok(0)
    );
}

async fn verification_can_be_requested_within_a_limit(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let asked = unverified(merchant.id);
    assert_eq!(store.endpoints.add(&asked).await, Ok(Addition::Added));
    let due = store
        .endpoints
        .due_verifications(NOW_MS, HELD_MS - 1, 10)
        .await;
    assert_eq!(due.unwrap().len(), 1);
    let ask = |at_ms| {
        store
            .endpoints
            .verify(merchant.id, asked.id, fresh_at(merchant.id, at_ms))
    };
    let done = Ok(EndpointWrite::Done(()));
    assert_eq!(ask(NOW_MS + 1).await, done);
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS + 9_999).await,
        Ok(false)
    );
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS + 10_000).await,
        Ok(true)
    );
    let due = store
        .endpoints
        .due_verifications(NOW_MS + 10_000, HELD_MS - 1, 10)
        .await;
    assert_eq!(due.unwrap()[0].attempts, 1, "the pauses begin anew");
    for _ in 1..VERIFICATIONS_AN_HOUR {
        assert_eq!(ask(NOW_MS + 60_000).await, done);
    }
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS + 60_000).await,
        Ok(true)
    );
    assert_eq!(ask(NOW_MS + 60_000).await, Ok(EndpointWrite::LimitReached));
    assert_eq!(store.endpoints.disable(asked.id, NOW_MS).await, Ok(true));
    assert_eq!(
        store.endpoints.verification_is_due(HELD_MS).await,
        Ok(false)
    );
    let off = store
        .endpoints
        .verify(merchant.id, asked.id, fresh_at(merchant.id, NOW_MS))
        .await;
    assert_eq!(off, Ok(EndpointWrite::NotNow));
    let on = EndpointChange {
        enabled: Some(true),
        ..EndpointChange::default()
    };
    let on = store.endpoints.change(
        merchant.id,
        asked.id,
        on,
        untold(),
        fresh_at(merchant.id, NOW_MS + 70_000),
    );
    assert_eq!(on.await, done);
    assert_eq!(
        store.endpoints.verification_is_due(NOW_MS + 70_000).await,
        Ok(true)
    );
}

on_both_databases! {
    TestDatabase:
    endpoint_is_verified_by_one_worker_and_waiting_deliveries_become_due,
    changed_url_suspends_deliveries_until_verified,
    verification_can_be_requested_within_a_limit,
}
