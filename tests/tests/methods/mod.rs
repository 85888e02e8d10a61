//! The ways to pay besides a card: a wallet with a page of its own, and money that is sent; and what
//! a page sees that is loaded again meanwhile.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where it cannot go on"
)]

mod offered;
mod reload;
mod transfer;
mod wallet;

use harness::checkout::{Attempt, Checkout, simulate};
use harness::client::Prepared;
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState, TransferView, WalletView};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

const EVERYDAY: &str = "account=wallet%3Aeveryday&action=confirm";
const NEARLY_EMPTY: &str = "account=wallet%3Anearly_empty&action=confirm";
const REFUSE: &str = "action=refuse";

/// A payment that waits for the shopper.
struct Waiting<'g> {
    checkout: Checkout<'g>,
    attempt: Attempt,
    payment: PaymentId,
    view: PaymentView,
}

/// Begins to pay by a method; any other may be chosen as well.
async fn begun<'g>(
    gateway: &'g TestGateway,
    method: Method,
    capture: Capture,
    outcome: Option<&str>,
) -> Waiting<'g> {
    let checkout = gateway
        .checkout(|claims| {
            claims.methods = Some(vec![Method::Card, Method::Wallet, Method::BankTransfer]);
            claims.capture = capture;
            if let Some(outcome) = outcome {
                simulate(claims, outcome);
            }
        })
        .await;
    let attempt = checkout.by(method);
    let view = checkout.pay(&attempt).await;
    assert_eq!(
        (view.state, &view.card),
        (ShopperState::RequiresAction, &None)
    );
    Waiting {
        payment: view.payment,
        checkout,
        attempt,
        view,
    }
}

impl Waiting<'_> {
    async fn again(&self) -> PaymentView {
        self.checkout.pay(&self.attempt).await
    }

    async fn state(&self) -> String {
        let payment = self.checkout.gateway.payment(self.payment).await;
        let code = payment["decline"]["code"].as_str();
        code.or(payment["state"].as_str()).unwrap().to_owned()
    }

    async fn told(&self) -> Vec<String> {
        self.checkout.gateway.told(self.payment).await
    }
}

#[track_caller]
fn wallet_of(view: &PaymentView) -> &WalletView {
    match &view.action {
        Some(ActionView::Wallet(wallet)) => wallet,
        other => panic!("not a wallet's action: {other:?}"),
    }
}

#[track_caller]
fn transfer_of(view: &PaymentView) -> &TransferView {
    match &view.action {
        Some(ActionView::Transfer(transfer)) => transfer,
        other => panic!("not a transfer's action: {other:?}"),
    }
}

/// What the wallet's page sends.
fn form(url: &str, body: &str) -> Prepared {
    let mut request = Prepared::get_of(url, None);
    request.method = "POST".into();
    request.set("content-type", "application/x-www-form-urlencoded");
    request.body = body.as_bytes().to_vec();
    request
}

/// The shopper presses a button on the wallet's page, which shows itself anew.
async fn press(gateway: &TestGateway, url: &str, body: &str) {
    let answer = gateway.send(form(url, body)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(url));
}

#[track_caller]
fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}
