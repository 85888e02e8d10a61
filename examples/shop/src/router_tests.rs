//! The whole shop, asked without a socket.

mod arrival;
mod delivery;
mod desk;
mod evidence;
mod list;
mod news;
mod pages;
mod renewal;
mod webhook;

use crate::app::{Shop, app};
use crate::desk::Desk;
use crate::edge::Edge;
use crate::integration::Integration;
use crate::orders::OrderFile;
use crate::personas::{self, Persona, Personas};
use crate::scratch::Folder;
use crate::verifier::Verifier;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use ed25519_dalek::SigningKey;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::order::{CompactOrder, OrderClaims};
use sealpay_protocol::webhook::EndpointSecret;
use std::sync::Arc;
use tower::ServiceExt;

const NOW: u64 = 1_763_800_000;
const VERIFIER_KEY: [u8; 32] = [8; 32];
const SECRET: [u8; 32] = [7; 32];

struct Scene {
    app: Router,
    _folder: Folder,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

fn scene(name: &str, verifier_keys: &[SigningKey]) -> Scene {
    let cards = vec![
        personas::example("approved", "4242424242424242"),
        personas::example("lost_card", "4000000000000010"),
    ];
    scene_with(name, verifier_keys, cards)
}

fn scene_with(name: &str, verifier_keys: &[SigningKey], cards: Vec<Persona>) -> Scene {
    scene_of(name, verifier_keys, cards, None)
}

fn scene_of(
    name: &str,
    verifier_keys: &[SigningKey],
    cards: Vec<Persona>,
    desk: Option<Desk>,
) -> Scene {
    let folder = Folder::new(&format!("router-{name}"));
    let keys = verifier_keys
        .iter()
        .map(SigningKey::verifying_key)
        .collect();
    let cards = Personas::of_cards(cards);
    let verifier = "http://127.0.0.1:8787".parse().unwrap();
    let shop = Shop {
        integration: Integration {
            merchant: merchant(),
            livemode: false,
            key_id: "shop-1".into(),
            order_key: SigningKey::from_bytes(&[1; 32]),
            webhook_secret: EndpointSecret::new(SECRET),
            verifier: "http://127.0.0.1:8787".parse().unwrap(),
            shop: "http://localhost:4242".parse().unwrap(),
        },
        orders: OrderFile::open(&folder.path().join("orders.sqlite")).unwrap(),
        verifier: Verifier::knowing(verifier, keys, cards),
        desk,
        edge: Edge::fixed(NOW),
    };
    Scene {
        app: app(Arc::new(shop)),
        _folder: folder,
    }
}

fn merchant() -> MerchantId {
    MerchantId::new(1, [0; 10])
}

fn verifier_key() -> SigningKey {
    SigningKey::from_bytes(&VERIFIER_KEY)
}

impl Scene {
    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    async fn post_text(&self, path: &str, text: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "text/plain");
        self.ask(request.body(Body::from(text.to_owned())).unwrap())
            .await
    }

    async fn post_form(&self, path: &str, form: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.ask(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// Orders a lantern; gives the reference.
    async fn order(&self) -> String {
        let answer = self
            .post_form("/checkout", "product=moon-lantern&pieces=2")
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let address = answer.headers[header::LOCATION].to_str().unwrap();
        address.strip_prefix("/checkout/").unwrap().to_owned()
    }

    /// What the form gets, as the verifier sees it.
    async fn claims(&self, reference: &str) -> OrderClaims {
        let page = self.get(&format!("/checkout/{reference}")).await;
        claims_of(signed_order(&page.text))
    }

    async fn state(&self, reference: &str) -> serde_json::Value {
        let answer = self.get(&format!("/orders/{reference}/status")).await;
        serde_json::from_str::<serde_json::Value>(&answer.text).unwrap()["state"].clone()
    }
}

/// The order that a checkout page hands to its form.
fn signed_order(page: &str) -> &str {
    let (_, rest) = page.split_once(" order=\"").unwrap();
    rest.split('"').next().unwrap()
}

/// What an order says to the verifier.
fn claims_of(signed: &str) -> OrderClaims {
    let order = CompactOrder::parse(signed).unwrap();
    assert_eq!(order.key_id(), "shop-1");
    let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let verifier = "http://127.0.0.1:8787".parse().unwrap();
    order.verify(&key, &verifier, NOW).unwrap().claims().clone()
}
