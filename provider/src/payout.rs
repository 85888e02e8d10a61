//! Payouts of settled money to the merchant's bank account.

use crate::{ProviderDecision, ProviderFuture};
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_protocol::money::Money;

/// A request to pay a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRequest {
    /// Our id of the payout; the same id is never paid twice.
    pub payout: PayoutId,
    /// The payee.
    pub merchant: MerchantId,
    /// The merchant's account (ISO 13616).
    pub account: String,
    /// The amount.
    pub money: Money,
}

/// A payout that the merchant's bank returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedPayout {
    /// The payout.
    pub payout: PayoutId,
    /// The reason, as a key.
    pub reason: String,
}

/// Sends payouts to merchants.
pub trait PayoutProvider: Send + Sync {
    /// The default account (ISO 13616) of a merchant without one: unique, valid, and always the
    /// same. Only a simulation has one; payouts of other merchants wait until an account is set.
    fn default_account(&self, _merchant: MerchantId) -> Option<String> {
        None
    }

    /// Sends a payout.
    ///
    /// - Repeating a payout, also concurrently, after its response was lost or after it was
    ///   returned, returns the same decision and sends nothing more. With another amount it may be
    ///   declined.
    /// - An invalid account number and an amount that is not positive are declined.
    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision>;

    /// Payouts that were returned by `by_ms`, milliseconds since 1970, at most `limit`. Each is
    /// reported once in a response, with the same reason, and in every response until it is
    /// acknowledged.
    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>>;

    /// Acknowledges a return; it is not reported again. Repeating the acknowledgement, or naming a
    /// payout that was not returned, changes nothing and is no error.
    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()>;
}
