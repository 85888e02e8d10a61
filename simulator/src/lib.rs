//! The simulated bank: issuers, accounts, acquirers, a wallet, transfers and payouts. It behaves
//! like a bank, and can simulate failures.
//!
//! An outcome is decided in this order: what the order asks for (`simulate`), what the persona of
//! the card promises, what the amount means, and otherwise the account: its status, limits and
//! balance. The bank's journal is a database of its own, as a real bank would have, so that its
//! outcomes survive a crash of the verifier and can be inquired about. It contains no card number.

pub mod account;
pub mod acquirer;
pub mod amount;
pub mod authentication;
mod book;
pub mod control;
mod exchange;
pub mod fault;
pub mod issuer;
pub mod outcome;
pub mod payout;
pub mod persona;
pub mod phone;
pub mod transfer;
pub mod wallet;
mod world;

use authentication::SimulatedAuthenticator;
use outcome::Directive;
use payout::SimulatedPayouts;
use phone::Phone;
use sealpay_protocol::card::CardNumber;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::secret::Secret;
use sealpay_provider::{BinLookup, Capabilities, PaymentProvider, ProviderError, TestScenarios};
use sealpay_storage::{Database, Durability, Migrations, Options};
use sealpay_system::{Clock, Rng};
use std::sync::{Arc, Weak};
use std::time::Duration;
use transfer::SimulatedTransfers;
use wallet::SimulatedWallet;
use world::World;

static MIGRATIONS: Migrations = Migrations {
    table: "bank_schema_migrations",
    steps: &[
        include_str!("../migrations/0001_accounts.sql"),
        include_str!("../migrations/0002_authentication.sql"),
        include_str!("../migrations/0003_wallet_and_transfer.sql"),
        include_str!("../migrations/0004_modifications_and_payouts.sql"),
        include_str!("../migrations/0005_limits.sql"),
        include_str!("../migrations/0006_about.sql"),
    ],
};

/// How often the faults are read anew that another server may have been told.
const REFRESH_FAULTS: Duration = Duration::from_secs(1);

/// Every how many of these it releases authorizations that have lapsed.
const RELEASE_EVERY: u64 = 5;
/// How many it releases at once.
const RELEASED_AT_ONCE: u32 = 64;

/// The bank, with everybody around it.
#[derive(Debug)]
pub struct SimulatedBank {
    world: Arc<World>,
}

impl SimulatedBank {
    /// Opens the bank's book, making it when it is not there.
    ///
    /// The key names the accounts: another key, other accounts behind the same cards. The origin is
    /// the verifier's own, under which the pages of the world stand. Personas and amounts mean
    /// something only where it is rehearsed.
    ///
    /// # Errors
    /// A sentence when the book cannot be opened.
    pub async fn open(
        url_or_path: &str,
        key: Secret<[u8; 32]>,
        origin: Origin,
        clock: Clock,
        rng: Rng,
        is_rehearsed: bool,
    ) -> Result<Arc<Self>, String> {
        let refused = |error| format!("cannot open the bank's book: {error}");
        let options = Options::beside_another();
        let opening = Database::open(url_or_path, &MIGRATIONS, Durability::Relaxed, &options);
        let database = opening.await.map_err(refused)?;
        let mut world = World::new(database, key, origin, clock, rng);
        world.is_rehearsed = is_rehearsed;
        let world = Arc::new(world);
        let faults = world.faults.refresh(&world.database).await;
        faults.map_err(refused)?;
        tokio::spawn(run(Arc::downgrade(&world)));
        Ok(Arc::new(Self { world }))
    }

    /// What it can do: everything.
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

    /// Everyone who takes cards.
    #[must_use]
    pub fn acquirers(&self) -> Vec<Arc<dyn PaymentProvider>> {
        self.directed_by(None).acquirers
    }

    /// What it does for a payment whose order asks for an outcome, or for none.
    fn directed_by(&self, directive: Option<&Directive>) -> Capabilities {
        let world = || Arc::clone(&self.world);
        let acquirers = acquirer::all().iter().map(|terms| {
            let acquirer: Arc<dyn PaymentProvider> = Arc::new(acquirer::Acquirer {
                world: world(),
                terms,
                directive: directive.cloned(),
            });
            acquirer
        });
        Capabilities {
            acquirers: acquirers.collect(),
            authenticator: Some(Arc::new(SimulatedAuthenticator::new(
                world(),
                directive.cloned(),
            ))),
            wallet: Some(Arc::new(SimulatedWallet::new(world(), directive.cloned()))),
            transfers: Some(Arc::new(SimulatedTransfers::new(
                world(),
                directive.cloned(),
            ))),
            ..Capabilities::default()
        }
    }

    /// The wallet.
    #[must_use]
    pub fn wallet(&self) -> Arc<SimulatedWallet> {
        Arc::new(SimulatedWallet::new(Arc::clone(&self.world), None))
    }

    /// The bank that money is sent to.
    #[must_use]
    pub fn transfers(&self) -> Arc<SimulatedTransfers> {
        Arc::new(SimulatedTransfers::new(Arc::clone(&self.world), None))
    }

    /// The bank that pays merchants.
    #[must_use]
    pub fn payouts(&self) -> Arc<SimulatedPayouts> {
        Arc::new(SimulatedPayouts::new(Arc::clone(&self.world)))
    }

    /// The phones that one-time codes are sent to.
    #[must_use]
    pub fn phone(&self) -> Phone {
        Phone::new(&self.world)
    }

    /// Releases authorizations that nobody captured in time, at most so many; how many.
    pub async fn expire_holds(&self, now_ms: i64, limit: u32) -> Result<u32, ProviderError> {
        self.world.expire_holds(now_ms, limit).await
    }

    /// Finishes what waits and closes the book.
    pub async fn close(&self) {
        self.world.database.close().await;
    }
}

/// What the bank does by itself. Ends when the bank is gone.
async fn run(world: Weak<World>) {
    for turn in 1_u64.. {
        tokio::time::sleep(REFRESH_FAULTS).await;
        let Some(world) = world.upgrade() else {
            break;
        };
        if let Err(error) = world.faults.refresh(&world.database).await {
            // What was ordered last stays in force.
            tracing::debug!(%error, "the ordered faults cannot be read");
        }
        if turn % RELEASE_EVERY == 0
            && let Err(error) = world
                .expire_holds(world.clock.now_ms_i64(), RELEASED_AT_ONCE)
                .await
        {
            tracing::warn!(?error, "the bank releases lapsed authorizations later");
        }
    }
}

impl TestScenarios for SimulatedBank {
    fn knows_outcome(&self, outcome: &str) -> bool {
        self.world.is_rehearsed && outcome::find(outcome).is_some()
    }

    fn is_persona(&self, number: &CardNumber) -> bool {
        self.world.persona_of(number).is_some()
    }

    fn stages_authentication(&self, number: &CardNumber, outcome: Option<&str>) -> bool {
        match outcome {
            Some(name) => outcome::find(name).is_some_and(|outcome| outcome.enrolment.is_some()),
            None => {
                let persona = self.world.persona_of(number);
                persona.is_some_and(persona::Persona::stages_authentication)
            }
        }
    }

    fn directed(&self, outcome: &str) -> Capabilities {
        self.directed_by(Directive::of(outcome).as_ref())
    }
}

impl BinLookup for SimulatedBank {
    fn country_of(&self, number: &CardNumber) -> Option<&str> {
        issuer::find(number).map(|issuer| issuer.country.as_str())
    }
}
