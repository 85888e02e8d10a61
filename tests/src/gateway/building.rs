//! The server of a test, put together of its parts.

use crate::time::TestClock;
use axum::Router;
use sealpay_provider::{Capabilities, Providers};
use sealpay_simulator::SimulatedBank;
use sealpay_system::{Clock, Rng};
use std::sync::Arc;
use verifier_server::app::{Parts, Server};
use verifier_server::config::Config;
use verifier_server::http::operator::{self, OperatorAccess};
use verifier_server::keys::encryption::KeyEncryption;
use verifier_server::keys::master_key::MasterKey;
use verifier_server::store::{Options, Store};
use verifier_server::worlds::FolderLock;

pub(super) fn operators_of(server: &Server) -> Router {
    operator::app(server.state.clone(), OperatorAccess::default())
}

/// What a test changes of what the simulated bank can do.
pub type Extend = fn(Capabilities) -> Capabilities;

pub(super) async fn build(
    config: &Config,
    extend: Option<Extend>,
    master_key: [u8; 32],
    clock: &TestClock,
) -> Arc<Server> {
    let clock = clock.clone();
    let store = Store::open(&config.database_url(), &Options::default()).await;
    let parts = Parts {
        store: store.expect("the store opens"),
        encryption: KeyEncryption::new(&MasterKey::new(master_key)),
        clock: Clock::new(move || clock.now_ms()),
        rng: Rng::system(),
        livemode: !config.test_mode,
        folder: FolderLock::default(),
    };
    let server = match extend {
        None if config.test_mode => Server::new(config, parts).await,
        Some(extend) if config.test_mode => extended(config, parts, extend).await,
        _ => live(config, parts).await,
    };
    Arc::new(server.expect("the server starts"))
}

/// A server with a provider that is taken for a real one: the simulated bank stands in for it, and
/// nobody can look behind it.
async fn live(config: &Config, parts: Parts) -> Result<Server, String> {
    let bank = bank(config, &parts).await?;
    let capabilities = Capabilities {
        livemode: true,
        // Its page is a part of the simulation.
        wallet: None,
        ..bank.capabilities()
    };
    let providers = Providers::compose([("live".into(), capabilities)])?;
    Server::with_providers(config, parts, providers, None).await
}

/// A server whose simulated bank can do something else as well.
async fn extended(config: &Config, parts: Parts, extend: Extend) -> Result<Server, String> {
    let bank = bank(config, &parts).await?;
    let capabilities = extend(bank.capabilities());
    let providers = Providers::compose([("simulated".into(), capabilities)])?;
    Server::with_providers(config, parts, providers, Some(bank)).await
}

pub(super) async fn bank(config: &Config, parts: &Parts) -> Result<Arc<SimulatedBank>, String> {
    let (clock, rng) = (parts.clock.clone(), parts.rng.clone());
    SimulatedBank::open(
        &config.bank_url(),
        parts.encryption.bank_key(),
        config.public_origin.clone(),
        clock,
        rng,
        config.test_mode,
    )
    .await
}
