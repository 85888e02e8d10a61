//! The simulated bank: issuers, accounts, acquirers, a wallet, transfers, direct debits and payouts. It behaves
//! like a bank, and can simulate failures.
//!
//! The outcome of a payment is that which the order asks for (`simulate`), or that of the card's
//! persona, or that of the amount. Otherwise the account decides: its status, limits and balance.
//! The bank's journal is a database of its own, as a real bank would have, so that its decisions
//! survive a crash of the verifier and can be inquired about. It contains no card number.

pub mod account;
pub mod acquirer;
pub mod amount;
pub mod authentication;
mod codes;
pub mod control;
pub mod credential;
pub mod direct_debit;
mod exchange;
pub mod fault;
pub mod issuer;
mod journal;
pub mod outcome;
pub mod payout;
pub mod persona;
pub mod phone;
pub mod renewals;
mod simulation;
pub mod transfer;
pub mod wallet;

pub use journal::{Authorization, AuthorizationState};

use authentication::SimulatedAuthenticator;
use direct_debit::SimulatedDirectDebits;
use outcome::Directive;
use payout::SimulatedPayouts;
use persona::Persona;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sealpay_provider::{BinLookup, Capabilities, PaymentProvider, ProviderError, TestScenarios};
use sealpay_storage::{Database, Durability, Migrations, Options};
use sealpay_system::{Clock, Rng};
use simulation::Simulation;
use std::sync::{Arc, Weak};
use std::time::Duration;
use transfer::SimulatedTransfers;
use wallet::SimulatedWallet;

static MIGRATIONS: Migrations = Migrations {
    table: "bank_schema_migrations",
    steps: &[
        include_str!("../migrations/0001_accounts.sql"),
        include_str!("../migrations/0002_authentication.sql"),
        include_str!("../migrations/0003_wallet_and_transfer.sql"),
        include_str!("../migrations/0004_modifications_and_payouts.sql"),
        include_str!("../migrations/0005_limits.sql"),
        include_str!("../migrations/0006_about.sql"),
        include_str!("../migrations/0007_credentials.sql"),
        include_str!("../migrations/0008_direct_debits.sql"),
    ],
};

/// How often faults that another server may have added are read.
const REFRESH_FAULTS: Duration = Duration::from_secs(1);

/// Expired authorizations are released each time after this many reads.
const RELEASE_EVERY: u64 = 5;
/// Maximum number of authorizations that are released at once.
const RELEASED_AT_ONCE: u32 = 64;

/// The bank, with its acquirers, wallet, transfers and payouts.
#[derive(Debug)]
pub struct SimulatedBank {
    simulation: Arc<Simulation>,
}

impl SimulatedBank {
    /// Opens the bank's journal, or creates it.
    ///
    /// The account of a card depends on the key. The origin is the verifier's own, which also serves
    /// the simulation's pages. Personas and amounts have special outcomes in test mode only.
    ///
    /// # Errors
    /// A sentence when the journal cannot be opened.
    pub async fn open(
        url_or_path: &str,
        key: Secret<[u8; 32]>,
        origin: Origin,
        clock: Clock,
        rng: Rng,
        is_test_mode: bool,
    ) -> Result<Arc<Self>, String> {
        let options = Options::beside_another();
        let opening = Database::open(url_or_path, &MIGRATIONS, Durability::Relaxed, &options);
        let database = opening
            .await
            .map_err(|error| format!("cannot open the bank's journal: {error}"))?;
        let mut simulation = Simulation::new(database, key, origin, clock, rng);
        simulation.is_test_mode = is_test_mode;
        let simulation = Arc::new(simulation);
        let faults = simulation.faults.refresh(&simulation.journal).await;
        faults.map_err(|error| format!("cannot read the bank's faults: {error:?}"))?;
        tokio::spawn(run(Arc::downgrade(&simulation)));
        Ok(Arc::new(Self { simulation }))
    }

    /// All capabilities but notifications.
    #[must_use]
    pub fn capabilities(self: &Arc<Self>) -> Capabilities {
        let test_scenarios: Arc<dyn TestScenarios> = Arc::<Self>::clone(self);
        let issuers: Arc<dyn BinLookup> = Arc::<Self>::clone(self);
        Capabilities {
            payouts: Some(self.payouts()),
            issuers: Some(issuers),
            test_scenarios: Some(test_scenarios),
            ..self.directed_by(None)
        }
    }

