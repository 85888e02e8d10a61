//! The interface of payment providers: traits, requests, outcomes, errors and decline codes. The
//! gateway depends on these traits and on no provider.
//!
//! The doc comments of the traits are the contract. The feature `conformance` has a suite that
//! checks it, and `docs/reference/provider.md` says how to run it.
//!
//! In every capability the caller chooses the id of its request, and the id makes the request
//! idempotent: the first decision stands if the request is repeated, also concurrently or after a
//! restart. A declined request has a reason of the decline table ([`decline::find`]), the same each
//! time.

pub mod acquirer;
pub mod authentication;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod credential;
pub mod creditor_reference;
mod decision;
pub mod decline;
pub mod direct_debit;
pub mod modification;
pub mod notification;
pub mod payout;
mod providers;
pub mod test_scenarios;
pub mod transfer;
pub mod wallet;

pub use acquirer::{AcquirerFee, AcquirerTerms};
pub use authentication::{Authentication, Authenticator};
pub use credential::{CardSource, CredentialReference, CredentialUse, CredentialVault, Initiator};
pub use decision::{Approval, ProviderDecision, Rejection};
pub use direct_debit::DirectDebitProvider;
pub use modification::{ModificationRequest, PaymentOperations};
pub use notification::NotificationReader;
pub use payout::PayoutProvider;
pub use providers::{Capabilities, Providers};
pub use test_scenarios::TestScenarios;
pub use transfer::TransferProvider;
pub use wallet::WalletProvider;

use sealpay_protocol::card::CardNumber;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;
use std::pin::Pin;

/// A request to authorize a card payment.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// Our id of the payment; a provider never authorizes the same reference twice.
    pub reference: PaymentId,
    /// The amount.
    pub money: Money,
    /// Whether the money is captured immediately or only authorized.
    pub capture: Capture,
    /// What is charged.
    pub source: CardSource<'a>,
    /// The issuer's authentication of the shopper, if there was one.
    pub authentication: Option<&'a Authentication>,
    /// How a stored credential is used; none if none is stored or charged.
    pub stored_credential: Option<CredentialUse<'a>>,
}

/// The response to an inquiry about a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// The provider decided this.
    Answered(ProviderDecision),
    /// The provider has the reference and has not decided yet: the shopper must act first.
    Waiting,
    /// The provider never received the reference, and will decline it if it arrives later.
    NeverReceived,
}

/// Why there is no response.
///
/// If it is not certain, a provider returns [`OutcomeUnknown`](Self::OutcomeUnknown) or does not
/// respond: the caller times out, drops the future, and inquires later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderError {
    /// The request was certainly not sent and never will be, so another provider may be tried. The
    /// text is for logs.
    NotSent(String),
    /// The outcome of the request is unknown. The text is for logs.
    OutcomeUnknown(String),
}

/// A future returned by a provider.
pub type ProviderFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Authorizes card payments: an acquirer with the network and the issuers behind it.
pub trait PaymentProvider: PaymentOperations {
    /// Which payments it accepts, and its fees.
    fn terms(&self) -> &AcquirerTerms;

    /// The name used on payments and in the routes; lowercase letters, digits, `_` and `-`.
    fn name(&self) -> &str {
        &self.terms().name
    }

    /// The cards that it has stored; none if it stores none. The gateway then offers no stored cards
    /// for payments that this acquirer gets.
    fn credentials(&self) -> Option<&dyn CredentialVault> {
        None
    }

    /// Requests an authorization.
    ///
    /// - Repeating a reference, even concurrently, returns the same decision and reserves the money
    ///   once. A repetition with another amount may be declined instead; it reserves nothing more.
    /// - [`Capture::Manual`] authorizes the amount, [`Capture::Automatic`] also captures it. A
    ///   decline reserves nothing.
    /// - Payments that [`terms`](Self::terms) exclude are declined or [`ProviderError::NotSent`],
    ///   never approved.
    /// - A reference that was unknown to an inquiry, or that was voided before it arrived, is
    ///   declined.
    /// - [`CredentialVault`] has the rules of stored credentials. A provider without them declines
    ///   [`CardSource::Credential`], or returns [`ProviderError::NotSent`].
    fn authorize<'a>(
        &'a self,
        request: AuthorizationRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision>;

    /// Queries the decision on a reference.
    ///
    /// - Returns the decision, also when its response was lost; later captures and voids do not
    ///   change it. A card payment is never [`Inquiry::Waiting`].
    /// - Returns [`Inquiry::NeverReceived`] for an unknown reference. From then on the reference is
    ///   tombstoned: this response stays, and the request is declined if it arrives later.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;
}

/// Looks up the issuer of a card by its first digits (ISO/IEC 7812-1).
pub trait BinLookup: Send + Sync {
    /// The issuer's country (ISO 3166-1 alpha-2).
    fn country_of(&self, number: &CardNumber) -> Option<&str>;
}
