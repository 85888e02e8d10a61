//! The whole shop, without a socket.

mod checkout;
mod merchant_api;
mod order_page;
mod refund;
mod state;
mod subscription;
mod subscriptions;
mod webhook;

use crate::app::{Shop, app};
use crate::database::Orders;
use crate::integration::Merchant;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use ed25519_dalek::SigningKey;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::order::{CompactOrder, OrderClaims};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::webhook::{EndpointSecret, sign};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower::ServiceExt;

/// A folder for one test, removed when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("sealpay-shop-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

struct TestShop {
    router: Router,
    merchant: Arc<Merchant>,
    _folder: Folder,
}

struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// A shop in test mode, whose verifier does not respond.
fn shop(name: &str) -> TestShop {
    shop_with(name, "http://127.0.0.1:1", true)
}

fn shop_with(name: &str, verifier: &str, is_test: bool) -> TestShop {
    let folder = Folder::new(name);
    let merchant = Arc::new(Merchant {
        id: MerchantId::new(1, [0; 10]),
        livemode: !is_test,
        order_key: SigningKey::from_bytes(&[1; 32]),
        key_id: "shop-1".into(),
        webhook_secret: EndpointSecret::new([7; 32]),
        api_key: Secret::new("sk_test_1".into()),
        verifier: verifier.parse().unwrap(),
        shop: "http://localhost:4242".parse().unwrap(),
        orders: Orders::open(&folder.path().join("shop.sqlite")).unwrap(),
        client: reqwest::Client::new(),
    });
    let shop = Shop {
        merchant: Arc::clone(&merchant),
        control: is_test.then(|| "http://127.0.0.1:2".parse().unwrap()),
    };
    let router = app(Arc::new(shop));
    TestShop {
        router,
        merchant,
        _folder: folder,
    }
}

impl TestShop {
    async fn send(&self, request: Request<Body>) -> TestResponse {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        TestResponse {
            status,
            headers,
            text,
        }
    }

    async fn get(&self, path: &str) -> TestResponse {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> TestResponse {
        let form = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, form);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Orders two lanterns for €49.80 and returns the order reference.
    async fn order(&self) -> String {
        let response = self
            .post("/checkout", "product=moon-lantern&pieces=2")
            .await;
        assert_eq!(response.status, StatusCode::SEE_OTHER);
        let address = response.headers[header::LOCATION].to_str().unwrap();
        address.strip_prefix("/checkout/").unwrap().to_owned()
    }

    /// The signed order on the checkout page.
    async fn signed(&self, reference: &str) -> String {
        let page = self.get(&format!("/checkout/{reference}")).await.text;
        let (_, rest) = page.split_once(" order=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// What a signed order says to the verifier.
    fn claims(&self, signed: &str) -> OrderClaims {
        let order = CompactOrder::parse(signed).unwrap();
        let key = self.merchant.order_key.verifying_key();
        let now = crate::system::now();
        order
            .verify(&key, &self.merchant.verifier, now)
            .unwrap()
            .claims()
            .clone()
    }

    async fn state(&self, reference: &str) -> String {
        let status = self.get(&format!("/orders/{reference}/status")).await.text;
        let status: Value = serde_json::from_str(&status).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }

    /// Delivers an event that is signed with a secret.
    async fn deliver_with(&self, secret: u8, age: u64, id: &str, body: &str) -> TestResponse {
        let timestamp = crate::system::now() - age;
        let secret = EndpointSecret::new([secret; 32]);
        let signature = sign(id, timestamp, body.as_bytes(), &[], &[&secret]);
        let request = Request::post("/webhooks/sealpay")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature);
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    async fn deliver(&self, id: &str, event: &Value) -> TestResponse {
        self.deliver_with(7, 0, id, &event.to_string()).await
    }
}

/// An event about a payment of €49.80 by card, with other members in place of the usual ones.
fn event(reference: &str, sequence: u64, state: &str, other: Value) -> Value {
    let mut payment = json!({
        "id": "pay_1", "order_ref": reference, "amount": 4_980, "currency": "EUR",
        "method": "card", "state": state, "created_at": 1_763_800_000, "decline": null,
        "card": { "brand": "visa", "last4": "4242" }, "transfer": null, "authentication": null,
        "amount_captured": 0, "amount_refunded": 0, "amount_disputed": 0,
    });
    if state == "captured" {
        payment["amount_captured"] = json!(4_980);
    }
    let Value::Object(other) = other else {
        panic!("members")
    };
    payment.as_object_mut().unwrap().extend(other);
    json!({
        "type": format!("payment.{state}"), "merchant": MerchantId::new(1, [0; 10]),
        "livemode": false, "data": { "sequence": sequence, "payment": payment },
    })
}
