//! The repository of merchants, order keys and origins.

use super::model::{Merchant, OrderKey, Reserve};
use crate::auth::api_keys::model::ApiKey;
use crate::auth::api_keys::store as api_keys;
use crate::webhooks::endpoints;
use crate::webhooks::endpoints::model::WebhookEndpoint;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::MerchantId;
use sealpay_storage::{
    Addition, Database, DatabaseError, Empty, Entity, Fault, Projection, Tx, Value,
};
use sealpay_storage::{columns, entity, projection, sql, values};

columns! {
    Reserve {
        basis_points,
        days,
    }
}

// Keys and origins are separate rows.
entity! {
    Merchant in "merchants" {
        id,
        name,
        created_at_ms,
        reserve: (reserve_basis_points, reserve_days),
        payout_account,
        creditor_identifier,
        order_keys as Empty: (),
        origins as Empty: (),
    }
}

projection! {
    OrderKey from "order_keys" {
        key_id,
        public_key,
        scopes,
    }
}

const ADD: &str = sql!(Merchant::INSERT, "ON CONFLICT DO NOTHING");

const ONE: &str = sql!(Merchant::SELECT, "WHERE id = $1");

const ALL: &str = sql!(Merchant::SELECT, "ORDER BY id");

const SET_RESERVE: &str = "UPDATE merchants SET reserve_basis_points = $2, reserve_days = $3
    WHERE id = $1";

const SET_PAYOUT_ACCOUNT: &str = "UPDATE merchants SET payout_account = $2 WHERE id = $1";

const SET_CREDITOR_IDENTIFIER: &str = "UPDATE merchants SET creditor_identifier = $2 WHERE id = $1";

const ORDER_KEYS: &str = sql!(
    OrderKey::SELECT,
    "WHERE merchant = $1 AND retired_at_ms IS NULL ORDER BY key_id"
);

