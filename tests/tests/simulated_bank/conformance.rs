//! What every provider must do, checked of the simulated bank on Postgres. Its own tests do the same
//! on SQLite.

#[path = "../../../simulator/tests/conformance/harness.rs"]
mod bank_harness;

use super::counters::fresh_database;
use bank_harness::BankHarness;
use sealpay_provider::conformance::{CHECKS, Capability, check_all};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulated_bank_passes_the_suite_on_postgres() {
    let Some(database) = fresh_database().await else {
        eprintln!("skipped without Postgres: the_simulated_bank_passes_the_suite_on_postgres");
        return;
    };
    let harness = BankHarness::new(database.url(), "harbor");
    assert_eq!(check_all(&harness).await, CHECKS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acquirer_of_every_brand_and_currency_passes_the_suite_on_postgres() {
    let Some(database) = fresh_database().await else {
        eprintln!("skipped without Postgres: an_acquirer_of_every_brand_and_currency");
        return;
    };
    let harness = BankHarness::new(database.url(), "meridian").of_cards();
    let cards = CHECKS.iter();
    let cards = cards.filter(|check| check.capability == Capability::Acquirer);
    assert_eq!(check_all(&harness).await, cards.count());
}
