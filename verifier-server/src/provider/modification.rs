//! What is done to a payment after its authorization, as a provider is asked to do it.

use super::{ProviderDecision, ProviderFuture};
use crate::operations::model::ModificationKind;
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;

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
