//! The OpenAPI document, generated from the handlers. `docs/openapi.json` is a copy, and a test
//! fails if they differ.

use super::state::AppState;
use super::{audit, contract, examples, in_flight, rate_limit};
use crate::{
    agreements, balance, customers, disputes, instruments, invoices, keys, modifications,
    notifications, payments, payouts, prices, sessions, settlements, subscriptions, webhooks,
};
use axum::middleware;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sealpay verifier",
        description = "A payment gateway with a simulated bank. The requests of the widget are \
            signed as docs/reference/protocol.md describes; those of the merchant carry an API \
            key or are signed with its order key."
    ),
    components(schemas(
        sealpay_protocol::api::Problem,
        crate::webhooks::events::body::EventBody<crate::payments::event::PaymentEventData>,
        crate::webhooks::events::body::EventBody<crate::customers::view::CustomerEventData>,
        crate::webhooks::events::body::EventBody<crate::instruments::view::InstrumentEventData>,
        crate::webhooks::events::body::EventBody<crate::agreements::view::AgreementEventData>,
        crate::webhooks::events::body::EventBody<crate::subscriptions::view::SubscriptionEventData>,
        crate::webhooks::events::body::EventBody<crate::invoices::view::InvoiceEventData>,
        crate::webhooks::events::body::EventBody<crate::payouts::view::PayoutEventData>,
        crate::webhooks::events::body::EventBody<crate::settlements::view::SettlementEventData>,
        crate::webhooks::events::body::EventBody<crate::webhooks::events::view::EndpointEventData>
    )),
    modifiers(&MerchantSchemes)
)]
struct Contract;

/// The two authentication schemes of merchants' requests.
struct MerchantSchemes;

impl Modify for MerchantSchemes {
    fn modify(&self, contract: &mut utoipa::openapi::OpenApi) {
        let Some(components) = contract.components.as_mut() else {
            return;
        };
        let api_key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "`sk_test_…`, limited to the scopes it was created with",
            ))
            .build();
        components.add_security_scheme("api_key", SecurityScheme::Http(api_key));
        let order_key = ApiKeyValue::with_description(
            "Signature",
            "RFC 9421, by the merchant's order key: docs/reference/protocol.md section 8",
        );
        let order_key = SecurityScheme::ApiKey(ApiKey::Header(order_key));
        components.add_security_scheme("merchant_signature", order_key);
        let page_key = ApiKeyValue::with_description(
            "Signature",
            "RFC 9421, by the key that the page made: docs/reference/protocol.md section 5",
        );
        let page_key = SecurityScheme::ApiKey(ApiKey::Header(page_key));
        components.add_security_scheme(contract::WIDGET_SIGNATURE, page_key);
    }
}

fn limited() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Contract::openapi())
        .merge(sessions::routes::routes())
        .merge(payments::routes::routes())
        .merge(payments::authentication_routes::routes())
        .merge(payments::agreement_routes::routes())
        .merge(modifications::routes::routes())
        .merge(disputes::routes::routes())
        .merge(customers::routes::routes())
        .merge(instruments::routes::routes())
        .merge(agreements::routes::routes())
        .merge(prices::routes::routes())
        .merge(subscriptions::routes::routes())
        .merge(invoices::routes::routes())
        .merge(balance::routes::routes())
        .merge(settlements::routes::routes())
        .merge(payouts::routes::routes())
        .merge(crate::auth::audit::routes::routes())
        .merge(webhooks::events::routes::routes())
        .merge(webhooks::endpoints::routes::routes())
        .merge(notifications::routes::routes())
}

fn unlimited() -> OpenApiRouter<AppState> {
    keys::routes::routes()
}

/// The documented routes for shoppers and merchants.
pub(crate) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let limit = middleware::from_fn_with_state(state.clone(), rate_limit::limit);
    let admit = middleware::from_fn_with_state(state.clone(), in_flight::admit);
    let guesses = middleware::from_fn_with_state(state.clone(), rate_limit::slow_guessing);
    let audit = middleware::from_fn_with_state(state.clone(), audit::audit);
    limited()
        .route_layer(audit)
        .route_layer(guesses)
        .route_layer(admit)
        .route_layer(limit)
        .merge(unlimited())
}

/// The OpenAPI document as JSON, as checked in.
///
/// # Errors
/// An example does not match an operation.
pub fn document() -> Result<String, serde_json::Error> {
    let mut contract = limited().merge(unlimited()).into_openapi();
    #[cfg(feature = "simulator")]
    contract.merge(crate::simulation::routes::openapi());
    // The version is that of the protocol, not of every release.
    contract.info.version = "1".into();
    contract.info.license = None;
    contract::complete(&mut contract);
    examples::put_into(&mut contract)?;
    serde_json::to_string_pretty(&contract::Document::new(contract)).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use super::document;
    use crate::http::guesses::Target;
    use crate::http::rate_limit::target;
    use axum::http::Method;

    /// The kind of credential decides what a failed request counts as a guess at.
    #[test]
    fn failed_requests_count_as_guesses_at_the_right_target() {
        let contract: serde_json::Value = serde_json::from_str(&document().unwrap()).unwrap();
        let mut seen = Vec::new();
        for (path, item) in contract["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                    continue;
                };
                let expected = match (path.as_str(), operation["tags"][0].as_str()) {
                    ("/v1/sessions", Some("widget")) => None,
                    (_, Some("widget")) => Some(Target::Sessions),
                    (_, Some("merchant")) => Some(Target::Merchants),
                    _ => continue,
                };
                assert_eq!(target(&method, path), expected, "{method} {path}");
                seen.push(expected);
            }
        }
        assert!(seen.contains(&Some(Target::Sessions)), "{seen:?}");
        assert!(seen.contains(&Some(Target::Merchants)), "{seen:?}");
    }
}
