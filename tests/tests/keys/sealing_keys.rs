//! Sealing keys that are retired, destroyed or foreign.

use crate::refusals::{Checkout, body_of, refused};
use harness::client::{APPROVED, Browser, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::SessionView;
use sealpay_protocol::envelope::SealedCard;
use verifier_server::error::ErrorCode::SealedCardRefused;
use verifier_server::keys::key_ring::{RETENTION_SECONDS, SEALING_KEY_SECONDS};
use verifier_server::maintain::refresh_keys;

/// From a key's time to its retirement, and to its destruction.
#[tokio::test]
async fn retired_key_decrypts_earlier_cards_and_a_destroyed_key_none() {
    let gateway = TestGateway::start().await;
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap();
    let refresh = async || refresh_keys(&gateway.server.state.gateway).await.unwrap();
    // A second before the end of the key's time a session is opened.
    gateway.move_clock(seconds(SEALING_KEY_SECONDS) - 100);
    refresh().await;
    let before = Checkout::open(&gateway).await;
    let first = before.session.sealing_key.clone();
    let published: serde_json::Value = gateway.get("/v1/keys", None).await.json();
    assert_eq!(
        published["sealing_keys"].as_array().map(Vec::len),
        Some(2),
        "the next one too"
    );

    gateway.move_clock(200);
    refresh().await;
    let after = Checkout::open(&gateway).await;
    assert_ne!(
        after.session.sealing_key.kid, first.kid,
        "new sessions seal to the next key"
    );
    before.works(&gateway, "the key's retirement").await;

    // A widget that goes on sealing to the retired key is still understood for a while.
    let late = Checkout::open(&gateway).await;
    let with_first = |checkout: &Checkout| {
        let mut session = checkout.session.clone();
        session.sealing_key = first.clone();
        sealed_request(&checkout.browser, &checkout.order, &session)
    };
    assert_eq!(gateway.send(with_first(&late)).await.status, 200);

    gateway.move_clock(seconds(RETENTION_SECONDS));
    let last = Checkout::open(&gateway).await;
    let request = with_first(&last);
    refused(
        &gateway,
        "a key whose time is over",
        request,
        SealedCardRefused,
    )
    .await;
    refresh().await;
    let request = with_first(&last);
    refused(&gateway, "a destroyed key", request, SealedCardRefused).await;
    let sql = "SELECT key_id FROM server_keys WHERE private_key_encrypted = ''";
    assert_eq!(
        gateway.rows(sql).await,
        vec![vec![first.kid.clone()]],
        "destroyed on disk too"
    );
    last.works(&gateway, "a destroyed key").await;
    gateway.finish().await;
}

fn sealed_request(
    browser: &Browser,
    order: &str,
    session: &SessionView,
) -> harness::client::Prepared {
    browser.pay(order, session, attempt(), &card(APPROVED))
}

#[tokio::test]
async fn card_sealed_to_a_foreign_key_is_rejected() {
    let gateway = TestGateway::start().await;
    let other = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let theirs = Checkout::open(&other).await;
    let mut session = checkout.session.clone();
    session.sealing_key = theirs.session.sealing_key.clone();
    let request = sealed_request(&checkout.browser, &checkout.order, &session);
    refused(
        &gateway,
        "another verifier's key",
        request,
        SealedCardRefused,
    )
    .await;
    // Called by the right name it does not open either.
    let sealed =
        checkout
            .browser
            .seal(&checkout.order, &session, checkout.attempt, &card(APPROVED));
    let kid = checkout.session.sealing_key.kid.clone();
    let request = checkout.request_with(body_of(SealedCard { kid, ..sealed }));
    refused(&gateway, "and the right name", request, SealedCardRefused).await;
    checkout.works(&gateway, "another verifier's key").await;
    gateway.finish().await;
    other.finish().await;
}
