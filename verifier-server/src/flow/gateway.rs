//! The gateway: everything that a step needs, in one place.

use crate::edge::{Clock, Entropy};
use crate::gate::key_ring::KeyRing;
use crate::gate::refusal::{Code, Refusal};
use crate::gate::vault::Vault;
use crate::provider::PaymentProvider;
use crate::store::Store;
use sealpay_protocol::origin::Origin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The verifier's origin as browsers and merchants see it.
    pub public_origin: Origin,
    /// Whether orders may ask for outcomes.
    pub test_mode: bool,
    /// How long a provider may take to answer.
    pub provider_timeout: Duration,
}

/// The gateway.
pub struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) provider: Box<dyn PaymentProvider>,
    pub(crate) vault: Vault,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    keys: RwLock<Arc<KeyRing>>,
    outbox: Notify,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Puts the parts together. It has no keys until [`super::maintain::refresh_keys`] has run.
    #[must_use]
    pub fn new(
        settings: Settings,
        store: Store,
        provider: Box<dyn PaymentProvider>,
        vault: Vault,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        Self {
            settings,
            store,
            provider,
            vault,
            clock,
            entropy,
            keys: RwLock::new(Arc::new(KeyRing::default())),
            outbox: Notify::new(),
        }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The source of randomness.
    #[must_use]
    pub const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The store, for the outbox and for tests.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The vault, for the outbox.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The keys in use now.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Wakes the outbox: there is something to deliver.
    pub fn wake_outbox(&self) {
        self.outbox.notify_one();
    }

    /// What wakes the outbox.
    #[must_use]
    pub const fn outbox(&self) -> &Notify {
        &self.outbox
    }

    /// Whether requests can be served.
    ///
    /// # Errors
    /// A refusal that says what is not ready, for the log.
    pub async fn ready(&self) -> Result<(), Refusal> {
        self.store.ping().await?;
        let now = self.clock.now();
        if self.keys().current_sealing_key(now).is_none() {
            return Err(Refusal::because(
                Code::Internal,
                "no sealing key is in its time",
            ));
        }
        Ok(())
    }
}
