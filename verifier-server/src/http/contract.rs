//! Completes the OpenAPI document: the operation id of every operation, the form of an
//! `Idempotency-Key`, the error responses, and the webhooks.

use crate::webhooks::events::model::KINDS;
use sealpay_protocol::limits::IDEMPOTENCY_KEY_CHARACTERS;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema};

/// Operations whose ids do not follow from method and path.
const NAMES: [(&str, &str); 9] = [
    ("post /v1/payments", "pay"),
    ("post /v1/sessions", "open_session"),
    ("post /v1/authentications", "authenticate"),
    ("post /v1/instruments/remove", "remove_instrument"),
    ("post /v1/agreements/{id}/payments", "charge_agreement"),
    ("post /v1/disputes/{id}/evidence", "submit_dispute_evidence"),
    ("post /sim/clock", "advance_sim_clock"),
    ("post /sim/disputes/{id}", "decide_sim_dispute"),
    ("delete /sim/faults", "delete_all_sim_faults"),
];

/// The security scheme of the widget's requests, which are signed with the page's own key.
pub(crate) const WIDGET_SIGNATURE: &str = "widget_signature";

/// Completes every operation.
pub(crate) fn complete(contract: &mut OpenApi) {
    for (path, item) in &mut contract.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(name_of(method, path));
            complete_one(operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ];
    let there = all.into_iter();
    there.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_one(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == "Idempotency-Key"
        {
            describe_key(parameter);
        }
    }
    let of_widget = |tags: &Vec<String>| tags.iter().any(|tag| tag == "widget");
    if operation.tags.as_ref().is_some_and(of_widget) {
        let signed = SecurityRequirement::new::<_, [&str; 0], &str>(WIDGET_SIGNATURE, []);
        operation.security = Some(vec![signed]);
    }
    let of_merchant = |tags: &Vec<String>| tags.iter().any(|tag| tag == "merchant");
    if operation.tags.as_ref().is_some_and(of_merchant) {
        let either = ["api_key", "merchant_signature"];
        let either =
            either.map(|scheme| SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []));
        operation.security = Some(either.into());
    }
    let problem = |description: &str| {
        let schema = RefOr::from(Ref::from_schema_name("Problem"));
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().content("application/problem+json", content);
        response.description(description).build()
    };
    let responses = &mut operation.responses.responses;
    responses
        .entry("4XX".into())
        .or_insert_with(|| problem("Refused").into());
    responses
        .entry("5XX".into())
        .or_insert_with(|| problem("The server is busy, stops, or failed; ask again").into());
}

/// The document with its webhooks, which utoipa does not know.
#[derive(Serialize)]
pub(crate) struct Document {
    #[serde(flatten)]
    contract: OpenApi,
    webhooks: BTreeMap<&'static str, PathItem>,
}

impl Document {
    /// The contract and a webhook for each event type.
    pub(crate) fn new(contract: OpenApi) -> Self {
        let webhooks = KINDS.into_iter().map(|kind| (kind, webhook(kind)));
        Self {
            contract,
            webhooks: webhooks.collect(),
        }
    }
}

/// The request that an endpoint receives (Standard Webhooks).
fn webhook(kind: &str) -> PathItem {
    let schema = match kind.split('.').next() {
        Some("settlement") => "EventBody_SettlementEventData",
        Some("payout") => "EventBody_PayoutEventData",
        Some("customer") => "EventBody_CustomerEventData",
        Some("instrument") => "EventBody_InstrumentEventData",
        Some("agreement") => "EventBody_AgreementEventData",
        Some("subscription") => "EventBody_SubscriptionEventData",
        Some("invoice") => "EventBody_InvoiceEventData",
        Some("webhook_endpoint" | "ping") => "EventBody_EndpointEventData",
        _ => "EventBody_PaymentEventData",
    };
    let schema = RefOr::from(Ref::from_schema_name(schema));
    let body = RequestBodyBuilder::new()
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .required(Some(utoipa::openapi::Required::True));
    let received = ResponseBuilder::new().description("The event was received.");
    let operation = OperationBuilder::new()
        .tag("webhooks")
        .operation_id(Some(format!("{}_event", kind.replace('.', "_"))))
        .request_body(Some(body.build()))
        .response("2XX", received.build());
    PathItem::new(HttpMethod::Post, operation)
}

