//! A verifier with its bank on files of its own, a clock that moves only on request, and seeded
//! randomness.

use super::shoppers::tripwire::{Tripwire, wired};
use harness::chance::Chance;
use harness::client::{Merchant, Prepared};
use harness::folder::Folder;
use harness::gateway::{admin_of, register};
use harness::time::TestClock;
use sealpay_simulator::SimulatedBank;
use sealpay_system::{Clock, Rng};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use verifier_server::auth::signed_request::{IncomingRequest, Source};
use verifier_server::gateway::{Gateway, Settings};
use verifier_server::keys::encryption::KeyEncryption;
use verifier_server::keys::master_key::MasterKey;
use verifier_server::maintain;
use verifier_server::store::{Options, Store};

/// 2026-11-23 10:00 UTC, a Monday: histories begin here, whenever they are run.
const BEGINNING_MS: u64 = 1_795_428_000_000;

/// Longer than the bank takes on a busy machine, and short, because lost answers are waited for.
const PROVIDER_TIMEOUT: Duration = Duration::from_millis(120);

const MASTER_KEY: [u8; 32] = [7; 32];

pub(crate) struct TestSystem {
    pub(crate) folder: Folder,
    pub(crate) clock: TestClock,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) bank: Arc<SimulatedBank>,
    pub(crate) merchant: Merchant,
    pub(crate) wire: Arc<Tripwire>,
    rng: Rng,
    places: Places,
}

/// Where the store and the bank's book are.
#[derive(Debug, Clone)]
struct Places {
    store: String,
    book: String,
}

impl TestSystem {
    pub(crate) async fn build(chance: &mut Chance, webhook_url: Option<&str>) -> Self {
        Self::build_on(chance, webhook_url, None).await
    }

    /// The same with everything in one Postgres database.
    pub(crate) async fn build_on(
        chance: &mut Chance,
        webhook_url: Option<&str>,
        postgres: Option<&str>,
    ) -> Self {
        let folder = Folder::new("simulation");
        let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let place = |name: &str| postgres.map_or_else(|| file(name), str::to_owned);
        let places = Places {
            store: place("sealpay.sqlite"),
            book: place("simulated-bank.sqlite"),
        };
        let clock = TestClock::default();
        clock.stop_at(BEGINNING_MS);
        let drawn = Mutex::new(chance.branch());
        let rng = Rng::new(move |bytes| {
            drawn
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(bytes);
        });
        let wire = Arc::new(Tripwire::default());
        let (gateway, bank) = start(&places, &clock, &rng, &wire).await;
        let admin = admin_of(&gateway);
        let merchant = register(&admin, webhook_url).await;
        Self {
            folder,
            clock,
            gateway,
            bank,
            merchant,
            wire,
            rng,
            places,
        }
    }

    /// The verifier died and another one begins on what it kept.
    pub(crate) async fn restart(&mut self) {
        self.gateway.close().await;
        let started = start(&self.places, &self.clock, &self.rng, &self.wire).await;
        (self.gateway, self.bank) = started;
    }

    /// Runs what the verifier does, and perhaps lets it die on the way; then nobody hears of it.
    pub(crate) async fn perhaps_dying<T>(
        &mut self,
        chance: &mut Chance,
        flow: impl Future<Output = T>,
    ) -> Option<T> {
        if chance.once_in(5) {
            self.wire.arm(chance.between(1, 9));
        }
        let wire = Arc::clone(&self.wire);
        let done = tokio::select! {
            biased;
            () = wire.tripped() => None,
            done = flow => Some(done),
        };
        wire.disarm();
        if done.is_none() {
            self.restart().await;
        }
        done
    }

    /// The system's time, milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.gateway.clock().now_ms_i64()
    }
}

pub(crate) fn settings() -> Settings {
    let config = verifier_server::config::Config::default();
    Settings {
        public_origin: config.public_origin,
        test_mode: true,
        spool: std::env::temp_dir(),
        provider_timeout: PROVIDER_TIMEOUT,
    }
}

async fn start(
    places: &Places,
    clock: &TestClock,
    rng: &Rng,
    wire: &Arc<Tripwire>,
) -> (Arc<Gateway>, Arc<SimulatedBank>) {
    let settings = settings();
    let moved = clock.clone();
    let clock = Clock::new(move || moved.now_ms());
    let encryption = KeyEncryption::new(&MasterKey::new(MASTER_KEY));
    let store = Store::open(&places.store, &Options::default()).await;
    let bank = SimulatedBank::open(
        &places.book,
        encryption.bank_key(),
        settings.public_origin.clone(),
        clock.clone(),
        rng.clone(),
        true,
    );
    let bank = bank.await.unwrap();
    let providers = wired(wire, bank.capabilities());
    let gateway = Gateway::new(
        settings,
        store.unwrap(),
        providers,
        encryption,
        clock,
        rng.clone(),
    );
    let gateway = gateway.with_companion(bank.clone());
    maintain::refresh_keys(&gateway).await.unwrap();
    (Arc::new(gateway), bank)
}

/// A request as the HTTP side would hand it over, from one of a few addresses.
pub(crate) fn incoming(prepared: &Prepared, address: u8) -> IncomingRequest<'_> {
    IncomingRequest {
        method: &prepared.method,
        path: &prepared.path,
        query: None,
        content_type: "application/json",
        session: prepared.get("sealpay-session"),
        idempotency_key: prepared.get("idempotency-key"),
        content_digest: prepared.get("content-digest"),
        signature_input: prepared.get("signature-input"),
        signature: prepared.get("signature"),
        body: &prepared.body,
        source: Source::Network(IpAddr::V4(Ipv4Addr::new(192, 0, 2, address))),
    }
}
