//! From the order to its payment: the page with the form, and the order as the webhooks told of it.

use super::{Shop, Trouble};
use crate::orders::Order;
use crate::pages::{self, CheckoutPage};
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use maud::Markup;
use sealpay_protocol::limits::ORDER_LIFETIME_SECONDS;
use sealpay_protocol::order::Capture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many orders the list shows.
const LISTED_ORDERS: u32 = 100;

/// What a tester chose.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    simulate: String,
    capture: Capture,
}

/// Where a visitor of the order page comes from.
#[derive(Deserialize)]
pub(super) struct Arrival {
    from: Option<String>,
}

/// What the order page asks for again and again.
#[derive(Serialize)]
pub(super) struct Status {
    state: &'static str,
    revision: String,
}

async fn find(shop: &Shop, reference: String) -> Result<Order, Trouble> {
    shop.orders(move |orders| orders.find(&reference))
        .await?
        .ok_or(Trouble::NotFound)
}

fn order_page(reference: &str) -> Redirect {
    Redirect::to(&format!("/orders/{reference}"))
}

/// `GET /checkout/{reference}`
pub(super) async fn page(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
) -> Result<Response, Trouble> {
    let order = find(&shop, reference).await?;
    if !order.can_be_paid() {
        return Ok(order_page(&order.reference).into_response());
    }
    let now = shop.edge.now();
    let signed = signed_order(&shop, order.reference.clone(), now).await?;
    let personas = shop.verifier.personas(now).await;
    let verifier = shop.verifier.origin();
    let page = CheckoutPage {
        order: &order,
        signed: &signed,
        verifier,
        personas: &personas,
    };
    Ok(pages::checkout(&page).into_response())
}

async fn signed_order(shop: &Arc<Shop>, reference: String, now: u64) -> Result<String, Trouble> {
    let unique = shop.edge.random()?;
    let signer = Arc::clone(shop);
    let signed = shop
        .orders(move |orders| {
            orders.signed(&reference, now, ORDER_LIFETIME_SECONDS, |order| {
                let signed = signer.integration.sign_order(order, unique, now);
                signed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
            })
        })
        .await?;
    signed.ok_or(Trouble::NotFound)
}

/// `POST /checkout/{reference}`
pub(super) async fn choose(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    choice: Result<Form<Choice>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(choice) = choice.map_err(|_| Trouble::Form("The shop could not read that choice."))?;
    let order = find(&shop, reference).await?;
    if !order.can_be_paid() {
        return Ok(order_page(&order.reference));
    }
    let simulate = Some(choice.simulate).filter(|outcome| !outcome.is_empty());
    if let Some(outcome) = &simulate
        && !shop
            .verifier
            .personas(shop.edge.now())
            .await
            .has_outcome(outcome)
    {
        return Err(Trouble::Form(
            "The simulated bank does not know that answer.",
        ));
    }
    let address = format!("/checkout/{}", order.reference);
    shop.orders(move |orders| orders.choose(&order.reference, choice.capture, simulate.as_deref()))
        .await?;
    Ok(Redirect::to(&address))
}

/// `GET /orders`
pub(super) async fn orders(State(shop): State<Arc<Shop>>) -> Result<Markup, Trouble> {
    let orders = shop.orders(|orders| orders.newest(LISTED_ORDERS)).await?;
    Ok(pages::orders(&orders))
}

/// `GET /orders/{reference}`
pub(super) async fn order(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    Query(arrival): Query<Arrival>,
) -> Result<Markup, Trouble> {
    let from_the_form = arrival.from.as_deref() == Some("form");
    Ok(pages::order(&find(&shop, reference).await?, from_the_form))
}

/// `GET /orders/{reference}/status`
pub(super) async fn status(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
) -> Result<Json<Status>, Trouble> {
    let order = find(&shop, reference).await?;
    Ok(Json(Status {
        state: order.state().name(),
        revision: order.revision(),
    }))
}