const ADD_ORDER_KEY: &str = "INSERT INTO order_keys
    (merchant, key_id, public_key, scopes, created_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const RETIRE_ORDER_KEY: &str = "UPDATE order_keys SET retired_at_ms = $3
    WHERE merchant = $1 AND key_id = $2 AND retired_at_ms IS NULL";

const ORIGINS: &str = "SELECT origin FROM merchant_origins WHERE merchant = $1 ORDER BY origin";

const ADD_ORIGIN: &str = "INSERT INTO merchant_origins (merchant, origin)
    VALUES ($1, $2) ON CONFLICT DO NOTHING";

const REMOVE_ORIGIN: &str = "DELETE FROM merchant_origins WHERE merchant = $1 AND origin = $2";

/// Adds a merchant with its keys and origins, atomically.
async fn add(tx: &mut Tx<'_>, merchant: &Merchant) -> Result<Addition, Fault> {
    let id = merchant.id;
    if tx.execute(ADD, &merchant.to_row()?).await? == 0 {
        return Ok(Addition::AlreadyThere);
    }
    for key in &merchant.order_keys {
        tx.execute(
            ADD_ORDER_KEY,
            &order_key_values(id, key, merchant.created_at_ms),
        )
        .await?;
    }
    for origin in &merchant.origins {
        tx.execute(ADD_ORIGIN, &values![id, origin]).await?;
    }
    Ok(Addition::Added)
}

struct Registration {
    merchant: Merchant,
    api_key: <ApiKey as Entity>::Values,
    endpoint: Option<<WebhookEndpoint as Entity>::Values>,
}

async fn register(tx: &mut Tx<'_>, registration: &Registration) -> Result<Addition, Fault> {
    if add(tx, &registration.merchant).await? == Addition::AlreadyThere {
        return Ok(Addition::AlreadyThere);
    }
    let mut added = tx.execute(api_keys::ADD, &registration.api_key).await?;
    if let Some(endpoint) = &registration.endpoint {
        added = added.min(tx.execute(endpoints::store::ADD, endpoint).await?);
    }
    if added == 0 {
        let what = "a new merchant's API key or endpoint has a name that is taken";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    Ok(Addition::Added)
}

async fn one(tx: &mut Tx<'_>, merchant: MerchantId) -> Result<Option<Merchant>, Fault> {
    let mut merchant = tx.get(ONE, &values![merchant]).await?;
    if let Some(merchant) = &mut merchant {
        complete(tx, merchant).await?;
    }
    Ok(merchant)
}

async fn all(tx: &mut Tx<'_>) -> Result<Vec<Merchant>, Fault> {
    let mut merchants = tx.list(ALL, &[]).await?;
    for merchant in &mut merchants {
        complete(tx, merchant).await?;
    }
    Ok(merchants)
}

/// Adds the keys and origins to a merchant read from its row.
async fn complete(tx: &mut Tx<'_>, merchant: &mut Merchant) -> Result<(), Fault> {
    let id = values![merchant.id];
    merchant.order_keys = tx.list(ORDER_KEYS, &id).await?;
    let origins = tx.list(ORIGINS, &id).await?.into_iter();
    merchant.origins = origins.map(|(origin,)| origin).collect();
    Ok(())
}

fn order_key_values(merchant: MerchantId, key: &OrderKey, now_ms: i64) -> [Value; 5] {
    let public_key = base64url(&key.public_key);
    values![merchant, &key.key_id, public_key, &key.scopes, now_ms]
}

/// The repository of merchants, their order keys and origins.
#[derive(Debug, Clone)]
pub struct MerchantStore {
    pub(crate) database: Database,
}

impl MerchantStore {
    /// Adds a merchant with its order keys and origins.
    pub async fn add(&self, merchant: &Merchant) -> Result<Addition, DatabaseError> {
        self.database
            .write(merchant.clone(), |tx, merchant| Box::pin(add(tx, merchant)))
            .await
    }

    /// Adds a merchant, its first API key and optionally an endpoint, atomically.
    ///
    /// # Errors
    /// The database failed, or an API key or endpoint with this id exists.
    pub async fn register(
        &self,
        merchant: &Merchant,
        api_key: &ApiKey,
        endpoint: Option<&WebhookEndpoint>,
    ) -> Result<Addition, DatabaseError> {
        let registration = Registration {
            merchant: merchant.clone(),
            api_key: api_key.to_row()?,
            endpoint: endpoint.map(Entity::to_row).transpose()?,
        };
        self.database
            .write(registration, |tx, registration| {
                Box::pin(register(tx, registration))
            })
            .await
    }

    /// A merchant with its active order keys and its origins.
    pub async fn get(&self, merchant: MerchantId) -> Result<Option<Merchant>, DatabaseError> {
        self.database
            .read(merchant, |tx, merchant| Box::pin(one(tx, *merchant)))
            .await
    }

    /// Every merchant, oldest first.
    pub async fn list(&self) -> Result<Vec<Merchant>, DatabaseError> {
        self.database.read((), |tx, ()| Box::pin(all(tx))).await
    }

    /// Sets a merchant's reserve; returns whether the merchant exists.
    pub async fn set_reserve(
        &self,
        merchant: MerchantId,
        reserve: Reserve,
    ) -> Result<bool, DatabaseError> {
        let values = values![merchant, reserve.basis_points, reserve.days];
        self.database.change(SET_RESERVE, values).await
    }

    /// Sets a merchant's payout account; returns whether the merchant exists.
    pub async fn set_payout_account(
        &self,
        merchant: MerchantId,
        iban: &str,
    ) -> Result<bool, DatabaseError> {
        let values = values![merchant, iban.to_owned()];
        self.database.change(SET_PAYOUT_ACCOUNT, values).await
    }

    /// Sets a merchant's creditor identifier; returns whether the merchant exists.
    pub async fn set_creditor_identifier(
        &self,
        merchant: MerchantId,
        identifier: &str,
    ) -> Result<bool, DatabaseError> {
        let values = values![merchant, identifier.to_owned()];
        self.database.change(SET_CREDITOR_IDENTIFIER, values).await
    }

    /// Adds an order key. The name of a retired key cannot be reused.
    pub async fn add_order_key(
        &self,
        merchant: MerchantId,
        key: &OrderKey,
        now_ms: i64,
    ) -> Result<Addition, DatabaseError> {
        self.database
            .add(ADD_ORDER_KEY, order_key_values(merchant, key, now_ms))
            .await
    }

    /// Retires an order key; returns whether it was active.
    pub async fn retire_order_key(
        &self,
        merchant: MerchantId,
        key_id: &str,
        now_ms: i64,
    ) -> Result<bool, DatabaseError> {
        self.database
            .change(
                RETIRE_ORDER_KEY,
                values![merchant, key_id.to_owned(), now_ms],
            )
            .await
    }

    /// Adds a page that may embed the widget.
    pub async fn add_origin(
        &self,
        merchant: MerchantId,
        origin: &str,
    ) -> Result<Addition, DatabaseError> {
        self.database
            .add(ADD_ORIGIN, values![merchant, origin.to_owned()])
            .await
    }

    /// Removes an origin; returns whether it existed.
    pub async fn remove_origin(
        &self,
        merchant: MerchantId,
        origin: &str,
    ) -> Result<bool, DatabaseError> {
        self.database
            .change(REMOVE_ORIGIN, values![merchant, origin.to_owned()])
            .await
    }
}
