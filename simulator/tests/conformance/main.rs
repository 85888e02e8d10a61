//! The conformance suite with the simulated bank on SQLite. The crate `tests` runs it on Postgres.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on may panic"
)]

mod harness;

use futures_util::future::join_all;
use harness::{BankHarness, its_checks};
use sealpay_provider::conformance::{CHECKS, Capability, check_part};
use std::path::PathBuf;

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("sealpay-conformance-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// How many banks are checked at once, each with one part of the suite.
const PARTS: usize = 6;

async fn passed(acquirer: &'static str, only_cards: bool) -> usize {
    let parts = (0..PARTS).map(|part| async move {
        let folder = Folder::new(&format!("{acquirer}-{part}"));
        let path = folder.0.join("bank.sqlite");
        let harness = BankHarness::new(path.to_str().unwrap(), acquirer);
        let harness = if only_cards {
            harness.of_cards()
        } else {
            harness
        };
        check_part(&harness, part, PARTS).await
    });
    join_all(parts).await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulated_bank_passes_the_suite() {
    assert_eq!(passed("harbor", false).await, its_checks());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acquirer_of_every_brand_and_currency_passes_the_suite() {
    let cards = CHECKS.iter();
    let of_cards = [Capability::Acquirer, Capability::Credentials];
    let cards = cards.filter(|check| of_cards.contains(&check.capability));
    assert_eq!(passed("meridian", true).await, cards.count());
}
