//! The simulated clock, and what depends on it.

use super::{advance, checkout, done, order, read, refused};
use harness::browser::eventually;
use harness::client::{APPROVED, attempt, card};
use harness::folder::Folder;
use harness::gateway::TestGateway;
use harness::postgres::{Database, fresh_database};
use harness::time::{now, random};
use sealpay_protocol::api::{PaymentView, ShopperState};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;
use sealpay_system::{Clock, Rng};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use verifier_server::app::{Parts, Server};
use verifier_server::config::Config;
use verifier_server::error::ErrorCode;
use verifier_server::keys::encryption::KeyEncryption;
use verifier_server::keys::master_key::MasterKey;
use verifier_server::simulation::clock::{self, ClockChange};
use verifier_server::store::{Options, Store};
use verifier_server::worlds::FolderLock;

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn clock_advances_by_seconds_or_to_a_time() {
    let gateway = TestGateway::start().await;
    let clock = read(&gateway, "/sim/clock").await;
    assert_eq!(clock["ahead_seconds"], 0);
    assert!(
        clock["now"].as_u64().unwrap().abs_diff(now()) <= 1,
        "{clock}"
    );
    let moved = advance(&gateway, 3600).await;
    assert_eq!(moved["ahead_seconds"], 3600);
    let to = now() + 2 * DAY;
    let moved = done(&gateway, "POST", "/sim/clock", &format!(r#"{{"to":{to}}}"#)).await;
    assert!(moved["now"].as_u64().unwrap().abs_diff(to) <= 1, "{moved}");
    let ahead = read(&gateway, "/sim/clock").await["ahead_seconds"]
        .as_u64()
        .unwrap();
    assert!(ahead.abs_diff(2 * DAY) <= 1, "{ahead}");
    // Never back, and never further than two years in all.
    let back = order("POST", "/sim/clock", &format!(r#"{{"to":{}}}"#, to - 60));
    refused(
        &gateway,
        "back",
        back,
        (ErrorCode::InvalidParameter, Some("to")),
    )
    .await;
    let far = order(
        "POST",
        "/sim/clock",
        &format!(r#"{{"advance_seconds":{}}}"#, 729 * DAY),
    );
    refused(
        &gateway,
        "far",
        far,
        (ErrorCode::InvalidParameter, Some("advance_seconds")),
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn concurrent_advances_add_up() {
    let gateway = TestGateway::start().await;
    let body = r#"{"advance_seconds":60}"#;
    let both = vec![order("POST", "/sim/clock", body); 8];
    for answer in gateway.send_together(both).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(read(&gateway, "/sim/clock").await["ahead_seconds"], 480);
    gateway.finish().await;
}

/// Renewals, for example, that were read as due and are charged a moment later.
#[tokio::test]
async fn background_work_ends_at_the_time_at_which_it_began() {
    let gateway = TestGateway::start().await;
    let (began, may_end) = (Notify::new(), Notify::new());
    let server = &gateway.server.state.gateway;
    let work = server.unless_stopped(async {
        began.notify_one();
        may_end.notified().await;
        Ok(read(&gateway, "/sim/clock").await["now"].as_u64().unwrap())
    });
    let clock_change = async {
        began.notified().await;
        tokio::join!(advance(&gateway, DAY), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            may_end.notify_one();
        })
    };
    let (ended, _) = tokio::join!(work, clock_change);
    let late = now().abs_diff(ended.unwrap());
    assert!(late < 60, "{late} s later");
    gateway.finish().await;
}

#[tokio::test]
async fn simulated_time_survives_a_restart() {
    let mut gateway = TestGateway::start().await;
    advance(&gateway, 30 * DAY).await;
    gateway.restart().await;
    assert_eq!(
        read(&gateway, "/sim/clock").await["ahead_seconds"],
        30 * DAY
    );
    assert_eq!(gateway.get("/readyz", None).await.status, 200);
    gateway.finish().await;
}

#[tokio::test]
async fn keys_for_the_new_time_are_published_immediately() {
    let gateway = TestGateway::start().await;
    let before = read(&gateway, "/v1/keys").await;
    for _ in 0..4 {
        advance(&gateway, 5 * DAY).await;
        assert_eq!(gateway.get("/readyz", None).await.status, 200);
        let browser = super::browser_on_simulated_time(&gateway);
        let mut claims = gateway.claims();
        (claims.iat, claims.exp) = (now(), now() + 1800);
        let order = gateway.merchant.sign(&claims);
        let session = gateway.open(&browser, &order).await;
        let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
        let paid: PaymentView = gateway.send(request).await.json();
        assert_eq!(paid.state, ShopperState::Captured);
    }
    let after = read(&gateway, "/v1/keys").await;
    assert_ne!(
        before["sealing_keys"][0]["kid"],
        after["sealing_keys"][0]["kid"]
    );
    gateway.finish().await;
}

#[tokio::test]
async fn uncaptured_authorization_expires_after_a_week_with_an_event() {
    let gateway = TestGateway::start().await;
    let mut claims = gateway.claims();
    claims.capture = Capture::Manual;
    let order = gateway.merchant.sign(&claims);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card("4111111111111111"));
    let held: PaymentView = gateway.send(request).await.json();
    assert_eq!(held.state, ShopperState::Authorized);
    let minutes = 7 * DAY - 60;
    advance(&gateway, minutes).await;
    assert_eq!(gateway.payment(held.payment).await["state"], "authorized");
    advance(&gateway, 60).await;
    assert_eq!(gateway.payment(held.payment).await["state"], "expired");
    let events = gateway.events_of(held.payment).await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["payment.authorized", "payment.expired"]);
    let accounts = read(&gateway, "/sim/accounts").await;
    let still_held = accounts["data"].as_array().unwrap().iter();
    assert!(
        still_held
            .map(|account| &account["held_minor"])
            .all(|held| *held == 0)
    );
    gateway.finish().await;
}

#[tokio::test]
async fn wallet_authorization_expires_after_a_week() {
    let gateway = TestGateway::start().await;
    let (method, capture) = (Method::Wallet, Capture::Manual);
    let outcome = None;
    let checkout = checkout(&gateway, (method, capture, outcome)).await;
    let path = super::wallet::path(&checkout.payment);
    gateway
        .send(super::form(&path, "action=confirm&account=wallet:everyday"))
        .await;
    assert_eq!(
        gateway.payment(checkout.payment.payment).await["state"],
        "authorized"
    );
    advance(&gateway, 7 * DAY).await;
    assert_eq!(
        gateway.payment(checkout.payment.payment).await["state"],
        "expired"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn pending_transfer_arrives_on_its_day() {
    let rows = [
        (None, "captured", DAY),
        (Some("transfer_over"), "captured", DAY),
        (Some("transfer_short"), "requires_action", DAY),
        (Some("transfer_late"), "expired", 9 * DAY),
        (Some("transfer_never"), "expired", 9 * DAY),
        (Some("transfer_wrong_reference"), "requires_action", DAY),
    ];
    for (outcome, state, after) in rows {
        let gateway = TestGateway::start().await;
        let (method, capture) = (Method::BankTransfer, Capture::Automatic);
        let checkout = checkout(&gateway, (method, capture, outcome)).await;
        let id = checkout.payment.payment;
        assert_eq!(gateway.payment(id).await["state"], "requires_action");
        advance(&gateway, 3600).await;
        assert_eq!(
            gateway.payment(id).await["state"],
            "requires_action",
            "{outcome:?}"
        );
        advance(&gateway, after).await;
        let payment: Value = gateway.payment(id).await;
        assert_eq!(payment["state"], state, "{outcome:?}: {payment}");
        // All of it is over after two weeks.
        advance(&gateway, 14 * DAY).await;
        assert_ne!(
            gateway.payment(id).await["state"],
            "requires_action",
            "{outcome:?}"
        );
        gateway.finish().await;
    }
}

/// A server on a database that another one may be on too.
async fn server_on(folder: &Folder, database: &Database, master_key: [u8; 32]) -> Arc<Server> {
    let config = Config {
        data: folder.path().to_owned(),
        database: database.url().to_owned(),
        widget: folder.path().join("no-widget"),
        test_mode: true,
        ..Config::default()
    };
    let store = Store::open(&config.database_url(), &Options::default()).await;
    let parts = Parts {
        store: store.unwrap(),
        encryption: KeyEncryption::new(&MasterKey::new(master_key)),
        clock: Clock::system(),
        rng: Rng::system(),
        livemode: false,
        folder: FolderLock::default(),
    };
    Arc::new(Server::new(&config, parts).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_on_one_database_share_the_clock() {
    let Some(database) = fresh_database().await else {
        eprintln!("skipped without Postgres");
        return;
    };
    let folder = Folder::new("one-time");
    let master_key = random();
    let one = server_on(&folder, &database, master_key).await;
    let other = server_on(&folder, &database, master_key).await;
    let beside = Arc::clone(&other);
    let beside = tokio::spawn(async move { beside.run_beside().await });
    let by = |seconds| ClockChange {
        advance_seconds: Some(seconds),
        to: None,
    };
    clock::set(&one.state.gateway, by(14 * DAY)).await.unwrap();
    let gateway = &other.state.gateway;
    eventually("the same time and its keys", async || {
        let followed = gateway.clock().ahead_ms() == 14 * DAY * 1000;
        (followed && gateway.ready().await.is_ok()).then_some(())
    })
    .await;
    // Both move it at once, from where each sees it: it goes as far as both said.
    let (first, second) = tokio::join!(
        clock::set(&one.state.gateway, by(60)),
        clock::set(&other.state.gateway, by(60))
    );
    let furthest = first
        .unwrap()
        .ahead_seconds
        .max(second.unwrap().ahead_seconds);
    assert_eq!(furthest, 14 * DAY + 120);
    beside.abort();
    for server in [one, other] {
        server.state.gateway.store().close().await;
    }
}
