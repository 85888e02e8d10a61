//! Registration by an operator: merchants, their keys, origins, API keys and webhook endpoints.

use super::model::{Merchant, OrderKey, Reserve};
use crate::auth::api_keys;
use crate::auth::api_keys::key::NewApiKey;
use crate::auth::api_keys::read_scopes;
use crate::auth::audit::model::OPERATOR;
use crate::keys::encryption::KeyEncryption;
use crate::keys::hosted::RESERVED_KEY_IDS;
use crate::store::{Addition, DatabaseError, Store};
use crate::webhooks::endpoints::model::WebhookEndpoint;
use sealpay_protocol::encoding::array_from_base64url;
use sealpay_protocol::ids::{EndpointId, MerchantId};
use sealpay_protocol::key::verifying_key;
use sealpay_protocol::limits::WEBHOOK_URL_CHARACTERS;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::text;
use sealpay_protocol::webhook::EndpointSecret;
use sealpay_system::{Clock, Rng};
use url::Url;
use zeroize::Zeroizing;

/// The label for encrypting an endpoint's secret.
#[must_use]
pub fn endpoint_label(endpoint: EndpointId) -> String {
    format!("webhook-endpoint:{endpoint}")
}

/// The dependencies of registration.
#[derive(Debug)]
pub struct MerchantAdmin<'a> {
    /// The store.
    pub store: &'a Store,
    /// The encryption of stored secrets.
    pub encryption: &'a KeyEncryption,
    /// The clock.
    pub clock: &'a Clock,
    /// Randomness.
    pub rng: &'a Rng,
    /// Whether real money moves.
    pub livemode: bool,
}

/// A merchant to register.
#[derive(Debug, Clone)]
pub struct NewMerchant {
    /// Its name for shoppers.
    pub name: String,
    /// Its name for its first order key.
    pub key_id: String,
    /// The key, 32 bytes in base64url.
    pub public_key: String,
    /// API scopes of requests signed with the key; may be empty.
    pub key_scopes: String,
    /// Pages that may embed the widget.
    pub origins: Vec<String>,
    /// Where webhooks go.
    pub webhook_url: Option<String>,
    /// The SEPA creditor identifier, valid and without spaces.
    pub creditor_identifier: Option<String>,
}

impl NewMerchant {
    /// Validates everything that needs no database.
    pub fn check(&self, livemode: bool) -> Result<OrderKey, String> {
        check_name(&self.name)?;
        for origin in &self.origins {
            check_page(origin, livemode)?;
        }
        if let Some(url) = &self.webhook_url {
            check_webhook_url(url)?;
        }
        check_order_key(&self.key_id, &self.public_key, &self.key_scopes)
    }
}

/// The credentials of a new merchant. Shown once, and deliberately not serializable.
pub struct MerchantCredentials {
    /// `mer_…`.
    pub merchant: String,
    /// The name of its order key.
    pub key_id: String,
    /// `key_…`: the id for revoking the API key.
    pub api_key_id: String,
    /// `sk_test_…` or `sk_live_…`.
    pub api_key: Zeroizing<String>,
    /// `whe_…`, if a webhook URL was given.
    pub endpoint: Option<String>,
    /// `whsec_…`, if a webhook URL was given.
    pub webhook_secret: Option<Zeroizing<String>>,
}

/// The credentials of a new webhook endpoint, shown once.
pub struct EndpointCredentials {
    /// `whe_…`.
    pub endpoint: String,
    /// `whsec_…`.
    pub webhook_secret: Zeroizing<String>,
}

/// Longest name of a merchant, characters: it is shown beside the amount.
const NAME_CHARACTERS: usize = 80;

/// Validates a page that embeds the widget. Plain HTTP can be intercepted, so in live mode it is
/// permitted for this machine's own pages only.
pub fn check_page(text: &str, livemode: bool) -> Result<Origin, String> {
    let origin: Origin = text.parse().map_err(|error| format!("{text}: {error}"))?;
    if livemode && !origin.as_str().starts_with("https://") && !origin.is_local() {
        return Err(format!(
            "{text} is plain HTTP: where real money moves a page is on https://, or on localhost"
        ));
    }
    Ok(origin)
}

/// Validates a merchant's name for shoppers.
pub fn check_name(name: &str) -> Result<(), String> {
    text::check(name, NAME_CHARACTERS).map_err(|fault| format!("the merchant's name {fault}"))
}

/// Validates an order key.
pub fn check_order_key(key_id: &str, public_key: &str, scopes: &str) -> Result<OrderKey, String> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if !(1..=64).contains(&key_id.len()) || !key_id.bytes().all(allowed) {
        return Err("a key id has 1 to 64 of the characters A-Z a-z 0-9 . _ -".into());
    }
    if key_id.starts_with(RESERVED_KEY_IDS) {
        return Err(format!(
            "a key id that begins with {RESERVED_KEY_IDS} is reserved for the verifier's own keys"
        ));
    }
    let bytes = array_from_base64url(public_key)
        .filter(|bytes| verifying_key(bytes).is_ok())
        .ok_or("the public key is not an Ed25519 key of 32 bytes in base64url")?;
    Ok(OrderKey {
        key_id: key_id.to_owned(),
        public_key: bytes,
        scopes: match scopes {
            "" => String::new(),
            scopes => read_scopes(scopes)?,
        },
    })
}

