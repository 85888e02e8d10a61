//! Forged deliveries, and valid ones that are rare.

use ed25519_dalek::SigningKey;
use harness::time::{now, now_ms, random};
use harness::webhook_receiver::Arrival;
use sealpay_protocol::ids::{EventId, PaymentId};
use sealpay_protocol::webhook::{EndpointSecret, public_key_text, sign};
use serde_json::json;

/// Somebody with a key and secrets of their own, which a receiver may be told to accept.
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) secret: EndpointSecret,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&random()),
            secret: EndpointSecret::new(random()),
        }
    }

    pub(crate) fn key_text(&self) -> String {
        public_key_text(&self.key.verifying_key())
    }

    pub(crate) fn secret_text(&self) -> String {
        self.secret.reveal().to_string()
    }

    /// A delivery of now, rightly signed.
    pub(crate) fn deliver(&self, body: &str) -> Forged {
        self.deliver_at(body, now())
    }

    /// The same of another time.
    pub(crate) fn deliver_at(&self, body: &str, timestamp: u64) -> Forged {
        let id = EventId::new(now_ms(), random()).to_string();
        self.deliver_as(id, body, timestamp)
    }

    /// The same under a given id.
    pub(crate) fn deliver_as(&self, id: String, body: &str, timestamp: u64) -> Forged {
        let signature = sign(
            &id,
            timestamp,
            body.as_bytes(),
            &[&self.key],
            &[&self.secret],
        );
        Forged {
            id,
            timestamp: timestamp.to_string(),
            signature,
            body: body.as_bytes().to_vec(),
            twice: None,
        }
    }
}

/// A delivery that can be spoilt before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Forged {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
    /// A header that is sent once more, with the same value.
    pub(crate) twice: Option<&'static str>,
}

impl Forged {
    pub(crate) fn of(arrival: &Arrival) -> Self {
        Self {
            id: arrival.id.clone(),
            timestamp: arrival.timestamp.clone(),
            signature: arrival.signature.clone(),
            body: arrival.body.clone(),
            twice: None,
        }
    }

    /// The same with the `v1` signature of somebody who knows this secret. The verifier's `v1a` stays.
    pub(crate) fn resigned(&self, secret: &EndpointSecret) -> Self {
        let sent = self.timestamp.parse().unwrap();
        let own = sign(&self.id, sent, &self.body, &[], &[secret]);
        let list = [self.entries("v1a").join(" "), own].join(" ");
        Self {
            signature: list,
            ..self.clone()
        }
    }

    /// The entries of the list that are of one scheme.
    pub(crate) fn entries(&self, scheme: &str) -> Vec<&str> {
        let of_it = |entry: &&str| entry.split(',').next() == Some(scheme);
        self.signature.split(' ').filter(of_it).collect()
    }

    /// Sends it; the status and the reason in the answer.
    pub(crate) async fn send(&self, url: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let headers = [
            ("webhook-id", &self.id),
            ("webhook-timestamp", &self.timestamp),
            ("webhook-signature", &self.signature),
        ];
        let mut request = client.post(url).body(self.body.clone());
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
            if self.twice == Some(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap().trim_end().to_owned())
    }
}

/// The merchant whose events the receivers take where no verifier runs.
pub(crate) const MERCHANT: &str = "mer_01k9xft7g0041061050r3gg28a";

/// The body of an event of a payment.
pub(crate) fn event(payment: PaymentId, sequence: u64) -> String {
    let payment = json!({"id": payment, "order_ref": "№ 7"});
    json!({
        "type": "payment.captured",
        "timestamp": "2026-11-22T10:00:42Z",
        "merchant": MERCHANT,
        "data": {"sequence": sequence, "payment": payment},
    })
    .to_string()
}

pub(crate) fn payment() -> PaymentId {
    PaymentId::new(now_ms(), random())
}
