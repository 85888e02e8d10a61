//! `/pay/{token}`

use super::page;
use super::service::{self, PageState};
use crate::http::in_flight;
use crate::http::observe::PageForPeople;
use crate::http::problem::Problem;
use crate::http::rate_limit::{self, WrongGuess, slow_guessing};
use crate::http::state::AppState;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use maud::Markup;

const CSS: &str = include_str!("../../../assets/pay/page.css");
const JS: &str = include_str!("../../../assets/pay/page.js");

/// Scripts, styles and the form come only from this origin, no text becomes markup, and no other page
/// can frame this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
    connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'";

/// The pages for the public listener. Their addresses are secrets of the customers.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    let guesses = middleware::from_fn_with_state(state.clone(), slow_guessing);
    let limit = middleware::from_fn_with_state(state.clone(), rate_limit::limit);
    let admit = middleware::from_fn_with_state(state.clone(), in_flight::admit);
    Router::new()
        .route("/pay/{token}", get(open))
        .route_layer(guesses)
        .route(
            "/pay/page.css",
            get(async || file("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/pay/page.js",
            get(async || file("text/javascript; charset=utf-8", JS)),
        )
        .route_layer(admit)
        .route_layer(limit)
}

/// Browsers revalidate every time.
fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

async fn open(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let Some(found) = service::open(&state.gateway, &token).await? else {
        let response = document(StatusCode::NOT_FOUND, page::unknown());
        return Ok((Extension(WrongGuess), response).into_response());
    };
    let status = match found.state {
        PageState::Payable(_) | PageState::InProgress | PageState::Collecting | PageState::Paid => {
            StatusCode::OK
        }
        PageState::Closed | PageState::Expired => StatusCode::GONE,
    };
    Ok(document(status, page::page(&found)))
}

fn document(status: StatusCode, markup: Markup) -> Response {
    let name = HeaderName::from_static;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (name("x-robots-tag"), "noindex, nofollow"),
        (
            name("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(self), \
             publickey-credentials-get=(self), publickey-credentials-create=(self)",
        ),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let page = Extension(PageForPeople);
    (status, page, headers, markup.into_string()).into_response()
}
