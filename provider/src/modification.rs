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
    /// Authorized money is captured, all of it or part.
    Capture,
    /// What is still authorized is released.
    Void,
    /// Captured money is refunded, all of it or part.
    Refund,
    /// What is still authorized is released because the authorization lapses.
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
    /// How much is captured or refunded; of a void, what is released.
    pub money: Money,
    /// For a capture: whether the rest is released.
    pub is_final: bool,
}

/// Someone who can change a payment that it approved.
///
/// - A capture takes all or part of what is authorized; the rest stays authorized unless the capture
///   is final or nothing is left. Above what is left, of nothing, or after the end it is declined.
/// - A void releases what is still authorized, and leaves alone what was captured. It is declined
///   where everything was captured. Of an unknown payment it is approved and tombstones the
///   reference: the request is declined should it still arrive.
/// - A refund returns all or part of what was captured and not yet refunded; what is still authorized
///   is released by it. Above that, of nothing, or without a capture it is declined.
/// - A payment by transfer knows refunds alone, up to the credits that arrived and were not returned.
pub trait PaymentOperations: Send + Sync {
    /// Does it, or says why not.
    ///
    /// The same modification again, also at once or after its response was lost, gives the same
    /// decision and does nothing more; a decline stays one although the reason has gone. Different
    /// modifications at once take no more together than there is.
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision>;
}
