//! Where a verifier crashes: at a call to a provider, before it is made or after it was answered.
//!
//! Every transaction of the verifier lies between two such calls, so these are all the places
//! between its steps.

use sealpay_protocol::card::CardNumber;
use sealpay_protocol::ids::{AttemptId, MerchantId, PaymentId, PayoutId};
use sealpay_provider::authentication::{AuthenticationRequest, Progress, Step, Stepped};
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use sealpay_provider::wallet::WalletRequest;
use sealpay_provider::{
    AcquirerTerms, Authenticator, AuthorizationRequest, Capabilities, CredentialVault, Inquiry,
    ModificationRequest, PaymentOperations, PaymentProvider, PayoutProvider, ProviderDecision,
    ProviderFuture, Providers, TestScenarios, TransferProvider, WalletProvider,
};
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Counts places down and stops at the last of them forever.
#[derive(Debug, Default)]
pub(crate) struct Tripwire {
    left: Mutex<Option<u64>>,
    tripped: Notify,
    /// So many times an acquirer does not know of an approval when it is asked.
    lies: AtomicU32,
}

impl Tripwire {
    /// At so many places from here the verifier dies: 1 is the next.
    pub(crate) fn arm(&self, places: u64) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(places);
    }

    /// An acquirer says once more that it never received what it has approved, as one does whose
    /// parts do not agree yet.
    pub(crate) fn lie(&self) {
        self.lies.fetch_add(1, Ordering::SeqCst);
    }

    /// Nobody lies any more.
    pub(crate) fn be_honest(&self) {
        self.lies.store(0, Ordering::SeqCst);
    }

    fn lies(&self) -> bool {
        let less = |lies: u32| lies.checked_sub(1);
        let lied = self
            .lies
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        lied.is_ok()
    }

    pub(crate) fn disarm(&self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until the verifier has died.
    pub(crate) async fn tripped(&self) {
        self.tripped.notified().await;
    }

    async fn pass(&self) {
        let is_last = {
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            *left = left.map(|places| places.saturating_sub(1));
            *left == Some(0)
        };
        if is_last {
            self.tripped.notify_one();
            pending::<()>().await;
        }
    }
}

/// Somebody behind the wire.
struct Behind<T: ?Sized> {
    wire: Arc<Tripwire>,
    inner: Arc<T>,
}

impl<T: ?Sized + Send + Sync> Behind<T> {
    fn new(wire: &Arc<Tripwire>, inner: Arc<T>) -> Arc<Self> {
        Arc::new(Self {
            wire: Arc::clone(wire),
            inner,
        })
    }

    fn around<'a, R: Send + 'a>(&'a self, call: ProviderFuture<'a, R>) -> ProviderFuture<'a, R> {
        Box::pin(async move {
            self.wire.pass().await;
            let answer = call.await;
            self.wire.pass().await;
            answer
        })
    }
}

impl PaymentProvider for Behind<dyn PaymentProvider> {
    fn terms(&self) -> &AcquirerTerms {
        self.inner.terms()
    }

    fn credentials(&self) -> Option<&dyn CredentialVault> {
        self.inner.credentials()
    }

    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision> {
        self.around(self.inner.authorize(request))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        Box::pin(async move {
            match self.around(self.inner.inquire(reference)).await? {
                Inquiry::Answered(ProviderDecision::Approved(_)) if self.wire.lies() => {
                    Ok(Inquiry::NeverReceived)
                }
                said => Ok(said),
            }
        })
    }
}

macro_rules! modifiers {
    ($($provider:ident),*) => {$(
        impl PaymentOperations for Behind<dyn $provider> {
            fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision> {
                self.around(self.inner.modify(request))
            }
        }
    )*};
}

modifiers!(PaymentProvider, WalletProvider, TransferProvider);

impl PayoutProvider for Behind<dyn PayoutProvider> {
    fn default_account(&self, merchant: MerchantId) -> Option<String> {
        self.inner.default_account(merchant)
    }

    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        self.around(self.inner.pay(request))
    }

    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        self.around(self.inner.returned(by_ms, limit))
    }

    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()> {
        self.around(self.inner.acknowledge_return(payout))
    }
}

impl Authenticator for Behind<dyn Authenticator> {
    fn authenticate<'a>(
        &'a self,
        request: AuthenticationRequest<'a>,
    ) -> ProviderFuture<'a, Progress> {
        self.around(self.inner.authenticate(request))
    }

    fn progress(&self, reference: PaymentId) -> ProviderFuture<'_, Option<Progress>> {
        self.around(self.inner.progress(reference))
    }

    fn step(&self, reference: PaymentId, id: AttemptId, step: Step) -> ProviderFuture<'_, Stepped> {
        self.around(self.inner.step(reference, id, step))
    }

    fn enrolment(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        self.around(self.inner.enrolment(reference))
    }

    fn enrol<'a>(&'a self, reference: PaymentId, credential: &'a str) -> ProviderFuture<'a, bool> {
        self.around(self.inner.enrol(reference, credential))
    }
}

impl WalletProvider for Behind<dyn WalletProvider> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String> {
        self.around(self.inner.start(request))
    }

    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>> {
        self.around(self.inner.page(reference))
    }

    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        self.around(self.inner.inquire(reference))
    }

    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry> {
        self.around(self.inner.withdraw(reference))
    }
}

impl TransferProvider for Behind<dyn TransferProvider> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn start(&self, request: TransferRequest) -> ProviderFuture<'_, CollectionAccount> {
        self.around(self.inner.start(request))
    }

    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>> {
        self.around(self.inner.arrivals(by_ms, limit))
    }

    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()> {
        self.around(self.inner.acknowledge(id, returned))
    }
}

impl TestScenarios for Behind<dyn TestScenarios> {
    fn knows_outcome(&self, outcome: &str) -> bool {
        self.inner.knows_outcome(outcome)
    }

    fn is_persona(&self, number: &CardNumber) -> bool {
        self.inner.is_persona(number)
    }

    fn stages_authentication(&self, number: &CardNumber, outcome: Option<&str>) -> bool {
        self.inner.stages_authentication(number, outcome)
    }

    fn directed(&self, outcome: &str) -> Capabilities {
        behind(&self.wire, self.inner.directed(outcome))
    }
}

macro_rules! behind {
    ($wire:ident, $inner:expr, $provider:ident) => {
        $inner.map(|inner| {
            let behind: Arc<dyn $provider> = Behind::new($wire, inner);
            behind
        })
    };
}

/// The same with the wire before and behind each answer.
fn behind(wire: &Arc<Tripwire>, provider: Capabilities) -> Capabilities {
    let acquirers = behind!(wire, provider.acquirers.into_iter(), PaymentProvider);
    Capabilities {
        acquirers: acquirers.collect(),
        authenticator: behind!(wire, provider.authenticator, Authenticator),
        wallet: behind!(wire, provider.wallet, WalletProvider),
        transfers: behind!(wire, provider.transfers, TransferProvider),
        payouts: behind!(wire, provider.payouts, PayoutProvider),
        test_scenarios: behind!(wire, provider.test_scenarios, TestScenarios),
        ..provider
    }
}

/// The simulated bank with the wire before and behind each of its answers.
pub(crate) fn wired(wire: &Arc<Tripwire>, provider: Capabilities) -> Providers {
    let wired = [("simulated".into(), behind(wire, provider))];
    Providers::compose(wired).unwrap_or_else(|sentence| panic!("{sentence}"))
}
