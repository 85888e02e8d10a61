//! Merchants and what they registered: order keys, origins, API keys and webhook endpoints.

use super::Store;
use crate::database::{Addition, DatabaseError, Fault, Row, Tx, Value, values};
use crate::domain::merchant::{ApiKey, Merchant, OrderKey, WebhookEndpoint};
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::ids::{ApiKeyId, EndpointId, MerchantId};

const ADD: &str = "INSERT INTO merchants (id, name, created_at_ms)
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const ONE: &str = "SELECT id, name, created_at_ms FROM merchants WHERE id = $1";
const ALL: &str = "SELECT id, name, created_at_ms FROM merchants ORDER BY id";

const ORDER_KEYS: &str = "SELECT key_id, public_key FROM order_keys
    WHERE merchant = $1 AND retired_at_ms IS NULL ORDER BY key_id";

const ADD_ORDER_KEY: &str = "INSERT INTO order_keys
    (merchant, key_id, public_key, created_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const RETIRE_ORDER_KEY: &str = "UPDATE order_keys SET retired_at_ms = $3
    WHERE merchant = $1 AND key_id = $2 AND retired_at_ms IS NULL";

const ORIGINS: &str = "SELECT origin FROM merchant_origins WHERE merchant = $1 ORDER BY origin";

const ADD_ORIGIN: &str = "INSERT INTO merchant_origins (merchant, origin)
    VALUES ($1, $2) ON CONFLICT DO NOTHING";

const REMOVE_ORIGIN: &str = "DELETE FROM merchant_origins WHERE merchant = $1 AND origin = $2";

const ADD_API_KEY: &str = "INSERT INTO api_keys (id, merchant, prefix, hash, created_at_ms)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const REVOKE_API_KEY: &str = "UPDATE api_keys SET revoked_at_ms = $2
    WHERE id = $1 AND revoked_at_ms IS NULL";

const API_KEYS: &str = "SELECT id, merchant, prefix, hash, created_at_ms FROM api_keys
    WHERE merchant = $1 AND revoked_at_ms IS NULL ORDER BY id";

const API_KEY: &str = "SELECT id, merchant, prefix, hash, created_at_ms FROM api_keys
    WHERE hash = $1 AND revoked_at_ms IS NULL";

const ADD_ENDPOINT: &str = "INSERT INTO webhook_endpoints
    (id, merchant, url, secret_encrypted, created_at_ms, disabled_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

const ENDPOINTS: &str = "SELECT id, merchant, url, secret_encrypted, disabled_at_ms, created_at_ms
    FROM webhook_endpoints WHERE merchant = $1 ORDER BY id";

const DISABLE_ENDPOINT: &str = "UPDATE webhook_endpoints SET disabled_at_ms = $2
    WHERE id = $1 AND disabled_at_ms IS NULL";

const GIVE_UP_DELIVERIES: &str = "UPDATE deliveries
    SET state = 'failed', last_error = 'the endpoint was disabled'
    WHERE state = 'pending' AND endpoint = $1";

/// Adds a merchant with its keys and origins, or changes nothing.
async fn add(tx: &mut Tx<'_>, merchant: &Merchant) -> Result<Addition, Fault> {
    let id = merchant.id;
    let added = tx
        .execute(ADD, &values![id, &merchant.name, merchant.created_at_ms])
        .await?;
    if added == 0 {
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
    api_key: [Value; 5],
    endpoint: Option<[Value; 6]>,
}

async fn register(tx: &mut Tx<'_>, registration: &Registration) -> Result<Addition, Fault> {
    if add(tx, &registration.merchant).await? == Addition::AlreadyThere {
        return Ok(Addition::AlreadyThere);
    }
    let mut added = tx.execute(ADD_API_KEY, &registration.api_key).await?;
    if let Some(endpoint) = &registration.endpoint {
        added = added.min(tx.execute(ADD_ENDPOINT, endpoint).await?);
    }
    if added == 0 {
        let what = "a new merchant's API key or endpoint has a name that is taken";
        return Err(DatabaseError::Corrupt(what.into()).into());
    }
    Ok(Addition::Added)
}

async fn disable(tx: &mut Tx<'_>, endpoint: EndpointId, now_ms: i64) -> Result<bool, Fault> {
    let disabled = tx
        .execute(DISABLE_ENDPOINT, &values![endpoint, now_ms])
        .await?;
    tx.execute(GIVE_UP_DELIVERIES, &values![endpoint]).await?;
    Ok(disabled > 0)
}

async fn one(tx: &mut Tx<'_>, merchant: MerchantId) -> Result<Option<Merchant>, Fault> {
    match tx.optional(ONE, &values![merchant]).await? {
        Some(row) => complete(tx, row).await.map(Some),
        None => Ok(None),
    }
}

async fn all(tx: &mut Tx<'_>) -> Result<Vec<Merchant>, Fault> {
    let mut merchants = Vec::new();
    for row in tx.query(ALL, &[]).await? {
        merchants.push(complete(tx, row).await?);
    }
    Ok(merchants)
}

/// Reads a merchant's keys and origins to its row.
async fn complete(tx: &mut Tx<'_>, mut row: Row) -> Result<Merchant, Fault> {
    let id: MerchantId = row.parsed()?;
    let keys = tx.query(ORDER_KEYS, &values![id]).await?;
    let origins = tx.query(ORIGINS, &values![id]).await?;
    Ok(Merchant {
        id,
        name: row.text()?,
        created_at_ms: row.integer()?,
        order_keys: keys.into_iter().map(order_key).collect::<Result<_, _>>()?,
        origins: origins
            .into_iter()
            .map(|mut row| row.text())
            .collect::<Result<_, _>>()?,
    })
}

fn order_key_values(merchant: MerchantId, key: &OrderKey, now_ms: i64) -> [Value; 4] {
    values![merchant, &key.key_id, base64url(&key.public_key), now_ms]
}

fn order_key(mut row: Row) -> Result<OrderKey, DatabaseError> {
    Ok(OrderKey {
        key_id: row.text()?,
        public_key: row.read(array_from_base64url)?,
    })
}

fn api_key_values(key: &ApiKey) -> [Value; 5] {
    values![
        key.id,
        key.merchant,
        &key.prefix,
        &key.hash,
        key.created_at_ms
    ]
}

fn api_key(mut row: Row) -> Result<ApiKey, DatabaseError> {
    Ok(ApiKey {
        id: row.parsed()?,
        merchant: row.parsed()?,
        prefix: row.text()?,
        hash: row.text()?,
        created_at_ms: row.integer()?,
    })
}

fn endpoint_values(endpoint: &WebhookEndpoint) -> [Value; 6] {
    values![
        endpoint.id,
        endpoint.merchant,
        &endpoint.url,
        &endpoint.secret_encrypted,
        endpoint.created_at_ms,
        endpoint.disabled_at_ms,
    ]
}

fn endpoint(mut row: Row) -> Result<WebhookEndpoint, DatabaseError> {
    Ok(WebhookEndpoint {
        id: row.parsed()?,
        merchant: row.parsed()?,
        url: row.text()?,
        secret_encrypted: row.text()?,
        disabled_at_ms: row.optional_integer()?,
        created_at_ms: row.integer()?,
    })
}

impl Store {
    /// Adds a merchant with its order keys and origins.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn add_merchant(&self, merchant: &Merchant) -> Result<Addition, DatabaseError> {
        self.database
            .write(merchant.clone(), |tx, merchant| Box::pin(add(tx, merchant)))
            .await
    }

    /// Adds a merchant, its first API key and perhaps an endpoint, all of it or nothing.
    ///
    /// # Errors
    /// The database did not do its work; an API key or endpoint of that id is there already.
    pub async fn register_merchant(
        &self,
        merchant: &Merchant,
        api_key: &ApiKey,
        endpoint: Option<&WebhookEndpoint>,
    ) -> Result<Addition, DatabaseError> {
        let registration = Registration {
            merchant: merchant.clone(),
            api_key: api_key_values(api_key),
            endpoint: endpoint.map(endpoint_values),
        };
        self.database
            .write(registration, |tx, registration| {
                Box::pin(register(tx, registration))
            })
            .await
    }

    /// A merchant with its order keys that are not retired, and its origins.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn merchant(&self, merchant: MerchantId) -> Result<Option<Merchant>, DatabaseError> {
        self.database
            .read(merchant, |tx, merchant| Box::pin(one(tx, *merchant)))
            .await
    }

    /// Every merchant, the oldest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn merchants(&self) -> Result<Vec<Merchant>, DatabaseError> {
        self.database.read((), |tx, ()| Box::pin(all(tx))).await
    }

    /// Adds a key that may sign a merchant's orders. The name of a retired key is not free.
    ///
    /// # Errors
    /// The database did not do its work.
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

    /// Retires an order key; says whether there was one in use.
    ///
    /// # Errors
    /// The database did not do its work.
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
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn add_origin(
        &self,
        merchant: MerchantId,
        origin: &str,
    ) -> Result<Addition, DatabaseError> {
        self.database
            .add(ADD_ORIGIN, values![merchant, origin.to_owned()])
            .await
    }

    /// Takes a page away; says whether it was there.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn remove_origin(
        &self,
        merchant: MerchantId,
        origin: &str,
    ) -> Result<bool, DatabaseError> {
        self.database
            .change(REMOVE_ORIGIN, values![merchant, origin.to_owned()])
            .await
    }

    /// Adds an API key.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<Addition, DatabaseError> {
        self.database.add(ADD_API_KEY, api_key_values(key)).await
    }

    /// Revokes an API key; says whether it was good until now.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn revoke_api_key(&self, key: ApiKeyId, now_ms: i64) -> Result<bool, DatabaseError> {
        self.database
            .change(REVOKE_API_KEY, values![key, now_ms])
            .await
    }

    /// The API key with this hash, unless it is revoked.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn api_key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, DatabaseError> {
        self.database
            .row(API_KEY, values![hash.to_owned()])
            .await?
            .map(api_key)
            .transpose()
    }

    /// A merchant's API keys that are not revoked, the oldest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn api_keys(&self, merchant: MerchantId) -> Result<Vec<ApiKey>, DatabaseError> {
        let rows = self.database.rows(API_KEYS, values![merchant]).await?;
        rows.into_iter().map(api_key).collect()
    }

    /// Adds a webhook endpoint. Events from now on go there, earlier ones do not.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn add_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
    ) -> Result<Addition, DatabaseError> {
        self.database
            .add(ADD_ENDPOINT, endpoint_values(endpoint))
            .await
    }

    /// A merchant's webhook endpoints, disabled ones among them, the oldest first.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn endpoints(
        &self,
        merchant: MerchantId,
    ) -> Result<Vec<WebhookEndpoint>, DatabaseError> {
        let rows = self.database.rows(ENDPOINTS, values![merchant]).await?;
        rows.into_iter().map(endpoint).collect()
    }

    /// Disables an endpoint and gives up what was on its way there; says whether it was enabled.
    ///
    /// # Errors
    /// The database did not do its work.
    pub async fn disable_endpoint(
        &self,
        endpoint: EndpointId,
        now_ms: i64,
    ) -> Result<bool, DatabaseError> {
        self.database
            .write((endpoint, now_ms), |tx, (endpoint, now_ms)| {
                Box::pin(disable(tx, *endpoint, *now_ms))
            })
            .await
    }
}
