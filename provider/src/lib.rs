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
pub mod notification;
pub mod payout;
mod providers;
pub mod test_scenarios;
pub mod transfer;
pub mod wallet;

pub use acquirer::{AcquirerFee, AcquirerTerms};
pub use authentication::{Authentication, Authenticator};
pub use modification::{ModificationRequest, PaymentOperations};
pub use notification::NotificationReader;
pub use payout::PayoutProvider;
pub use providers::{Capabilities, Providers};
pub use test_scenarios::TestScenarios;
pub use transfer::TransferProvider;
pub use wallet::WalletProvider;

use sealpay_protocol::card::{Card, CardNumber};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use std::pin::Pin;

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
    /// The issuer's authentication of the shopper, if there was one.
    pub authentication: Option<&'a Authentication>,
}

/// What a provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderDecision {
    /// The money is authorized, or captured.
    Approved,
    /// Declined, with the key of the reason.
    Declined(String),
}

/// What a provider knows of a reference when it is asked later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// It had answered this.
    Answered(ProviderDecision),
    /// It has the reference and has not decided: the shopper has something to do.
    Waiting,
    /// It never received the reference, and refuses it if it arrives later.
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
    /// The outcome of the request is unknown. The text is for logs.
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

/// Who issued a card, as far as its first digits tell (ISO/IEC 7812-1).
pub trait BinLookup: Send + Sync {
    /// The country (ISO 3166-1 alpha-2).
    fn country_of(&self, number: &CardNumber) -> Option<&str>;
}
