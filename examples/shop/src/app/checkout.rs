//! From the product to the payment form.

use super::{AppError, Shop};
use crate::basket::{Basket, TestSettings};
use crate::integration::state::Order;
use crate::pages;
use crate::system;
use crate::test_cards::TestCards;
use crate::visitor::Visitor;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// The form of a product.
#[derive(Deserialize)]
pub(super) struct NewOrder {
    product: String,
    pieces: u32,
}

/// `POST /checkout`
pub(super) async fn create(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    Form(form): Form<NewOrder>,
) -> Result<Response, AppError> {
    const NOT_SOLD: AppError = AppError::Form("Please choose a product and a quantity we sell.");
    let order = Basket::order(&form.product, form.pieces, system::now())?;
    let mut order = order.ok_or(NOT_SOLD)?;
    let visitor = Visitor::or_new(&headers)?;
    order.subscription = Basket::read(&order)?.subscription(visitor.reference());
    let subscribes = order.subscription.is_some();
    let cookie = subscribes.then(|| visitor.cookie(&shop.merchant.shop));
    shop.merchant.orders.insert(&order)?;
    let checkout = Redirect::to(&format!("/checkout/{}", order.reference));
    Ok((cookie, checkout).into_response())
}

/// Whether the sender of a request may pay: the form of a subscription shows its customer's saved
/// cards.
fn is_own(order: &Order, headers: &HeaderMap) -> bool {
    let visitor = || Visitor::from_headers(headers).map(|visitor| visitor.reference());
    let subscription = order.subscription.as_ref();
    subscription.is_none_or(|subscription| visitor().as_ref() == Some(&subscription.customer))
}

/// `GET /checkout/{reference}`
pub(super) async fn page(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let Some(signed) = signed_order(&shop, &headers, &reference, "")? else {
        return Ok(Redirect::to(&format!("/orders/{reference}")).into_response());
    };
    let (order, basket) = shop.find(&reference)?;
    let cards = match &shop.control {
        Some(control) => TestCards::fetch(&shop.merchant.client, control).await,
        None => TestCards::default(),
    };
    Ok(pages::checkout(&shop, &order, &basket, &signed, &cards).into_response())
}

/// `POST /checkout/{reference}/sign`: another signed order for a form whose own, the body, is over.
/// A conflict says that there is nothing to pay now; the order's page says why.
pub(super) async fn sign(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    over: String,
) -> Result<Response, AppError> {
    Ok(match signed_order(&shop, &headers, &reference, &over)? {
        Some(signed) => signed.into_response(),
        None => StatusCode::CONFLICT.into_response(),
    })
}

/// In one transaction, so that two tabs get the same signed order.
fn signed_order(
    shop: &Shop,
    headers: &HeaderMap,
    reference: &str,
    over: &str,
) -> Result<Option<String>, AppError> {
    let (merchant, is_test) = (&shop.merchant, shop.control.is_some());
    let signed = merchant.orders.update(reference, |order| {
        if !is_own(order, headers) {
            return Err(AppError::NotFound);
        }
        let basket = Basket::read(order)?;
        let claims = basket.claims(merchant, order, is_test, system::now())?;
        Ok::<_, AppError>(merchant.sign(order, &claims, over)?)
    })?;
    signed.ok_or(AppError::NotFound)?
}

/// `POST /checkout/{reference}`: how a tester wants the order signed.
pub(super) async fn configure(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Redirect, AppError> {
    const INCOMPLETE: AppError = AppError::Form("Choose at least one payment method.");
    if shop.control.is_none() {
        return Err(AppError::NotFound);
    }
    // A box that is not ticked is not sent.
    let methods = Method::ALL.into_iter();
    let settings = TestSettings {
        methods: methods
            .filter(|method| form.contains_key(method.name()))
            .collect(),
        capture: Capture::from_name(form.get("capture").ok_or(INCOMPLETE)?).ok_or(INCOMPLETE)?,
        simulate: form.get("simulate").cloned().unwrap_or_default(),
        is_returning: form.contains_key("is_returning"),
    };
    if settings.methods.is_empty() {
        return Err(INCOMPLETE);
    }
    let updated = shop.merchant.orders.update(&reference, |order| {
        if !is_own(order, &headers) {
            return Err(AppError::NotFound);
        }
        // A payment in progress keeps its settings.
        if order.can_be_signed() {
            let basket = Basket {
                settings,
                ..Basket::read(order)?
            };
            order.details = serde_json::to_value(basket)?;
            order.signed_until = 0;
        }
        Ok::<_, AppError>(())
    })?;
    updated.ok_or(AppError::NotFound)??;
    Ok(Redirect::to(&format!("/checkout/{reference}")))
}
