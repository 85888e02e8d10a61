//! `/v1/authentications`: issuer decisions, one-time codes and passkeys.

mod bad_requests;
mod cancellations;
mod guessing;
mod issuer_decisions;
mod one_time_codes;
mod passkeys;
mod secrecy;
mod software_authenticator;

use harness::checkout::{Attempt, Checkout, simulate};
use harness::client::APPROVED;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{ActionView, CodeView, PaymentView, ShopperState};
use sealpay_protocol::ids::PaymentId;
use serde_json::json;

/// The persona of [`APPROVED`].
pub(crate) const ADA: &str = "ada_approved";

/// A payment that waits for a code.
pub(crate) struct Challenged<'g> {
    pub(crate) checkout: Checkout<'g>,
    pub(crate) attempt: Attempt,
    pub(crate) payment: PaymentId,
    pub(crate) code: String,
}

/// A checkout whose card is asked for a code, whatever it is.
pub(crate) async fn challenged(gateway: &TestGateway) -> Challenged<'_> {
    challenged_by(gateway, "challenge_code").await
}

pub(crate) async fn challenged_by<'g>(gateway: &'g TestGateway, outcome: &str) -> Challenged<'g> {
    let checkout = gateway.checkout(|claims| simulate(claims, outcome)).await;
    let attempt = checkout.by_card(APPROVED);
    let view = checkout.pay(&attempt).await;
    code_of(&view);
    Challenged {
        payment: view.payment,
        code: gateway.newest_code().await,
        checkout,
        attempt,
    }
}

impl Challenged<'_> {
    pub(crate) async fn type_code(&self, code: &str) -> PaymentView {
        self.checkout.type_code(self.payment, code).await
    }

    pub(crate) async fn answer_to_code(&self, code: &str) -> Answer {
        let request = self.checkout.code(self.payment, code);
        self.checkout.gateway.send(request).await
    }

    /// Sends the same attempt again.
    pub(crate) async fn again(&self) -> PaymentView {
        self.checkout.pay(&self.attempt).await
    }
}

/// What is asked about a code.
#[track_caller]
pub(crate) fn code_of(view: &PaymentView) -> &CodeView {
    assert_eq!(view.state, ShopperState::RequiresAction);
    match &view.action {
        Some(ActionView::Code(code)) => code,
        other => panic!("not a code's action: {other:?}"),
    }
}

/// What is left, and whether the last code was refused.
#[track_caller]
pub(crate) fn left(view: &PaymentView) -> (u32, bool) {
    let code = code_of(view);
    (code.attempts_left, code.refused)
}

/// A code that is not this one.
pub(crate) fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("a code is a number");
    format!("{:06}", (number + 1) % 1_000_000)
}

pub(crate) async fn wrong_codes_of(gateway: &TestGateway, persona: &str) -> i64 {
    gateway.account(persona).await["wrong_codes"]
        .as_i64()
        .unwrap()
}

/// Unlocks an account, as a bank does when its customer calls.
pub(crate) async fn unlock(gateway: &TestGateway, persona: &str) {
    gateway
        .change_account(persona, &json!({"wrong_codes": 0}))
        .await;
}

/// How many entries the bank's book has for a payment.
pub(crate) async fn authorization_count(gateway: &TestGateway, payment: PaymentId) -> usize {
    let sql = format!("SELECT state FROM bank_authorizations WHERE reference = '{payment}'");
    gateway.bank_rows(&sql).await.len()
}

/// The key of the decline that the merchant reads.
pub(crate) async fn declined_for(gateway: &TestGateway, payment: PaymentId) -> String {
    let payment = gateway.payment(payment).await;
    assert_eq!(payment["state"], "declined", "{payment}");
    payment["decline"]["code"].as_str().unwrap().to_owned()
}