    /// The acquirers.
    #[must_use]
    pub fn acquirers(&self) -> Vec<Arc<dyn PaymentProvider>> {
        self.directed_by(None).acquirers
    }

    /// The capabilities for a payment whose order asks for an outcome, or for none.
    fn directed_by(&self, directive: Option<&Directive>) -> Capabilities {
        let simulation = || Arc::clone(&self.simulation);
        let directive = || directive.cloned();
        let acquirers = acquirer::all().iter().map(|terms| {
            let acquirer: Arc<dyn PaymentProvider> = Arc::new(acquirer::Acquirer {
                simulation: simulation(),
                terms,
                directive: directive(),
            });
            acquirer
        });
        let authenticator = SimulatedAuthenticator::new(simulation(), directive());
        let direct_debits = SimulatedDirectDebits::new(simulation(), directive());
        let transfers = SimulatedTransfers::new(simulation(), directive());
        Capabilities {
            acquirers: acquirers.collect(),
            authenticator: Some(Arc::new(authenticator)),
            wallet: Some(Arc::new(SimulatedWallet::new(simulation(), directive()))),
            transfers: Some(Arc::new(transfers)),
            direct_debits: Some(Arc::new(direct_debits)),
            ..Capabilities::default()
        }
    }

    /// The wallet.
    #[must_use]
    pub fn wallet(&self) -> Arc<SimulatedWallet> {
        Arc::new(SimulatedWallet::new(Arc::clone(&self.simulation), None))
    }

    /// The bank that collects transfers.
    #[must_use]
    pub fn transfers(&self) -> Arc<SimulatedTransfers> {
        Arc::new(SimulatedTransfers::new(Arc::clone(&self.simulation), None))
    }

    /// The bank that collects direct debits.
    #[must_use]
    pub fn direct_debits(&self) -> Arc<SimulatedDirectDebits> {
        let simulation = Arc::clone(&self.simulation);
        Arc::new(SimulatedDirectDebits::new(simulation, None))
    }

    /// The bank that pays merchants.
    #[must_use]
    pub fn payouts(&self) -> Arc<SimulatedPayouts> {
        Arc::new(SimulatedPayouts::new(Arc::clone(&self.simulation)))
    }

    /// Releases expired authorizations, at most so many; how many.
    pub async fn expire_holds(&self, now_ms: i64, limit: u32) -> Result<u32, ProviderError> {
        self.simulation.journal.expire_holds(now_ms, limit).await
    }

    /// Completes pending writes and closes the journal.
    pub async fn close(&self) {
        self.simulation.journal.database.close().await;
    }
}

/// The bank's own work. Ends when the bank is dropped.
async fn run(simulation: Weak<Simulation>) {
    for turn in 1_u64.. {
        tokio::time::sleep(REFRESH_FAULTS).await;
        let Some(simulation) = simulation.upgrade() else {
            break;
        };
        if let Err(error) = simulation.faults.refresh(&simulation.journal).await {
            // The faults that were read last stay in force.
            tracing::debug!(?error, "the faults cannot be read");
        }
        let now_ms = simulation.clock.now_ms_i64();
        if turn % RELEASE_EVERY == 0
            && let Err(error) = simulation
                .journal
                .expire_holds(now_ms, RELEASED_AT_ONCE)
                .await
        {
            tracing::warn!(?error, "the bank releases lapsed authorizations later");
        }
    }
}

impl TestScenarios for SimulatedBank {
    fn knows_outcome(&self, outcome: &str) -> bool {
        self.simulation.is_test_mode && outcome::find(outcome).is_some()
    }

    fn is_persona(&self, number: &CardNumber) -> bool {
        self.simulation.persona_of(number).is_some()
    }

    fn stages_authentication(&self, number: &CardNumber, outcome: Option<&str>) -> bool {
        match outcome {
            Some(name) => outcome::find(name).is_some_and(|outcome| outcome.enrolment.is_some()),
            None => {
                let persona = self.simulation.persona_of(number);
                persona.is_some_and(Persona::stages_authentication)
            }
        }
    }

    fn directed(&self, outcome: &str) -> Capabilities {
        self.directed_by(Directive::from_name(outcome).as_ref())
    }
}

impl BinLookup for SimulatedBank {
    fn country_of(&self, number: &CardNumber) -> Option<&str> {
        issuer::find(number).map(|issuer| issuer.country.as_str())
    }
}
