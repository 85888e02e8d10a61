//! What a payment provider must do: traits, requests, outcomes, errors and decline codes. The
//! gateway knows these traits and no provider.
//!
//! The doc comments of the traits are the contract. The feature `conformance` has a suite that
//! checks them, and `docs/reference/provider.md` says how to run it.
//!
//! In every capability the caller chooses the name of what it asks for, and that name makes the
//! request idempotent: the first decision stands, whatever is repeated, at once or after a restart.
//! A declined request has a reason of the decline table ([`decline::find`]), the same each time.

pub mod acquirer;
pub mod authentication;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod creditor_reference;
pub mod decline;
pub mod modification;
pub mod payout;
pub mod transfer;
pub mod wallet;

pub use acquirer::{AcquirerFee, AcquirerTerms};
pub use authentication::{Authentication, Authenticator};
pub use modification::{ModificationRequest, PaymentOperations};
pub use payout::PayoutProvider;
pub use transfer::TransferProvider;
pub use wallet::WalletProvider;

use sealpay_protocol::card::{Card, CardNumber};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use std::pin::Pin;
use std::sync::Arc;

/// What an acquirer is asked.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// Our name for it; a provider never authorizes the same reference twice.
    pub reference: PaymentId,
    /// How much.
    pub money: Money,
    /// Whether the money is captured at once or only authorized.
    pub capture: Capture,
    /// The card, for this one call.
    pub card: &'a Card,
    /// What the issuer said of the shopper, where it was asked.
    pub authentication: Option<&'a Authentication>,
    /// The outcome that a test order asked for (see [`TestScenarios`]); a real provider ignores it.
    pub simulate: Option<&'a str>,
}

/// What a provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderDecision {
    /// The money is authorized, or captured.
    Approved,
    /// No, for the reason with this key.
    Declined(String),
}

/// What a provider knows of a reference when it is asked later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// It had answered this.
    Answered(ProviderDecision),
    /// It has the reference and has not decided: the shopper has something to do.
    Waiting,
    /// It never received the reference, and will refuse it should it still arrive.
    NeverReceived,
}

/// Why there is no answer.
///
/// A provider that is not sure says [`OutcomeUnknown`](Self::OutcomeUnknown), or does not answer at
/// all: the caller gives up after a while, drops the future, and asks later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderError {
    /// The request certainly was not sent and never will be: another provider may be asked. The text
    /// is for logs.
    NotSent(String),
    /// What became of the request is not known. The text is for logs.
    OutcomeUnknown(String),
}

/// A future that a provider returns.
pub type ProviderFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Someone who authorizes card payments: an acquirer with the network and the issuers behind it.
pub trait PaymentProvider: PaymentOperations {
    /// What it takes, and what it costs.
    fn terms(&self) -> &AcquirerTerms;

    /// The name that stands on payments and in the routes; lowercase letters, digits, `_` and `-`.
    fn name(&self) -> &str {
        &self.terms().name
    }

    /// Asks for an authorization.
    ///
    /// - The same reference again, also at once, gives the same decision and reserves the money once.
    ///   With another amount it may be declined instead; it reserves nothing more.
    /// - [`Capture::Manual`] authorizes the amount, [`Capture::Automatic`] also captures it. A decline
    ///   reserves nothing.
    /// - What [`terms`](Self::terms) exclude is declined or [`ProviderError::NotSent`], never
    ///   approved.
    /// - A reference that an inquiry found nothing of, or that was voided before it arrived, is
    ///   declined.
    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision>;

    /// Asks what became of a reference.
    ///
    /// - The decision that was made, also when its response was lost; captures and voids since then do
    ///   not change it. A card payment is never [`Inquiry::Waiting`].
    /// - [`Inquiry::NeverReceived`] for an unknown reference. From then on the reference is
    ///   tombstoned: this answer stays, and the request is declined should it still arrive.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;
}

/// Everyone who can be asked.
pub struct Providers {
    /// Whether real money moves.
    pub livemode: bool,
    /// For cards.
    pub acquirers: Vec<Arc<dyn PaymentProvider>>,
    /// Who says who a shopper is.
    pub authenticator: Arc<dyn Authenticator>,
    /// For wallets.
    pub wallet: Arc<dyn WalletProvider>,
    /// For bank transfers.
    pub transfers: Arc<dyn TransferProvider>,
    /// Who sends merchants their money.
    pub payouts: Arc<dyn PayoutProvider>,
    /// Who knows which outcomes an order can ask for; only a simulation has one.
    pub test_scenarios: Option<Arc<dyn TestScenarios>>,
    /// Who knows the issuers.
    pub issuers: Arc<dyn BinLookup>,
}

impl Providers {
    /// The acquirer of a name; none when it is not there any more.
    #[must_use]
    pub fn acquirer(&self, name: &str) -> Option<&dyn PaymentProvider> {
        let found = self
            .acquirers
            .iter()
            .find(|acquirer| acquirer.name() == name);
        found.map(|acquirer| &**acquirer)
    }

    /// What each acquirer takes.
    pub fn terms(&self) -> impl Iterator<Item = &AcquirerTerms> {
        self.acquirers.iter().map(|acquirer| acquirer.terms())
    }
}

/// Test cards and outcomes that an order can ask for: an extension that only a simulation has.
///
/// Without it no order may set `simulate`, so that the member of that name is none in every request
/// that a provider receives.
pub trait TestScenarios: Send + Sync {
    /// Whether an order may ask for this outcome.
    fn knows_outcome(&self, outcome: &str) -> bool;

    /// Whether a card is a persona's: its outcome is promised and depends on nothing else.
    fn is_persona(&self, number: &CardNumber) -> bool;

    /// Whether the tester wants to see how the issuer is asked, whatever the amount: a persona
    /// whose name says so, or such an outcome. Looks nothing up.
    fn stages_authentication(&self, number: &CardNumber, simulate: Option<&str>) -> bool;
}

/// Who issued a card, as far as its first digits tell (ISO/IEC 7812-1).
pub trait BinLookup: Send + Sync {
    /// The country (ISO 3166-1 alpha-2).
    fn country_of(&self, number: &CardNumber) -> Option<&str>;
}
