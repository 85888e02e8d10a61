//! Concurrent operations of which exactly one succeeds.

use super::fixtures::{
    ATTEMPTS, NOW_MS, claimed, event, moved, nonce, opened, paid, payment, reachable,
};
use super::fixtures::{registered, session, settled};
use super::test_database::TestDatabase;
use crate::databases::on_both_databases;
use sealpay_protocol::limits;
use std::collections::HashSet;
use std::future::Future;
use tokio::task::JoinSet;
use verifier_server::payments::model::Payment;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::claim::Claim;
use verifier_server::payments::store::outcome::{OutcomeEffects, Recorded};
use verifier_server::sessions::model::Session;
use verifier_server::sessions::store::SessionOpened;

const MANY: usize = 50;

/// Runs them all at once.
async fn at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<JoinSet<_>>().join_all().await
}

async fn one_of_many_concurrent_attempts_is_claimed(database: &TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let claims = (0..MANY).map(|number| {
        // Two processes, as far as the database can tell.
        let store = if number % 2 == 0 {
            store.clone()
        } else {
            other.clone()
        };
        let payment = payment(&session);
        async move {
            (
                store
                    .payments
                    .claim(&payment, &nonce(), ATTEMPTS)
                    .await
                    .unwrap(),
                payment,
            )
        }
    });
    let mut winners = Vec::new();
    for (outcome, payment) in at_once(claims).await {
        match outcome {
            Claim::Claimed => winners.push(payment),
            Claim::AttemptInProgress => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    let held = store.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(
        (held.active_attempt, held.attempts),
        (Some(winners[0].attempt), 1)
    );
    assert_eq!(
        store
            .payments
            .count_in_state(PaymentState::Authorizing)
            .await,
        Ok(1)
    );
}

async fn one_of_many_requests_for_an_attempt_is_claimed(database: &TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let wanted = payment(&session);
    let claims = (0..MANY).map(|number| {
        let store = if number % 2 == 0 {
            store.clone()
        } else {
            other.clone()
        };
        let payment = Payment {
            attempt: wanted.attempt,
            ..payment(&session)
        };
        async move {
            store
                .payments
                .claim(&payment, &nonce(), ATTEMPTS)
                .await
                .unwrap()
        }
    });
    let outcomes = at_once(claims).await;
    let claimed = outcomes
        .iter()
        .filter(|outcome| **outcome == Claim::Claimed)
        .count();
    assert_eq!(claimed, 1);
    let stored = store
        .payments
        .get_by_attempt(session.id, wanted.attempt)
        .await
        .unwrap()
        .unwrap();
    for outcome in outcomes {
        assert!(outcome == Claim::Claimed || outcome == Claim::Existing(stored.clone()));
    }
}

async fn one_of_many_requests_with_one_signature_is_no_replay(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let nonce = nonce();
    let mut claims = Vec::new();
    for _ in 0..MANY {
        let payment = payment(&opened(&store, merchant.id).await);
        let (store, nonce) = (store.clone(), nonce.clone());
        claims.push(async move {
            store
                .payments
                .claim(&payment, &nonce, ATTEMPTS)
                .await
                .unwrap()
        });
    }
    let outcomes = at_once(claims).await;
    let count = |wanted: &Claim| outcomes.iter().filter(|outcome| *outcome == wanted).count();
    assert_eq!(
        (count(&Claim::Claimed), count(&Claim::NonceReplayed)),
        (1, MANY - 1)
    );
    assert_eq!(
        store
            .payments
            .count_in_state(PaymentState::Authorizing)
            .await,
        Ok(1)
    );
}

async fn one_of_many_concurrent_outcomes_is_stored(database: &TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let (merchant, _) = reachable(&store).await;
    let session = opened(&store, merchant.id).await;
    let claimed = claimed(&store, &session).await;
    let settlements = (0..MANY).map(|number| {
        let store = if number % 2 == 0 {
            store.clone()
        } else {
            other.clone()
        };
        let event = event(&claimed, 1);
        let to = if number % 3 == 0 {
            PaymentState::Captured
        } else {
            PaymentState::Declined
        };
        let mut after = moved(&claimed, to, NOW_MS);
        after.sequence = 1;
        let before = claimed.clone();
        async move {
            store
                .payments
                .record_outcome(&before, &after, OutcomeEffects::new(Some(&event), None))
                .await
                .unwrap()
        }
    });
    let outcomes = at_once(settlements).await;
    let done: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Recorded::Done(payment) => Some(payment),
            Recorded::NotInState(_) => None,
        })
        .collect();
    assert_eq!(done.len(), 1);
    assert_eq!(
        store
            .payments
            .get_owned(merchant.id, claimed.id)
            .await
            .unwrap()
            .as_ref(),
        Some(done[0])
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
}

async fn attempt_declined_during_a_repeat_is_claimed_once(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    for _ in 0..10 {
        let session = opened(&store, merchant.id).await;
        let first = payment(&session);
        let requests = (0..8).map(|_| {
            let store = store.clone();
            let payment = Payment {
                attempt: first.attempt,
                ..payment(&session)
            };
            async move {
                let outcome = store
                    .payments
                    .claim(&payment, &nonce(), ATTEMPTS)
                    .await
                    .unwrap();
                if outcome == Claim::Claimed {
                    settled(&store, &payment, PaymentState::Declined).await;
                }
                outcome
            }
        });
        let outcomes = at_once(requests).await;
        let claimed = outcomes
            .iter()
            .filter(|outcome| **outcome == Claim::Claimed)
            .count();
        assert_eq!(claimed, 1, "{outcomes:?}");
        let session = store.sessions.get(session.id).await.unwrap().unwrap();
        assert_eq!((session.active_attempt, session.attempts), (None, 1));
    }
}

async fn order_taken_over_concurrently_belongs_to_the_last_allowed_key(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let first = session(merchant.id);
    let openings = (0..20_u8).map(|number| {
        let store = store.clone();
        let wanted = Session {
            id: session(merchant.id).id,
            public_key: [number; 32],
            ..first.clone()
        };
        async move { store.sessions.open(&wanted, &nonce()).await.unwrap() }
    });
    let (mut new, mut rebound, mut reused) = (0, 0, 0);
    for outcome in at_once(openings).await {
        match outcome {
            SessionOpened::New(_) => new += 1,
            SessionOpened::Rebound(_) => rebound += 1,
            SessionOpened::Reused => reused += 1,
            other => panic!("{other:?}"),
        }
    }
    let key_rebind_count = usize::try_from(limits::SESSION_REBINDS).unwrap();
    assert_eq!(
        (new, rebound, reused),
        (1, key_rebind_count, 19 - key_rebind_count)
    );
}

async fn one_of_many_reconcilers_gets_the_lease(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let session = opened(&store, merchant.id).await;
    let payment = claimed(&store, &session).await;
    let leases = (0..20).map(|number| {
        let store = store.clone();
        let (id, seen) = (payment.id, payment.lease_until_ms);
        async move {
            store
                .payments
                .extend_lease(id, seen, seen + 1 + number)
                .await
                .unwrap()
        }
    });
    let taken = at_once(leases).await.into_iter().flatten().count();
    assert_eq!(taken, 1);
}

async fn two_outboxes_never_lease_the_same_delivery(database: &TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let (merchant, _) = reachable(&store).await;
    for _ in 0..40 {
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    let outboxes = (0..8).map(|number| {
        let store = if number % 2 == 0 {
            store.clone()
        } else {
            other.clone()
        };
        async move {
            let mut mine = Vec::new();
            loop {
                let due = store
                    .deliveries
                    .due(NOW_MS + 5, NOW_MS + 100, 7)
                    .await
                    .unwrap();
                // Others may have been quicker with all seven, while some are left.
                if due.is_empty() && store.deliveries.next_at().await != Ok(Some(NOW_MS + 5)) {
                    return mine;
                }
                mine.extend(due.into_iter().map(|due| due.event));
            }
        }
    });
    let sent: Vec<_> = at_once(outboxes).await.concat();
    assert_eq!(sent.len(), 40);
    assert_eq!(sent.into_iter().collect::<HashSet<_>>().len(), 40);
}

on_both_databases! {
    TestDatabase:
    one_of_many_concurrent_attempts_is_claimed,
    one_of_many_requests_for_an_attempt_is_claimed,
    one_of_many_requests_with_one_signature_is_no_replay,
    one_of_many_concurrent_outcomes_is_stored,
    attempt_declined_during_a_repeat_is_claimed_once,
    order_taken_over_concurrently_belongs_to_the_last_allowed_key,
    one_of_many_reconcilers_gets_the_lease,
    two_outboxes_never_lease_the_same_delivery,
}
