//! API keys in the database: hashes, scopes, expiry and rotation.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{self, NOW_MS, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::MerchantId;
use verifier_server::auth::api_keys::model::ApiKey;
use verifier_server::auth::api_keys::store::KeyRotation;
use verifier_server::store::{Addition, DatabaseError};

/// A key without an end.
fn api_key(merchant: MerchantId) -> ApiKey {
    ApiKey {
        expires_at_ms: None,
        ..fixtures::api_key(merchant)
    }
}

async fn revoked_api_key_is_not_found(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let (key, other) = (api_key(merchant.id), api_key(merchant.id));
    for key in [&key, &other] {
        assert_eq!(store.api_keys.add(key).await, Ok(Addition::Added));
        assert_eq!(store.api_keys.add(key).await, Ok(Addition::AlreadyThere));
    }
    assert_eq!(
        store.api_keys.list(key.merchant).await,
        Ok(vec![key.clone(), other.clone()])
    );
    assert_eq!(store.api_keys.revoke(key.id, NOW_MS).await, Ok(true));
    assert_eq!(
        store.api_keys.list(key.merchant).await,
        Ok(vec![other.clone()])
    );
    assert_eq!(store.api_keys.revoke(key.id, NOW_MS).await, Ok(false));
    assert_eq!(store.api_keys.get_by_hash(&key.hash).await, Ok(None));
    assert_eq!(store.api_keys.get_by_hash("nobody's").await, Ok(None));
    assert_eq!(
        store.api_keys.get_by_hash(&other.hash).await,
        Ok(Some(other))
    );
}

async fn api_key_scopes_and_expiry_are_stored(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let limited = ApiKey {
        scopes: "payments:read,refunds:write".into(),
        expires_at_ms: Some(NOW_MS + 5),
        ..api_key(merchant.id)
    };
    assert_eq!(store.api_keys.add(&limited).await, Ok(Addition::Added));
    // Whether the end has come is not for the store to say.
    assert_eq!(
        store.api_keys.get(limited.id).await,
        Ok(Some(limited.clone()))
    );
    assert_eq!(
        store.api_keys.get_by_hash(&limited.hash).await,
        Ok(Some(limited.clone()))
    );
    assert_eq!(store.api_keys.revoke(limited.id, NOW_MS).await, Ok(true));
    assert_eq!(store.api_keys.get(limited.id).await, Ok(None));
    assert_eq!(store.api_keys.get(api_key(merchant.id).id).await, Ok(None));
}

async fn rotation_replaces_the_key_in_one_transaction(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let (old, other) = (api_key(merchant.id), api_key(merchant.id));
    for key in [&old, &other] {
        assert_eq!(store.api_keys.add(key).await, Ok(Addition::Added));
    }
    let rotated = |old_expires_at_ms| Ok(KeyRotation::Rotated { old_expires_at_ms });
    let (first, second) = (api_key(merchant.id), api_key(merchant.id));
    let end = NOW_MS + 1000;
    assert_eq!(
        store.api_keys.rotate(old.id, &first, NOW_MS, end).await,
        rotated(end)
    );
    let ending = ApiKey {
        expires_at_ms: Some(end),
        ..old.clone()
    };
    assert_eq!(store.api_keys.get(old.id).await, Ok(Some(ending.clone())));
    assert_eq!(store.api_keys.get(first.id).await, Ok(Some(first.clone())));
    assert_eq!(store.api_keys.get(other.id).await, Ok(Some(other.clone())));
    // Nothing is prolonged, but it may end sooner.
    assert_eq!(
        store
            .api_keys
            .rotate(old.id, &second, NOW_MS, end + 1000)
            .await,
        rotated(end)
    );
    let third = api_key(merchant.id);
    assert_eq!(
        store
            .api_keys
            .rotate(old.id, &third, NOW_MS, NOW_MS + 1)
            .await,
        rotated(NOW_MS + 1)
    );
    // What has ended, was revoked or never was is not followed by anything.
    assert_eq!(store.api_keys.revoke(other.id, NOW_MS).await, Ok(true));
    let nobody = api_key(merchant.id);
    for gone in [old.id, other.id, nobody.id] {
        let refused = store.api_keys.rotate(gone, &nobody, NOW_MS + 1, end).await;
        assert_eq!(refused, Ok(KeyRotation::NoSuchKey));
        assert_eq!(store.api_keys.get_by_hash(&nobody.hash).await, Ok(None));
    }
}

async fn failed_rotation_leaves_the_old_key_unchanged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let (old, taken) = (api_key(merchant.id), api_key(merchant.id));
    for key in [&old, &taken] {
        assert_eq!(store.api_keys.add(key).await, Ok(Addition::Added));
    }
    let refused = store.api_keys.rotate(old.id, &taken, NOW_MS, NOW_MS).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(store.api_keys.get(old.id).await, Ok(Some(old)));
}

on_both_databases! {
    TestDatabase:
    revoked_api_key_is_not_found,
    api_key_scopes_and_expiry_are_stored,
    rotation_replaces_the_key_in_one_transaction,
    failed_rotation_leaves_the_old_key_unchanged,
}
