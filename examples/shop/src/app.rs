//! The shop as one router: every page, the webhook, and the headers that go with all of them.

mod backoffice;
mod evidence;
mod payment;
mod shelf;
mod webhook;

use crate::desk::Desk;
use crate::edge::Edge;
use crate::integration::Integration;
use crate::orders::OrderFile;
use crate::pages;
use crate::verifier::Verifier;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// A webhook's largest body, bytes. A payment has about one thousand.
const WEBHOOK_BYTES: usize = 64 * 1024;

/// A form's largest body, bytes: a handful of short fields.
const FORM_BYTES: usize = 4 * 1024;

/// The largest body of a form with a text of [`pages::EVIDENCE_CHARACTERS`], bytes: a character may take
/// twelve in a form.
const EVIDENCE_BYTES: usize = 64 * 1024;

/// What the handlers need.
pub(crate) struct Shop {
    pub(crate) integration: Integration,
    pub(crate) orders: OrderFile,
    pub(crate) verifier: Verifier,
    /// None when the shop has no API key.
    pub(crate) desk: Option<Desk>,
    pub(crate) edge: Edge,
}

/// Why a page could not be made. Callers see a sentence, the operator sees the reason.
pub(crate) enum Trouble {
    /// There is nothing under that address.
    NotFound,
    /// The form that was sent is not one of this shop's.
    Form(&'static str),
    /// The form does not come from this browser's own page of this shop.
    Stranger,
    /// Something of the shop's own failed.
    Internal(String),
}

/// The whole shop.
pub(crate) fn app(shop: Arc<Shop>) -> Router {
    let forms = Router::new()
        .route("/checkout", post(shelf::order))
        .route(
            "/checkout/{reference}",
            get(payment::page).post(payment::choose),
        )
        .route("/checkout/{reference}/sign", post(payment::sign))
        .route("/orders/{reference}/desk", post(backoffice::act))
        .layer(DefaultBodyLimit::max(FORM_BYTES));
    let evidence = Router::new()
        .route("/orders/{reference}/evidence", post(evidence::submit))
        .layer(DefaultBodyLimit::max(EVIDENCE_BYTES));
    let webhook = Router::new()
        .route("/webhooks/sealpay", post(webhook::receive))
        .layer(DefaultBodyLimit::max(WEBHOOK_BYTES));
    Router::new()
        .route("/", get(shelf::page))
        .route("/orders", get(payment::orders))
        .route("/orders/{reference}", get(payment::order))
        .route("/orders/{reference}/status", get(payment::status))
        .route("/assets/{name}", get(shelf::asset))
        .route("/healthz", get(async || "ok\n"))
        .merge(forms)
        .merge(evidence)
        .merge(webhook)
        .fallback(async || Trouble::NotFound)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shop),
            secure_headers,
        ))
        .with_state(shop)
}

/// Nothing inline, nothing from elsewhere but the verifier's loader and its frame.
async fn secure_headers(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let verifier = shop.verifier.origin();
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
    set(headers, header::CONTENT_SECURITY_POLICY, &policy);
    set(
        headers,
        HeaderName::from_static("permissions-policy"),
        &permissions,
    );
    set(
        headers,
        header::REFERRER_POLICY,
        "strict-origin-when-cross-origin",
    );
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if !headers.contains_key(header::CACHE_CONTROL) {
        set(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // An origin has only characters that a header may carry.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

impl Shop {
    /// Runs a job on the orders where it may wait for the disk.
    pub(crate) async fn orders<T: Send + 'static>(
        &self,
        job: impl FnOnce(&OrderFile) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        let orders = self.orders.clone();
        Ok(tokio::task::spawn_blocking(move || job(&orders)).await??)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<tokio::task::JoinError> for Trouble {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for Trouble {
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
            Self::Stranger => (
                StatusCode::FORBIDDEN,
                "Request refused",
                "This request didn’t come from the order’s page in this browser, so nothing was \
                 changed. Open the order again and repeat it there.",
            ),
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
