//! Starting and stopping: a port in use, running requests, unfinished writes.

use harness::client::{APPROVED, Browser, Merchant, attempt, card};
use harness::folder::Folder;
use harness::verifier_process::{Setup, program};
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use std::process::Command;
use std::time::Duration;

async fn send(setup: &Setup, prepared: harness::client::Prepared) -> reqwest::Response {
    let url = format!("{}{}", setup.origin, prepared.path);
    let mut request = reqwest::Client::new().post(url).body(prepared.body);
    for (name, value) in &prepared.headers {
        request = request.header(name, value);
    }
    request.send().await.expect("the verifier answers")
}

async fn open(
    setup: &Setup,
    merchant: &Merchant,
    browser: &Browser,
    outcome: Option<&str>,
) -> (String, SessionView) {
    let order = merchant.order(&setup.origin, outcome);
    let answer = send(setup, browser.open_session(&order)).await;
    assert_eq!(answer.status(), 200);
    (order, answer.json().await.expect("a session"))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn server_writes_no_core_dump() {
    let folder = Folder::new("core-dump");
    let (verifier, _) = Setup::on_sqlite(folder.path()).started().await;
    let limits = format!("/proc/{}/limits", verifier.id());
    let limits = std::fs::read_to_string(limits).expect("a running process has limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<_> = core.expect("a line").split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{words:?}");
    verifier.kill();
}

fn terminate(process: u32) {
    let sent = Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status();
    assert!(sent.expect("kill is there").success());
}

#[tokio::test]
async fn running_payment_finishes_before_the_server_stops() {
    let folder = Folder::new("drain");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let (process, _) = setup.started().await;
    let browser = Browser::new(&setup.origin);
    // The bank takes three seconds, so the request is still running when the server is asked to stop.
    let (order, session) = open(&setup, &merchant, &browser, Some("slow")).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    let paying = tokio::spawn({
        let setup = setup.clone();
        async move { send(&setup, request).await.json::<PaymentView>().await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    terminate(process.id());
    let paid = paying.await.expect("the task ends").expect("a payment");
    assert_eq!(paid.state, ShopperState::Captured);
    let refused = reqwest::get(format!("{}/healthz", setup.origin)).await;
    assert!(refused.is_err(), "new connections are not taken any more");
}

/// Nobody else writes until this is dropped.
fn held(setup: &Setup) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(setup.data.join("sealpay.sqlite"));
    let database = database.expect("the database is a file");
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it is free");
    database
}

/// A write whose client does not wait for its answer.
async fn write_and_hang_up(setup: &Setup, merchant: &Merchant) {
    let sent = reqwest::Client::new()
        .post(format!("{}/v1/webhook-endpoints", setup.origin))
        .timeout(Duration::from_millis(400))
        .bearer_auth(&merchant.api_key)
        .header("content-type", "application/json")
        .header("idempotency-key", "hangs-up")
        .body(r#"{"url": "https://shop.example/webhooks"}"#)
        .send();
    assert!(sent.await.expect_err("the database is held").is_timeout());
}

/// Its connection is gone by then, so that only the server knows of it.
#[tokio::test]
async fn write_of_a_disconnected_client_finishes_before_the_server_stops() {
    let folder = Folder::new("drain-writes");
    let setup = Setup::on_sqlite(folder.path());
    let merchant = setup.add_merchant(None);
    let (mut process, _) = setup.started().await;
    let database = held(&setup);
    write_and_hang_up(&setup, &merchant).await;
    terminate(process.id());
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(database);
    process.ended().await;
    let trail = setup
        .command(&["audit"])
        .output()
        .expect("the program starts");
    let trail = String::from_utf8_lossy(&trail.stdout).into_owned();
    let row = trail
        .lines()
        .find(|row| row.contains("POST /v1/webhook-endpoints"));
    assert!(
        row.is_some_and(|row| row.contains(r#""outcome":"201""#)),
        "{trail}"
    );
}

#[tokio::test]
async fn unfinished_write_is_named_at_shutdown() {
    let folder = Folder::new("drain-late");
    std::fs::write(folder.path().join("config.toml"), "drain_ms = 300\n").expect("written");
    let config = folder.path().join("config.toml");
    let setup = Setup::on_sqlite(folder.path());
    let setup = setup.with("--config", config.to_str().expect("a path"));
    let merchant = setup.add_merchant(None);
    let (mut process, _) = setup.started().await;
    let database = held(&setup);
    write_and_hang_up(&setup, &merchant).await;
    terminate(process.id());
    tokio::time::sleep(Duration::from_millis(1000)).await;
    drop(database);
    process.ended().await;
    let said = process.last_words();
    let line = said
        .lines()
        .find(|line| line.contains("a write was under way at the end"));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    for part in ["req_", "POST", "/v1/webhook-endpoints"] {
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn port_in_use_is_reported() {
    let folder = Folder::new("port");
    let setup = Setup::on_sqlite(folder.path());
    let taken = std::net::TcpListener::bind(setup.listen).expect("the port is free");
    let output = Command::new(program())
        .args(["serve", "--test-mode", "--control-listen", "off"])
        .args(["--listen", &setup.listen.to_string(), "--data"])
        .arg(&setup.data)
        .output()
        .expect("the program starts");
    drop(taken);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("is in use; choose another one with --listen"),
        "{said}"
    );
}

#[tokio::test]
async fn rate_limited_address_is_served_again_later() {
    let folder = Folder::new("rate");
    let mut setup = Setup::on_sqlite(folder.path());
    setup.flags = vec!["--test-mode".into()];
    let setup = setup.with("--rate-limit-per-second", "5");
    let merchant = setup.add_merchant(None);
    let (_process, _) = setup.started().await;
    let client = reqwest::Client::new();
    let ask = || {
        let request = client.get(format!("{}/v1/payments", setup.origin));
        request.bearer_auth(&merchant.api_key).send()
    };
    let mut limited = None;
    for _ in 0..400 {
        let answer = ask().await.expect("an answer");
        if answer.status() == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 200);
    }
    let limited = limited.expect("the limit is reached");
    assert_eq!(limited.headers()["retry-after"], "1");
    let problem: sealpay_protocol::api::Problem = limited.json().await.expect("a problem");
    assert_eq!(problem.code, "rate_limited");
    // Keys and health are not counted: a shopper's page still loads.
    let keys = client
        .get(format!("{}/v1/keys", setup.origin))
        .send()
        .await
        .expect("an answer");
    assert_eq!(keys.status(), 200);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(ask().await.expect("an answer").status(), 200);
}
