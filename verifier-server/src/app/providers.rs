//! The kinds of providers in a configuration. To add one, add a variant of [`ProviderConfig`] and
//! an arm here.

use super::Parts;
use crate::config::{Config, ProviderConfig};
use crate::gateway::Companion;
use sealpay_provider::{Capabilities, Providers};
use std::sync::Arc;

/// The capabilities of a provider, and its resources that are closed with the server.
type Opened = (Capabilities, Option<Arc<dyn Companion>>);

/// Opens every configured provider and combines their capabilities.
pub(super) async fn open(
    config: &Config,
    parts: &Parts,
) -> Result<(Providers, Option<Arc<dyn Companion>>), String> {
    let mut opened = Vec::new();
    let mut companion = None;
    for (name, provider) in &config.providers {
        let (capabilities, beside) = match provider {
            ProviderConfig::Simulated {} => simulated(config, parts).await?,
        };
        opened.push((name.clone(), capabilities));
        companion = companion.or(beside);
    }
    Ok((Providers::compose(opened)?, companion))
}

#[cfg(feature = "simulator")]
async fn simulated(config: &Config, parts: &Parts) -> Result<Opened, String> {
    let bank = sealpay_simulator::SimulatedBank::open(
        &config.bank_url(),
        parts.encryption.bank_key(),
        config.public_origin.clone(),
        parts.clock.clone(),
        parts.rng.clone(),
        config.test_mode,
    )
    .await?;
    Ok((bank.capabilities(), Some(bank)))
}

#[cfg(not(feature = "simulator"))]
async fn simulated(_: &Config, _: &Parts) -> Result<Opened, String> {
    Err(
        "this build has no simulated bank, and [providers] names it; build it with the feature \
         \"simulator\""
            .into(),
    )
}
