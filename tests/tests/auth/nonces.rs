//! Signed requests cannot be replayed.

use crate::databases::on_both_databases;
use crate::refusals::{Checkout, refused};
use harness::client::{APPROVED, Prepared, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{CONTENT_TYPE, PaymentView, ShopperState};
use sealpay_protocol::sign::{RequestParts, SignatureParameters, sign};
use std::collections::BTreeMap;
use verifier_server::error::ErrorCode::{
    AmountInvalid, AttemptConflict, NonceReplayed, SealedCardRefused, SessionComplete,
};

on_both_databases! {
    one_of_twenty_copies_of_a_payment_request_is_accepted,
    one_of_twenty_copies_of_a_session_request_is_accepted,
}

#[tokio::test]
async fn answered_request_is_rejected_as_a_replay() {
    let gateway = TestGateway::start().await;
    let opening = gateway.browser().open_session(&gateway.order(None));
    assert_eq!(gateway.send(opening.clone()).await.status, 200);
    refused(&gateway, "an opening again", opening, NonceReplayed).await;

    let checkout = Checkout::open(&gateway).await;
    let paying = checkout.good_request();
    assert_eq!(gateway.send(paying.clone()).await.status, 200);
    refused(&gateway, "a payment again", paying, NonceReplayed).await;
    // The same attempt with a new signature is a question, not a replay.
    let again = gateway.send(checkout.good_request()).await;
    assert_eq!(
        again.code(),
        "attempt_conflict",
        "sealed once more, it has other bytes"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn replayed_payment_is_rejected_before_its_card_is_decrypted() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let paying = checkout.good_request();
    let opened = || gateway.server.state.gateway.cards_opened();
    assert_eq!(gateway.send(paying.clone()).await.status, 200);
    let before = opened();
    assert!(before > 0);
    for _ in 0..20 {
        let again = gateway.send(paying.clone()).await;
        assert_eq!(again.code(), "nonce_replayed");
    }
    assert_eq!(opened(), before);
    gateway.finish().await;
}

/// What was refused behind the signature has spent its nonce.
#[tokio::test]
async fn rejected_payment_request_cannot_be_replayed() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let (browser, session) = (&checkout.browser, &checkout.session);
    let elsewhere = browser.pay_body(&checkout.order, session, attempt(), &card(APPROVED));
    let moved = checkout.request_with(elsewhere);
    refused(&gateway, "a moved card", moved.clone(), SealedCardRefused).await;
    refused(&gateway, "the same again", moved, NonceReplayed).await;

    checkout.works(&gateway, "nothing").await;
    let late = browser.pay(&checkout.order, session, attempt(), &card(APPROVED));
    refused(&gateway, "a paid session", late.clone(), SessionComplete).await;
    refused(&gateway, "the same again", late, NonceReplayed).await;

    let conflict = checkout.good_request();
    refused(&gateway, "other bytes", conflict.clone(), AttemptConflict).await;
    refused(&gateway, "the same again", conflict, NonceReplayed).await;

    gateway.move_clock(1801);
    let late = browser.pay(&checkout.order, session, attempt(), &card(APPROVED));
    let stored = checkout.good_request();
    let what = "paid and expired";
    refused(&gateway, what, late.clone(), SessionComplete).await;
    refused(&gateway, "the same again", late, NonceReplayed).await;
    let what = "other bytes, expired";
    refused(&gateway, what, stored.clone(), AttemptConflict).await;
    refused(&gateway, "the same again", stored, NonceReplayed).await;
    gateway.finish().await;
}

/// An opening that is refused has opened nothing, and does so again.
#[tokio::test]
async fn rejected_session_request_is_rejected_again() {
    let gateway = TestGateway::start().await;
    let mut claims = gateway.claims();
    claims.amount = 0;
    let order = gateway.merchant.sign(&claims);
    let request = gateway.browser().open_session(&order);
    for _ in 0..2 {
        refused(&gateway, "nothing to pay", request.clone(), AmountInvalid).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn nonce_is_consumed_for_one_key_only() {
    let gateway = TestGateway::start().await;
    let (one, two) = (
        Checkout::open(&gateway).await,
        Checkout::open(&gateway).await,
    );
    let nonce = [7; 16];
    for checkout in [&one, &two] {
        let answer = gateway.send(with_nonce(checkout, nonce)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    refused(
        &gateway,
        "other bytes",
        with_nonce(&one, nonce),
        NonceReplayed,
    )
    .await;
    gateway.finish().await;
}

/// A good payment whose nonce the attacker chose.
fn with_nonce(checkout: &Checkout, nonce: [u8; 16]) -> Prepared {
    let mut request = checkout.good_request();
    let parts = RequestParts {
        method: "POST",
        authority: checkout.browser.verifier.authority(),
        path: "/v1/payments",
        query: None,
        content_type: CONTENT_TYPE,
        idempotency_key: &checkout.attempt.to_string(),
        session: &checkout.session.session.to_string(),
        body: &request.body,
    };
    // One moment for both requests of one key, since a nonce is remembered until it expires.
    let created = checkout.session.server_time;
    let signed = sign(
        &parts,
        &SignatureParameters { created, nonce },
        &checkout.browser.key,
    );
    request.set("signature-input", &signed.signature_input);
    request.set("signature", &signed.signature);
    request
}

#[tokio::test]
async fn consumed_nonces_are_purged_once_their_signatures_are_stale() {
    let gateway = TestGateway::start().await;
    gateway.clock.stop();
    let checkout = Checkout::open(&gateway).await;
    let request = checkout.good_request();
    assert_eq!(gateway.send(request.clone()).await.status, 200);
    for seconds in [0, 59, 1, 1] {
        gateway.move_clock(seconds);
        let store = gateway.server.state.gateway.store();
        store.nonces.purge(gateway.now()).await.unwrap();
        let answer = gateway.send(request.clone()).await;
        let code = answer.code();
        assert!(
            ["nonce_replayed", "signature_expired"].contains(&code.as_str()),
            "{code}"
        );
    }
    assert_eq!(gateway.stored_rows().await.rows_of("nonces"), 0);
    gateway.finish().await;
}

async fn one_of_twenty_copies_of_a_payment_request_is_accepted(gateway: &TestGateway) {
    let checkout = Checkout::open(gateway).await;
    let request = checkout.good_request();
    let codes = codes_of_copies(gateway, &request).await;
    assert_eq!(
        codes,
        BTreeMap::from([("200".into(), 1), ("nonce_replayed".into(), 19)])
    );
    let kept = gateway.stored_rows().await;
    assert_eq!((kept.rows_of("payments"), kept.rows_of("events")), (1, 1));
    let mut payments = gateway.rows("SELECT id FROM payments").await;
    let paid = gateway.payment(payments.remove(0).remove(0)).await;
    assert_eq!(paid["state"], "captured");
}

async fn one_of_twenty_copies_of_a_session_request_is_accepted(gateway: &TestGateway) {
    let browser = gateway.browser();
    let order = gateway.order(None);
    let codes = codes_of_copies(gateway, &browser.open_session(&order)).await;
    assert_eq!(
        codes,
        BTreeMap::from([("200".into(), 1), ("nonce_replayed".into(), 19)])
    );
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let paid: PaymentView = gateway.send(request).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
}

async fn codes_of_copies(gateway: &TestGateway, request: &Prepared) -> BTreeMap<String, usize> {
    let answers = gateway.send_together(vec![request.clone(); 20]).await;
    let mut codes = BTreeMap::new();
    for answer in answers {
        let code = if answer.status == 200 {
            "200".into()
        } else {
            answer.code()
        };
        *codes.entry(code).or_default() += 1;
    }
    codes
}
