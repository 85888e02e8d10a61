//! The ledger: double-entry, append-only, separate for each currency.
//!
//! The unit is a transfer: an amount that is debited to one account and credited to another. Debits
//! therefore equal credits by construction, and no entry can be incomplete.
//!
//! | Cause | Debit | Credit |
//! |---|---|---|
//! | capture | shopper clearing | merchant payable |
//! | refund | merchant payable | shopper clearing |
//! | returned direct debit | merchant payable | shopper clearing |
//! | overpaid transfer | shopper clearing | overpayment |
//! | refund of an overpayment | overpayment | shopper clearing |
//! | settlement of captures minus refunds | provider receivable | shopper clearing |
//! | fees of a settlement | merchant payable | fees |
//! | reserve of a settlement | merchant payable | reserve |
//! | release of a reserve | reserve | merchant payable |
//! | payout of a settlement | merchant payable | provider receivable |
//! | returned payout | provider receivable | merchant payable |
//! | dispute opened | merchant payable | dispute |
//! | dispute won | dispute | merchant payable |
//! | dispute lost | dispute | provider receivable |

use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A ledger account; every merchant has one of each in every currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Paid by shoppers and not settled yet.
    ShopperClearing,
    /// Owed to the merchant.
    MerchantPayable,
    /// Settled funds that providers hold for us and that are not paid out.
    ProviderReceivable,
    /// Fees charged.
    Fees,
    /// Held in reserve.
    Reserve,
    /// Withdrawn by shoppers' banks, and possibly returned.
    Dispute,
    /// Overpaid by transfer and not refunded: owed to the shoppers.
    Overpayment,
}

sealpay_protocol::names! {
    Account {
        ShopperClearing = "shopper_clearing",
        MerchantPayable = "merchant_payable",
        ProviderReceivable = "provider_receivable",
        Fees = "fees",
        Reserve = "reserve",
        Dispute = "dispute",
        Overpayment = "overpayment",
    }
}

/// The cause of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostingType {
    /// A capture.
    Capture,
    /// A refund.
    Refund,
    /// A settled direct debit that the debtor's bank has taken back.
    DirectDebitReturn,
    /// An overpaid bank transfer.
    Overpayment,
    /// A refund of an overpayment.
    OverpaymentRefund,
    /// A dispute was opened.
    Dispute,
    /// A dispute was won.
    DisputeWon,
    /// A dispute was lost.
    DisputeLost,
    /// A settlement: the settled amount.
    Settlement,
    /// A settlement: its fees.
    Fees,
    /// A settlement: its reserve.
    ReserveHold,
    /// A settlement: the released reserve.
    ReserveRelease,
    /// A settlement: its payout.
    Payout,
    /// A returned payout.
    PayoutReturn,
}

sealpay_protocol::names! {
    PostingType {
        Capture = "capture",
        Refund = "refund",
        DirectDebitReturn = "direct_debit_return",
        Overpayment = "overpayment",
        OverpaymentRefund = "overpayment_refund",
        Dispute = "dispute",
        DisputeWon = "dispute_won",
        DisputeLost = "dispute_lost",
        Settlement = "settlement",
        Fees = "fees",
        ReserveHold = "reserve_hold",
        ReserveRelease = "reserve_release",
        Payout = "payout",
        PayoutReturn = "payout_return",
    }
}

/// An amount moved from one account to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The transfer.
    pub id: LedgerTransferId,
    /// The owner of the accounts.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// The debited account.
    pub debit: Account,
    /// The credited account.
    pub credit: Account,
    /// The amount, minor units; positive.
    pub amount_minor: i64,
    /// The reason.
    pub posting_type: PostingType,
    /// The id of the cause: a modification, payment, dispute, settlement or payout.
    pub cause_id: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

impl PostingType {
    /// The debited and the credited account.
    #[must_use]
    pub const fn accounts(self) -> (Account, Account) {
        match self {
            Self::Capture => (Account::ShopperClearing, Account::MerchantPayable),
            Self::Refund | Self::DirectDebitReturn => {
                (Account::MerchantPayable, Account::ShopperClearing)
            }
            Self::Overpayment => (Account::ShopperClearing, Account::Overpayment),
            Self::OverpaymentRefund => (Account::Overpayment, Account::ShopperClearing),
            Self::Dispute => (Account::MerchantPayable, Account::Dispute),
            Self::DisputeWon => (Account::Dispute, Account::MerchantPayable),
            Self::DisputeLost => (Account::Dispute, Account::ProviderReceivable),
            Self::Settlement => (Account::ProviderReceivable, Account::ShopperClearing),
            Self::Fees => (Account::MerchantPayable, Account::Fees),
            Self::ReserveHold => (Account::MerchantPayable, Account::Reserve),
            Self::ReserveRelease => (Account::Reserve, Account::MerchantPayable),
            Self::Payout => (Account::MerchantPayable, Account::ProviderReceivable),
            Self::PayoutReturn => (Account::ProviderReceivable, Account::MerchantPayable),
        }
    }
}

impl Transfer {
    /// The transfer for a cause. A negative amount swaps debit and credit; zero is no transfer.
    #[must_use]
    pub fn new(
        id: LedgerTransferId,
        merchant: MerchantId,
        currency: Currency,
        amount_minor: i64,
        (posting_type, cause_id): (PostingType, String),
        created_at_ms: i64,
    ) -> Option<Self> {
        let (debit, credit) = match (posting_type.accounts(), amount_minor) {
            (_, 0) => return None,
            ((debit, credit), 1..) => (debit, credit),
            ((debit, credit), _) => (credit, debit),
        };
        Some(Self {
            id,
            merchant,
            currency,
            debit,
            credit,
            amount_minor: amount_minor.checked_abs()?,
            posting_type,
            cause_id,
            created_at_ms,
        })
    }
}

/// The balance of an account, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// Total debits.
    pub debited_minor: i64,
    /// Total credits.
    pub credited_minor: i64,
}

#[cfg(test)]
mod tests {
    use super::{Account, PostingType, Transfer};
    use sealpay_protocol::ids::{LedgerTransferId, MerchantId};

    #[test]
    fn negative_amounts_swap_debit_and_credit_and_zero_is_no_transfer() {
        let of = |amount| {
            let (id, merchant) = (
                LedgerTransferId::new(1, [1; 10]),
                MerchantId::new(1, [2; 10]),
            );
            let posting_type = (PostingType::Settlement, "set".to_owned());
            Transfer::new(
                id,
                merchant,
                "EUR".parse().unwrap(),
                amount,
                posting_type,
                5,
            )
        };
        let forward = of(7).unwrap();
        assert_eq!(
            (forward.debit, forward.credit),
            PostingType::Settlement.accounts()
        );
        let back = of(-7).unwrap();
        assert_eq!(
            (back.credit, back.debit),
            PostingType::Settlement.accounts()
        );
        assert_eq!((forward.amount_minor, back.amount_minor), (7, 7));
        assert_eq!(of(0), None);
    }

    #[test]
    fn posting_types_have_two_accounts_and_names_round_trip() {
        for posting_type in PostingType::ALL {
            let (debit, credit) = posting_type.accounts();
            assert_ne!(debit, credit, "{posting_type:?}");
            assert_eq!(
                PostingType::from_name(posting_type.name()),
                Some(posting_type)
            );
            assert_eq!(
                serde_json::to_value(posting_type).unwrap(),
                posting_type.name()
            );
        }
        for account in Account::ALL {
            assert_eq!(Account::from_name(account.name()), Some(account));
            assert_eq!(serde_json::to_value(account).unwrap(), account.name());
        }
    }
}
