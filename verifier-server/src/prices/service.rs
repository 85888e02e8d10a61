//! Creates, archives and finds prices.

use super::model::{Metadata, Price};
pub use super::store::PriceFilter;
use super::view::PriceRecord;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::idempotency;
use crate::idempotency::model::IdempotentRequest;
use crate::idempotency::write::Written;
use crate::store::Store;
use crate::subscriptions::interval::Interval;
use crate::subscriptions::simulated_renewal::SimulatedRenewal;
use sealpay_protocol::ids::{MerchantId, PriceId};
use sealpay_protocol::limits::{PRICE_NAME_CHARACTERS, TRIAL_DAYS};
use sealpay_protocol::money::Money;
use sealpay_protocol::text;
use serde::Deserialize;
use utoipa::ToSchema;

/// A new price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// What the customer pays for, as invoices show it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The price of one unit, minor units.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    pub amount: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
    /// How long it pays for.
    pub interval: Interval,
    /// Days without a charge at the start of a subscription; 0 if omitted.
    #[serde(default)]
    #[schema(maximum = 730)]
    pub trial_days: u32,
    /// The merchant's own texts: at most 20 keys.
    #[serde(default)]
    pub metadata: Metadata,
    /// What the simulated bank does with renewals; test mode only.
    pub simulate: Option<SimulatedRenewal>,
}

/// The merchant's prices, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: PriceFilter,
) -> Result<Page<PriceRecord>, ApiError> {
    let rows =
        move |store: Store, filter| async move { store.prices.list(merchant, &filter).await };
    let record = |row| PriceRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, false), filter, rows, record).await
}

/// A price of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's price.
pub async fn get(gateway: &Gateway, merchant: MerchantId, id: &str) -> Result<Price, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    get_owned(gateway, merchant, id).await
}

async fn get_owned(
    gateway: &Gateway,
    merchant: MerchantId,
    id: PriceId,
) -> Result<Price, ApiError> {
    let found = gateway.store.prices.get_owned(merchant, id).await?;
    found.ok_or(ApiError::new(ErrorCode::NotFound))
}

/// Creates a price, once for each `Idempotency-Key`.
///
/// # Errors
/// An error; nothing was created.
pub async fn create(
    gateway: &Gateway,
    request: &IdempotentRequest,
    wanted: NewPrice,
) -> Result<Price, ApiError> {
    text::check(&wanted.name, PRICE_NAME_CHARACTERS)
        .map_err(|fault| ApiError::invalid("name", format!("name {fault}.")))?;
    let currency = wanted
        .currency
        .parse()
        .map_err(|_| ApiError::for_param(ErrorCode::CurrencyUnknown, "currency"))?;
    let money = Money::charge(wanted.amount, currency)
        .map_err(|_| ApiError::for_param(ErrorCode::AmountInvalid, "amount"))?;
    if wanted.trial_days > TRIAL_DAYS {
        let detail = format!("trial_days must be at most {TRIAL_DAYS}.");
        return Err(ApiError::invalid("trial_days", detail));
    }
    wanted
        .metadata
        .check()
        .map_err(|detail| ApiError::invalid("metadata", detail))?;
    if let Some(simulate) = &wanted.simulate {
        gateway.check_simulated_outcome(&simulate.outcome)?;
        simulate.check_numbers()?;
    }
    let price = Price {
        id: PriceId::new(gateway.clock.now_ms(), gateway.rng.bytes()),
        merchant: request.merchant,
        name: text::on_one_line(&wanted.name),
        money,
        interval: wanted.interval,
        trial_days: wanted.trial_days,
        metadata: wanted.metadata,
        simulate: wanted.simulate,
        archived_at_ms: None,
        created_at_ms: gateway.clock.now_ms_i64(),
    };
    let added = gateway.store.prices.add(&price, request);
    match added.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => Ok(price),
        Written::Repeated(replay) => get_owned(gateway, request.merchant, replay.resource()?).await,
        Written::Moved => Err(idempotency::missing()),
    }
}

/// Archives a price, once for each `Idempotency-Key`: subscriptions that have it go on, and no new
/// one may use it.
///
/// # Errors
/// An error; nothing was changed. [`ErrorCode::StateConflict`] if it is archived.
pub async fn archive(
    gateway: &Gateway,
    request: &IdempotentRequest,
    id: &str,
) -> Result<Price, ApiError> {
    let price = get(gateway, request.merchant, id).await?;
    let now_ms = gateway.clock.now_ms_i64();
    let archived = gateway.store.prices.archive(price.id, now_ms, request);
    match archived.await.map_err(ApiError::of_first_transaction)? {
        Written::Done => get_owned(gateway, request.merchant, price.id).await,
        Written::Repeated(replay) => get_owned(gateway, request.merchant, replay.resource()?).await,
        Written::Moved => Err(ApiError::new(ErrorCode::StateConflict)),
    }
}
