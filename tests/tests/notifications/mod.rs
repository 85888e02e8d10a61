//! `POST /v1/providers/{provider}/notifications`: what a provider sends makes the verifier ask, and
//! is not believed.

use harness::checkout::simulate;
use harness::client::{APPROVED, Prepared};
use harness::gateway::{Answer, TestGateway};
use sealpay_protocol::api::{ActionView, ShopperState};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::method::Method;
use sealpay_protocol::webhook::{EndpointSecret, WebhookHeaders, sign, verify_secret};
use sealpay_provider::notification::{Notification, NotificationError, NotificationRequest};
use sealpay_provider::{Capabilities, NotificationReader};
use sealpay_simulator::SimulatedBank;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/v1/providers/simulated/notifications";

/// A bank that signs as Standard Webhooks describes. Its body has one thing per word: `credits`,
/// `payouts` or the name of a payment.
struct SignedNotifications;

impl NotificationReader for SignedNotifications {
    fn read(
        &self,
        request: NotificationRequest<'_>,
    ) -> Result<Vec<Notification>, NotificationError> {
        let header = |name| request.header(name).unwrap_or_default();
        let headers = WebhookHeaders {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        verify_secret(&headers, request.body, &secret(), request.now)
            .map_err(|error| NotificationError::Unauthenticated(format!("{error:?}")))?;
        let text = std::str::from_utf8(request.body).unwrap_or_default();
        let about = |word: &str| match word {
            "credits" => Ok(Notification::Credits),
            "payouts" => Ok(Notification::Payouts),
            word => match word.parse() {
                Ok(payment) => Ok(Notification::Payment(payment)),
                Err(_) => Err(NotificationError::Malformed("it names no payment".into())),
            },
        };
        text.split_whitespace().map(about).collect()
    }
}

fn secret() -> EndpointSecret {
    EndpointSecret::new([5; 32])
}

async fn gateway() -> TestGateway {
    TestGateway::extended(|bank| Capabilities {
        notifications: Some(Arc::new(SignedNotifications)),
        ..bank
    })
    .await
}

fn unsigned(body: &str) -> Prepared {
    let mut request = Prepared::get_of(PATH, None);
    request.method = "POST".into();
    request.body = body.as_bytes().to_vec();
    request
}

fn signed(gateway: &TestGateway, body: &str) -> Prepared {
    let mut request = unsigned(body);
    let now = gateway.now();
    request.set("webhook-id", "msg_1");
    request.set("webhook-timestamp", &now.to_string());
    let signature = sign("msg_1", now, body.as_bytes(), &[], &[&secret()]);
    request.set("webhook-signature", &signature);
    request
}

async fn notify(gateway: &TestGateway, body: impl ToString) -> Answer {
    let request = signed(gateway, &body.to_string());
    gateway.send(request).await
}

async fn state(gateway: &TestGateway, payment: PaymentId) -> String {
    let payment = gateway.payment(payment).await;
    payment["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unknown_payment_is_resolved_when_the_provider_notifies() {
    let gateway = gateway().await;
    let rows = [
        ("response_lost", "captured"),
        ("response_lost_declined", "declined"),
    ];
    for (outcome, expected) in rows {
        let checkout = gateway.checkout(|claims| simulate(claims, outcome)).await;
        let payment = checkout.pay(&checkout.by_card(APPROVED)).await.payment;
        assert_eq!(state(&gateway, payment).await, "unknown");
        for _ in 0..2 {
            assert_eq!(notify(&gateway, payment).await.status, 204);
            assert_eq!(state(&gateway, payment).await, expected);
        }
        assert_eq!(gateway.published(payment).await, ["unknown", expected]);
    }
    gateway.finish().await;
}

#[tokio::test]
async fn provider_that_does_not_answer_is_told_to_send_the_notification_again() {
    let gateway = gateway().await;
    let mut payments = Vec::new();
    for _ in 0..2 {
        let checkout = gateway
            .checkout(|claims| simulate(claims, "response_lost"))
            .await;
        payments.push(checkout.pay(&checkout.by_card(APPROVED)).await.payment);
    }
    let both = format!("{} {}", payments[0], payments[1]);
    gateway
        .fault(&json!({"kind": "acquirer_down", "target": "any", "next": 1}))
        .await;
    let answer = notify(&gateway, &both).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (503, "overloaded".into())
    );
    assert_eq!(state(&gateway, payments[0]).await, "unknown");
    let second = state(&gateway, payments[1]).await;
    assert_eq!(second, "captured", "it was asked about all the same");
    assert_eq!(notify(&gateway, &both).await.status, 204);
    assert_eq!(state(&gateway, payments[0]).await, "captured");
    assert_eq!(
        gateway.published(payments[0]).await,
        ["unknown", "captured"]
    );
    gateway.finish().await;
}

#[tokio::test]
async fn wallet_payment_is_captured_although_the_shopper_has_left() {
    let gateway = gateway().await;
    let checkout = gateway
        .checkout(|claims| claims.methods = Some(vec![Method::Wallet]))
        .await;
    let view = checkout.pay(&checkout.by(Method::Wallet)).await;
    let Some(ActionView::Wallet(wallet)) = &view.action else {
        panic!("not a wallet's action: {view:?}");
    };
    assert_eq!(notify(&gateway, view.payment).await.status, 204);
    let waits = state(&gateway, view.payment).await;
    assert_eq!(waits, "requires_action", "nothing was decided");
    let token = wallet.url.rsplit('/').next().unwrap();
    let bank: &SimulatedBank = gateway.server.state.gateway.companion().unwrap();
    let confirmed = bank.wallet().confirm(token, "wallet:everyday").await;
    assert!(confirmed.is_ok(), "{confirmed:?}");
    assert_eq!(notify(&gateway, view.payment).await.status, 204);
    assert_eq!(state(&gateway, view.payment).await, "captured");
    gateway.finish().await;
}

#[tokio::test]
async fn credit_is_counted_when_the_bank_notifies() {
    let gateway = gateway().await;
    let checkout = gateway
        .checkout(|claims| {
            claims.methods = Some(vec![Method::BankTransfer]);
            simulate(claims, "transfer_never");
        })
        .await;
    let view = checkout.pay(&checkout.by(Method::BankTransfer)).await;
    let Some(ActionView::Transfer(transfer)) = &view.action else {
        panic!("not a transfer's action: {view:?}");
    };
    let bank: &SimulatedBank = gateway.server.state.gateway.companion().unwrap();
    let money = sealpay_protocol::money::Money::new(view.amount, view.currency.parse().unwrap());
    let now_ms = gateway.server.state.gateway.clock().now_ms_i64();
    let transfers = bank.transfers();
    let sent = transfers.send(&transfer.reference, money, now_ms).await;
    assert!(sent.unwrap().is_some());
    assert_eq!(state(&gateway, view.payment).await, "requires_action");
    assert_eq!(notify(&gateway, "credits").await.status, 204);
    assert_eq!(state(&gateway, view.payment).await, "captured");
    assert_eq!(notify(&gateway, "payouts").await.status, 204);
    gateway.finish().await;
}

/// An inquiry that is answered first would make the provider refuse the request that is on its way.
#[tokio::test]
async fn notification_before_the_response_changes_nothing() {
    let gateway = gateway().await;
    gateway
        .fault(&json!({"kind": "latency", "min_ms": 250, "max_ms": 250, "next": 1}))
        .await;
    let checkout = gateway.checkout(|_| {}).await;
    let attempt = checkout.by_card(APPROVED);
    let notifying = async {
        loop {
            let ids = gateway.rows("SELECT id FROM payments").await;
            if let Some(id) = ids.first() {
                assert_eq!(notify(&gateway, &id[0]).await.status, 204);
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (view, ()) = tokio::join!(checkout.pay(&attempt), notifying);
    assert_eq!(view.state, ShopperState::Captured);
    assert_eq!(gateway.published(view.payment).await, ["captured"]);
    gateway.finish().await;
}

#[tokio::test]
async fn only_the_provider_itself_is_heard() {
    let gateway = gateway().await;
    let checkout = gateway
        .checkout(|claims| simulate(claims, "response_lost"))
        .await;
    let payment = checkout.pay(&checkout.by_card(APPROVED)).await.payment;
    let body = payment.to_string();
    let mut of_another = signed(&gateway, "credits");
    of_another.body = body.clone().into_bytes();
    let mut twice = signed(&gateway, &body);
    twice.headers.push(("webhook-id".into(), "msg_1".into()));
    let mut old = signed(&gateway, &body);
    let long_ago = gateway.now() - 3600;
    old.set("webhook-timestamp", &long_ago.to_string());
    old.set(
        "webhook-signature",
        &sign("msg_1", long_ago, body.as_bytes(), &[], &[&secret()]),
    );
    for refused in [unsigned(&body), of_another, twice, old] {
        let answer = gateway.send(refused).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.code(), "notification_not_authenticated");
    }
    assert_eq!(state(&gateway, payment).await, "unknown");
    let answer = notify(&gateway, "nonsense").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "malformed_request".into())
    );
    // A payment of another data folder is no concern of this one's, and no reason to send it again.
    let stranger = PaymentId::new(1, [1; 10]);
    assert_eq!(notify(&gateway, stranger).await.status, 204);
    let long = "x".repeat(40_000);
    assert_eq!(notify(&gateway, long).await.code(), "payload_too_large");
    let mut elsewhere = signed(&gateway, &body);
    elsewhere.path = "/v1/providers/other/notifications".into();
    assert_eq!(gateway.send(elsewhere).await.code(), "not_found");
    gateway.finish().await;
}

#[tokio::test]
async fn provider_without_notifications_has_no_address() {
    let gateway = TestGateway::start().await;
    let answer = notify(&gateway, "credits").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (404, "not_found".into())
    );
    gateway.finish().await;
}
