//! The simulated bank passes the provider conformance suite on Postgres. Its own tests run it on
//! SQLite.

#[path = "../../../../simulator/tests/conformance/harness.rs"]
mod bank_harness;

use bank_harness::{BankHarness, its_checks};
use futures_util::future::join_all;
use harness::postgres::fresh_database;
use sealpay_provider::conformance::{CHECKS, Capability, check_part};

/// How many banks are checked at once, each with one part of the suite.
const PARTS: usize = 6;

/// None without Postgres.
async fn passed(acquirer: &'static str, only_cards: bool) -> Option<usize> {
    let parts = (0..PARTS).map(|part| async move {
        let database = fresh_database().await?;
        let harness = BankHarness::new(database.url(), acquirer);
        let harness = if only_cards {
            harness.of_cards()
        } else {
            harness
        };
        Some(check_part(&harness, part, PARTS).await)
    });
    join_all(parts).await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_bank_passes_the_conformance_suite_on_postgres() {
    match passed("harbor", false).await {
        Some(passed) => assert_eq!(passed, its_checks()),
        None => eprintln!("skipped without Postgres: the_simulated_bank_passes_the_suite"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acquirer_of_every_brand_and_currency_passes_the_conformance_suite_on_postgres() {
    let cards = CHECKS.iter();
    let of_cards = [Capability::Acquirer, Capability::Credentials];
    let cards = cards.filter(|check| of_cards.contains(&check.capability));
    match passed("meridian", true).await {
        Some(passed) => assert_eq!(passed, cards.count()),
        None => eprintln!("skipped without Postgres: an_acquirer_of_every_brand_and_currency"),
    }
}
