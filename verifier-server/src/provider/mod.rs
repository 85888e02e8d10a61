//! Whoever authorizes: today a simulated bank; a real provider implements the same trait.

pub mod simulated;

use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use std::pin::Pin;

/// What a provider is asked.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// Our name for it; a provider never authorizes the same reference twice.
    pub reference: PaymentId,
    /// How much.
    pub money: Money,
    /// The card, for this one call.
    pub card: &'a Card,
    /// The outcome that the order asked for.
    pub simulate: Option<&'a str>,
}

/// What a provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The money is held.
    Approved,
    /// No, for the reason with this key.
    Declined(String),
}

/// What a provider knows of a reference when it is asked later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// It had answered this.
    Answered(Answer),
    /// It never received the reference, and will refuse it should it still arrive.
    NeverReceived,
}

/// The provider could not be asked or did not answer: what became of the request is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence(pub String);

/// A future that a provider returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Silence>> + Send + 'a>>;

/// Someone who authorizes payments.
pub trait PaymentProvider: Send + Sync {
    /// The name that stands on payments.
    fn name(&self) -> &'static str;

    /// Whether an order may ask for this outcome.
    fn knows_outcome(&self, outcome: &str) -> bool;

    /// Asks for an authorization. The same reference again gives the same answer.
    fn authorize<'a>(&'a self, request: AuthorizationRequest<'a>) -> Pending<'a, Answer>;

    /// Asks what became of a reference.
    fn inquire(&self, reference: PaymentId) -> Pending<'_, Inquiry>;
}
