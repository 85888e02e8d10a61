//! Failing operations, cancelled callers, broken connections and overload.

use super::fixtures::{NOW_MS, api_key, merchant, moved, nonce, paid, registered, session, unique};
use super::test_database::TestDatabase;
use crate::databases::on_both_databases;
use harness::postgres::connect;
use harness::time::seen_when;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinSet;
use verifier_server::merchants::model::Reserve;
use verifier_server::payments::state::PaymentState;
use verifier_server::payments::store::outcome::OutcomeEffects;
use verifier_server::sessions::model::Session;
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::{Addition, DatabaseError, Options, Store};

async fn failed_operation_does_not_affect_its_batch(database: &TestDatabase) {
    let store = database.open().await;
    let first = registered(&store).await;
    let taken = api_key(first.id);
    assert_eq!(store.api_keys.add(&taken).await, Ok(Addition::Added));
    let registrations: JoinSet<_> = (0..60)
        .map(|number| {
            let store = store.clone();
            let merchant = merchant();
            let mut key = api_key(merchant.id);
            let fails = number % 3 == 0;
            if fails {
                key.hash.clone_from(&taken.hash);
            }
            async move {
                let outcome = store.merchants.register(&merchant, &key, None).await;
                (fails, merchant, key, outcome)
            }
        })
        .collect();
    for (fails, merchant, key, outcome) in registrations.join_all().await {
        let stored = store.merchants.get(merchant.id).await.unwrap();
        if fails {
            assert!(
                matches!(outcome, Err(DatabaseError::Corrupt(_))),
                "{outcome:?}"
            );
            assert_eq!(stored, None);
        } else {
            assert_eq!(outcome, Ok(Addition::Added));
            assert_eq!(stored, Some(merchant));
            assert_eq!(store.api_keys.get_by_hash(&key.hash).await, Ok(Some(key)));
        }
    }
}

/// A write looks at little: one that is ended has waited for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn write_cancelled_by_postgres_is_reported_as_overload() {
    let Some(database) = TestDatabase::on_postgres().await else {
        eprintln!("skipped without Postgres");
        return;
    };
    let store = database.open().await;
    let merchant = registered(&store).await;
    let holder = connect(&database.url()).await.unwrap();
    let hold = format!(
        "BEGIN; UPDATE merchants SET id = id WHERE id = '{}'",
        merchant.id
    );
    holder.batch_execute(&hold).await.unwrap();
    let writing = tokio::spawn({
        let (store, id) = (store.clone(), merchant.id);
        async move { store.merchants.set_reserve(id, Reserve::default()).await }
    });
    // As the statement timeout does, only sooner.
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !writing.is_finished() {
        holder.batch_execute(cancel).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(writing.await.unwrap(), Err(DatabaseError::Overloaded));
}

