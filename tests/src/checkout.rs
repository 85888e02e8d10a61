//! A checkout at a verifier inside the test, and what a tester controls around it.

use crate::client::{Browser, Prepared, attempt, card};
use crate::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{
    ActionView, AuthenticationRequest, AuthenticationStep, PayRequest, PaymentView,
    RemoveInstrumentRequest, SessionView, ShopperState,
};
use sealpay_protocol::ids::{AttemptId, InstrumentId, PaymentId};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::{OrderClaims, Simulate};
use serde_json::{Value, json};
use verifier_server::gateway::Gateway;
use verifier_server::payments::methods::{bank_transfer, sepa_debit};
use verifier_server::settlements::close::{Cutoff, settle};
use verifier_server::{
    agreements, disputes, maintain, modifications, payments, payouts, simulation,
};

/// A shopper with an order in front of them.
#[derive(Debug)]
pub struct Checkout<'g> {
    /// The verifier.
    pub gateway: &'g TestGateway,
    /// The shopper's browser.
    pub browser: Browser,
    /// The compact order.
    pub order: String,
    /// The session, as it was when it was opened.
    pub session: SessionView,
}

/// An attempt to pay, with the bytes that are sent each time.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The `Idempotency-Key`.
    pub id: AttemptId,
    /// The body.
    pub body: Vec<u8>,
}

impl Checkout<'_> {
    /// A new attempt with a card, sealed and not sent.
    #[must_use]
    pub fn by_card(&self, number: &str) -> Attempt {
        let id = attempt();
        let body = self
            .browser
            .pay_body(&self.order, &self.session, id, &card(number));
        Attempt { id, body }
    }

    /// A new attempt with a card whose holder agreed to the order's agreement, not sent.
    #[must_use]
    pub fn agreeing(&self, number: &str, consent: &str) -> Attempt {
        let id = attempt();
        let card = self
            .browser
            .seal(&self.order, &self.session, id, &card(number));
        let request = PayRequest {
            card: Some(card),
            consent: Some(consent.into()),
            ..PayRequest::new(Method::Card)
        };
        let body = serde_json::to_vec(&request).expect("the body is JSON");
        Attempt { id, body }
    }

    /// A new attempt with a saved card, not sent.
    #[must_use]
    pub fn by_saved(&self, instrument: InstrumentId, consent: Option<&str>) -> Attempt {
        let request = PayRequest {
            instrument: Some(instrument),
            consent: consent.map(str::to_owned),
            ..PayRequest::new(Method::Card)
        };
        let body = serde_json::to_vec(&request).expect("the body is JSON");
        let id = attempt();
        Attempt { id, body }
    }

    /// The same until the payment ends: types the code that the bank may ask for, and sends the
    /// attempt again.
    pub async fn pay_through(&self, attempt: &Attempt) -> PaymentView {
        let asked = self.pay(attempt).await;
        if asked.state != ShopperState::RequiresAction {
            return asked;
        }
        let code = self.gateway.newest_code().await;
        let typed = self.type_code(asked.payment, &code).await;
        assert_eq!(typed.action, Some(ActionView::Continue), "{typed:?}");
        self.pay(attempt).await
    }

    /// The request of a shopper who removes a saved card.
    #[must_use]
    pub fn remove(&self, instrument: InstrumentId) -> Prepared {
        let body = serde_json::to_vec(&RemoveInstrumentRequest { instrument });
        let (session, id) = (self.session.session.to_string(), attempt().to_string());
        let body = body.expect("the body is JSON");
        let path = "/v1/instruments/remove";
        self.browser.request(path, &session, &id, body)
    }

    /// A new attempt without a card, not sent.
    #[must_use]
    pub fn by(&self, method: Method) -> Attempt {
        let request = PayRequest::new(method);
        let body = serde_json::to_vec(&request).expect("the body is JSON");
        let id = attempt();
        Attempt { id, body }
    }

    /// The request of an attempt, signed now.
    #[must_use]
    pub fn request(&self, attempt: &Attempt) -> Prepared {
        let body = attempt.body.clone();
        self.browser.send_attempt(&self.session, attempt.id, body)
    }

    /// Sends an attempt, for the first time or again.
    pub async fn send(&self, attempt: &Attempt) -> Answer {
        self.gateway.send(self.request(attempt)).await
    }

    /// The same, and the answer is expected to tell of a payment.
    pub async fn pay(&self, attempt: &Attempt) -> PaymentView {
        view(&self.send(attempt).await)
    }

    /// A step about a payment, signed now, with an id of its own.
    #[must_use]
    pub fn step(&self, payment: PaymentId, step: AuthenticationStep) -> Prepared {
        self.browser.step(&self.session, &bare(payment, step))
    }

    /// A step that is expected to be taken.
    pub async fn take(&self, payment: PaymentId, step: AuthenticationStep) -> PaymentView {
        view(&self.gateway.send(self.step(payment, step)).await)
    }

    /// The request with a code.
    #[must_use]
    pub fn code(&self, payment: PaymentId, code: &str) -> Prepared {
        let body = AuthenticationRequest {
            code: Some(code.into()),
            ..bare(payment, AuthenticationStep::Code)
        };
        self.browser.step(&self.session, &body)
    }

    /// A code that is expected to be looked at.
    pub async fn type_code(&self, payment: PaymentId, code: &str) -> PaymentView {
        view(&self.gateway.send(self.code(payment, code)).await)
    }

    /// The request with what a passkey said.
    #[must_use]
    pub fn credential(
        &self,
        payment: PaymentId,
        step: AuthenticationStep,
        credential: String,
    ) -> Prepared {
        let body = AuthenticationRequest {
            credential: Some(credential),
            ..bare(payment, step)
        };
        self.browser.step(&self.session, &body)
    }
}

