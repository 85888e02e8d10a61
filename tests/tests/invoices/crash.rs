//! A server that crashes at any step of a payment on the page.

use super::{A_WHILE, again, approvals, by_card, checkout, later, paid, unagreed};
use crate::databases::on_both_databases;
use crate::settlements::crash::dying;
use crate::subscriptions::{advance, agreement, subscription};
use harness::client::{APPROVED, Prepared};
use harness::gateway::TestGateway;
use serde_json::Value;
use verifier_server::auth::signed_request::{IncomingRequest, Source};
use verifier_server::payments::authorize::authorize;

/// A payment waits fewer times than this.
const MOST_CRASHES: usize = 199;

fn incoming(request: &Prepared) -> IncomingRequest<'_> {
    IncomingRequest {
        method: &request.method,
        path: &request.path,
        query: None,
        content_type: "application/json",
        session: request.get("sealpay-session"),
        idempotency_key: request.get("idempotency-key"),
        content_digest: request.get("content-digest"),
        signature_input: request.get("signature-input"),
        signature: request.get("signature"),
        body: &request.body,
        source: Source::Unknown,
    }
}

/// Sends a request to a server that crashes after so many waits; whether it had answered.
async fn crashing(gateway: &mut TestGateway, request: &Prepared, waits: usize) -> bool {
    let server = gateway.server.clone();
    let has_ended = {
        let answer = authorize(&server.state.gateway, incoming(request));
        dying(answer, waits).await
    };
    drop(server);
    gateway.restart().await;
    has_ended
}

/// Whatever a crash has left is paid in the end, and once.
async fn settled(gateway: &TestGateway, made: &Value, invoice: &Value, what: &str) {
    advance(gateway, A_WHILE).await;
    let after = again(gateway, invoice).await;
    if after["state"] == "open" {
        paid(gateway, invoice, APPROVED).await;
    }
    let after = again(gateway, invoice).await;
    assert_eq!(
        (&after["state"], &after["amount_paid"]),
        (&"paid".into(), &900.into()),
        "{what}"
    );
    assert_eq!(
        subscription(gateway, made).await["state"],
        "active",
        "{what}"
    );
}

async fn crash_at_any_step_charges_once(gateway: &mut TestGateway) {
    let customer = agreement(gateway, APPROVED).await["customer"].clone();
    // Postgres waits more often, for its connection.
    let stride = gateway.database_url().map_or(1, |_| 5);
    let mut paid = 1;
    for is_confirmed in [false, true] {
        let (mut crashes, mut has_ended) = (0, false);
        while !has_ended {
            let (made, invoice) = unagreed(gateway, &customer).await;
            let request = request(gateway, &invoice, is_confirmed).await;
            has_ended = crashing(gateway, &request, crashes * stride).await;
            let what = format!("{is_confirmed}: a crash after {crashes} steps");
            settled(gateway, &made, &invoice, &what).await;
            crashes += 1;
            paid += 1;
            assert!(crashes < MOST_CRASHES, "it comes to its end");
            assert_eq!(approvals(gateway).await, paid, "{what}");
        }
        assert!(crashes > 3, "it crashed on its way: {crashes}");
    }
}

/// The request that begins a payment, or the one that goes on after the challenge.
async fn request(gateway: &TestGateway, invoice: &Value, is_confirmed: bool) -> Prepared {
    let mut checkout = checkout(gateway, invoice).await;
    let attempt = by_card(&checkout, APPROVED);
    if is_confirmed {
        let asked = checkout.pay(&attempt).await;
        let code = gateway.newest_code().await;
        checkout.type_code(asked.payment, &code).await;
    }
    later(gateway, &mut checkout);
    checkout.request(&attempt)
}

on_both_databases! {
    crash_at_any_step_charges_once,
}
