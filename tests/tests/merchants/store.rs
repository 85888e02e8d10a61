//! Merchants, their keys, origins and endpoints in the database.

use crate::databases::on_both_databases;
use crate::storage::fixtures::{NOW_MS, api_key, endpoint, merchant, paid, reachable, registered};
use crate::storage::test_database::TestDatabase;
use verifier_server::merchants::model::{OrderKey, Reserve};
use verifier_server::payments::state::PaymentState;
use verifier_server::store::{Addition, DatabaseError};
use verifier_server::webhooks::deliveries::model::DeliveryState;

async fn registered_merchant_is_read_back_unchanged(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = merchant();
    let (key, endpoint) = (api_key(merchant.id), endpoint(merchant.id));
    let registered = store
        .merchants
        .register(&merchant, &key, Some(&endpoint))
        .await;
    assert_eq!(registered, Ok(Addition::Added));
    assert_eq!(
        store.merchants.get(merchant.id).await,
        Ok(Some(merchant.clone()))
    );
    assert_eq!(store.api_keys.get_by_hash(&key.hash).await, Ok(Some(key)));
    assert_eq!(store.endpoints.list(merchant.id).await, Ok(vec![endpoint]));
    assert_eq!(store.merchants.list().await, Ok(vec![merchant]));
}

async fn repeated_registration_changes_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let mut changed = merchant.clone();
    changed.name = "Somebody else".into();
    changed.origins.push("https://evil.example".into());
    let key = api_key(merchant.id);
    let again = store.merchants.register(&changed, &key, None).await;
    assert_eq!(again, Ok(Addition::AlreadyThere));
    assert_eq!(
        store.merchants.add(&changed).await,
        Ok(Addition::AlreadyThere)
    );
    assert_eq!(store.merchants.list().await, Ok(vec![merchant]));
    assert_eq!(store.api_keys.get_by_hash(&key.hash).await, Ok(None));
}

