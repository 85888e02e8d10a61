//! What a merchant's server does after a payment: captures, voids, refunds, answers to disputes.

use crate::client::Prepared;
use crate::gateway::{Answer, TestGateway};
use crate::rows;
use sealpay_protocol::api::ShopperState;
use sealpay_protocol::encoding::hex;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::{Capture, OrderClaims};
use serde_json::{Value, json};

/// A card whose payments are approved, whatever they are.
const APPROVED_CARD: &str = "4242424242424242";

/// A fresh `Idempotency-Key`.
#[must_use]
pub fn key() -> String {
    ["key-", &hex(&crate::time::random::<12>())].concat()
}

/// A write of a merchant's server.
#[must_use]
pub fn write(api_key: &str, path: &str, idempotency_key: &str, body: &Value) -> Prepared {
    let mut request = Prepared::get_of(path, Some(api_key));
    request.method = "POST".into();
    request.set("content-type", "application/json");
    request.set("idempotency-key", idempotency_key);
    request.body = body.to_string().into_bytes();
    request
}

impl TestGateway {
    /// A payment that is approved: of so much, held or taken at once.
    pub async fn approved(
        &self,
        capture: Capture,
        amount_minor: i64,
        change: impl FnOnce(&mut OrderClaims),
    ) -> PaymentId {
        let checkout = self.checkout(|claims| {
            claims.capture = capture;
            claims.amount = amount_minor;
            change(claims);
        });
        let checkout = checkout.await;
        let view = checkout.pay(&checkout.by_card(APPROVED_CARD)).await;
        let expected = match capture {
            Capture::Automatic => ShopperState::Captured,
            Capture::Manual => ShopperState::Authorized,
        };
        assert_eq!(view.state, expected, "the payment is approved");
        view.payment
    }

    /// A write of this merchant's server, with a fresh key.
    pub async fn write(&self, path: &str, body: &Value) -> Answer {
        self.write_with(&key(), path, body).await
    }

    /// The same with a key that the test chose.
    pub async fn write_with(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(write(&self.merchant.api_key, path, key, body))
            .await
    }

    /// Modifies a payment: `captures`, `void` or `refunds`. What became of it.
    pub async fn modify(&self, payment: PaymentId, what: &str, body: &Value) -> Value {
        let answer = self.write(&path(payment, what), body).await;
        assert!(answer.status.is_success(), "{what}: {}", answer.text());
        answer.json()
    }

    /// A refusal of the wish to modify a payment: its code.
    pub async fn refused(&self, payment: PaymentId, what: &str, body: &Value) -> String {
        let answer = self.write(&path(payment, what), body).await;
        assert!(!answer.status.is_success(), "{what}: {}", answer.text());
        answer.code()
    }

    /// State, and what was captured, refunded and disputed, minor units.
    pub async fn totals(&self, payment: PaymentId) -> (String, i64, i64, i64) {
        let payment = self.payment(payment).await;
        let number = |name: &str| payment[name].as_i64().expect("an amount");
        (
            payment["state"].as_str().expect("a state").to_owned(),
            number("amount_captured"),
            number("amount_refunded"),
            number("amount_disputed"),
        )
    }

    /// Changes the store's file past the verifier, for what cannot be brought about otherwise.
    pub fn tamper(&self, sql: &str) {
        assert!(self.database.is_none(), "only files are tampered with");
        let file = self.folder.path().join("sealpay.sqlite");
        let done = rows::open(&file).execute_batch(sql);
        done.expect("the statement is right");
    }

    /// Opens a dispute as the shopper's bank does; its id.
    pub async fn dispute(&self, payment: PaymentId, amount_minor: Option<i64>) -> String {
        let order = json!({"payment": payment, "amount": amount_minor, "reason": "fraudulent"});
        let order = match amount_minor {
            Some(_) => order,
            None => json!({"payment": payment}),
        };
        let opened = self.command("POST", "/sim/disputes", &order).await;
        opened["id"]
            .as_str()
            .expect("a dispute has an id")
            .to_owned()
    }
}

/// Below a payment.
#[must_use]
pub fn path(payment: PaymentId, what: &str) -> String {
    format!("/v1/payments/{payment}/{what}")
}
