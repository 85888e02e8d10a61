//! The audit trail in the database, the last use of keys, and key rotation.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{self, NOW_MS, registered};
use crate::storage::test_database::TestDatabase;
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_protocol::secret::Secret;
use std::sync::Arc;
use verifier_server::auth::audit::model::{AuditChain, AuditEntry};
use verifier_server::keys::ciphertexts::EncryptedColumn;
use verifier_server::keys::model::{KeyPurpose, ServerKey};
use verifier_server::store::Addition;

on_both_databases! {
    TestDatabase:
    audit_rows_form_one_chain_for_all_writers,
    audit_trail_without_its_head_rejects_writes,
    last_use_of_a_key_only_moves_forward,
    rotation_retires_previous_keys_and_raises_the_revision,
    ciphertext_is_replaced_unless_changed_meanwhile,
    data_keeps_its_first_mode,
}

fn entry(number: u8, merchant: Option<MerchantId>) -> AuditEntry {
    AuditEntry {
        request: RequestId::new(u64::from(number), [number; 10]),
        merchant,
        actor: "key_1".into(),
        action: "POST /v1/payments/{id}/refunds".into(),
        subject: merchant.map(|merchant| merchant.to_string()),
        source: "192.0.2.1".into(),
        outcome: "200".into(),
        at_ms: NOW_MS,
    }
}

async fn audit_rows_form_one_chain_for_all_writers(database: &TestDatabase) {
    let store = database.open().await;
    let chain = || Arc::new(AuditChain::new(Secret::new([7; 32])));
    let merchant = registered(&store).await.id;
    let written = (1..=20).map(|number| {
        let store = store.clone();
        let of = (number % 2 == 0).then_some(merchant);
        // Some come together.
        let mut entries = vec![entry(number, of)];
        if number % 5 == 0 {
            entries.push(entry(number + 100, None));
        }
        tokio::spawn(async move { store.audit.append(entries, chain()).await })
    });
    for written in written.collect::<Vec<_>>() {
        assert_eq!(written.await.unwrap(), Ok(()));
    }
    let (rows, head) = store.audit.head().await.unwrap();
    let all = store.audit.behind(0, 100).await.unwrap();
    let mut before = String::new();
    for (row, sequence) in all.iter().zip(1..) {
        assert!(chain().fits(row, sequence, &before), "{row:?}");
        before.clone_from(&row.hash);
    }
    assert_eq!((rows, all.len(), head), (24, 24, before.clone()));
    let page = store.audit.list(merchant, None, 3).await.unwrap();
    let named: Vec<_> = page.iter().map(|row| row.entry.clone()).collect();
    let expected = [20, 18, 16].map(|number| entry(number, Some(merchant)));
    assert_eq!(named, expected);
    let after = Some(expected[2].request);
    let rest = store.audit.list(merchant, after, 100).await.unwrap();
    assert_eq!(rest.len(), 7);
    // A commit whose outcome was unknown may have happened: what is there is not added again.
    let again = vec![entry(5, None), entry(105, None)];
    assert_eq!(store.audit.append(again, chain()).await, Ok(()));
    assert_eq!(store.audit.append(Vec::new(), chain()).await, Ok(()));
    assert_eq!(store.audit.head().await, Ok((24, before)));
}

/// Who sees no last row does not know where the trail ends, and adds nothing behind it.
async fn audit_trail_without_its_head_rejects_writes(database: &TestDatabase) {
    let store = database.open().await;
    let chain = || Arc::new(AuditChain::new(Secret::new([7; 32])));
    let first = store.audit.append(vec![entry(1, None)], chain()).await;
    assert_eq!(first, Ok(()));
    database.tamper("DELETE FROM audit_head").await;
    let second = store.audit.append(vec![entry(2, None)], chain()).await;
    for error in [second.unwrap_err(), store.audit.head().await.unwrap_err()] {
        let said = error.to_string();
        assert!(
            said.contains("has lost its only row of audit_head"),
            "{said}"
        );
    }
    assert_eq!(store.audit.behind(0, 10).await.unwrap().len(), 1);
}

async fn last_use_of_a_key_only_moves_forward(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let key = fixtures::api_key(merchant.id);
    assert_eq!(store.api_keys.add(&key).await, Ok(Addition::Added));
    for (used_ms, known_ms) in [(2000, 2000), (1000, 2000), (3000, 3000)] {
        let noted = store.api_keys.note_used([(key.id, used_ms)]).await;
        assert_eq!(noted, Ok(()));
        let found = store.api_keys.get(key.id).await.unwrap().unwrap();
        assert_eq!(found.last_used_at_ms, Some(known_ms));
    }
}

fn key(key_id: &str, not_after: i64) -> ServerKey {
    ServerKey {
        key_id: key_id.into(),
        purpose: KeyPurpose::Webhook,
        public_key: "public".into(),
        private_key_encrypted: "mold.encrypted".into(),
        not_before: 0,
        not_after,
        destroy_at: not_after,
    }
}

async fn rotation_retires_previous_keys_and_raises_the_revision(database: &TestDatabase) {
    let store = database.open().await;
    let revision = store.keys.revision().await.unwrap();
    for key in [key("a", i64::MAX), key("b", 50)] {
        assert_eq!(store.keys.add(&key).await, Ok(Addition::Added));
    }
    let new = key("c", i64::MAX);
    assert_eq!(store.keys.rotate(&new, (100, 200)).await, Ok(()));
    let kept = store.keys.list(KeyPurpose::Webhook).await.unwrap();
    let ends: Vec<_> = kept
        .iter()
        .map(|key| (key.not_after, key.destroy_at))
        .collect();
    assert_eq!(ends, [(100, 200), (50, 50), (i64::MAX, i64::MAX)]);
    assert_eq!(store.keys.revision().await, Ok(revision + 1));
    assert_eq!(store.keys.revise().await, Ok(()));
    assert_eq!(store.keys.revision().await, Ok(revision + 2));
}

async fn ciphertext_is_replaced_unless_changed_meanwhile(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.keys.add(&key("a", 100)).await, Ok(Addition::Added));
    let column = EncryptedColumn::ServerKey;
    let found = store
        .keys
        .ciphertexts_of_other_keys(column, "mnew", 10)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].row, ["webhook", "a", ""]);
    let replaced = store
        .keys
        .replace_ciphertext(column, &found[0], "mnew.x")
        .await;
    assert_eq!(replaced, Ok(true));
    let again = store
        .keys
        .replace_ciphertext(column, &found[0], "mnew.y")
        .await;
    assert_eq!(again, Ok(false), "somebody else was first");
    for column in EncryptedColumn::ALL {
        let left = store
            .keys
            .ciphertexts_of_other_keys(column, "mnew", 10)
            .await;
        assert_eq!(left, Ok(Vec::new()), "{column:?}");
    }
}

async fn data_keeps_its_first_mode(database: &TestDatabase) {
    let store = database.open().await;
    for first in [true, false] {
        assert_eq!(store.bind_mode(first).await.unwrap(), first);
        assert_eq!(store.bind_mode(!first).await.unwrap(), first);
        assert_eq!(
            database.open().await.bind_mode(!first).await.unwrap(),
            first
        );
        database.tamper("DELETE FROM data_mode").await;
    }
}
