//! The gateway: the dependencies of all features.

use crate::auth::api_keys::last_use::LastUse;
use crate::auth::audit::appender::AuditAppender;
use crate::error::{ApiError, ErrorCode};
use crate::fair::merchant_queues::MerchantQueues;
use crate::fair::payment_waiters::PaymentWaiters;
use crate::keys::encryption::KeyEncryption;
use crate::keys::key_ring::KeyRing;
use crate::keys::master_key::MasterKeys;
use crate::ledger::posting::PostingContext;
use crate::store::Store;
use sealpay_protocol::ids::{EventId, Identifier, LedgerTransferId, TransactionId};
use sealpay_protocol::origin::Origin;
use sealpay_provider::{ProviderError, ProviderFuture, Providers};
use sealpay_system::{Clock, Rng};
use std::any::Any;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use url::Url;

/// Checks whether webhooks may be sent to a URL, without resolving its name.
pub type CheckAddress = dyn Fn(&Url) -> Result<(), String> + Send + Sync;

/// Reloads the master keys; none if they cannot change while the server runs.
pub type KeySource = dyn Fn() -> Result<Option<MasterKeys>, String> + Send + Sync;

/// Whether an address needs no verification.
pub type VouchForAddress = dyn Fn(&Url) -> bool + Send + Sync;

/// An extension that the gateway does not know, such as a simulation, closed with it.
pub trait Companion: Any + Send + Sync {
    /// Completes pending work and closes resources.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The operator's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's public origin.
    pub public_origin: Origin,
    /// Whether orders may request outcomes.
    pub test_mode: bool,
    /// The folder for temporary files, such as reports being downloaded.
    pub spool: PathBuf,
    /// Time limit of a provider call.
    pub provider_timeout: Duration,
}

