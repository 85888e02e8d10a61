//! The payout account of a merchant.

use crate::gateway::Gateway;
use crate::merchants::model::Merchant;

/// A merchant's payout account (ISO 13616); none until one is set.
pub(crate) fn account_of(gateway: &Gateway, merchant: &Merchant) -> Option<String> {
    let named = merchant.payout_account.clone();
    named.or_else(|| gateway.providers.payouts.default_account(merchant.id))
}
