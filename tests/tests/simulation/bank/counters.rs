//! One bank at two counters, on SQLite and on Postgres, and whoever comes to them.

use harness::client::card;
use harness::time::{TestClock, random};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use sealpay_protocol::secret::Secret;
use sealpay_provider::{AuthorizationRequest, PaymentProvider, ProviderDecision, ProviderError};
use sealpay_simulator::SimulatedBank;
use sealpay_simulator::control::AccountView;
use sealpay_simulator::persona;
use sealpay_system::{Clock, Rng};
use std::sync::Arc;

pub(crate) use harness::folder::Folder;
pub(crate) use harness::postgres::fresh_database;

/// One bank at two counters: two servers on Postgres, one and the same on SQLite.
pub(crate) struct Counters {
    pub(crate) counters: [Arc<SimulatedBank>; 2],
    pub(crate) clock: TestClock,
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

/// One bank that both counters are of.
pub(crate) async fn on_sqlite(folder: &Folder) -> Counters {
    let clock = TestClock::default();
    let path = folder.path().join("bank.sqlite");
    let bank = open(path.to_str().unwrap(), &clock).await;
    let counters = [Arc::clone(&bank), bank];
    Counters { counters, clock }
}

/// Two servers on one database.
pub(crate) async fn on_postgres(url: &str) -> Counters {
    let clock = TestClock::default();
    let (one, other) = tokio::join!(open(url, &clock), open(url, &clock));
    Counters {
        counters: [one, other],
        clock,
    }
}

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            use $crate::simulation::bank::counters;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let folder = counters::Folder::new("bank");
                    super::$name(counters::on_sqlite(&folder).await).await;
                }
            )*
        }

        mod on_postgres {
            use $crate::simulation::bank::counters;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(database) = counters::fresh_database().await else {
                        eprintln!("skipped without Postgres: {}", stringify!($name));
                        return;
                    };
                    super::$name(counters::on_postgres(database.url()).await).await;
                }
            )*
        }
    };
}

pub(crate) use on_both;

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
        card: &card,
        authentication: None,
    };
    harbor(bank).authorize(request).await
}

pub(crate) fn declined(key: &str) -> ProviderDecision {
    ProviderDecision::Declined(key.into())
}

impl Counters {
    pub(crate) async fn account(&self, persona: &str) -> AccountView {
        self.counters[1].account(persona).await.unwrap()
    }
}
