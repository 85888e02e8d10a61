//! The second transaction of a payment: the outcome.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{
    NOW_MS, claimed, claimed_as, event, moved, opened, paid, payment, reachable, registered,
    settled,
};
use crate::storage::test_database::TestDatabase;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus, ChallengeKind};
use verifier_server::payments::methods::bank_transfer::model::TransferInstructions;
use verifier_server::payments::methods::details::PaymentDetails;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::outcome::{OutcomeEffects, Recorded};
use verifier_server::store::DatabaseError;

async fn outcome_event_and_deliveries_are_stored_together(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let mut event = event(&claimed, 1);
    event.created_at_ms = NOW_MS + 7;
    // Everything that may have changed since the claim is written.
    let expected = Payment {
        sequence: 1,
        provider: "meridian".into(),
        route_reason: "cheapest, harbor was not reached".into(),
        details: authenticated(&claimed),
        lease_until_ms: NOW_MS + 60_000,
        ..moved(&claimed, PaymentState::Captured, NOW_MS + 7)
    };
    let outcome = store
        .payments
        .record_outcome(&claimed, &expected, OutcomeEffects::new(Some(&event), None))
        .await;
    assert_eq!(outcome, Ok(Recorded::Done(expected.clone())));
    assert_eq!(
        store.payments.get_owned(merchant.id, expected.id).await,
        Ok(Some(expected))
    );
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    let (stored, deliveries) = &events[0];
    assert_eq!(stored, &event);
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].endpoint, endpoint.id);
    assert_eq!(
        (deliveries[0].attempts, deliveries[0].next_at_ms),
        (0, NOW_MS + 7)
    );
}

async fn outcome_without_an_event_creates_no_delivery(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let expected = moved(&claimed, PaymentState::RequiresAction, NOW_MS + 7);
    let outcome = store
        .payments
        .record_outcome(&claimed, &expected, OutcomeEffects::new(None, None))
        .await;
    assert_eq!(outcome, Ok(Recorded::Done(expected)));
    assert_eq!(
        store.events.list(merchant.id, None, 10).await,
        Ok(Vec::new())
    );
    assert_eq!(store.deliveries.pending().await, Ok(0));
}

async fn decline_stores_its_reason_and_frees_the_session(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let first = claimed(&store, &session).await;
    let declined = settled(&store, &first, PaymentState::Declined).await;
    assert_eq!(declined.decline.as_deref(), Some("insufficient_funds"));
    let freed = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!((freed.active_attempt, freed.attempts), (None, 1));
    // A late decline of the first attempt would not take the session from the second.
    let second = claimed(&store, &session).await;
    let held = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(
        (held.active_attempt, held.attempts),
        (Some(second.attempt), 2)
    );
}

async fn unknown_outcome_is_resolved_with_two_events(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let unknown = settled(&store, &payment, PaymentState::Unknown).await;
    assert_eq!(unknown.lease_until_ms, payment.lease_until_ms);
    let known = settled(&store, &unknown, PaymentState::Captured).await;
    assert_eq!((known.state, known.sequence), (PaymentState::Captured, 2));
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    let sequences: Vec<_> = events.iter().map(|(event, _)| event.sequence).collect();
    assert_eq!(sequences, [2, 1]);
    assert_eq!(store.deliveries.pending().await, Ok(2));
}

async fn late_outcome_changes_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let captured = settled(&store, &payment, PaymentState::Captured).await;
    let rows = [
        ("another state", PaymentState::Authorizing, 2),
        ("the sequence again", PaymentState::Captured, 1),
        ("a sequence left out", PaymentState::Captured, 3),
    ];
    for (what, from, sequence) in rows {
        let event = event(&payment, sequence);
        let before = Payment {
            state: from,
            sequence: sequence - 1,
            ..captured.clone()
        };
        let after = Payment {
            sequence,
            decline: Some("x".into()),
            ..moved(&captured, PaymentState::Declined, NOW_MS + 99)
        };
        let outcome = store
            .payments
            .record_outcome(&before, &after, OutcomeEffects::new(Some(&event), None))
            .await;
        assert_eq!(
            outcome,
            Ok(Recorded::NotInState(captured.clone())),
            "{what}"
        );
    }
    assert_eq!(
        store.payments.get_owned(merchant.id, payment.id).await,
        Ok(Some(captured))
    );
    assert_eq!(
        store
            .events
            .list(merchant.id, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.deliveries.pending().await, Ok(1));
    let held = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(held.active_attempt, Some(payment.attempt));
}

async fn outcome_is_rolled_back_when_its_event_fails(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, _) = reachable(&store).await;
    let first = opened(&store, merchant.id).await;
    let first = claimed(&store, &first).await;
    let taken = event(&first, 1);
    let declined = |payment: &Payment| Payment {
        sequence: 1,
        ..moved(payment, PaymentState::Declined, NOW_MS)
    };
    let told = store
        .payments
        .record_outcome(
            &first,
            &declined(&first),
            OutcomeEffects::new(Some(&taken), None),
        )
        .await;
    assert!(matches!(told, Ok(Recorded::Done(_))), "{told:?}");

    let session = opened(&store, merchant.id).await;
    let second = claimed(&store, &session).await;
    let mut event = event(&second, 1);
    event.id = taken.id;
    let refused = store
        .payments
        .record_outcome(
            &second,
            &declined(&second),
            OutcomeEffects::new(Some(&event), None),
        )
        .await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(
        store.payments.get_owned(merchant.id, second.id).await,
        Ok(Some(second.clone()))
    );
    let held = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(held.active_attempt, Some(second.attempt));
}

