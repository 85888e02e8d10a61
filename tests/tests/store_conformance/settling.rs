//! The second transaction of a payment.

use super::on_both_databases;
use super::place::Place;
use super::world::{NOW_MS, claimed, event, opened, payment, reachable, registered, settled};
use verifier_server::domain::payment::Payment;
use verifier_server::domain::state::PaymentState;
use verifier_server::store::{Settled, StoreError};

async fn an_outcome_its_event_and_its_deliveries_come_together(place: &Place) {
    let store = place.open().await;
    let (merchant, endpoint) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let event = event(&claimed, 1);
    let outcome = store
        .settle_outcome(
            claimed.id,
            PaymentState::Authorizing,
            PaymentState::Captured,
            None,
            Some(&event),
            NOW_MS + 7,
        )
        .await;
    let expected = Payment {
        state: PaymentState::Captured,
        sequence: 1,
        updated_at_ms: NOW_MS + 7,
        ..claimed
    };
    assert_eq!(outcome, Ok(Settled::Done(expected.clone())));
    assert_eq!(
        store.payment(merchant.id, expected.id).await,
        Ok(Some(expected))
    );
    let events = store.events(merchant.id, None, 10).await.unwrap();
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

async fn an_outcome_without_an_event_tells_nobody(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let (from, to) = (PaymentState::Authorizing, PaymentState::RequiresAction);
    let outcome = store
        .settle_outcome(claimed.id, from, to, None, None, NOW_MS + 7)
        .await;
    let expected = Payment {
        state: to,
        updated_at_ms: NOW_MS + 7,
        ..claimed
    };
    assert_eq!(outcome, Ok(Settled::Done(expected)));
    assert_eq!(store.events(merchant.id, None, 10).await, Ok(Vec::new()));
    assert_eq!(store.pending_deliveries().await, Ok(0));
}

async fn a_decline_keeps_its_reason_and_lets_the_session_go(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let first = claimed(&store, &session).await;
    let declined = settled(&store, &first, PaymentState::Declined).await;
    assert_eq!(declined.decline.as_deref(), Some("insufficient_funds"));
    let freed = store.session(session.id).await.unwrap().unwrap();
    assert_eq!((freed.active_attempt, freed.attempts), (None, 1));
    // A late decline of the first attempt would not take the session from the second.
    let second = claimed(&store, &session).await;
    let held = store.session(session.id).await.unwrap().unwrap();
    assert_eq!(
        (held.active_attempt, held.attempts),
        (Some(second.attempt), 2)
    );
}

async fn an_unknown_outcome_becomes_known_and_is_told_twice(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let unknown = settled(&store, &payment, PaymentState::Unknown).await;
    assert_eq!(unknown.lease_until_ms, payment.lease_until_ms);
    let known = settled(&store, &unknown, PaymentState::Captured).await;
    assert_eq!((known.state, known.sequence), (PaymentState::Captured, 2));
    let events = store.events(merchant.id, None, 10).await.unwrap();
    let sequences: Vec<_> = events.iter().map(|(event, _)| event.sequence).collect();
    assert_eq!(sequences, [2, 1]);
    assert_eq!(store.pending_deliveries().await, Ok(2));
}

async fn an_outcome_that_comes_too_late_changes_nothing(place: &Place) {
    let store = place.open().await;
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
        let to = PaymentState::Declined;
        let outcome = store
            .settle_outcome(payment.id, from, to, Some("x"), Some(&event), NOW_MS + 99)
            .await;
        assert_eq!(outcome, Ok(Settled::NotInState(captured.clone())), "{what}");
    }
    assert_eq!(
        store.payment(merchant.id, payment.id).await,
        Ok(Some(captured))
    );
    assert_eq!(store.events(merchant.id, None, 10).await.unwrap().len(), 1);
    assert_eq!(store.pending_deliveries().await, Ok(1));
    let held = store.session(session.id).await.unwrap().unwrap();
    assert_eq!(held.active_attempt, Some(payment.attempt));
}

async fn an_outcome_whose_event_cannot_be_kept_is_not_kept_either(place: &Place) {
    let store = place.open().await;
    let (merchant, _) = reachable(&store).await;
    let first = opened(&store, merchant.id).await;
    let first = claimed(&store, &first).await;
    let taken = event(&first, 1);
    let (from, to) = (PaymentState::Authorizing, PaymentState::Declined);
    let told = store
        .settle_outcome(first.id, from, to, None, Some(&taken), NOW_MS)
        .await;
    assert!(matches!(told, Ok(Settled::Done(_))), "{told:?}");

    let session = opened(&store, merchant.id).await;
    let second = claimed(&store, &session).await;
    let mut event = event(&second, 1);
    event.id = taken.id;
    let refused = store
        .settle_outcome(second.id, from, to, None, Some(&event), NOW_MS)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(
        store.payment(merchant.id, second.id).await,
        Ok(Some(second.clone()))
    );
    let held = store.session(session.id).await.unwrap().unwrap();
    assert_eq!(held.active_attempt, Some(second.attempt));
}

async fn a_payment_that_does_not_exist_has_no_outcome(place: &Place) {
    let store = place.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let never_claimed = payment(&session);
    let (from, to) = (PaymentState::Authorizing, PaymentState::Captured);
    let refused = store
        .settle_outcome(never_claimed.id, from, to, None, None, NOW_MS)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Corrupt(_))),
        "{refused:?}"
    );
}

on_both_databases! {
    an_outcome_its_event_and_its_deliveries_come_together,
    an_outcome_without_an_event_tells_nobody,
    a_decline_keeps_its_reason_and_lets_the_session_go,
    an_unknown_outcome_becomes_known_and_is_told_twice,
    an_outcome_that_comes_too_late_changes_nothing,
    an_outcome_whose_event_cannot_be_kept_is_not_kept_either,
    a_payment_that_does_not_exist_has_no_outcome,
}
