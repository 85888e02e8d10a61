//! Operations on an authorized payment: captures, voids and refunds.

use crate::{ProviderDecision, ProviderFuture};
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of the modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModificationKind {
    /// Captures authorized money, all of it or part.
    Capture,
    /// Releases the remaining authorization.
    Void,
    /// Refunds captured money, all of it or part.
    Refund,
    /// Releases the remaining authorization because it expires.
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

/// A request to modify a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModificationRequest {
    /// Our id of the modification. Repeating it returns the same response and does nothing more.
    pub modification: ModificationId,
    /// The payment.
    pub payment: PaymentId,
    /// A capture, a void (which includes an expiry) or a refund.
    pub kind: ModificationKind,
    /// The amount to capture or refund; for a void, the amount to release.
    pub money: Money,
    /// For a capture: whether to release the remaining authorization.
    pub is_final: bool,
}

/// Modifies payments that it approved.
///
/// - A capture takes all or part of the authorized amount; the rest stays authorized unless the
///   capture is final or nothing remains. A capture above the remaining amount, of zero, or after
///   the end is declined.
/// - A void releases the remaining authorization and does not change what was captured. It is
///   declined if everything was captured. A void of an unknown payment is approved and tombstones
///   the reference: the payment request is declined if it arrives later.
/// - A refund returns all or part of what was captured and not yet refunded; it also releases the
///   remaining authorization. A refund above that, of zero, or without a capture is declined.
/// - A payment by transfer supports refunds only, up to the credits that arrived and were not
///   returned. [`DirectDebitProvider`](crate::DirectDebitProvider) has the rules of direct debits.
pub trait PaymentOperations: Send + Sync {
    /// Executes the modification or returns why not.
    ///
    /// Repeating a modification, also concurrently or after its response was lost, returns the same
    /// decision and does nothing more; a decline stays even if its reason no longer applies.
    /// Concurrent modifications cannot take more in total than is available.
    fn modify(&self, request: ModificationRequest) -> ProviderFuture<'_, ProviderDecision>;
}
