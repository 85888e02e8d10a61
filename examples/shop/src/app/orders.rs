//! The order page, which updates as webhooks arrive, and the list of orders.

use super::{AppError, Shop};
use crate::basket::Basket;
use crate::{pages, system};
use axum::Json;
use axum::extract::{Path, Query, State};
use maud::Markup;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many orders the list shows.
const LISTED: u32 = 50;

#[derive(Deserialize)]
pub(super) struct Visit {
    /// `form` if the shopper comes from the payment form.
    #[serde(default)]
    from: String,
}

/// What the page polls.
#[derive(Serialize)]
pub(super) struct Status {
    state: &'static str,
    revision: String,
}

/// `GET /orders`
pub(super) async fn list(State(shop): State<Arc<Shop>>) -> Result<Markup, AppError> {
    let orders = shop.merchant.orders.list(LISTED)?.into_iter();
    let orders: Result<Vec<_>, _> = orders
        .map(|order| Basket::read(&order).map(|basket| (order, basket)))
        .collect();
    Ok(pages::orders(&orders?))
}

/// `GET /orders/{reference}`
pub(super) async fn page(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    Query(visit): Query<Visit>,
) -> Result<Markup, AppError> {
    let now = system::now();
    if visit.from == "form" {
        // The shopper has paid, and must not be asked to pay again before the webhook arrives.
        shop.merchant.orders.update(&reference, |order| {
            let mut basket = Basket::read(order)?;
            basket.returned_at.get_or_insert(now);
            order.details = serde_json::to_value(basket)?;
            Ok::<_, AppError>(())
        })?;
    }
    let (order, basket) = shop.find(&reference)?;
    Ok(pages::order(&order, &basket, shop.control.as_ref(), now))
}

/// `GET /orders/{reference}/status`
pub(super) async fn status(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
) -> Result<Json<Status>, AppError> {
    let (order, basket) = shop.find(&reference)?;
    Ok(Json(Status {
        state: pages::OrderStatus::from_order(&order).name,
        revision: pages::revision(&order, &basket, system::now()),
    }))
}
