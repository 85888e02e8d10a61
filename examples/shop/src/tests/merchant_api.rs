//! A merchant API with a subscription, for tests of the shop alone.

use super::{TestResponse, TestShop};
use crate::visitor::Visitor;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// `method path key` and the body of a request that changed something.
pub(super) type Posted = (String, Value);

/// A merchant API that has one subscription, of the visitor whose cookie is [`COOKIE`].
#[derive(Clone, Default)]
pub(super) struct MerchantApi {
    pub(super) subscription: Arc<Mutex<Value>>,
    pub(super) invoice: Arc<Mutex<Value>>,
    posted: Arc<Mutex<Vec<Posted>>>,
    pub(super) is_down: Arc<Mutex<bool>>,
}

pub(super) const COOKIE: &str = "visitor=AAECAwQFBgcICQoLDA0ODw";
pub(super) const OTHER_COOKIE: &str = "visitor=EBESExQVFhcYGRobHB0eHw";
pub(super) fn reference(cookie: &str) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, cookie.parse().unwrap());
    Visitor::from_headers(&headers).unwrap().reference()
}

impl MerchantApi {
    /// Starts it; its origin.
    pub(super) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = Router::new().fallback(respond).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, server).await });
        origin
    }

    fn list(&self, path: &str, query: &str) -> Value {
        let invoice = self.invoice.lock().unwrap().clone();
        let rows = match path {
            "/v1/customers" if query.contains(&reference(COOKIE)) => json!([{ "id": "cus_1" }]),
            "/v1/customers" => json!([]),
            _ if !query.contains("customer=cus_1") => panic!("{path}?{query}"),
            "/v1/subscriptions" => json!([*self.subscription.lock().unwrap()]),
            "/v1/invoices" if !invoice.is_null() => json!([invoice]),
            "/v1/invoices" => json!([]),
            "/v1/agreements" => json!([{ "id": "agr_1", "instrument": "ins_1" }]),
            "/v1/instruments" => json!([{ "id": "ins_1", "sepa_debit": null,
                "card": { "brand": "visa", "last4": "4242", "expiry": "2034-12" } }]),
            _ => panic!("{path}?{query}"),
        };
        json!({ "data": rows, "has_more": false })
    }

    pub(super) fn posted(&self) -> Vec<Posted> {
        std::mem::take(&mut *self.posted.lock().unwrap())
    }
}

async fn respond(State(api): State<MerchantApi>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    assert_eq!(parts.headers["authorization"], "Bearer sk_test_1");
    if *api.is_down.lock().unwrap() {
        let error = json!({ "detail": "The verifier is busy." }).to_string();
        return (StatusCode::SERVICE_UNAVAILABLE, error).into_response();
    }
    let path = parts.uri.path();
    if parts.method == Method::GET {
        let response = match path {
            "/v1/agreements/agr_1" => json!({ "id": "agr_1", "customer": "cus_1" }),
            _ => api.list(path, parts.uri.query().unwrap_or_default()),
        };
        return response.to_string().into_response();
    }
    let body = to_bytes(body, 10_000).await.unwrap();
    let key = parts.headers["idempotency-key"].to_str().unwrap();
    let posted = (
        format!("{path} {key}"),
        serde_json::from_slice(&body).unwrap(),
    );
    api.posted.lock().unwrap().push(posted);
    let response = match path {
        "/v1/prices" => json!({ "id": "pri_1" }),
        _ => json!({ "id": "sub_1" }),
    };
    response.to_string().into_response()
}

impl TestShop {
    pub(super) async fn ask(&self, request: &str, cookie: &str, body: &str) -> TestResponse {
        let (method, path) = request.split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(path);
        if !cookie.is_empty() {
            builder = builder.header(header::COOKIE, cookie);
        }
        let form = "application/x-www-form-urlencoded";
        let builder = builder.header(header::CONTENT_TYPE, form);
        self.send(builder.body(Body::from(body.to_owned())).unwrap())
            .await
    }
}
