//! The machine-readable contract, made of the handlers themselves; `docs/openapi.json` is its copy
//! and a test fails when the two part.

use super::state::AppState;
use super::{rate_limit, sim, v1};
use axum::middleware;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sealpay verifier",
        description = "A payment gateway with a simulated bank. The requests of the widget are \
            signed as docs/PROTOCOL.md describes; those of the merchant carry an API key."
    ),
    components(schemas(crate::flow::event::EventBody)),
    modifiers(&ApiKeyScheme)
)]
struct Contract;

struct ApiKeyScheme;

impl Modify for ApiKeyScheme {
    fn modify(&self, contract: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("`sk_test_…`"))
            .build();
        if let Some(components) = contract.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        }
    }
}

fn limited() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Contract::openapi())
        .routes(routes!(v1::sessions::open))
        .routes(routes!(v1::payments::pay, v1::payments::list))
        .routes(routes!(v1::payments::one))
        .routes(routes!(v1::authentications::step))
        .routes(routes!(v1::events::list))
}

fn unlimited() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(v1::keys::list))
}

/// The routes of the contract.
pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let limit = middleware::from_fn_with_state(state.clone(), rate_limit::limit);
    let guesses = middleware::from_fn_with_state(state.clone(), rate_limit::slow_guessing);
    let router = limited()
        .route_layer(guesses)
        .route_layer(limit.clone())
        .merge(unlimited());
    if state.gateway.settings().test_mode {
        router.merge(sim::router(state).route_layer(limit))
    } else {
        router
    }
}

/// The contract as JSON, as it is checked in.
///
/// # Errors
/// Never with these types.
pub fn document() -> Result<String, serde_json::Error> {
    let mut contract = limited()
        .merge(unlimited())
        .merge(sim::contract())
        .into_openapi();
    // The version of the contract is that of the protocol, not of every release.
    contract.info.version = "1".into();
    contract.info.license = None;
    contract.to_pretty_json().map(|json| json + "\n")
}
