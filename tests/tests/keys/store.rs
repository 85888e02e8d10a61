//! The verifier's own keys, and nonces, in the database.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{nonce, opened, registered, session};
use crate::storage::test_database::TestDatabase;
use verifier_server::keys::model::{KeyPurpose, ServerKey};
use verifier_server::sessions::store::SessionOpened;
use verifier_server::store::Addition;

fn key(key_id: &str, purpose: KeyPurpose, not_before: i64) -> ServerKey {
    ServerKey {
        key_id: key_id.into(),
        purpose,
        public_key: "public".into(),
        private_key_encrypted: "encrypted".into(),
        not_before,
        not_after: not_before + 100,
        destroy_at: not_before + 200,
    }
}

async fn keys_are_stored_by_purpose_oldest_first(database: &TestDatabase) {
    let store = database.open().await;
    let younger = key("a", KeyPurpose::Sealing, 2000);
    let older = key("b", KeyPurpose::Sealing, 1000);
    let webhook = key("c", KeyPurpose::Webhook, 0);
    for key in [&younger, &older, &webhook] {
        assert_eq!(store.keys.add(key).await, Ok(Addition::Added));
    }
    let mut changed = younger.clone();
    changed.private_key_encrypted = "changed".into();
    assert_eq!(store.keys.add(&changed).await, Ok(Addition::AlreadyThere));
    assert_eq!(
        store.keys.list(KeyPurpose::Sealing).await,
        Ok(vec![older, younger])
    );
    assert_eq!(
        store.keys.list(KeyPurpose::Webhook).await,
        Ok(vec![webhook])
    );
}

async fn key_is_destroyed_at_its_time_and_not_before(database: &TestDatabase) {
    let store = database.open().await;
    let (first, second) = (
        key("a", KeyPurpose::Sealing, 0),
        key("b", KeyPurpose::Sealing, 1),
    );
    for key in [&first, &second] {
        assert_eq!(store.keys.add(key).await, Ok(Addition::Added));
    }
    assert_eq!(store.keys.destroy(199).await, Ok(0));
    assert_eq!(store.keys.destroy(200).await, Ok(1));
    assert_eq!(store.keys.destroy(200).await, Ok(0));
    let destroyed = ServerKey {
        private_key_encrypted: String::new(),
        ..first
    };
    assert_eq!(
        store.keys.list(KeyPurpose::Sealing).await,
        Ok(vec![destroyed, second])
    );
}

async fn nonces_are_purged_once_their_signatures_expired(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    opened(&store, merchant.id).await;
    let expires_at = nonce().expires_at;
    assert_eq!(store.nonces.purge(expires_at).await, Ok(0));
    assert_eq!(store.nonces.purge(expires_at + 1).await, Ok(1));
    assert_eq!(
        store.nonces.purge(u64::try_from(i64::MAX).unwrap()).await,
        Ok(0)
    );
}

async fn nonce_is_consumed_for_its_time_and_key_only(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let spent = nonce();
    let mut later = spent.clone();
    later.expires_at += 1;
    let mut of_other_key = spent.clone();
    of_other_key.thumbprint = "other thumbprint".into();
    for fresh in [&spent, &later, &of_other_key] {
        let session = session(merchant.id);
        let outcome = store.sessions.open(&session, fresh).await.unwrap();
        assert_eq!(outcome, SessionOpened::New(session));
        let replayed = store
            .sessions
            .open(&crate::storage::fixtures::session(merchant.id), fresh)
            .await;
        assert_eq!(replayed, Ok(SessionOpened::NonceReplayed));
        assert_eq!(store.nonces.consume(fresh).await, Ok(false));
    }
    let mut alone = spent;
    alone.value = "BBBBBBBBBBBBBBBBBBBBBB".into();
    let session = opened(&store, merchant.id).await;
    for is_consumed in [false, true] {
        let found = store.sessions.get_with_nonce(session.id, &alone).await;
        assert_eq!(found, Ok(Some((session.clone(), is_consumed))));
        assert_eq!(store.nonces.consume(&alone).await, Ok(!is_consumed));
    }
    assert_eq!(store.nonces.consume(&alone).await, Ok(false));
}

async fn many_nonces_are_purged_in_batches(database: &TestDatabase) {
    let store = database.open().await;
    database
        .tamper(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO nonces (expires_at, nonce, thumbprint)
             SELECT 1000 + i, CAST(i AS TEXT), 'key' FROM n",
        )
        .await;
    assert_eq!(store.nonces.purge(5500).await, Ok(4499));
    assert_eq!(store.nonces.purge(9999).await, Ok(501));
}

on_both_databases! {
    TestDatabase:
    keys_are_stored_by_purpose_oldest_first,
    key_is_destroyed_at_its_time_and_not_before,
    nonces_are_purged_once_their_signatures_expired,
    nonce_is_consumed_for_its_time_and_key_only,
    many_nonces_are_purged_in_batches,
}
