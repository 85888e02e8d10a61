//! Measures the finished programs and prints one JSON object; `docs/explanation/benchmarks.md` explains it.
//!
//! Everything that is compared is measured in the same run, taking turns, because a machine is
//! never as quick as it was an hour ago. Progress goes to standard error.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot go on has to stop"
)]

mod blast;
mod bound;
mod form;
mod machine;
mod options;
mod payments;
mod renewals;
mod shopping;
mod start;
mod stored;
mod transfer;

use harness::folder::Folder;
use harness::postgres::fresh_database;
use harness::processes::widget_folder;
use harness::rows::StoredState;
use harness::verifier_process::Setup;
use options::Options;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(sentence) => {
            eprintln!("bench: {sentence}");
            return ExitCode::FAILURE;
        }
    };
    let report = measure(&options).await;
    let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn measure(options: &Options) -> Value {
    let before = machine::load_average();
    let client = bound::client();
    let start = start::measure().await;
    let mut gateways = Vec::new();
    for stored in options.stored() {
        gateways.push(on_sqlite(options, stored).await);
    }
    if options.postgres {
        for stored in options.stored() {
            gateways.extend(on_postgres(options, stored).await);
        }
    }
    let renewals = if options.subscriptions > 0 {
        renew(options).await
    } else {
        Value::Null
    };
    json!({
        "machine": machine::describe(&before),
        "start": start,
        "gateways": gateways,
        "renewals": renewals,
        "client": client,
        "transfer": transfer::measure(),
        "form": if options.browser { form::measure().await } else { Value::Null },
    })
}

/// As an operator runs it, with the widget and the log of the default settings, behind a proxy that
/// names the shoppers' addresses.
fn setup(folder: &Path) -> Setup {
    let file = folder.join("bench.toml");
    std::fs::write(&file, "trusted_proxies = [\"127.0.0.1\"]\n").expect("the folder takes a file");
    Setup::on_sqlite(folder)
        .with("--config", &file.to_string_lossy())
        .with("--widget-dir", &widget_folder().to_string_lossy())
}

async fn renew(options: &Options) -> Value {
    let folder = Folder::new("bench");
    let stored = StoredState::Sqlite(folder.path().join("data").join("sealpay.sqlite"));
    let on_sqlite = renewals::measure("sqlite", options, setup(folder.path()), 1, stored).await;
    let mut on_postgres = Value::Null;
    if options.postgres
        && let Some(database) = fresh_database().await
    {
        let folder = Folder::new("bench");
        let mut setup = setup(folder.path());
        database.url().clone_into(&mut setup.database);
        let stored = StoredState::Postgres(database.url().to_owned());
        on_postgres = renewals::measure("postgres", options, setup, 2, stored).await;
    }
    let folder = Folder::new("bench");
    let jump = renewals::jump(setup(folder.path())).await;
    json!({ "at_once": [on_sqlite, on_postgres], "jump": jump })
}

async fn on_sqlite(options: &Options, stored: u64) -> Value {
    let folder = Folder::new("bench");
    measure_gateway("sqlite", options, setup(folder.path()), stored).await
}

async fn on_postgres(options: &Options, stored: u64) -> Option<Value> {
    let database = fresh_database().await?;
    let folder = Folder::new("bench");
    let mut setup = setup(folder.path());
    database.url().clone_into(&mut setup.database);
    Some(measure_gateway("postgres", options, setup, stored).await)
}

async fn measure_gateway(name: &str, options: &Options, setup: Setup, stored: u64) -> Value {
    eprintln!("{name}, {stored} payments stored");
    let merchant = setup.add_merchant(None);
    stored::fill(&setup, &merchant, stored).await;
    let (process, _) = setup.started().await;
    let mut report = payments::measure(options, &setup, merchant, &process).await;
    report["database"] = json!(name);
    report["stored_before"] = json!(stored);
    report
}
