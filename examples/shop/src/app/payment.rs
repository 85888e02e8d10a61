//! From the order to its payment: the page with the form, and the order as the webhooks told of it.

use super::backoffice::Token;
use super::{Shop, Trouble};
use crate::orders::{Order, OrderFilter, Terms};
use crate::pages::{self, Arrival, BILLING_COUNTRIES, CheckoutPage, DeskForm, Visit};
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use maud::Markup;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::limits::ORDER_LIFETIME_SECONDS;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Characters of a search that are looked at.
const SEARCH_CHARACTERS: usize = 100;

/// What a tester chose. A box that is not ticked is not sent at all.
#[derive(Deserialize)]
pub(super) struct Choice {
    card: Option<String>,
    wallet: Option<String>,
    bank_transfer: Option<String>,
    #[serde(default)]
    authentication: String,
    #[serde(default)]
    billing_country: String,
    #[serde(default)]
    simulate: String,
    capture: Capture,
}

/// Where a visitor of the order page comes from, and since when.
#[derive(Deserialize)]
pub(super) struct VisitParams {
    from: Option<String>,
    since: Option<u64>,
    done: Option<String>,
}

/// What is asked of the list of orders.
#[derive(Deserialize)]
pub(super) struct ListParams {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: String,
}

/// What the order page asks for again and again.
#[derive(Serialize)]
pub(super) struct Status {
    state: &'static str,
    revision: String,
}

pub(super) async fn find(shop: &Shop, reference: String) -> Result<Order, Trouble> {
    shop.orders(move |orders| orders.find(&reference))
        .await?
        .ok_or(Trouble::NotFound)
}

pub(super) fn order_page(reference: &str) -> Redirect {
    Redirect::to(&format!("/orders/{reference}"))
}

/// `GET /checkout/{reference}`
pub(super) async fn page(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
) -> Result<Response, Trouble> {
    let order = find(&shop, reference).await?;
    let now = shop.edge.now();
    let personas = shop.verifier.personas(now).await;
    // Only a verifier in test mode tells of its cards.
    let test_mode = !personas.is_empty();
    let Some(signed) = signed_order(&shop, order.reference.clone(), test_mode, now).await? else {
        return Ok(order_page(&order.reference).into_response());
    };
    let verifier = shop.verifier.origin();
    let page = CheckoutPage {
        order: &order,
        signed: &signed,
        verifier,
        control: shop.verifier.control(),
        personas: &personas,
    };
    Ok(pages::checkout(&page).into_response())
}

/// None when the order must not be paid now.
async fn signed_order(
    shop: &Arc<Shop>,
    reference: String,
    test_mode: bool,
    now: u64,
) -> Result<Option<String>, Trouble> {
    let unique = shop.edge.random()?;
    let signer = Arc::clone(shop);
    shop.orders(move |orders| {
        orders.signed(&reference, now, ORDER_LIFETIME_SECONDS, |order| {
            let signed = signer.integration.sign_order(order, test_mode, unique, now);
            signed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
        })
    })
    .await
}

/// `POST /checkout/{reference}/sign`: another signed order for a form whose own is over, which is the
/// body. A conflict says that there is nothing to pay now; the order's page says why.
pub(super) async fn sign(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    over: String,
) -> Result<Response, Trouble> {
    let order = find(&shop, reference).await?;
    let now = shop.edge.now();
    let test_mode = !shop.verifier.personas(now).await.is_empty();
    let reference = order.reference.clone();
    shop.orders(move |orders| orders.take_back(&reference, &over))
        .await?;
    let signed = signed_order(&shop, order.reference, test_mode, now).await?;
    Ok(signed.map_or_else(
        || StatusCode::CONFLICT.into_response(),
        IntoResponse::into_response,
    ))
}

