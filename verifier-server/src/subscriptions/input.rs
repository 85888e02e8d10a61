//! The members that requests about subscriptions have in common.

use super::model::{Plan, PlanItem};
use crate::agreements::model::{Agreement, AgreementState};
use crate::dunning::policy::{DunningPolicy, PolicyData};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::prices::model::{Metadata, Price};
use sealpay_protocol::ids::{AgreementId, CustomerId, MerchantId, PriceId};
use sealpay_protocol::limits::{AMOUNT_MINOR, ITEM_QUANTITY, SUBSCRIPTION_ITEMS};
use serde::Deserialize;
use utoipa::ToSchema;

/// A price in a quantity.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemRequest {
    /// `pri_…`: a price of the merchant.
    pub price: String,
    /// How many units; 1 if omitted.
    #[schema(minimum = 1, maximum = 9999)]
    pub quantity: Option<u32>,
}

/// The plan of these items, and the longest trial of their prices, days.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`], [`ErrorCode::PriceArchived`], [`ErrorCode::PricesDiffer`] or
/// [`ErrorCode::AmountInvalid`].
pub(super) async fn plan(
    gateway: &Gateway,
    merchant: MerchantId,
    items: &[ItemRequest],
) -> Result<(Plan, u32), ApiError> {
    if !(1..=SUBSCRIPTION_ITEMS).contains(&items.len()) {
        let detail = format!("items must be 1 to {SUBSCRIPTION_ITEMS} prices.");
        return Err(ApiError::invalid("items", detail));
    }
    let mut prices: Vec<Price> = Vec::with_capacity(items.len());
    for item in items {
        let price = price(gateway, merchant, &item.price).await?;
        if prices.iter().any(|other| other.id == price.id) {
            let detail = "items must name each price once, with its quantity.";
            return Err(ApiError::invalid("items", detail));
        }
        prices.push(price);
    }
    let Some(first) = prices.first() else {
        return Err(ApiError::new(ErrorCode::InvalidParameter));
    };
    let differs = |price: &Price| {
        price.interval != first.interval || price.money.currency() != first.money.currency()
    };
    if prices.iter().any(differs) {
        return Err(ApiError::for_param(ErrorCode::PricesDiffer, "items"));
    }
    let quantities = items.iter().map(|item| item.quantity.unwrap_or(1));
    let planned = prices.iter().zip(quantities).map(|(price, quantity)| {
        if !(1..=ITEM_QUANTITY).contains(&quantity) {
            let detail = format!("quantity must be 1 to {ITEM_QUANTITY}.");
            return Err(ApiError::invalid("items", detail));
        }
        Ok(PlanItem {
            price: price.id,
            name: price.name.clone(),
            unit_minor: price.money.amount_minor(),
            quantity,
        })
    });
    let plan = Plan {
        interval: first.interval,
        currency: first.money.currency().to_string(),
        items: planned.collect::<Result<_, _>>()?,
        simulate: prices.iter().find_map(|price| price.simulate.clone()),
    };
    match plan.total_minor() {
        Some(total_minor) if total_minor <= AMOUNT_MINOR => {}
        _ => return Err(ApiError::for_param(ErrorCode::AmountInvalid, "items")),
    }
    let trial_days = prices.iter().map(|price| price.trial_days).max();
    Ok((plan, trial_days.unwrap_or(0)))
}

async fn price(gateway: &Gateway, merchant: MerchantId, id: &str) -> Result<Price, ApiError> {
    let unknown = || ApiError::invalid("items", "items must name prices of this merchant.");
    let id: PriceId = id.parse().map_err(|_| unknown())?;
    let found = gateway.store.prices.get_owned(merchant, id).await?;
    let price = found.ok_or_else(unknown)?;
    if price.archived_at_ms.is_some() {
        return Err(ApiError::for_param(ErrorCode::PriceArchived, "items"));
    }
    Ok(price)
}

/// An agreement by which a subscription can be charged.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`] if it is not this customer's, [`ErrorCode::AgreementInactive`],
/// [`ErrorCode::AgreementNotChargeable`] or [`ErrorCode::AgreementCurrencyMismatch`].
pub(super) async fn agreement(
    gateway: &Gateway,
    (merchant, customer): (MerchantId, CustomerId),
    id: &str,
    plan: &Plan,
) -> Result<Agreement, ApiError> {
    let unknown = || {
        let detail = "agreement must be an agreement of this customer.";
        ApiError::invalid("agreement", detail)
    };
    let id: AgreementId = id.parse().map_err(|_| unknown())?;
    let found = gateway.store.agreements.get_owned(merchant, id).await?;
    let found = found.filter(|agreement| agreement.customer == customer);
    let agreement = found.ok_or_else(unknown)?;
    let code = if agreement.state != AgreementState::Active {
        ErrorCode::AgreementInactive
    } else if !agreement.kind.is_merchant_initiated() {
        ErrorCode::AgreementNotChargeable
    } else if agreement.currency.to_string() != plan.currency {
        ErrorCode::AgreementCurrencyMismatch
    } else {
        return Ok(agreement);
    };
    Err(ApiError::for_param(code, "agreement"))
}

/// A dunning policy.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`].
pub(super) fn dunning(data: PolicyData) -> Result<DunningPolicy, ApiError> {
    DunningPolicy::try_from(data).map_err(|error| ApiError::invalid("dunning", error.to_string()))
}

/// Metadata within its limits.
///
/// # Errors
/// [`ErrorCode::InvalidParameter`].
pub(super) fn metadata(metadata: Metadata) -> Result<Metadata, ApiError> {
    metadata
        .check()
        .map_err(|detail| ApiError::invalid("metadata", detail))?;
    Ok(metadata)
}
