//! One bank with two servers, on SQLite and on Postgres.

use harness::client::card;
use harness::folder::Folder;
use harness::postgres::{Database, fresh_database};
use harness::time::{TestClock, random};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_protocol::secret::Secret;
use sealpay_provider::{
    AuthorizationRequest, CardSource, ModificationRequest, PaymentProvider, ProviderDecision,
    ProviderError,
};
use sealpay_simulator::SimulatedBank;
use sealpay_simulator::control::AccountView;
use sealpay_simulator::persona;
use sealpay_system::{Clock, Rng};
use std::sync::Arc;

/// One bank at two servers: two servers on Postgres, one and the same on SQLite.
pub(crate) struct TwoServers {
    pub(crate) servers: [Arc<SimulatedBank>; 2],
    pub(crate) clock: TestClock,
    _guard: Guard,
}

/// Goes away with the bank.
enum Guard {
    Sqlite { _folder: Folder },
    Postgres { _database: Database },
}

async fn open(url_or_path: &str, clock: &TestClock) -> Arc<SimulatedBank> {
    let told = clock.clone();
    let bank = SimulatedBank::open(
        url_or_path,
        Secret::new([5; 32]),
        "http://127.0.0.1:8787".parse().unwrap(),
        Clock::new(move || told.now_ms()),
        Rng::system(),
        true,
    );
    bank.await.expect("the bank opens")
}

pub(crate) fn number_of(name: &str) -> &'static str {
    let persona = persona::all().iter().find(|persona| persona.name == name);
    &persona.expect("there is such a persona").number
}

pub(crate) fn harbor(bank: &SimulatedBank) -> Arc<dyn PaymentProvider> {
    let mut all = bank.acquirers().into_iter();
    all.find(|acquirer| acquirer.name() == "harbor").unwrap()
}

pub(crate) fn new_reference() -> PaymentId {
    PaymentId::new(1_780_000_000_000, random())
}

pub(crate) fn euros(amount_minor: i64) -> Money {
    Money::new(amount_minor, "EUR".parse().unwrap())
}

pub(crate) async fn pay(
    bank: &SimulatedBank,
    number: &str,
    reference: PaymentId,
    amount_minor: i64,
    capture: Capture,
) -> Result<ProviderDecision, ProviderError> {
    let card = card(number);
    let request = AuthorizationRequest {
        reference,
        money: euros(amount_minor),
        capture,
        source: CardSource::Card(&card),
        authentication: None,
        stored_credential: None,
    };
    harbor(bank).authorize(request).await.map(without_codes)
}

/// The decision about a modification, without codes.
pub(crate) async fn modify(
    bank: &SimulatedBank,
    request: ModificationRequest,
) -> Result<ProviderDecision, ProviderError> {
    harbor(bank).modify(request).await.map(without_codes)
}

pub(crate) const APPROVED: ProviderDecision = ProviderDecision::approved();

/// The codes differ from payment to payment.
fn without_codes(decision: ProviderDecision) -> ProviderDecision {
    match decision {
        ProviderDecision::Approved(_) => APPROVED,
        ProviderDecision::Declined(_) => decision,
    }
}

pub(crate) fn declined(key: &str) -> ProviderDecision {
    ProviderDecision::declined(key)
}

impl TwoServers {
    /// One bank that both servers are of.
    pub(crate) async fn on_sqlite() -> Self {
        let (clock, folder) = (TestClock::default(), Folder::new("bank"));
        let path = folder.path().join("bank.sqlite");
        let bank = open(path.to_str().unwrap(), &clock).await;
        Self {
            servers: [Arc::clone(&bank), bank],
            clock,
            _guard: Guard::Sqlite { _folder: folder },
        }
    }

    /// Two servers on one database.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let (clock, database) = (TestClock::default(), fresh_database().await?);
        let url = database.url();
        let (one, other) = tokio::join!(open(url, &clock), open(url, &clock));
        Some(Self {
            servers: [one, other],
            clock,
            _guard: Guard::Postgres {
                _database: database,
            },
        })
    }

    pub(crate) async fn finish(self) {}

    pub(crate) async fn account(&self, persona: &str) -> AccountView {
        self.servers[1].account(persona).await.unwrap()
    }
}