async fn failed_registration_leaves_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let first = registered(&store).await;
    let taken = api_key(first.id);
    assert_eq!(store.api_keys.add(&taken).await, Ok(Addition::Added));
    let second = merchant();
    let mut key = api_key(second.id);
    key.hash.clone_from(&taken.hash);
    let refused = store.merchants.register(&second, &key, None).await;
    assert!(
        matches!(refused, Err(DatabaseError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(store.merchants.get(second.id).await, Ok(None));
    assert_eq!(store.merchants.list().await, Ok(vec![first]));
}

async fn retired_order_key_is_unusable_and_its_id_stays_reserved(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let key = OrderKey {
        key_id: "2026".into(),
        public_key: [3; 32],
        scopes: "*".into(),
    };
    assert_eq!(
        store
            .merchants
            .add_order_key(merchant.id, &key, NOW_MS)
            .await,
        Ok(Addition::Added)
    );
    let keys = store
        .merchants
        .get(merchant.id)
        .await
        .unwrap()
        .unwrap()
        .order_keys;
    assert_eq!(keys.len(), 3);
    assert!(keys.contains(&key));
    assert_eq!(
        store
            .merchants
            .retire_order_key(merchant.id, "2026", NOW_MS)
            .await,
        Ok(true)
    );
    assert_eq!(
        store
            .merchants
            .retire_order_key(merchant.id, "2026", NOW_MS)
            .await,
        Ok(false)
    );
    assert_eq!(
        store
            .merchants
            .retire_order_key(merchant.id, "never", NOW_MS)
            .await,
        Ok(false)
    );
    assert_eq!(
        store.merchants.get(merchant.id).await,
        Ok(Some(merchant.clone()))
    );
    assert_eq!(
        store
            .merchants
            .add_order_key(merchant.id, &key, NOW_MS)
            .await,
        Ok(Addition::AlreadyThere)
    );
    assert_eq!(store.merchants.get(merchant.id).await, Ok(Some(merchant)));
}

async fn two_merchants_may_use_the_same_key_id(database: &TestDatabase) {
    let store = database.open().await;
    let (first, second) = (registered(&store).await, registered(&store).await);
    assert_eq!(
        store
            .merchants
            .retire_order_key(first.id, "2025-a", NOW_MS)
            .await,
        Ok(true)
    );
    assert_eq!(
        store
            .merchants
            .get(first.id)
            .await
            .unwrap()
            .unwrap()
            .order_keys
            .len(),
        1
    );
    assert_eq!(store.merchants.get(second.id).await, Ok(Some(second)));
}

async fn origins_are_added_and_removed(database: &TestDatabase) {
    let store = database.open().await;
    let merchant = registered(&store).await;
    let origin = "https://other.example";
    assert_eq!(
        store.merchants.add_origin(merchant.id, origin).await,
        Ok(Addition::Added)
    );
    assert_eq!(
        store.merchants.add_origin(merchant.id, origin).await,
        Ok(Addition::AlreadyThere)
    );
    let origins = store
        .merchants
        .get(merchant.id)
        .await
        .unwrap()
        .unwrap()
        .origins;
    assert!(origins.iter().any(|known| known == origin));
    assert_eq!(
        store.merchants.remove_origin(merchant.id, origin).await,
        Ok(true)
    );
    assert_eq!(
        store.merchants.remove_origin(merchant.id, origin).await,
        Ok(false)
    );
    assert_eq!(store.merchants.get(merchant.id).await, Ok(Some(merchant)));
}

async fn disabled_endpoint_drops_pending_deliveries_and_gets_no_more(database: &TestDatabase) {
    let store = database.open().await;
    let (merchant, disabled) = reachable(&store).await;
    let enabled = endpoint(merchant.id);
    assert_eq!(store.endpoints.add(&enabled).await, Ok(Addition::Added));
    assert_eq!(
        store.endpoints.add(&enabled).await,
        Ok(Addition::AlreadyThere)
    );
    paid(&store, merchant.id, PaymentState::Captured).await;
    assert_eq!(store.deliveries.pending().await, Ok(2));

    assert_eq!(
        store.endpoints.disable(disabled.id, NOW_MS + 9).await,
        Ok(true)
    );
    assert_eq!(
        store.endpoints.disable(disabled.id, NOW_MS + 10).await,
        Ok(false)
    );
    assert_eq!(store.deliveries.pending().await, Ok(1));
    let known = store.endpoints.list(merchant.id).await.unwrap();
    let moments: Vec<_> = known
        .iter()
        .map(|endpoint| endpoint.disabled_at_ms)
        .collect();
    assert_eq!(moments, [Some(NOW_MS + 9), None]);

    paid(&store, merchant.id, PaymentState::Captured).await;
    let events = store.events.list(merchant.id, None, 10).await.unwrap();
    let endpoints = |index: usize| -> Vec<_> {
        events[index]
            .1
            .iter()
            .map(|delivery| (delivery.endpoint, delivery.state))
            .collect()
    };
    assert_eq!(endpoints(0), [(enabled.id, DeliveryState::Pending)]);
    let given_up = [
        (disabled.id, DeliveryState::Failed),
        (enabled.id, DeliveryState::Pending),
    ];
    assert_eq!(endpoints(1), given_up);
}

async fn reserve_is_set_and_read_back(database: &TestDatabase) {
    let store = database.open().await;
    let mut merchant = registered(&store).await;
    merchant.reserve = Reserve {
        basis_points: 1_000,
        days: 90,
    };
    let set = store
        .merchants
        .set_reserve(merchant.id, merchant.reserve)
        .await;
    assert_eq!(set, Ok(true));
    let account = "DE89370400440532013000";
    merchant.payout_account = Some(account.into());
    let set = store.merchants.set_payout_account(merchant.id, account);
    assert_eq!(set.await, Ok(true));
    let creditor = "DE98ZZZ09999999999";
    merchant.creditor_identifier = Some(creditor.into());
    let set = store
        .merchants
        .set_creditor_identifier(merchant.id, creditor);
    assert_eq!(set.await, Ok(true));
    let nobody = crate::storage::fixtures::merchant().id;
    let set = store.merchants.set_creditor_identifier(nobody, creditor);
    assert_eq!(set.await, Ok(false));
    assert_eq!(
        store.merchants.set_payout_account(nobody, account).await,
        Ok(false)
    );
    assert_eq!(
        store.merchants.set_reserve(nobody, merchant.reserve).await,
        Ok(false)
    );
    assert_eq!(store.merchants.get(merchant.id).await, Ok(Some(merchant)));
}

on_both_databases! {
    TestDatabase:
    registered_merchant_is_read_back_unchanged,
    repeated_registration_changes_nothing,
    failed_registration_leaves_nothing,
    retired_order_key_is_unusable_and_its_id_stays_reserved,
    two_merchants_may_use_the_same_key_id,
    origins_are_added_and_removed,
    reserve_is_set_and_read_back,
    disabled_endpoint_drops_pending_deliveries_and_gets_no_more,
}
