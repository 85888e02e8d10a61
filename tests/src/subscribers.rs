//! Customers of a verifier that runs as a process, who agree to later payments in the form; and what
//! their merchant does with that.

use crate::back_office::{key, write};
use crate::checkout::bare;
use crate::client::{Browser, CONSENT, Merchant, Prepared, attempt, card, fresh_address};
use crate::load::{KeepAlive, encode};
use crate::verifier_process::{Setup, listener_of};
use sealpay_protocol::agreement::{AgreementKind, AgreementTerms};
use sealpay_protocol::api::{
    AuthenticationRequest, AuthenticationStep, PayRequest, PaymentView, SessionView, ShopperState,
};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::OrderClaims;
use sealpay_protocol::origin::Origin;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a busy verifier is asked again.
const PATIENCE: Duration = Duration::from_secs(20);

/// A merchant and its customers, one request after the other.
#[derive(Debug)]
pub struct Subscribers {
    merchant: Merchant,
    origin: Origin,
    api: KeepAlive,
    control: KeepAlive,
}

impl Subscribers {
    /// Connects to a verifier that runs.
    pub async fn of(merchant: &Merchant, setup: &Setup) -> Self {
        let connect = async |address: SocketAddr| {
            let connected = KeepAlive::connect(address).await;
            connected.expect("the verifier takes connections")
        };
        Self {
            merchant: merchant.clone(),
            origin: setup.origin.clone(),
            api: connect(setup.listen).await,
            control: connect(listener_of(setup.listen, "/sim")).await,
        }
    }

    /// A customer pays with a card and agrees to a subscription: the ids of customer and agreement.
    pub async fn agree(&mut self, reference: &str, number: &str) -> (Value, Value) {
        let claims = OrderClaims {
            customer: Some(reference.into()),
            agreement: Some(AgreementTerms {
                kind: AgreementKind::Subscription,
                maximum_amount: None,
            }),
            ..self.merchant.claims(&self.origin)
        };
        let order = self.merchant.sign(&claims);
        let browser = Browser::new(&self.origin);
        let session: SessionView = self.ask(&browser.open_session(&order)).await;
        let attempt = attempt();
        let request = PayRequest {
            card: Some(browser.seal(&order, &session, attempt, &card(number))),
            consent: Some(CONSENT.into()),
            ..PayRequest::new(Method::Card)
        };
        let body = serde_json::to_vec(&request).expect("the body is JSON");
        let pay = || browser.send_attempt(&session, attempt, body.clone());
        let asked: PaymentView = self.ask(&pay()).await;
        assert_eq!(asked.state, ShopperState::RequiresAction, "{asked:?}");
        let code = AuthenticationRequest {
            code: Some(self.newest_code().await),
            ..bare(asked.payment, AuthenticationStep::Code)
        };
        self.ask::<PaymentView>(&browser.step(&session, &code))
            .await;
        let paid: PaymentView = self.ask(&pay()).await;
        assert_eq!(paid.state, ShopperState::Captured, "{paid:?}");
        let payment = self.read(&format!("/v1/payments/{}", paid.payment)).await;
        let agreement = payment["agreement"].as_str().expect("an agreement");
        let agreement = self.read(&format!("/v1/agreements/{agreement}")).await;
        (agreement["customer"].clone(), agreement["id"].clone())
    }

    /// What the merchant reads.
    pub async fn read(&mut self, path: &str) -> Value {
        let request = Prepared::get_of(path, Some(&self.merchant.api_key));
        self.ask(&request).await
    }

    /// A write of the merchant, which succeeds.
    pub async fn write(&mut self, path: &str, body: &Value) -> Value {
        let request = write(&self.merchant.api_key, path, &key(), body);
        self.ask(&request).await
    }

    /// The bytes of a write of the merchant, to be sent otherwise.
    #[must_use]
    pub fn prepared(&self, path: &str, body: &Value) -> Vec<u8> {
        let request = write(&self.merchant.api_key, path, &key(), body);
        encode(&request, self.origin.authority())
    }

    /// Orders something of the simulation.
    pub async fn order(&mut self, path: &str, body: &Value) -> Value {
        let request = Prepared::with_json("POST", path, body);
        let request = encode(&request, self.origin.authority());
        exchange(&mut self.control, &request).await
    }

    /// Looks at something of the simulation.
    pub async fn look(&mut self, path: &str) -> Value {
        let request = Prepared::get_of(path, None);
        let request = encode(&request, self.origin.authority());
        exchange(&mut self.control, &request).await
    }

    async fn newest_code(&mut self) -> String {
        let messages = self.look("/sim/phone?limit=1").await;
        let code = messages["data"][0]["code"].as_str();
        code.expect("a code was sent").to_owned()
    }

    async fn ask<T: DeserializeOwned>(&mut self, request: &Prepared) -> T {
        let mut request = request.clone();
        // As a proxy names it: customers have addresses of their own.
        request.set("x-forwarded-for", &fresh_address());
        let request = encode(&request, self.origin.authority());
        let deadline = Instant::now() + PATIENCE;
        // A verifier whose database is busy asks for the same request again.
        while Instant::now() < deadline {
            match answer(&mut self.api, &request).await {
                (503, _) => sleep(Duration::from_millis(200)).await,
                answered => return accepted(answered),
            }
        }
        accepted(answer(&mut self.api, &request).await)
    }

    /// A price of so much for each interval.
    pub async fn price(&mut self, amount: i64, interval: Value, changes: &Value) -> Value {
        let mut body = json!({
            "name": "Lantern oil", "amount": amount, "currency": "EUR", "interval": interval,
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.write("/v1/prices", &body).await["id"].clone()
    }
}

async fn exchange<T: DeserializeOwned>(connection: &mut KeepAlive, request: &[u8]) -> T {
    accepted(answer(connection, request).await)
}

async fn answer(connection: &mut KeepAlive, request: &[u8]) -> (u16, String) {
    let received = connection.exchange(request).await;
    let received = received.expect("the verifier answers");
    let said = String::from_utf8_lossy(received.body).into_owned();
    (received.status, said)
}

fn accepted<T: DeserializeOwned>((status, said): (u16, String)) -> T {
    assert!((200..300).contains(&status), "{said}");
    serde_json::from_str(&said).expect("an answer is JSON")
}
