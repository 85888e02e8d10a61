//! The account that a merchant's payouts go to.

use crate::gateway::Gateway;
use crate::merchants::model::Merchant;

/// Where a merchant's payouts go (ISO 13616); none while no account is named.
pub(crate) fn account_of(gateway: &Gateway, merchant: &Merchant) -> Option<String> {
    let named = merchant.payout_account.clone();
    named.or_else(|| gateway.providers.payouts.default_account(merchant.id))
}
