//! The first transaction of a payment: the claim.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{
    ATTEMPTS, claimed, nonce, opened, payment, registered, session, settled,
};
use crate::storage::test_database::TestDatabase;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::claim::Claim;
use verifier_server::store::Store;

/// Claims, and checks that the nonce is spent afterwards.
async fn claim(store: &Store, payment: &Payment) -> Claim {
    let nonce = nonce();
    let outcome = store
        .payments
        .claim(payment, &nonce, ATTEMPTS)
        .await
        .unwrap();
    let replayed = store.payments.claim(payment, &nonce, ATTEMPTS).await;
    assert_eq!(replayed, Ok(Claim::NonceReplayed), "after {outcome:?}");
    outcome
}

async fn claimed_payment_is_read_back_unchanged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let mut payment = payment(&session);
    payment.decline = Some("a decline".into());
    assert_eq!(claim(&store, &payment).await, Claim::Claimed);
    assert_eq!(
        store.payments.get_owned(merchant.id, payment.id).await,
        Ok(Some(payment.clone()))
    );
    let of_attempt = store
        .payments
        .get_by_attempt(session.id, payment.attempt)
        .await;
    assert_eq!(of_attempt, Ok(Some(payment.clone())));
    let held = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(
        (held.active_attempt, held.attempts),
        (Some(payment.attempt), 1)
    );
    let somebody_else = registered(&store).await;
    assert_eq!(
        store.payments.get_owned(somebody_else.id, payment.id).await,
        Ok(None)
    );
}

async fn repeated_attempt_finds_its_payment_in_every_state(database: &TestDatabase) {
    use PaymentState::{Authorized, Authorizing, Captured, Declined, Unknown};
    let store = database.open().await;
    let merchant = registered(&store).await;
    for state in [Authorizing, Unknown, Authorized, Captured, Declined] {
        let session = opened(&store, merchant.id).await;
        let mut stored = claimed(&store, &session).await;
        if state != Authorizing {
            stored = settled(&store, &stored, state).await;
        }
        // Another request has another payment id; what it asks for is the attempt.
        let again = Payment {
            attempt: stored.attempt,
            ..payment(&session)
        };
        assert_eq!(
            claim(&store, &again).await,
            Claim::Existing(stored.clone()),
            "{state}"
        );
        let other_body = Payment {
            body_digest: "of another body".into(),
            ..again.clone()
        };
        assert_eq!(claim(&store, &other_body).await, Claim::Conflict, "{state}");
        assert_eq!(
            store.payments.get_owned(merchant.id, again.id).await,
            Ok(None)
        );
        let session = store.sessions.get(session.id).await.unwrap().unwrap();
        let holds = (state != Declined).then_some(stored.attempt);
        assert_eq!(
            (session.active_attempt, session.attempts),
            (holds, 1),
            "{state}"
        );
    }
}

async fn another_attempt_is_refused_while_the_session_is_claimed(database: &TestDatabase) {
    use PaymentState::{Authorized, Authorizing, Captured, Unknown};
    let rows = [
        (Authorizing, Claim::AttemptInProgress),
        (Unknown, Claim::AttemptInProgress),
        (Authorized, Claim::SessionComplete),
        (Captured, Claim::SessionComplete),
    ];
    let store = database.open().await;
    let merchant = registered(&store).await;
    for (state, expected) in rows {
        let session = opened(&store, merchant.id).await;
        let first = claimed(&store, &session).await;
        if state != Authorizing {
            settled(&store, &first, state).await;
        }
        let second = payment(&session);
        assert_eq!(claim(&store, &second).await, expected, "{state}");
        assert_eq!(
            store.payments.get_owned(merchant.id, second.id).await,
            Ok(None)
        );
        let session = store.sessions.get(session.id).await.unwrap().unwrap();
        assert_eq!(
            (session.active_attempt, session.attempts),
            (Some(first.attempt), 1)
        );
    }
}

async fn attempts_end_after_the_allowed_declines(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    for _ in 0..ATTEMPTS {
        let payment = claimed(&store, &session).await;
        settled(&store, &payment, PaymentState::Declined).await;
    }
    let one_more = payment(&session);
    assert_eq!(claim(&store, &one_more).await, Claim::TooManyAttempts);
    assert_eq!(
        store.payments.get_owned(merchant.id, one_more.id).await,
        Ok(None)
    );
    let session = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!((session.active_attempt, session.attempts), (None, ATTEMPTS));
}

async fn last_attempt_may_still_pay(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    for _ in 1..ATTEMPTS {
        let payment = claimed(&store, &session).await;
        settled(&store, &payment, PaymentState::Declined).await;
    }
    let last = claimed(&store, &session).await;
    settled(&store, &last, PaymentState::Captured).await;
    assert_eq!(
        claim(&store, &payment(&session)).await,
        Claim::SessionComplete
    );
}

async fn unknown_session_is_reported(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let never_opened = session(merchant.id);
    let payment = payment(&never_opened);
    assert_eq!(claim(&store, &payment).await, Claim::SessionUnknown);
    assert_eq!(
        store.payments.get_owned(merchant.id, payment.id).await,
        Ok(None)
    );
}

async fn replayed_nonce_claims_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let spent = nonce();
    let first = opened(&store, merchant.id).await;
    let claimed = payment(&first);
    assert_eq!(
        store.payments.claim(&claimed, &spent, ATTEMPTS).await,
        Ok(Claim::Claimed)
    );

    let free = opened(&store, merchant.id).await;
    #[rustfmt::skip]
    let rows = [
        ("a free session", payment(&free)),
        ("the same attempt", claimed.clone()),
        ("the same attempt, other bytes", Payment { body_digest: "b".into(), ..claimed.clone() }),
        ("another attempt of a busy session", payment(&first)),
        ("no session", payment(&session(merchant.id))),
    ];
    for (what, payment) in rows {
        let outcome = store.payments.claim(&payment, &spent, ATTEMPTS).await;
        assert_eq!(outcome, Ok(Claim::NonceReplayed), "{what}");
    }
    assert_eq!(store.sessions.get(free.id).await, Ok(Some(free.clone())));
    assert_eq!(
        store.payments.get_owned(merchant.id, claimed.id).await,
        Ok(Some(claimed))
    );
    assert_eq!(
        store
            .payments
            .count_in_state(PaymentState::Authorizing)
            .await,
        Ok(1)
    );
    // Another signature of the same request is welcome.
    assert_eq!(claim(&store, &payment(&free)).await, Claim::Claimed);
}

on_both_databases! {
    TestDatabase:
    claimed_payment_is_read_back_unchanged,
    repeated_attempt_finds_its_payment_in_every_state,
    another_attempt_is_refused_while_the_session_is_claimed,
    attempts_end_after_the_allowed_declines,
    last_attempt_may_still_pay,
    unknown_session_is_reported,
    replayed_nonce_claims_nothing,
}
