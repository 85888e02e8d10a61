//! The simulated bank does what every provider must do, on SQLite. The crate `tests` runs the same
//! on Postgres.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on may panic"
)]

mod harness;

use harness::BankHarness;
use sealpay_provider::conformance::{CHECKS, Capability, check_all};
use std::path::PathBuf;

/// A folder of its own, which goes with the test.
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

fn harness_in(folder: &Folder, acquirer: &'static str) -> BankHarness {
    let path = folder.0.join("bank.sqlite");
    BankHarness::new(path.to_str().unwrap(), acquirer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulated_bank_passes_the_suite() {
    let folder = Folder::new("all");
    let harness = harness_in(&folder, "harbor");
    assert_eq!(check_all(&harness).await, CHECKS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acquirer_of_every_brand_and_currency_passes_the_suite() {
    let folder = Folder::new("cards");
    let harness = harness_in(&folder, "meridian").of_cards();
    let cards = CHECKS.iter();
    let cards = cards.filter(|check| check.capability == Capability::Acquirer);
    assert_eq!(check_all(&harness).await, cards.count());
}
