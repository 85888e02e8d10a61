//! Sessions in the database.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{claimed, nonce, opened, registered, session, settled};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::InvoiceId;
use sealpay_protocol::limits;
use verifier_server::payments::state::PaymentState;
use verifier_server::sessions::model::Session;
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::{DatabaseError, Store};

/// The same order again, with a session id and perhaps a key of its own.
fn again(first: &Session, public_key: [u8; 32]) -> Session {
    Session {
        id: session(first.merchant).id,
        public_key,
        parent_origin: "https://other.example".into(),
        ..first.clone()
    }
}

async fn open(store: &Store, session: &Session) -> SessionOpened {
    store.sessions.open(session, &nonce()).await.unwrap()
}

async fn session_is_read_back_unchanged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let full = opened(&store, merchant.id).await;
    assert_eq!(store.sessions.get(full.id).await, Ok(Some(full.clone())));
    let bare = Session {
        description: None,
        items: None,
        customer: None,
        simulate: None,
        invoice: Some(InvoiceId::new(1, [1; 10])),
        ..session(merchant.id)
    };
    assert_eq!(open(&store, &bare).await, SessionOpened::New(bare.clone()));
    assert_eq!(store.sessions.get(bare.id).await, Ok(Some(bare)));
    assert_eq!(store.sessions.get(session(merchant.id).id).await, Ok(None));
}

async fn same_order_and_key_find_the_same_session(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let first = opened(&store, merchant.id).await;
    let same = again(&first, first.public_key);
    assert_eq!(
        open(&store, &same).await,
        SessionOpened::Same(first.clone())
    );
    let payment = claimed(&store, &first).await;
    let SessionOpened::Same(busy) = open(&store, &same).await else {
        panic!("the key that has the session finds it while an attempt is under way");
    };
    assert_eq!(
        (busy.active_attempt, busy.attempts),
        (Some(payment.attempt), 1)
    );
    assert_eq!(store.sessions.get(same.id).await, Ok(None));
}

async fn another_key_takes_over_the_session_up_to_the_limit(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let first = opened(&store, merchant.id).await;
    for key_rebind_count in 1..=limits::SESSION_REBINDS {
        let key = [100 + u8::try_from(key_rebind_count).unwrap(); 32];
        let SessionOpened::Rebound(bound) = open(&store, &again(&first, key)).await else {
            panic!("{key_rebind_count} is not over the limit");
        };
        let expected = Session {
            public_key: key,
            key_rebind_count,
            parent_origin: "https://other.example".into(),
            ..first.clone()
        };
        assert_eq!(bound, expected);
        assert_eq!(store.sessions.get(first.id).await, Ok(Some(expected)));
    }
    assert_eq!(
        open(&store, &again(&first, [250; 32])).await,
        SessionOpened::Reused
    );
    assert_eq!(
        open(&store, &again(&first, first.public_key)).await,
        SessionOpened::Reused
    );
    let last = [100 + u8::try_from(limits::SESSION_REBINDS).unwrap(); 32];
    assert!(matches!(
        open(&store, &again(&first, last)).await,
        SessionOpened::Same(_)
    ));
}

async fn different_order_under_the_same_id_is_rejected(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let first = opened(&store, merchant.id).await;
    let other = Session {
        order_digest: [8; 32],
        ..again(&first, first.public_key)
    };
    assert_eq!(open(&store, &other).await, SessionOpened::Reused);
    let somebody_else = registered(&store).await;
    let elsewhere = Session {
        merchant: somebody_else.id,
        ..other
    };
    assert_eq!(
        open(&store, &elsewhere).await,
        SessionOpened::New(elsewhere.clone())
    );
}

async fn another_key_waits_for_a_pending_attempt_and_gets_no_paid_session(database: &TestDatabase) {
    let rows = [
        (PaymentState::Unknown, "in progress"),
        (PaymentState::Captured, "rebound"),
        (PaymentState::Authorized, "rebound"),
        (PaymentState::Declined, "rebound"),
    ];
    let store = database.open().await;
    let merchant = registered(&store).await;
    for (state, expected) in rows {
        let first = opened(&store, merchant.id).await;
        let payment = claimed(&store, &first).await;
        let other = again(&first, [77; 32]);
        assert!(matches!(
            open(&store, &other).await,
            SessionOpened::AttemptInProgress(_)
        ));
        settled(&store, &payment, state).await;
        let found = match open(&store, &other).await {
            SessionOpened::AttemptInProgress(session) if session.id == first.id => "in progress",
            SessionOpened::Reused => "reused",
            SessionOpened::Rebound(_) => "rebound",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{state}");
    }
}

async fn replayed_nonce_opens_no_session(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let (first, second) = (session(merchant.id), session(merchant.id));
    let nonce = nonce();
    let new = store.sessions.open(&first, &nonce).await;
    assert_eq!(new, Ok(SessionOpened::New(first.clone())));
    for replayed in [&second, &first, &again(&first, [77; 32])] {
        let outcome = store.sessions.open(replayed, &nonce).await;
        assert_eq!(outcome, Ok(SessionOpened::NonceReplayed));
    }
    assert_eq!(store.sessions.get(second.id).await, Ok(None));
    assert_eq!(store.sessions.get(first.id).await, Ok(Some(first)));
    // The order of the replayed request is still free.
    assert_eq!(
        open(&store, &second).await,
        SessionOpened::New(second.clone())
    );
}

async fn nul_byte_in_a_text_is_rejected(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let nonce = nonce();
    let bad = Session {
        description: Some("a\0b".into()),
        ..session(merchant.id)
    };
    let refused = store.sessions.open(&bad, &nonce).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(store.sessions.get(bad.id).await, Ok(None));
    let good = Session {
        description: Some("a\u{1}b\u{10ffff}".into()),
        ..bad
    };
    let outcome = store.sessions.open(&good, &nonce).await;
    assert_eq!(outcome, Ok(SessionOpened::New(good.clone())));
    assert_eq!(store.sessions.get(good.id).await, Ok(Some(good)));
}

on_both_databases! {
    TestDatabase:
    session_is_read_back_unchanged,
    same_order_and_key_find_the_same_session,
    another_key_takes_over_the_session_up_to_the_limit,
    different_order_under_the_same_id_is_rejected,
    another_key_waits_for_a_pending_attempt_and_gets_no_paid_session,
    replayed_nonce_opens_no_session,
    nul_byte_in_a_text_is_rejected,
}