/// `POST /checkout/{reference}`
pub(super) async fn choose(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    choice: Result<Form<Choice>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(choice) = choice.map_err(|_| {
        Trouble::Form("Those settings couldn’t be read. Reload the page and try again.")
    })?;
    let terms = choice.into_terms().map_err(Trouble::Form)?;
    let order = find(&shop, reference).await?;
    if let Some(outcome) = &terms.simulate
        && !shop
            .verifier
            .personas(shop.edge.now())
            .await
            .has_outcome(outcome)
    {
        return Err(Trouble::Form(
            "The simulated bank doesn’t know that outcome.",
        ));
    }
    let address = format!("/checkout/{}", order.reference);
    // A payment that is under way keeps its terms; the page leads to wherever it stands.
    shop.orders(move |orders| orders.choose(&order.reference, &terms))
        .await?;
    Ok(Redirect::to(&address))
}

impl Choice {
    fn into_terms(self) -> Result<Terms, &'static str> {
        let boxes = [
            (self.card, Method::Card),
            (self.wallet, Method::Wallet),
            (self.bank_transfer, Method::BankTransfer),
        ];
        let ticked = boxes.into_iter().filter(|(ticked, _)| ticked.is_some());
        let methods: Vec<_> = ticked.map(|(_, method)| method).collect();
        if methods.is_empty() {
            return Err("Choose at least one payment method.");
        }
        let requires_authentication = match self.authentication.as_str() {
            "" | "automatic" => false,
            "required" => true,
            _ => return Err("Choose when to authenticate: by the risk rules, or always."),
        };
        let known = |country: &String| BILLING_COUNTRIES.iter().any(|(code, _)| code == country);
        let billing_country = Some(self.billing_country).filter(|country| !country.is_empty());
        if !billing_country.as_ref().is_none_or(known) {
            return Err("Choose a billing country from the list.");
        }
        Ok(Terms {
            capture: self.capture,
            methods,
            billing_country,
            requires_authentication,
            simulate: Some(self.simulate).filter(|outcome| !outcome.is_empty()),
        })
    }
}

/// `GET /orders`
pub(super) async fn orders(
    State(shop): State<Arc<Shop>>,
    Query(params): Query<ListParams>,
) -> Result<Markup, Trouble> {
    let filter = OrderFilter {
        words: params.q.trim().chars().take(SEARCH_CHARACTERS).collect(),
        // Whatever is no number of a page is the first one.
        page: params.page.parse().unwrap_or(1).max(1),
    };
    let page = shop.orders(move |orders| orders.list(filter)).await?;
    Ok(pages::orders(&page))
}

impl VisitParams {
    /// None when the form has just led here and nobody has noted the moment yet.
    fn arrival(&self, now: u64) -> Option<Arrival> {
        match (self.from.as_deref(), self.since) {
            (Some("form"), Some(since)) if since <= now => Some(Arrival::FromForm { since }),
            (Some("form"), _) => None,
            _ => Some(Arrival::Elsewhere),
        }
    }
}

/// `GET /orders/{reference}`
pub(super) async fn order(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    Query(params): Query<VisitParams>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let order = find(&shop, reference).await?;
    let now = shop.edge.now();
    let Some(arrival) = params.arrival(now) else {
        // In the address, so that a later visit to it is known as one.
        let address = format!("/orders/{}?from=form&since={now}", order.reference);
        return Ok(Redirect::to(&address).into_response());
    };
    let token = Token::of(&shop, &headers)?;
    // Named before anything is sent: sent twice, it is the same request.
    let key = format!("shop-{}", base64url(&shop.edge.random::<16>()?));
    let visit = Visit {
        arrival,
        done: params.done.as_deref().and_then(pages::done),
        now,
        control: shop.verifier.control(),
        desk: shop.desk.is_some().then_some(DeskForm {
            token: &token.value,
            key: &key,
        }),
    };
    let page = pages::order(&order, visit);
    let cookie = token.cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
    Ok((cookie, page).into_response())
}

/// `GET /orders/{reference}/status`
pub(super) async fn status(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
    Query(params): Query<VisitParams>,
) -> Result<Json<Status>, Trouble> {
    let order = find(&shop, reference).await?;
    let now = shop.edge.now();
    let arrival = params.arrival(now).unwrap_or(Arrival::Elsewhere);
    Ok(Json(Status {
        state: order.state().name(),
        revision: arrival.revision(&order, now),
    }))
}