/// A step with nothing that belongs to it.
#[must_use]
pub const fn bare(payment: PaymentId, step: AuthenticationStep) -> AuthenticationRequest {
    AuthenticationRequest {
        payment,
        step,
        code: None,
        credential: None,
    }
}

/// The payment of an answer.
#[must_use]
#[track_caller]
pub fn view(answer: &Answer) -> PaymentView {
    assert!(answer.status.is_success(), "{}", answer.text());
    answer.json()
}

/// Asks for an outcome in an order.
pub fn simulate(claims: &mut OrderClaims, outcome: &str) {
    claims.simulate = Some(Simulate {
        outcome: outcome.into(),
    });
}

impl TestGateway {
    /// Opens a checkout with a good order, changed by the test.
    pub async fn checkout(&self, change: impl FnOnce(&mut OrderClaims)) -> Checkout<'_> {
        let mut claims = self.claims();
        change(&mut claims);
        let order = self.merchant.sign(&claims);
        let browser = self.browser();
        let session = self.open(&browser, &order).await;
        Checkout {
            gateway: self,
            browser,
            order,
            session,
        }
    }

    /// Sends a request to `/sim`.
    pub async fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(Prepared::with_json(method, path, body)).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        answer.json()
    }

    /// Reads something below `/sim`.
    pub async fn look(&self, path: &str) -> Value {
        let answer = self.get(path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The account of a persona.
    pub async fn account(&self, persona: &str) -> Value {
        self.look(&format!("/sim/accounts/{persona}")).await
    }

    /// Changes the account of a persona.
    pub async fn change_account(&self, persona: &str, order: &Value) -> Value {
        let path = format!("/sim/accounts/{persona}");
        self.command("PUT", &path, order).await
    }

    /// Orders a fault.
    pub async fn fault(&self, order: &Value) -> Value {
        self.command("POST", "/sim/faults", order).await
    }

    /// Sends money in euros, which arrives at once; what the bank did with it.
    pub async fn send_money(&self, reference: &str, amount_minor: i64) -> String {
        let order = json!({"reference": reference, "amount": amount_minor, "currency": "EUR"});
        let sent = self.command("POST", "/sim/transfers", &order).await;
        let state = sent["state"].as_str();
        state.expect("a transfer has a state").to_owned()
    }

    /// Every code on the simulated phones, the newest first.
    pub async fn codes(&self) -> Vec<String> {
        let messages = self.look("/sim/phone?limit=100").await;
        let messages = messages["data"].as_array().expect("a list of messages");
        let codes = messages
            .iter()
            .filter_map(|message| message["code"].as_str());
        codes.map(str::to_owned).collect()
    }

    /// The newest code on the simulated phones.
    pub async fn newest_code(&self) -> String {
        let mut codes = self.codes().await.into_iter();
        codes.next().expect("a code was sent")
    }

    /// Lets time pass, and does what a verifier that runs would have done meanwhile.
    pub async fn pass(&self, seconds: i64) {
        self.move_clock(seconds);
        let gateway = &self.server.state.gateway;
        let keys = maintain::refresh_keys(gateway).await;
        keys.expect("there are keys for every time");
        bank_transfer::incoming::collect(gateway)
            .await
            .expect("the bank answers");
        modifications::reconcile::recover(gateway)
            .await
            .expect("the store answers");
        modifications::expire::expire(gateway)
            .await
            .expect("the store answers");
        release_lapsed(gateway).await;
        self.recover().await;
        let news = sepa_debit::news::collect(gateway).await;
        news.expect("the bank answers");
        let lapsed = agreements::revoke::end_lapsed(gateway).await;
        lapsed.expect("the store answers");
        payments::reversals::reverse(gateway)
            .await
            .expect("the store answers");
        disputes::service::give_up(gateway)
            .await
            .expect("the store answers");
        let settled = settle(gateway, Cutoff::Now).await;
        settled.expect("the store answers");
        payouts::service::pay_out(gateway)
            .await
            .expect("the store answers");
    }

    /// The types of a payment's events, the first one first.
    pub async fn published(&self, payment: PaymentId) -> Vec<String> {
        let events = self.events_of(payment).await;
        let kinds = events.iter().filter_map(|event| event["type"].as_str());
        kinds
            .map(|kind| kind.trim_start_matches("payment.").to_owned())
            .collect()
    }
}

/// The simulated bank releases what nobody captured in time, as it does by itself every few seconds.
/// What fails is done later.
pub async fn release_lapsed(gateway: &Gateway) {
    if let Ok(bank) = simulation::bank(gateway) {
        let _ = bank.expire_holds(gateway.clock().now_ms_i64(), 64).await;
    }
}
