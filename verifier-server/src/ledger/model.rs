//! The ledger: double entry, append-only, each currency by itself.
//!
//! The unit is a transfer: an amount that is debited to one account and credited to another. So
//! debits equal credits by construction, and no entry can be half there.
//!
//! | What happens | Debit | Credit |
//! |---|---|---|
//! | money is captured | shopper clearing | merchant payable |
//! | money is refunded | merchant payable | shopper clearing |
//! | more came by transfer than was due | shopper clearing | overpayment |
//! | what came too much is sent back | overpayment | shopper clearing |
//! | a settlement closes over what was captured, less what was refunded | provider receivable | shopper clearing |
//! | its fees | merchant payable | fees |
//! | what it keeps back | merchant payable | reserve |
//! | what was kept back is released | reserve | merchant payable |
//! | its payout | merchant payable | provider receivable |
//! | a payout that came back | provider receivable | merchant payable |
//! | a dispute is opened | merchant payable | dispute |
//! | a dispute is won | dispute | merchant payable |
//! | a dispute is lost | dispute | provider receivable |

use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account; every merchant has one of each in every currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What shoppers have paid and no settlement has confirmed.
    ShopperClearing,
    /// What the merchant is owed.
    MerchantPayable,
    /// What providers hold for us: confirmed, and not paid out.
    ProviderReceivable,
    /// What was charged for it all.
    Fees,
    /// What is kept back for a while.
    Reserve,
    /// What shoppers' banks have taken back and may have to return.
    Dispute,
    /// What came too much by transfer and has not gone back: it is owed to the shoppers.
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

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostingType {
    /// Money was captured.
    Capture,
    /// Money was refunded.
    Refund,
    /// More came by transfer than was due.
    Overpayment,
    /// What came too much was sent back.
    OverpaymentRefund,
    /// A dispute was opened.
    Dispute,
    /// A dispute was won.
    DisputeWon,
    /// A dispute was lost.
    DisputeLost,
    /// A settlement was closed: what it confirms.
    Settlement,
    /// A settlement was closed: its fees.
    Fees,
    /// A settlement was closed: what it keeps back.
    ReserveHold,
    /// A settlement was closed: what it releases.
    ReserveRelease,
    /// A settlement was closed: its payout.
    Payout,
    /// A payout came back.
    PayoutReturn,
}

sealpay_protocol::names! {
    PostingType {
        Capture = "capture",
        Refund = "refund",
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

/// Money that moves from one account to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The transfer.
    pub id: LedgerTransferId,
    /// Whose accounts.
    pub merchant: MerchantId,
    /// In which currency.
    pub currency: Currency,
    /// Debited.
    pub debit: Account,
    /// Credited.
    pub credit: Account,
    /// How much, minor units; more than nothing.
    pub amount_minor: i64,
    /// Why.
    pub posting_type: PostingType,
    /// Names what caused it: a modification, a payment, a dispute, a settlement, a payout.
    pub cause_id: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

impl PostingType {
    /// Debit and credit.
    #[must_use]
    pub const fn accounts(self) -> (Account, Account) {
        match self {
            Self::Capture => (Account::ShopperClearing, Account::MerchantPayable),
            Self::Refund => (Account::MerchantPayable, Account::ShopperClearing),
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
    /// What a cause moves; an amount below nothing moves the other way, and nothing moves nothing.
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

/// What stands on an account, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// Everything that was ever debited.
    pub debited_minor: i64,
    /// Everything that was ever credited.
    pub credited_minor: i64,
}

#[cfg(test)]
mod tests {
    use super::{Account, PostingType, Transfer};
    use sealpay_protocol::ids::{LedgerTransferId, MerchantId};

    #[test]
    fn an_amount_below_nothing_moves_the_other_way_and_nothing_moves_nothing() {
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
    fn every_cause_names_two_accounts_and_names_read_back() {
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
