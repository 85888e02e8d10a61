//! What is kept: one `Store` for SQLite and Postgres, with one SQL text and one set of operations.
//!
//! Every method takes its times as arguments. What a race decides is an outcome of its own type;
//! a [`DatabaseError`] means that the database did not do its work.

mod activity;
mod api_keys;
mod audit;
mod ciphertexts;
mod claim;
mod deliveries;
mod disputes;
mod endpoint_change;
mod endpoint_writes;
mod endpoints;
mod events;
mod idempotency;
mod keys;
mod ledger;
mod listing;
mod merchants;
mod mode;
mod modifications;
mod nonces;
mod payments;
mod payouts;
mod posting;
mod purge;
mod redelivery;
mod reversals;
mod running;
mod sessions;
mod settle;
mod settlements;
mod simulation;
mod telling;
mod transactions;
mod usage;
mod verification;
mod widget_builds;

pub use api_keys::KeyRotation;
pub use ciphertexts::{Ciphertext, EncryptedColumn};
pub use claim::Claim;
pub use deliveries::AttemptRecorded;
pub use disputes::{DisputeChange, DisputeStep};
pub use endpoint_change::{EndpointChange, ExpectedEndpoint};
pub use endpoint_writes::{EndpointWrite, StoredResponse};
pub use endpoints::Disabling;
pub use events::EventFilter;
pub use ledger::{Finding, FindingOf};
pub use listing::PaymentFilter;
pub use modifications::{ModificationClaim, ModificationSettled};
pub use nonces::Nonce;
pub use payouts::PayoutFilter;
pub use purge::DELIVERIES_KEPT_DAYS;
pub use redelivery::{
    DeliveryFilter, EventRange, MOST_PENDING, RedeliveryBatch, RedeliverySelection, StoredDelivery,
};
pub use sealpay_storage::{Addition, DatabaseError, Options};
pub use sessions::SessionOpened;
pub use settle::Settled;
pub use settlements::{CloseOutcome, ComposeFn, SettlementFilter};
pub use transactions::{PendingLines, TransactionFilter};
pub use usage::{
    ENDPOINT_CHANGES_AN_HOUR, ENDPOINTS_A_DAY, REDELIVERIES_AN_HOUR, VERIFICATIONS_AN_HOUR,
};
pub use verification::{DueVerification, VerificationFailed};
pub use widget_builds::WidgetFile;

use sealpay_storage::{Database, Durability, Migrations};

static MIGRATIONS: Migrations = Migrations {
    table: "schema_migrations",
    steps: &[
        include_str!("../../migrations/0001_first.sql"),
        include_str!("../../migrations/0002_methods.sql"),
        include_str!("../../migrations/0003_money.sql"),
        include_str!("../../migrations/0004_safety.sql"),
        include_str!("../../migrations/0005_responsibility.sql"),
    ],
};

/// What the server keeps. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens `postgres://…`, `sqlite:` and a path, or a path, and brings it to the present form.
    ///
    /// # Errors
    /// The database cannot be opened, or was written by a newer version.
    pub async fn open(url_or_path: &str, options: &Options) -> Result<Self, DatabaseError> {
        // An answer is given only after what it says is durable.
        let opening = Database::open(url_or_path, &MIGRATIONS, Durability::Full, options);
        Ok(Self {
            database: opening.await?,
        })
    }

    /// Says whether the database answers and takes changes.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.ping().await
    }

    /// Finishes what waits and closes the database; what comes later is refused.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_table_is_strict_on_sqlite() {
        assert_eq!(MIGRATIONS.tables_not_strict_on_sqlite(), Ok(Vec::new()));
    }
}
