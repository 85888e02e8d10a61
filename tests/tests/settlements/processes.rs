//! Several processes on one database: `settle`, and the audit of the ledger.

use harness::client::{Browser, Merchant, Prepared, attempt, card};
use harness::folder::Folder;
use harness::load::{KeepAlive, encode};
use harness::postgres::fresh_database;
use harness::verifier_process::{Setup, program};
use sealpay_protocol::api::{PaymentView, SessionView, ShopperState};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::process::{Child, Command, Output, Stdio};
use verifier_server::settlements::schedule;

const EVERYTHING: &str = "2100-01-01";

async fn sent<T: DeserializeOwned>(setup: &Setup, request: &Prepared) -> T {
    let mut connection = KeepAlive::connect(setup.listen).await.unwrap();
    let bytes = encode(request, &setup.listen.to_string());
    let answer = connection.exchange(&bytes).await.unwrap();
    let text = String::from_utf8_lossy(answer.body);
    assert_eq!(answer.status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Pays by a card that is approved, at a verifier that runs.
async fn pay(setup: &Setup, merchant: &Merchant) {
    let order = merchant.order(&setup.origin, None);
    let browser = Browser::new(&setup.origin);
    let session: SessionView = sent(setup, &browser.open_session(&order)).await;
    let paying = browser.pay(&order, &session, attempt(), &card("4242424242424242"));
    let view: PaymentView = sent(setup, &paying).await;
    assert_eq!(view.state, ShopperState::Captured);
}

fn command(setup: &Setup, words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(words).arg("--data").arg(&setup.data);
    command.args(["--database", &setup.database]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(setup: &Setup, words: &[&str]) -> Output {
    command(setup, words).output().unwrap()
}

/// What was printed, a JSON value on each line.
fn printed(output: &Output) -> Vec<Value> {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Several processes settle at the same moment, and then the books are added up.
async fn settle_together(setup: &Setup) {
    const PROCESSES: usize = 4;
    let merchant = setup.add_merchant(None);
    let other = setup.add_merchant(None);
    let (verifier, _) = setup.started().await;
    for merchant in [&merchant, &merchant, &merchant, &other] {
        pay(setup, merchant).await;
    }
    verifier.kill();
    let settle = || {
        command(setup, &["settle", "--until", EVERYTHING])
            .spawn()
            .unwrap()
    };
    let settling: Vec<Child> = (0..PROCESSES).map(|_| settle()).collect();
    let mut settlements = Vec::new();
    for child in settling {
        settlements.extend(printed(&child.wait_with_output().unwrap()));
    }
    settlements.sort_by_key(|settlement| settlement["lines"].as_i64());
    let lines: Vec<_> = settlements
        .iter()
        .map(|row| row["lines"].as_i64())
        .collect();
    assert_eq!(lines, [Some(1), Some(3)], "one for each merchant");
    assert!(
        settlements.iter().all(|row| row["number"] == 1),
        "{settlements:?}"
    );
    let again = printed(&run(setup, &["settle", "--until", EVERYTHING]));
    assert!(again.is_empty(), "{again:?}");

    let accounts = printed(&run(setup, &["ledger"]));
    let sum: i64 = accounts
        .iter()
        .map(|row| row["balance"].as_i64().unwrap())
        .sum();
    assert_eq!((accounts.len(), sum), (8, 0), "{accounts:?}");
    let payable = |row: &&Value| row["account"] == "merchant_payable" && row["balance"] == 0;
    assert_eq!(
        accounts.iter().filter(payable).count(),
        2,
        "all is paid out"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_processes_make_one_settlement_on_sqlite() {
    let folder = Folder::new("settling");
    let setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    settle_together(&setup).await;
    // Somebody changes what is written, and the ledger does not balance any more.
    let file = setup.data.join("sealpay.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    let wrong = "UPDATE ledger_transfers SET amount_minor = amount_minor + 1
        WHERE cause = 'payout'";
    connection.execute(wrong, []).unwrap();
    drop(connection);
    let output = run(&setup, &["ledger"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the ledger does not balance"), "{said}");
    assert!(said.contains("Merchant payable of mer_"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_processes_make_one_settlement_on_postgres() {
    let Some(database) = fresh_database().await else {
        eprintln!("skipped without Postgres: processes that settle at once");
        return;
    };
    let folder = Folder::new("settling");
    let mut setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    database.url().clone_into(&mut setup.database);
    settle_together(&setup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settling_until_a_date_leaves_later_days_open() {
    let folder = Folder::new("settling");
    let setup = Setup::on_sqlite(folder.path()).with("--widget-dir", "no-widget");
    let merchant = setup.add_merchant(None);
    let reserve = ["merchant", "set-reserve", &merchant.id.to_string()]
        .map(str::to_owned)
        .to_vec();
    let numbers = ["--basis-points", "1000", "--days", "5"].map(str::to_owned);
    let words: Vec<String> = reserve.into_iter().chain(numbers).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert!(run(&setup, &words).status.success());
    let (verifier, _) = setup.started().await;
    pay(&setup, &merchant).await;
    verifier.kill();
    let early = printed(&run(&setup, &["settle", "--until", "2020-01-01"]));
    assert!(early.is_empty(), "{early:?}");
    let all = printed(&run(&setup, &["settle", "--until", EVERYTHING]));
    let numbers: Vec<_> = all.iter().map(|row| row["number"].as_i64()).collect();
    assert_eq!(numbers, [Some(1)], "what is kept back stays so");
    // What was closed early does not keep what is sold afterwards waiting for a date far ahead.
    let (verifier, _) = setup.started().await;
    pay(&setup, &merchant).await;
    verifier.kill();
    let again = run(&setup, &["settle", "--until", "2099-12-31"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(printed(&again).is_empty(), "its day is closed: {said}");
    let left = format!("{} has EUR transactions dated ", merchant.id);
    assert!(said.contains(&left), "{said}");
    let closed = all[0]["settlement_date"].as_str().unwrap();
    let (euro, closed) = ("EUR".parse().unwrap(), closed.parse().unwrap());
    let next = schedule::business_days_after(euro, closed, 1);
    assert!(said.contains(&next.to_string()), "{next}: {said}");
    for words in [
        vec!["settle"],
        vec!["settle", "--until", "tomorrow"],
        vec!["settle", "--until", "2026-02-30"],
        vec![
            "merchant",
            "set-reserve",
            "mer_0",
            "--basis-points",
            "1",
            "--days",
            "1",
        ],
    ] {
        assert!(!run(&setup, &words).status.success(), "{words:?}");
    }
    assert!(run(&setup, &["ledger"]).status.success());
}
