//! Reading: what the merchant's server and the widget may look up.

use super::gateway::Gateway;
use super::merchant_view::PaymentRecord;
use super::modification_view::{DisputeRecord, ModificationRecord};
use crate::error::{ApiError, ErrorCode};
use crate::keys::key_ring::webhook_key_text;
pub use crate::store::PaymentFilter;
use sealpay_protocol::ids::{DisputeId, MerchantId, ModificationId, PaymentId};
use sealpay_protocol::json::{JsonFault, object_from_slice};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// Most rows of one page.
pub const PAGE_MOST: u32 = 100;
/// Rows of a page when nothing is asked for.
pub const PAGE_DEFAULT: u32 = 20;

/// A page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

/// The verifier's public keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedKeys {
    /// Keys that cards are sealed to: the current one and the next.
    pub sealing_keys: Vec<PublishedSealingKey>,
    /// Keys that webhooks are signed with.
    pub webhook_keys: Vec<PublishedWebhookKey>,
}

/// A key that cards are sealed to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedSealingKey {
    /// Key id.
    pub kid: String,
    /// Always `X-Wing` (0x647a).
    pub kem: &'static str,
    /// Always `HKDF-SHA256` (0x0001).
    pub kdf: &'static str,
    /// Always `ChaCha20Poly1305` (0x0003).
    pub aead: &'static str,
    /// 1216 bytes in base64url.
    pub public_key: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
}

/// A key that webhooks are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedWebhookKey {
    /// Key id.
    pub kid: String,
    /// `whpk_…`.
    pub public_key: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970; none while no end is set.
    pub not_after: Option<i64>,
}

/// Parses a body: first whether it is JSON at all, then whether it is the right JSON.
///
/// # Errors
/// [`ErrorCode::MalformedJson`] or [`ErrorCode::MalformedRequest`].
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // The first fault in the text need not be the first by precedence: it is read once more.
    object_from_slice(body)
        .map_err(|_| ApiError::of_json(&JsonFault::in_object::<T>(body), "The body"))
}

/// A payment of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for somebody else's payment.
pub async fn payment(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<PaymentRecord, ApiError> {
    let id: PaymentId = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let payment = gateway.store.payment(merchant, id).await?;
    payment
        .map(|payment| PaymentRecord::of(&payment, gateway.livemode()))
        .ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Payments of the merchant, newest first.
pub async fn payments(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: PaymentFilter,
) -> Result<Page<PaymentRecord>, ApiError> {
    let limit = filter.limit;
    let one_more = PaymentFilter {
        limit: limit.saturating_add(1),
        ..filter
    };
    // Behind the index that gives the order, these are compared row by row.
    let scans = one_more.state.is_some()
        || one_more.currency.is_some()
        || one_more.method.is_some()
        || one_more.amount_from_minor.is_some()
        || one_more.amount_until_minor.is_some();
    let store = gateway.store.clone();
    let reading = async move { Ok(store.payments(merchant, &one_more).await?) };
    let rows = gateway.read_queues.list(merchant, scans, reading).await?;
    Ok(page(rows, limit, |payment| {
        Some(PaymentRecord::of(&payment, gateway.livemode()))
    }))
}

/// What was done to a payment of the merchant after its authorization, newest first.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for somebody else's payment.
pub async fn modifications(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: &str,
    after: Option<ModificationId>,
    limit: u32,
) -> Result<Page<ModificationRecord>, ApiError> {
    let id: PaymentId = payment
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    if gateway.store.payment(merchant, id).await?.is_none() {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    let more = limit.saturating_add(1);
    let rows = gateway
        .store
        .modifications(merchant, id, after, more)
        .await?;
    Ok(page(rows, limit, |row| Some(ModificationRecord::of(&row))))
}

/// Disputes of the merchant, or of one payment of theirs, newest first.
pub async fn disputes(
    gateway: &Gateway,
    merchant: MerchantId,
    payment: Option<PaymentId>,
    after: Option<DisputeId>,
    limit: u32,
) -> Result<Page<DisputeRecord>, ApiError> {
    let more = limit.saturating_add(1);
    let rows = gateway
        .store
        .disputes(merchant, payment, after, more)
        .await?;
    Ok(page(rows, limit, |row| {
        Some(DisputeRecord::of(&row, gateway.livemode()))
    }))
}

/// A page of the rows that were found, one more of which were asked for than it takes.
pub(super) fn page<R, T: ToSchema>(
    rows: Vec<R>,
    limit: u32,
    view: impl FnMut(R) -> Option<T>,
) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    Page {
        data: rows.into_iter().take(limit).filter_map(view).collect(),
        has_more,
    }
}

/// The public keys.
#[must_use]
pub fn published_keys(gateway: &Gateway) -> PublishedKeys {
    let keys = gateway.keys();
    let sealing_keys = keys
        .published_sealing_keys(gateway.clock.now())
        .map(|key| PublishedSealingKey {
            kid: key.key_id.clone(),
            kem: "X-Wing",
            kdf: "HKDF-SHA256",
            aead: "ChaCha20Poly1305",
            public_key: key.public_key.clone(),
            not_before: key.not_before,
            not_after: key.not_after,
        })
        .collect();
    let webhook_keys = keys
        .published_webhook_keys()
        .filter_map(|key| {
            Some(PublishedWebhookKey {
                kid: key.key_id.clone(),
                public_key: webhook_key_text(key)?,
                not_before: key.not_before,
                not_after: (key.not_after != i64::MAX).then_some(key.not_after),
            })
        })
        .collect();
    PublishedKeys {
        sealing_keys,
        webhook_keys,
    }
}

/// The origins that may embed the widget of a merchant, for `frame-ancestors`.
///
/// # Errors
/// [`ErrorCode::UnknownMerchant`].
pub async fn frame_ancestors(gateway: &Gateway, merchant: &str) -> Result<Vec<String>, ApiError> {
    let unknown = || ApiError::new(ErrorCode::UnknownMerchant);
    let id: MerchantId = merchant.parse().map_err(|_| unknown())?;
    Ok(gateway
        .store
        .merchant(id)
        .await?
        .ok_or_else(unknown)?
        .origins)
}
