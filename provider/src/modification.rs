//! What is done to a payment after its authorization, as a provider is asked to do it.

use crate::{ProviderDecision, ProviderFuture};
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModificationKind {
    /// Held money is taken, all of it or part.
    Capture,
    /// What is still held is let go.
    Void,
    /// Taken money goes back, all of it or part.
    Refund,
    /// What is still held is let go because it was held too long.
    Expiry,
}

sealpay_protocol::names! {
    ModificationKind {
        Capture = "capture",
        Void = "void",
        Refund = "refund",
        Expiry = "expiry",
    }
}

/// What a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModificationRequest {
    /// Our name for it: the same one again gives the same answer and does nothing more.
    pub modification: ModificationId,
    /// The payment.
    pub payment: PaymentId,
    /// A capture, a void (which an expiry is, too) or a refund.
    pub kind: ModificationKind,
    /// How much is taken or given back; of a void, what is let go.
    pub money: Money,
    /// For a capture: whether what is left is let go.
    pub is_final: bool,
}

/// Someone who can change a payment that it approved.
///
/// A void lets go what is still held, and leaves alone what was captured. A refund gives back what
/// was captured; what is still held is let go by it.
pub trait PaymentOperations: Send + Sync {
    /// Does it, or says why not. Asked again about the same modification it says the same.
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision>;
}
