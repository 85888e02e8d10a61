//! The database with the repositories of all features; the SQL is the same for SQLite and Postgres.
//!
//! Every method takes its times as arguments. The result of a race is a type of its own; a
//! [`DatabaseError`] means that the database failed.

pub mod clock;
pub(crate) mod lease;
mod mode;

pub use sealpay_storage::{Addition, DatabaseError, Options};

use crate::agreements::store::AgreementStore;
use crate::auth::api_keys::store::ApiKeyStore;
use crate::auth::audit::store::AuditStore;
use crate::auth::nonces::NonceStore;
use crate::balance::store::BalanceStore;
use crate::customers::store::CustomerStore;
use crate::disputes::store::DisputeStore;
use crate::dunning::store::AttemptStore;
use crate::idempotency::store::IdempotencyStore;
use crate::instruments::store::InstrumentStore;
use crate::invoices::store::InvoiceStore;
use crate::keys::store::KeyStore;
use crate::ledger::store::LedgerStore;
use crate::merchants::store::MerchantStore;
use crate::modifications::store::ModificationStore;
use crate::payments::reversals::store::ReversalStore;
use crate::payments::store::PaymentStore;
use crate::payouts::store::PayoutStore;
use crate::prices::store::PriceStore;
use crate::sessions::store::SessionStore;
use crate::settlements::store::SettlementStore;
use crate::subscriptions::store::SubscriptionStore;
use crate::webhooks::deliveries::store::DeliveryStore;
use crate::webhooks::endpoints::store::EndpointStore;
use crate::webhooks::events::store::EventStore;
use crate::webhooks::fault_store::WebhookFaultStore;
use crate::widget_builds::store::WidgetBuildStore;
use sealpay_storage::{Database, Durability, Migrations};

pub(crate) static MIGRATIONS: Migrations = Migrations {
    table: "schema_migrations",
    steps: &[include_str!("../../migrations/0001_schema.sql")],
};

macro_rules! repositories {
    ($($(#[$docs:meta])* $name:ident: $repository:ident,)*) => {
        /// The server's database. Clones share it.
        #[derive(Debug, Clone)]
        pub struct Store {
            database: Database,
            $($(#[$docs])* pub $name: $repository,)*
        }

        impl From<Database> for Store {
            fn from(database: Database) -> Self {
                Self {
                    $($name: $repository { database: database.clone() },)*
                    database,
                }
            }
        }
    };
}

repositories! {
    /// The repository of payments.
    payments: PaymentStore,
    /// The repository of late approvals.
    reversals: ReversalStore,
    /// The repository of checkout sessions.
    sessions: SessionStore,
    /// The repository of captures, voids, refunds and expiries.
    modifications: ModificationStore,
    /// The repository of disputes.
    disputes: DisputeStore,
    /// The repository of customers.
    customers: CustomerStore,
    /// The repository of saved instruments.
    instruments: InstrumentStore,
    /// The repository of agreements.
    agreements: AgreementStore,
    /// The repository of tries of stored cards.
    attempts: AttemptStore,
    /// The repository of prices.
    prices: PriceStore,
    /// The repository of subscriptions.
    subscriptions: SubscriptionStore,
    /// The repository of invoices.
    invoices: InvoiceStore,
    /// The repository of merchants, their order keys and origins.
    merchants: MerchantStore,
    /// The repository of the ledger.
    ledger: LedgerStore,
    /// The repository of balance transactions.
    balance: BalanceStore,
    /// The repository of settlements.
    settlements: SettlementStore,
    /// The repository of payouts.
    payouts: PayoutStore,
    /// The repository of events.
    events: EventStore,
    /// The repository of webhook endpoints.
    endpoints: EndpointStore,
    /// The repository of deliveries of events.
    deliveries: DeliveryStore,
    /// The repository of webhook fault settings.
    webhook_faults: WebhookFaultStore,
    /// The repository of idempotent requests and their responses.
    idempotency: IdempotencyStore,
    /// The repository of the audit trail.
    audit: AuditStore,
    /// The repository of API keys.
    api_keys: ApiKeyStore,
    /// The repository of nonces of signed requests.
    nonces: NonceStore,
    /// The repository of the server's own keys.
    keys: KeyStore,
    /// The repository of builds of the widget.
    widget_builds: WidgetBuildStore,
}

impl Store {
    /// Opens `postgres://…`, `sqlite:` and a path, or a path, and applies missing migrations.
    ///
    /// # Errors
    /// The database cannot be opened, or was written by a newer version.
    pub async fn open(url_or_path: &str, options: &Options) -> Result<Self, DatabaseError> {
        // A response is only sent after its effect is durable.
        let opening = Database::open(url_or_path, &MIGRATIONS, Durability::Full, options);
        Ok(opening.await?.into())
    }

    /// Checks that the database responds and accepts writes.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.ping().await
    }

    /// Completes waiting operations and closes the database; later operations are rejected.
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
