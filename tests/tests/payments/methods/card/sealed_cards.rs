//! Sealed cards that are broken, moved to another session, or sealed to another key.

use crate::refusals::{Checkout, body_of, refused};
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::envelope::SealedCard;
use verifier_server::error::ErrorCode::SealedCardRefused;

/// What a row does to a good envelope.
type SpoilCard = fn(&mut SealedCard);

/// The bytes of a part of the envelope, changed.
fn bytes(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = from_base64url(text).unwrap();
    change(&mut bytes);
    base64url(&bytes)
}

#[tokio::test]
async fn malformed_sealed_cards_get_one_response() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    #[rustfmt::skip]
    let rows: [(&str, SpoilCard); 24] = [
        ("version 0", |c| c.v = 0),
        ("version 2", |c| c.v = 2),
        ("an unknown key", |c| c.kid = "0123456789abcdef".into()),
        ("no key", |c| c.kid = String::new()),
        ("the key in capitals", |c| c.kid = c.kid.to_uppercase()),
        ("a long key id", |c| c.kid = "a".repeat(10_000)),
        ("no enc", |c| c.enc = String::new()),
        ("no ct", |c| c.ct = String::new()),
        ("enc a byte short", |c| c.enc = bytes(&c.enc, |b| b.truncate(b.len() - 1))),
        ("enc a byte long", |c| c.enc = bytes(&c.enc, |b| b.push(0))),
        ("ct a byte short", |c| c.ct = bytes(&c.ct, |b| b.truncate(b.len() - 1))),
        ("ct a byte long", |c| c.ct = bytes(&c.ct, |b| b.push(0))),
        ("ct of its tag alone", |c| c.ct = bytes(&c.ct, |b| b.truncate(16))),
        ("ct of 20000 bytes", |c| c.ct = bytes(&c.ct, |b| b.resize(20_000, 0))),
        ("enc and ct exchanged", |c| std::mem::swap(&mut c.enc, &mut c.ct)),
        ("enc of zeros", |c| c.enc = bytes(&c.enc, |b| b.fill(0))),
        ("enc of ones", |c| c.enc = bytes(&c.enc, |b| b.fill(255))),
        ("first byte of enc", |c| c.enc = bytes(&c.enc, |b| b[0] ^= 1)),
        ("last byte of enc", |c| c.enc = bytes(&c.enc, |b| b[1119] ^= 0x80)),
        ("first byte of ct", |c| c.ct = bytes(&c.ct, |b| b[0] ^= 1)),
        ("last byte of ct", |c| c.ct = bytes(&c.ct, |b| b[271] ^= 1)),
        ("padding characters", |c| c.ct.push_str("==")),
        ("a line break", |c| c.ct.insert(10, '\n')),
        ("not base64url", |c| c.ct = c.ct.replacen(|_| true, "+", 1)),
    ];
    let mut texts = Vec::new();
    for (what, spoil) in rows {
        let (order, session) = (&checkout.order, &checkout.session);
        let mut sealed = checkout
            .browser
            .seal(order, session, checkout.attempt, &card(APPROVED));
        spoil(&mut sealed);
        let request = checkout.request_with(body_of(sealed));
        let answer = refused(&gateway, what, request, SealedCardRefused).await;
        let mut problem: serde_json::Value = answer.json();
        problem["request_id"] = "".into();
        problem["server_time"] = 0.into();
        texts.push(problem.to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one answer for every reason: {texts:?}");
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn sealed_card_of_another_session_is_rejected() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let Checkout {
        browser,
        order,
        session,
        attempt: sealed_for,
    } = &checkout;
    let card = card(APPROVED);
    let stolen = browser.pay_body(order, session, *sealed_for, &card);

    let request = browser.send_attempt(session, attempt(), stolen.clone());
    refused(&gateway, "to another attempt", request, SealedCardRefused).await;

    let thief = Checkout::open(&gateway).await;
    let request = thief
        .browser
        .send_attempt(&thief.session, *sealed_for, stolen.clone());
    refused(
        &gateway,
        "to the thief's session",
        request,
        SealedCardRefused,
    )
    .await;

    // The same browser, the same merchant and shop, a dearer order.
    let mut claims = gateway.claims();
    claims.amount = 99_900;
    let dearer = gateway.open(browser, &gateway.merchant.sign(&claims)).await;
    let request = browser.send_attempt(&dearer, *sealed_for, stolen.clone());
    refused(&gateway, "to a dearer order", request, SealedCardRefused).await;

    // The same order in another browser, which took it over.
    let other = gateway.browser();
    let taken = gateway.open(&other, order).await;
    assert_eq!(taken.session, session.session);
    let request = other.send_attempt(&taken, *sealed_for, stolen.clone());
    refused(
        &gateway,
        "to another browser's key",
        request,
        SealedCardRefused,
    )
    .await;

    let body = other.pay_body(order, &taken, *sealed_for, &card);
    let answer = gateway
        .send(other.send_attempt(&taken, *sealed_for, body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    thief.works(&gateway, "all of it").await;
    gateway.finish().await;
}
