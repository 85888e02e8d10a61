//! The routes of `/sim`, in test mode only; otherwise these paths do not exist. The control
//! listener serves them, except for the wallet's page, which is for shoppers.

use super::{
    accounts, clock, direct_debits, disputes, faults, page, payments, payouts, personas, phone,
    state, text, transfers, upcoming, wallet, webhooks, worlds,
};
use crate::http::in_flight;
use crate::http::rate_limit;
use crate::http::rate_limit::slow_guessing;
use crate::http::state::AppState;
use axum::Router;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa::openapi::server::ServerBuilder;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The documented routes.
pub(crate) fn contract() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(personas::list))
        .routes(routes!(clock::get, clock::advance))
        .routes(routes!(faults::list, faults::add, faults::remove_all))
        .routes(routes!(faults::remove))
        .routes(routes!(webhooks::get, webhooks::set))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::get, accounts::change))
        .routes(routes!(accounts::replace))
        .routes(routes!(accounts::close))
        .routes(routes!(accounts::contact))
        .routes(routes!(phone::list))
        .routes(routes!(payments::list))
        .routes(routes!(payments::get))
        .routes(routes!(transfers::list, transfers::send))
        .routes(routes!(payouts::list))
        .routes(routes!(payouts::return_payout))
        .routes(routes!(direct_debits::debtors))
        .routes(routes!(direct_debits::reverse))
        .routes(routes!(disputes::open))
        .routes(routes!(disputes::decide))
        .routes(routes!(worlds::list, worlds::save))
        .routes(routes!(worlds::remove))
        .routes(routes!(worlds::restore))
        .routes(routes!(upcoming::list))
        .routes(routes!(state::get))
}

/// The OpenAPI document of these routes, with the control listener's address.
pub(crate) fn openapi() -> OpenApi {
    let operators_listener = ServerBuilder::new()
        .url("http://localhost:8788")
        .description(Some(
            "The operator's listener (control_listen), in test mode only",
        ))
        .build();
    let mut contract = contract().into_openapi();
    for path in contract.paths.paths.values_mut() {
        path.servers = Some(vec![operators_listener.clone()]);
    }
    contract
}

/// All routes below `/sim`, for the operator's listener.
pub(crate) fn router() -> Router<AppState> {
    let pages = Router::new()
        .route("/", get(async || Redirect::to("/sim")))
        .route("/sim", get(page::control))
        .route("/sim/control.css", get(text::control_css))
        .route("/sim/control.js", get(text::control_js));
    Router::from(contract()).merge(pages)
}

/// The wallet's page, for the public listener. Its address is a secret that identifies the shopper.
pub(crate) fn wallet_router(state: &AppState) -> Router<AppState> {
    let guesses = middleware::from_fn_with_state(state.clone(), slow_guessing);
    let limit = middleware::from_fn_with_state(state.clone(), rate_limit::limit);
    let admit = middleware::from_fn_with_state(state.clone(), in_flight::admit);
    let same_site =
        middleware::from_fn_with_state(state.clone(), crate::http::same_site::refuse_others);
    Router::new()
        .route(
            "/test/wallet/{token}",
            get(wallet::open).post(wallet::decide),
        )
        .route_layer(guesses)
        .route("/test/wallet.css", get(text::wallet_css))
        .route("/test/wallet.js", get(text::wallet_js))
        .route_layer(same_site)
        .route_layer(admit)
        .route_layer(limit)
}
