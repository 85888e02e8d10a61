//! Wallet, bank transfer, direct debit and card.

mod bank_transfer;
mod card;
pub(crate) mod sepa_debit;
mod unacknowledged_credits;
mod wallet;

use harness::checkout::{Attempt, Checkout, simulate};
use harness::client::Prepared;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{ActionView, PaymentView, ShopperState, TransferView, WalletView};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

pub(crate) const EVERYDAY: &str = "account=wallet%3Aeveryday&action=confirm";
pub(crate) const NEARLY_EMPTY: &str = "account=wallet%3Anearly_empty&action=confirm";
pub(crate) const REFUSE: &str = "action=refuse";

/// A payment that waits for the shopper.
pub(crate) struct Waiting<'g> {
    pub(crate) checkout: Checkout<'g>,
    pub(crate) attempt: Attempt,
    pub(crate) payment: PaymentId,
    pub(crate) view: PaymentView,
}

/// Starts a payment with one method, for an order that also accepts the others.
pub(crate) async fn begun<'g>(
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
    pub(crate) async fn again(&self) -> PaymentView {
        self.checkout.pay(&self.attempt).await
    }

    pub(crate) async fn state(&self) -> String {
        let payment = self.checkout.gateway.payment(self.payment).await;
        let code = payment["decline"]["code"].as_str();
        code.or(payment["state"].as_str()).unwrap().to_owned()
    }

    pub(crate) async fn published(&self) -> Vec<String> {
        self.checkout.gateway.published(self.payment).await
    }
}

#[track_caller]
pub(crate) fn wallet_of(view: &PaymentView) -> &WalletView {
    match &view.action {
        Some(ActionView::Wallet(wallet)) => wallet,
        other => panic!("not a wallet's action: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn transfer_of(view: &PaymentView) -> &TransferView {
    match &view.action {
        Some(ActionView::Transfer(transfer)) => transfer,
        other => panic!("not a transfer's action: {other:?}"),
    }
}

/// What the wallet's page sends.
pub(crate) fn form(url: &str, body: &str) -> Prepared {
    let mut request = Prepared::get_of(url, None);
    request.method = "POST".into();
    request.set("content-type", "application/x-www-form-urlencoded");
    request.body = body.as_bytes().to_vec();
    request
}

/// The shopper presses a button on the wallet's page, which then reloads.
pub(crate) async fn press(gateway: &TestGateway, url: &str, body: &str) {
    let answer = gateway.send(form(url, body)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), Some(url));
}