/// Validates a webhook URL; its resolved addresses are checked at every delivery.
pub fn check_webhook_url(text: &str) -> Result<Url, String> {
    if text.len() > WEBHOOK_URL_CHARACTERS {
        let most = WEBHOOK_URL_CHARACTERS;
        return Err(format!(
            "the webhook address has more than {most} characters"
        ));
    }
    let url = Url::parse(text).map_err(|error| format!("the webhook address: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(
            "the webhook address must start with https:// (or http:// in development)".into(),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the webhook address must not hold a user name or password".into());
    }
    Ok(url)
}

fn newly(added: Result<Addition, DatabaseError>, otherwise: &str) -> Result<(), String> {
    match added.map_err(|error| error.to_string())? {
        Addition::Added => Ok(()),
        Addition::AlreadyThere => Err(otherwise.to_owned()),
    }
}

impl MerchantAdmin<'_> {
    /// Registers a merchant with its first key, origins, API key and endpoint, atomically.
    pub async fn add_merchant(&self, new: NewMerchant) -> Result<MerchantCredentials, String> {
        let key = new.check(self.livemode)?;
        let now_ms = self.clock.now_ms();
        let merchant = Merchant {
            id: MerchantId::new(now_ms, self.rng.bytes()),
            name: text::on_one_line(&new.name),
            created_at_ms: self.clock.now_ms_i64(),
            reserve: Reserve::default(),
            payout_account: None,
            creditor_identifier: new.creditor_identifier,
            order_keys: vec![key],
            origins: new.origins,
        };
        let api_key = api_keys::key::make(
            merchant.id,
            self.livemode,
            self.encryption,
            self.rng,
            now_ms,
        );
        let endpoint = match &new.webhook_url {
            Some(url) => Some(self.new_endpoint(merchant.id, url)?),
            None => None,
        };
        let record = endpoint.as_ref().map(|(record, _)| record);
        let added = self
            .store
            .merchants
            .register(&merchant, &api_key.record, record)
            .await;
        newly(added, &format!("{} is registered already", merchant.id))?;
        Ok(MerchantCredentials {
            merchant: merchant.id.to_string(),
            key_id: new.key_id,
            api_key_id: api_key.record.id.to_string(),
            api_key: api_key.plaintext,
            endpoint: record.map(|record| record.id.to_string()),
            webhook_secret: endpoint.map(|(_, secret)| secret),
        })
    }

    fn new_endpoint(
        &self,
        merchant: MerchantId,
        url: &str,
    ) -> Result<(WebhookEndpoint, Zeroizing<String>), String> {
        let url = check_webhook_url(url)?;
        let id = EndpointId::new(self.clock.now_ms(), self.rng.bytes());
        let secret = EndpointSecret::new(self.rng.bytes());
        let label = endpoint_label(id);
        let record = WebhookEndpoint {
            id,
            merchant,
            url: url.into(),
            description: String::new(),
            event_types: "*".into(),
            previous_secret: None,
            failing_since_ms: None,
            secret_encrypted: self
                .encryption
                .encrypt(&label, secret.bytes(), self.rng.bytes()),
            disabled_at_ms: None,
            created_at_ms: self.clock.now_ms_i64(),
            // The server verifies every endpoint, also those that an operator registers.
            verified_at_ms: None,
            verification_at_ms: Some(self.clock.now_ms_i64()),
            verification_error: None,
            created_by: Some(OPERATOR.into()),
        };
        Ok((record, secret.reveal()))
    }

    /// Adds a webhook endpoint.
    pub async fn add_endpoint(
        &self,
        merchant: MerchantId,
        url: &str,
    ) -> Result<EndpointCredentials, String> {
        self.require(merchant).await?;
        let (record, webhook_secret) = self.new_endpoint(merchant, url)?;
        let added = self.store.endpoints.add(&record).await;
        newly(added, &format!("{} is registered already", record.id))?;
        Ok(EndpointCredentials {
            endpoint: record.id.to_string(),
            webhook_secret,
        })
    }

    /// Adds an API key.
    pub async fn add_api_key(&self, merchant: MerchantId) -> Result<NewApiKey, String> {
        self.require(merchant).await?;
        let made = api_keys::key::make(
            merchant,
            self.livemode,
            self.encryption,
            self.rng,
            self.clock.now_ms(),
        );
        let added = self.store.api_keys.add(&made.record).await;
        newly(added, &format!("{} exists already", made.record.id))?;
        Ok(made)
    }

    /// Adds an order key to the active ones, for a rotation.
    pub async fn add_order_key(
        &self,
        merchant: MerchantId,
        key_id: &str,
        public_key: &str,
        scopes: &str,
    ) -> Result<(), String> {
        self.require(merchant).await?;
        let key = check_order_key(key_id, public_key, scopes)?;
        let now_ms = self.clock.now_ms_i64();
        let added = self
            .store
            .merchants
            .add_order_key(merchant, &key, now_ms)
            .await;
        newly(added, &format!("the merchant has, or had, a key {key_id}"))
    }

    /// Adds a page that may embed the widget.
    pub async fn add_origin(&self, merchant: MerchantId, origin: &str) -> Result<(), String> {
        self.require(merchant).await?;
        check_page(origin, self.livemode)?;
        let added = self.store.merchants.add_origin(merchant, origin).await;
        newly(added, &format!("{origin} is registered already"))
    }

    async fn require(&self, merchant: MerchantId) -> Result<(), String> {
        let found = self
            .store
            .merchants
            .get(merchant)
            .await
            .map_err(|error| error.to_string())?;
        found
            .map(|_| ())
            .ok_or_else(|| format!("there is no merchant {merchant}"))
    }
}
