//! Payouts: settled money is sent to the merchant's bank account.

use crate::{ProviderDecision, ProviderFuture};
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_protocol::money::Money;

/// What a bank is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRequest {
    /// Our name for it: the same one again is not paid twice.
    pub payout: PayoutId,
    /// Who is paid.
    pub merchant: MerchantId,
    /// The account (ISO 13616) that was named for them.
    pub account: String,
    /// How much.
    pub money: Money,
}

/// A payout that the merchant's bank has sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedPayout {
    /// The payout.
    pub payout: PayoutId,
    /// Why, as a key.
    pub reason: String,
}

/// Someone who sends money to merchants.
pub trait PayoutProvider: Send + Sync {
    /// The account (ISO 13616) of a merchant that named none: its own, valid, and always the same.
    /// Only a simulation has one; payouts of other merchants wait until an account is named.
    fn default_account(&self, _merchant: MerchantId) -> Option<String> {
        None
    }

    /// Sends money.
    ///
    /// - The same payout again, also at once, after its response was lost or after it was returned,
    ///   gives the same decision and sends nothing more. With another amount it may be declined.
    /// - A text that is no account number and an amount that is not positive are declined.
    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision>;

    /// Payouts that were returned by a moment, milliseconds since 1970, at most so many. Each is
    /// reported once in an answer, with the same reason, and in every answer until it is
    /// acknowledged.
    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>>;

    /// Says that a return was dealt with: it is not reported again. Repeating it, and naming a payout
    /// that was not returned, changes nothing and is no error.
    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()>;
}