async fn unknown_payment_has_no_outcome(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let never_claimed = payment(&session);
    let captured = moved(&never_claimed, PaymentState::Captured, NOW_MS);
    let refused = store
        .payments
        .record_outcome(&never_claimed, &captured, OutcomeEffects::new(None, None))
        .await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
}

async fn concurrent_transfer_credits_are_serialized(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed_as(&store, &session, |payment| Payment {
        details: PaymentDetails::BankTransfer { transfer: None },
        ..payment
    })
    .await;
    let waiting = Payment {
        details: by_transfer(expected_transfer()),
        ..moved(&claimed, PaymentState::RequiresAction, NOW_MS)
    };
    let outcome = store
        .payments
        .record_outcome(&claimed, &waiting, OutcomeEffects::new(None, None))
        .await;
    assert_eq!(outcome, Ok(Recorded::Done(waiting.clone())));
    for (reference, is_meant) in [("rf18 0001", true), ("RF180001", true), ("RF180002", false)] {
        let found = store.payments.get_by_transfer(reference).await.unwrap();
        assert_eq!(found, is_meant.then(|| waiting.clone()), "{reference}");
    }
    let counted = |minor: i64, arrival: &str| Payment {
        details: by_transfer(TransferInstructions {
            received_minor: minor,
            arrivals: vec![arrival.into()],
            ..expected_transfer()
        }),
        // Whatever has come is told.
        sequence: waiting.sequence + 1,
        ..waiting.clone()
    };
    let first = store
        .payments
        .record_outcome(
            &waiting,
            &counted(100, "a"),
            OutcomeEffects::new(None, None),
        )
        .await;
    assert!(matches!(first, Ok(Recorded::Done(_))), "{first:?}");
    let second = store
        .payments
        .record_outcome(&waiting, &counted(50, "b"), OutcomeEffects::new(None, None))
        .await;
    assert_eq!(second, Ok(Recorded::NotInState(counted(100, "a"))));
}

async fn only_the_lease_holder_may_reroute(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let elsewhere = Payment {
        provider: "meridian".into(),
        ..claimed.clone()
    };
    let lease = claimed.lease_until_ms;
    let stored = Payment {
        lease_until_ms: lease + 1,
        ..claimed.clone()
    };
    let taken = store
        .payments
        .extend_lease(claimed.id, lease, lease + 1)
        .await;
    assert_eq!(taken, Ok(Some(stored.clone())));
    let refused = store.payments.reroute(&claimed, &elsewhere).await;
    assert_eq!(refused, Ok(Recorded::NotInState(stored.clone())));
    let rerouted = Payment {
        provider: "meridian".into(),
        ..stored.clone()
    };
    let done = store.payments.reroute(&stored, &rerouted).await;
    assert_eq!(done, Ok(Recorded::Done(rerouted)));
}

async fn payment_belongs_to_its_session_only(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let (session, other) = (
        opened(&store, merchant.id).await,
        opened(&store, merchant.id).await,
    );
    let payment = claimed(&store, &session).await;
    let found = store.payments.get_by_session(session.id, payment.id).await;
    assert_eq!(found, Ok(Some(payment.clone())));
    assert_eq!(
        store.payments.get_by_session(other.id, payment.id).await,
        Ok(None)
    );
}

async fn authorized_payments_are_found_by_age(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let held = paid(&store, merchant.id, PaymentState::Authorized).await;
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(
        store
            .payments
            .authorized_before(NOW_MS - 1, NOW_MS, 10)
            .await,
        Ok(Vec::new())
    );
    assert_eq!(
        store.payments.authorized_before(NOW_MS, NOW_MS, 10).await,
        Ok(vec![held])
    );
}

fn authentication() -> Authentication {
    Authentication {
        status: AuthenticationStatus::Authenticated,
        eci: "05".into(),
        value: Some("value".into()),
        challenge: Some(ChallengeKind::Code),
        reasons: vec!["amount".into()],
    }
}

fn by_transfer(transfer: TransferInstructions) -> PaymentDetails {
    PaymentDetails::BankTransfer {
        transfer: Some(transfer),
    }
}

fn authenticated(payment: &Payment) -> PaymentDetails {
    let mut details = payment.details.clone();
    details.card_mut().unwrap().authentication = Some(authentication());
    details
}

fn expected_transfer() -> TransferInstructions {
    TransferInstructions {
        holder: "Paper Lantern".into(),
        iban: "DE02120300000000202051".into(),
        bic: "BYLADEM1001".into(),
        reference: "RF18 0001".into(),
        received_minor: 0,
        arrivals: Vec::new(),
    }
}

on_both_databases! {
    TestDatabase:
    concurrent_transfer_credits_are_serialized,
    only_the_lease_holder_may_reroute,
    payment_belongs_to_its_session_only,
    authorized_payments_are_found_by_age,
    outcome_event_and_deliveries_are_stored_together,
    outcome_without_an_event_creates_no_delivery,
    decline_stores_its_reason_and_frees_the_session,
    unknown_outcome_is_resolved_with_two_events,
    late_outcome_changes_nothing,
    outcome_is_rolled_back_when_its_event_fails,
    unknown_payment_has_no_outcome,
}