/// The gateway.
pub struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) encryption: KeyEncryption,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) merchant_queues: MerchantQueues,
    pub(crate) last_use: LastUse,
    pub(crate) audit: AuditAppender,
    companion: Option<Arc<dyn Companion>>,
    webhook_addresses: Option<(Box<CheckAddress>, Box<VouchForAddress>)>,
    key_source: Option<Box<KeySource>>,
    pub(crate) payment_waiters: PaymentWaiters,
    keys: RwLock<Arc<KeyRing>>,
    outbox: Notify,
    last_event: Mutex<EventId>,
    /// Held while a tester advances the clock: each step of it has its own time.
    pub(crate) clock_steps: tokio::sync::Mutex<()>,
    /// Shared by due work in the background. Who has it alone knows that all of it has ended.
    pub(crate) background: tokio::sync::RwLock<()>,
    cards_opened: AtomicU64,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Checks that an outcome exists, and that this verifier simulates outcomes.
    ///
    /// # Errors
    /// [`ErrorCode::SimulateNotAllowed`], [`ErrorCode::InvalidParameter`].
    pub(crate) fn check_simulated_outcome(&self, outcome: &str) -> Result<(), ApiError> {
        if !self.settings.test_mode {
            let code = ErrorCode::SimulateNotAllowed;
            return Err(ApiError::for_param(code, "simulate"));
        }
        let scenarios = self.providers.test_scenarios.as_ref();
        if !scenarios.is_some_and(|scenarios| scenarios.knows_outcome(outcome)) {
            let detail = "simulate.outcome must name an outcome of docs/reference/test-cards.md.";
            return Err(ApiError::invalid("simulate", detail));
        }
        Ok(())
    }

    /// Assembles the gateway. It has no keys until [`crate::maintain::refresh_keys`] has run.
    #[must_use]
    pub fn new(
        settings: Settings,
        store: Store,
        providers: Providers,
        encryption: KeyEncryption,
        clock: Clock,
        rng: Rng,
    ) -> Self {
        Self {
            settings,
            audit: AuditAppender::new(store.clone(), encryption.audit_chain()),
            store,
            providers: Arc::new(providers),
            encryption,
            clock,
            rng,
            merchant_queues: MerchantQueues::default(),
            last_use: LastUse::default(),
            companion: None,
            webhook_addresses: None,
            key_source: None,
            payment_waiters: PaymentWaiters::default(),
            keys: RwLock::new(Arc::new(KeyRing::default())),
            outbox: Notify::new(),
            last_event: Mutex::new(EventId::MIN),
            clock_steps: tokio::sync::Mutex::new(()),
            background: tokio::sync::RwLock::new(()),
            cards_opened: AtomicU64::new(0),
        }
    }

    /// Adds a companion that is closed with the gateway.
    #[must_use]
    pub fn with_companion(mut self, companion: Arc<dyn Companion>) -> Self {
        self.companion = Some(companion);
        self
    }

    /// Rejects addresses at registration that the outbox would not send to.
    #[must_use]
    pub fn with_webhook_addresses(
        mut self,
        check: Box<CheckAddress>,
        vouch: Box<VouchForAddress>,
    ) -> Self {
        self.webhook_addresses = Some((check, vouch));
        self
    }

    /// Supports rotation of the master key at run time.
    #[must_use]
    pub fn with_key_source(mut self, source: Box<KeySource>) -> Self {
        self.key_source = Some(source);
        self
    }

    /// Reloads the master keys after a rotation.
    ///
    /// # Errors
    /// A sentence; the keys in use stay.
    pub(crate) fn reload_master_keys(&self) -> Result<(), String> {
        if let Some(source) = &self.key_source
            && let Some(keys) = source()?
        {
            self.encryption.replace_encryption_keys(&keys);
        }
        Ok(())
    }

    /// Checks a webhook URL; the outbox checks again at every delivery.
    pub(crate) fn check_webhook_address(&self, url: &Url) -> Result<(), String> {
        self.webhook_addresses
            .as_ref()
            .map_or(Ok(()), |(check, _)| check(url))
    }

    /// The verification time of a new address: now if the operator allows its network, otherwise
    /// none.
    pub(crate) fn vouched_at_ms(&self, url: &str) -> Option<i64> {
        let (_, vouch) = self.webhook_addresses.as_ref()?;
        let url = Url::parse(url).ok()?;
        vouch(&url).then(|| self.clock.now_ms_i64())
    }

    /// The companion of this type, if there is one.
    #[must_use]
    pub fn companion<T: Companion>(&self) -> Option<&T> {
        let companion: &dyn Any = self.companion.as_deref()?;
        companion.downcast_ref()
    }

    /// The number of attempted decryptions of sealed cards, the main cost of a payment.
    #[must_use]
    pub fn cards_opened(&self) -> u64 {
        self.cards_opened.load(Ordering::Relaxed)
    }

    /// Counts a decryption.
    pub(crate) fn count_opening(&self) {
        self.cards_opened.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether real money moves. Decided by the providers; there is no setting.
    #[must_use]
    pub fn livemode(&self) -> bool {
        self.providers.livemode
    }

    /// The providers for a payment; a requested outcome goes to the simulation's providers only.
    pub(crate) fn providers_for(&self, simulate: Option<&str>) -> Arc<Providers> {
        let directed = simulate.and_then(|outcome| self.providers.directed(outcome));
        directed.map_or_else(|| Arc::clone(&self.providers), Arc::new)
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
    pub const fn rng(&self) -> &Rng {
        &self.rng
    }

    /// The store, for the outbox and for tests.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The key encryption, for the outbox.
    #[must_use]
    pub const fn encryption(&self) -> &KeyEncryption {
        &self.encryption
    }

    /// The active keys.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// A new id of an event. Ids that this server makes in one millisecond sort in the order in which
    /// they were made, so that lists show what happened first first.
    pub(crate) fn event_id(&self) -> EventId {
        let new = EventId::new(self.clock.now_ms(), self.rng.bytes());
        let last = &mut *self
            .last_event
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = new.max(last.following());
        *last
    }

    /// The id of a new event, and whether real money moves.
    pub(crate) fn event_origin(&self) -> (EventId, bool) {
        (self.event_id(), self.livemode())
    }

    /// Does work that is due, unless a tester is advancing the clock: then that request does it, in an
    /// order that does not depend on chance.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn unless_stopped<T: Default>(
        &self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let _working = self.background.read().await;
        if self.clock.is_stopped() {
            return Ok(T::default());
        }
        work.await
    }

    /// Wakes the outbox, because there is something to deliver.
    pub fn wake_outbox(&self) {
        self.outbox.notify_one();
    }

    /// The notification that wakes the outbox.
    #[must_use]
    pub const fn outbox(&self) -> &Notify {
        &self.outbox
    }

    /// Completes pending work and closes all resources, including the companion's.
    pub async fn close(&self) {
        self.audit.close().await;
        self.store.close().await;
        if let Some(companion) = &self.companion {
            companion.close().await;
        }
    }

    /// The context of a posting made now, for a payment acquired by this provider.
    pub(crate) fn posting_context(&self, provider: Option<&str>) -> PostingContext {
        let now_ms = self.clock.now_ms();
        PostingContext {
            transfer: LedgerTransferId::new(now_ms, self.rng.bytes()),
            overpayment: LedgerTransferId::new(now_ms, self.rng.bytes()),
            line: TransactionId::new(now_ms, self.rng.bytes()),
            at_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            acquirer_country: provider
                .and_then(|provider| self.providers.acquirer(provider))
                .map(|acquirer| acquirer.terms().country.clone()),
        }
    }

    /// Awaits a provider call with a time limit.
    ///
    /// # Errors
    /// The provider's error, or that it took too long.
    pub(crate) async fn within<T>(&self, asked: ProviderFuture<'_, T>) -> Result<T, ProviderError> {
        let answered = tokio::time::timeout(self.settings.provider_timeout, asked).await;
        answered
            .unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown("no response in time".into())))
    }

    /// Checks whether requests can be served.
    ///
    /// # Errors
    /// What is not ready, for the log.
    pub async fn ready(&self) -> Result<(), ApiError> {
        self.store.ping().await?;
        let now = self.clock.now();
        if self.keys().current_sealing_key(now).is_none() {
            return Err(ApiError::because(
                ErrorCode::Internal,
                "no sealing key is in its time",
            ));
        }
        Ok(())
    }
}
