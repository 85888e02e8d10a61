//! The layout of the vector file. Values that travel are in their wire encoding, others in
//! hexadecimal.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::envelope::SealedCard;
use sealpay_protocol::ids::{AttemptId, EventId, MerchantId, SessionId};
use sealpay_protocol::key::PublicJwk;
use sealpay_protocol::origin::Origin;
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vectors {
    pub(crate) version: u8,
    pub(crate) about: Vec<String>,
    pub(crate) ids: Vec<IdVector>,
    pub(crate) money: Vec<MoneyVector>,
    pub(crate) sealing_key: SealingKeyVector,
    pub(crate) ephemeral_key: SigningKeyVector,
    pub(crate) merchant_key: SigningKeyVector,
    pub(crate) webhook_keys: Vec<WebhookKeyVector>,
    pub(crate) endpoint_secrets: Vec<EndpointSecretVector>,
    pub(crate) orders: Vec<OrderVector>,
    pub(crate) requests: Vec<RequestVector>,
    pub(crate) sealed_cards: Vec<SealedCardVector>,
    pub(crate) webhooks: Vec<WebhookVector>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdVector {
    pub(crate) prefix: String,
    pub(crate) unix_ms: u64,
    pub(crate) random: String,
    pub(crate) text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyVector {
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) decimal: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealingKeyVector {
    pub(crate) seed: String,
    pub(crate) public_key: String,
    pub(crate) kid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningKeyVector {
    pub(crate) seed: String,
    pub(crate) key: PublicJwk,
    pub(crate) thumbprint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookKeyVector {
    pub(crate) seed: String,
    pub(crate) public_key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointSecretVector {
    pub(crate) bytes: String,
    pub(crate) secret: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderVector {
    pub(crate) name: String,
    pub(crate) header: String,
    pub(crate) payload: String,
    pub(crate) order: String,
    pub(crate) order_digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestVector {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) content_type: String,
    pub(crate) idempotency_key: String,
    pub(crate) session: String,
    pub(crate) body: String,
    pub(crate) created: u64,
    pub(crate) nonce: String,
    pub(crate) content_digest: String,
    pub(crate) signature_base: String,
    pub(crate) signature_input: String,
    pub(crate) signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedCardVector {
    pub(crate) name: String,
    pub(crate) now: u64,
    pub(crate) card: CardVector,
    pub(crate) context: ContextVector,
    pub(crate) random: String,
    pub(crate) plaintext: String,
    pub(crate) info: String,
    pub(crate) associated_data: String,
    pub(crate) sealed: SealedCard,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardVector {
    pub(crate) number: String,
    pub(crate) expiry: String,
    pub(crate) security_code: String,
    pub(crate) holder: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextVector {
    pub(crate) verifier_origin: Origin,
    pub(crate) merchant: MerchantId,
    pub(crate) session: SessionId,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) session_expires_at: u64,
    pub(crate) attempt: AttemptId,
    pub(crate) thumbprint: String,
    pub(crate) order_digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookVector {
    pub(crate) name: String,
    pub(crate) id: EventId,
    pub(crate) timestamp: u64,
    pub(crate) body: String,
    pub(crate) seeds: Vec<String>,
    pub(crate) secrets: Vec<String>,
    pub(crate) signature: String,
}