/// Visible ASCII, which passes every client and proxy unchanged.
fn describe_key(parameter: &mut Parameter) {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(IDEMPOTENCY_KEY_CHARACTERS))
        .pattern(Some("^[!-~]+$"))
        .build();
    parameter.schema = Some(Schema::Object(schema).into());
}

/// The operation id, from a verb and the path: `list_payments`, `get_payment`,
/// `create_payment_refund`, `ping_webhook_endpoint`.
fn name_of(method: &str, path: &str) -> String {
    let line = [method, " ", path].concat();
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == line) {
        return (*name).to_owned();
    }
    let segments: Vec<&str> = path
        .split('/')
        .filter(|s| !matches!(*s, "" | "v1"))
        .collect();
    let is_parameter = |segment: &&str| segment.starts_with('{');
    let last = segments.last().copied().unwrap_or_default();
    // A noun before a parameter becomes singular.
    let mut nouns: Vec<String> = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        if is_parameter(segment) {
            continue;
        }
        let one = segments.get(place + 1).is_some_and(is_parameter);
        let word = segment.replace('-', "_");
        nouns.push(if one { singular(&word) } else { word });
    }
    let is_many = !is_parameter(&last) && singular(last) != last;
    let verb = match method {
        "get" if is_many => "list",
        "post" if is_many => {
            if let Some(noun) = nouns.last_mut() {
                *noun = singular(noun);
            }
            "create"
        }
        // A verb at the end of a path is the operation's verb.
        "post" if !is_parameter(&last) && nouns.len() > 1 => {
            let verb = nouns.pop().unwrap_or_default();
            return [verb, nouns.join("_")].join("_");
        }
        "post" | "put" | "patch" if is_parameter(&last) => "update",
        "post" | "put" | "patch" => "set",
        other => other,
    };
    [verb, &nouns.join("_")].join("_")
}

fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => [stem, "y"].concat(),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn operation_ids_follow_from_method_and_path() {
        let rows = [
            ("get", "/v1/payments", "list_payments"),
            ("post", "/v1/payments", "pay"),
            ("get", "/v1/payments/{id}", "get_payment"),
            ("post", "/v1/payments/{id}/refunds", "create_payment_refund"),
            (
                "get",
                "/v1/payments/{id}/modifications",
                "list_payment_modifications",
            ),
            ("post", "/v1/payments/{id}/void", "void_payment"),
            ("get", "/v1/balance", "get_balance"),
            (
                "get",
                "/v1/balance/transactions",
                "list_balance_transactions",
            ),
            (
                "get",
                "/v1/settlements/{id}/report",
                "get_settlement_report",
            ),
            ("post", "/v1/webhook-endpoints", "create_webhook_endpoint"),
            (
                "post",
                "/v1/webhook-endpoints/{id}",
                "update_webhook_endpoint",
            ),
            (
                "delete",
                "/v1/webhook-endpoints/{id}",
                "delete_webhook_endpoint",
            ),
            (
                "post",
                "/v1/webhook-endpoints/{id}/rotate-secret",
                "rotate_secret_webhook_endpoint",
            ),
            (
                "get",
                "/v1/webhook-endpoints/{id}/deliveries",
                "list_webhook_endpoint_deliveries",
            ),
            ("put", "/sim/accounts/{persona}", "update_sim_account"),
            ("post", "/sim/payouts/{id}/return", "return_sim_payout"),
            ("delete", "/sim/faults/{id}", "delete_sim_fault"),
            ("get", "/sim/clock", "get_sim_clock"),
        ];
        for (method, path, name) in rows {
            assert_eq!(name_of(method, path), name, "{method} {path}");
        }
    }
}
