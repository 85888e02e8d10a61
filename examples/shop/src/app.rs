//! The shop as one router: its pages, the webhook, and the security headers of all of them.

mod checkout;
mod orders;
mod subscriptions;

pub(crate) use subscriptions::{
    Action, ListedInstrument, ListedInvoice, ListedState, ListedSubscription, Listing,
};

use crate::basket::Basket;
use crate::integration::state::Order;
use crate::integration::{Merchant, webhook};
use crate::pages;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sealpay_protocol::origin::Origin;
use std::fmt::Display;
use std::sync::Arc;

/// The maximum size of a webhook body, bytes. A payment event has about 1000.
const WEBHOOK_BYTES: usize = 64 * 1024;

/// The maximum size of a form body, bytes: a handful of short fields.
const FORM_BYTES: usize = 4 * 1024;

/// What the handlers need.
pub(crate) struct Shop {
    pub(crate) merchant: Arc<Merchant>,
    /// Where testers control a verifier in test mode.
    pub(crate) control: Option<Origin>,
}

/// Why a page cannot be shown.
pub(crate) enum AppError {
    NotFound,
    /// The form cannot be used; the sentence says why.
    Form(&'static str),
    /// The subscriptions cannot be read or changed now; the reason is for the log only.
    Subscriptions(String),
    /// For the log only: the shopper sees a generic message.
    Internal(String),
}

/// The whole shop.
pub(crate) fn app(shop: Arc<Shop>) -> Router {
    let forms = Router::new()
        .route("/checkout", post(checkout::create))
        .route("/checkout/{reference}", post(checkout::configure))
        .route("/checkout/{reference}/sign", post(checkout::sign))
        .route("/subscriptions/{id}/{action}", post(subscriptions::act))
        .layer(DefaultBodyLimit::max(FORM_BYTES));
    let webhook = post(webhook::receive).layer(DefaultBodyLimit::max(WEBHOOK_BYTES));
    Router::new()
        .route("/", get(async || pages::home()))
        .route("/checkout/{reference}", get(checkout::page))
        .route("/orders", get(orders::list))
        .route("/orders/{reference}", get(orders::page))
        .route("/orders/{reference}/status", get(orders::status))
        .route("/subscriptions", get(subscriptions::list))
        .route(
            "/webhooks/sealpay",
            webhook.with_state(Arc::clone(&shop.merchant)),
        )
        .route("/assets/{name}", get(asset))
        .route("/healthz", get(async || "ok\n"))
        .merge(forms)
        .fallback(async || AppError::NotFound)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shop),
            secure_headers,
        ))
        .with_state(shop)
}

/// Nothing inline, and nothing from elsewhere but the verifier's loader and its frame.
async fn secure_headers(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let verifier = &shop.merchant.verifier;
    let policy = format!(
        "default-src 'none'; script-src 'self' {verifier}; style-src 'self'; img-src 'self'; \
         connect-src 'self'; frame-src {verifier}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let permissions = format!(
        "payment=(self \"{verifier}\"), publickey-credentials-get=(self \"{verifier}\"), \
         publickey-credentials-create=(self \"{verifier}\"), camera=(), geolocation=(), \
         microphone=()"
    );
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        // An origin has only characters that a header may carry.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(HeaderName::from_static("permissions-policy"), &permissions);
    set(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CACHE_CONTROL, "no-store");
    response
}

/// `GET /assets/{name}`
async fn asset(Path(name): Path<String>) -> Result<Response, AppError> {
    let (media_type, body) = match name.as_str() {
        "shop.css" => ("text/css", include_str!("../assets/shop.css")),
        "shop.js" => ("text/javascript", include_str!("../assets/shop.js")),
        "favicon.svg" => ("image/svg+xml", include_str!("../assets/favicon.svg")),
        _ => return Err(AppError::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, body).into_response())
}

impl Shop {
    fn find(&self, reference: &str) -> Result<(Order, Basket), AppError> {
        let order = self.merchant.orders.find(reference)?;
        let order = order.ok_or(AppError::NotFound)?;
        let basket = Basket::read(&order)?;
        Ok((order, basket))
    }
}

impl<E: Display> From<E> for AppError {
    fn from(error: E) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let (status, title, sentence) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Page not found",
                "This page doesn’t exist, or it has moved.",
            ),
            Self::Form(sentence) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Please check what you entered",
                sentence,
            ),
            Self::Subscriptions(reason) => {
                eprintln!("shop: {reason}");
                let sentence = "We can’t show or change your subscriptions right now. Open the \
                                page again in a minute to see how they are.";
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Subscriptions aren’t available",
                    sentence,
                )
            }
            Self::Internal(reason) => {
                eprintln!("shop: {reason}");
                let sentence = "Something went wrong on our side. This request didn’t charge you.";
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong",
                    sentence,
                )
            }
        };
        (status, pages::notice(title, sentence)).into_response()
    }
}