async fn excess_operations_are_rejected_and_the_others_served(database: &TestDatabase) {
    let store = database
        .open_with(&Options {
            queue: 4,
            batch: 2,
            ..Options::default()
        })
        .await;
    let adding: JoinSet<_> = (0..300)
        .map(|_| {
            let store = store.clone();
            let merchant = merchant();
            async move { (store.merchants.add(&merchant).await, merchant.id) }
        })
        .collect();
    let mut kept = Vec::new();
    let mut refused = 0;
    for (outcome, id) in adding.join_all().await {
        match outcome {
            Ok(Addition::Added) => kept.push(id),
            Err(DatabaseError::Overloaded) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    kept.sort();
    assert!(
        refused > 0 && !kept.is_empty(),
        "{refused} refused, {} kept",
        kept.len()
    );
    let stored = store.merchants.list().await.unwrap();
    assert_eq!(
        stored
            .into_iter()
            .map(|merchant| merchant.id)
            .collect::<Vec<_>>(),
        kept
    );
    assert_eq!(store.ping().await, Ok(()));
}

async fn cancelled_caller_leaves_nothing_half_done(database: &TestDatabase) {
    // With one connection the next caller gets the one that was left in the middle.
    let options = Options {
        postgres_connections: 1,
        ..Options::default()
    };
    let store = database.open_with(&options).await;
    for step in 0..60 {
        let merchant = merchant();
        let key = api_key(merchant.id);
        let registering = {
            let (store, merchant, key) = (store.clone(), merchant.clone(), key.clone());
            tokio::spawn(async move { store.merchants.register(&merchant, &key, None).await })
        };
        // From before the first of some eight journeys to after the last.
        tokio::time::sleep(Duration::from_micros(step * 100)).await;
        registering.abort();
        drop(registering.await);
        // The next transaction commits, without anything of the cancelled one.
        registered(&store).await;
        // The server may still be busy with a commit that nobody waits for.
        let stored = loop {
            let before = store.merchants.get(merchant.id).await.unwrap();
            let whole = store
                .api_keys
                .get_by_hash(&key.hash)
                .await
                .unwrap()
                .is_some();
            if before == store.merchants.get(merchant.id).await.unwrap() {
                assert_eq!(before.is_some(), whole, "step {step}");
                break before;
            }
        };
        assert!(
            stored.is_none_or(|stored| stored == merchant),
            "step {step}"
        );
    }
}

async fn two_processes_share_one_database(database: &TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let merchant = registered(&store).await;
    let sessions: JoinSet<_> = (0..100)
        .map(|number| {
            let store = if number % 2 == 0 {
                store.clone()
            } else {
                other.clone()
            };
            let session = session(merchant.id);
            async move { (store.sessions.open(&session, &nonce()).await, session) }
        })
        .collect();
    for (outcome, session) in sessions.join_all().await {
        assert_eq!(outcome, Ok(SessionOpened::New(session)));
    }
}

async fn invalid_column_value_is_an_error_and_not_a_panic(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let captured = paid(&store, merchant.id, PaymentState::Captured).await;
    database
        .tamper("UPDATE payments SET state = 'paid twice'")
        .await;
    let read = store.payments.get_owned(merchant.id, captured.id).await;
    assert!(matches!(read, Err(DatabaseError::Corrupt(_))), "{read:?}");
    let refunded = moved(&captured, PaymentState::Refunded, NOW_MS);
    let refused = store
        .payments
        .record_outcome(&captured, &refunded, OutcomeEffects::new(None, None))
        .await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(store.ping().await, Ok(()));
}

async fn large_and_unicode_texts_are_stored_unchanged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let rows = [
        String::new(),
        "x".repeat(100_000),
        "'; DROP TABLE sessions; --".into(),
        "\u{feff}\u{202e}e\u{301} é \r\n\t\u{7f}\u{fffd}".into(),
        "$1 ?1 :a @b %s {} \\".into(),
    ];
    for text in rows {
        let wanted = Session {
            jti: format!("{text}{}", unique()).chars().take(64).collect(),
            order_ref: text.clone(),
            description: Some(text),
            ..session(merchant.id)
        };
        let outcome = store.sessions.open(&wanted, &nonce()).await;
        assert_eq!(outcome, Ok(SessionOpened::New(wanted.clone())));
        assert_eq!(store.sessions.get(wanted.id).await, Ok(Some(wanted)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cut_connections_are_replaced() {
    let Some(database) = TestDatabase::on_postgres().await else {
        eprintln!("skipped without Postgres: cut_connections_are_replaced");
        return;
    };
    let store = database.open().await;
    let merchant = registered(&store).await;
    for _ in 0..5 {
        database
            .tamper(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        paid(&store, merchant.id, PaymentState::Captured).await;
    }
    assert_eq!(
        store.payments.count_in_state(PaymentState::Captured).await,
        Ok(5)
    );
}

/// Stands between the store and the server, and hangs up when it has passed on a `COMMIT`.
async fn hang_up_after_commit(socket: String, armed: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.unwrap();
            let armed = Arc::clone(&armed);
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let answers = tokio::spawn(async move {
                    tokio::io::copy(&mut from_server, &mut to_client).await.ok();
                });
                let mut buffer = vec![0; 65536];
                while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
                    let bytes = &buffer[..length];
                    let commit = bytes.windows(7).any(|word| word == b"COMMIT\0");
                    if commit && armed.load(Ordering::SeqCst) {
                        answers.abort();
                        drop(answers.await);
                        to_server.write_all(bytes).await.unwrap();
                        // Long enough for the server to have done it.
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        return;
                    }
                    to_server.write_all(bytes).await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commit_with_a_lost_response_has_an_unknown_outcome() {
    let Some(database) = TestDatabase::on_postgres().await else {
        eprintln!("skipped without Postgres: a commit whose answer is lost");
        return;
    };
    let url = database.url();
    let rest = url
        .strip_prefix("postgres://sealpay@")
        .filter(|rest| rest.starts_with("%2F"));
    let Some((socket, name)) = rest.and_then(|rest| rest.split_once('/')) else {
        eprintln!("skipped, the server is not our own: a commit whose answer is lost");
        return;
    };
    let socket = format!("{}/.s.PGSQL.5432", socket.replace("%2F", "/"));
    let armed = Arc::new(AtomicBool::new(false));
    let port = hang_up_after_commit(socket, Arc::clone(&armed)).await;
    let through = format!("postgres://sealpay@127.0.0.1:{port}/{name}");
    let store = Store::open(&through, &Options::default()).await.unwrap();
    let kept = registered(&store).await;

    armed.store(true, Ordering::SeqCst);
    let lost = merchant();
    assert_eq!(
        store.merchants.add(&lost).await,
        Err(DatabaseError::OutcomeUnknown)
    );
    armed.store(false, Ordering::SeqCst);
    // This time it was done, or is being done: nobody is left to wait for it. The store goes on
    // with another connection.
    let both = Ok(vec![kept, lost]);
    let look = async || store.merchants.list().await;
    let found = seen_when("the list of merchants", look, |found| *found == both).await;
    assert_eq!(found, both);
}

on_both_databases! {
    TestDatabase:
    failed_operation_does_not_affect_its_batch,
    excess_operations_are_rejected_and_the_others_served,
    cancelled_caller_leaves_nothing_half_done,
    two_processes_share_one_database,
    invalid_column_value_is_an_error_and_not_a_panic,
    large_and_unicode_texts_are_stored_unchanged,
}
