//! Sums of the ledger and of the balance transactions, and the invariants between them.

use crate::ledger::audit::{Finding, FindingOf};
use crate::ledger::model::{Account, PostingType};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::MerchantId;
use serde::Serialize;
use std::collections::BTreeMap;

/// The types of balance transactions whose sum a settlement moves.
const SOLD: [&str; 3] = ["capture", "refund", "direct_debit_return"];

/// One account of the trial balance, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialLine {
    /// `mer_…`.
    pub merchant: String,
    /// ISO 4217.
    pub currency: String,
    /// The account.
    pub account: Account,
    /// Total debits.
    pub debited: i64,
    /// Total credits.
    pub credited: i64,
    /// Credits minus debits.
    pub balance: i64,
}

/// The sums of a merchant's books in one currency, minor units.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    debited: BTreeMap<&'static str, i64>,
    credited: BTreeMap<&'static str, i64>,
    /// The total of each posting type, in its own direction.
    moved: BTreeMap<&'static str, i64>,
    /// Gross of balance transactions by type, settled or not.
    gross: BTreeMap<String, i64>,
    bound_fees: i64,
    settled_fees: i64,
    settled_payouts: i64,
    carried_forward: i64,
    payouts: BTreeMap<String, i64>,
    disputes: BTreeMap<String, i64>,
    overpaid: i64,
    overpaid_returned: i64,
}

impl Sums {
    /// Adds a sum; an inconsistent row becomes a sentence.
    pub(crate) fn add(&mut self, finding: &Finding) -> Option<String> {
        let (first, second) = (finding.first, finding.second);
        let name = &finding.name;
        match finding.of {
            FindingOf::Transfers => return self.add_transfers(finding),
            FindingOf::Lines => {
                self.gross.insert(name.clone(), first);
                if name.ends_with(":bound") {
                    self.bound_fees = self.bound_fees.saturating_add(second);
                }
            }
            FindingOf::Settled => (self.settled_fees, self.settled_payouts) = (first, second),
            FindingOf::Carried => self.carried_forward = first,
            FindingOf::Overpaid => (self.overpaid, self.overpaid_returned) = (first, second),
            FindingOf::Payouts => drop(self.payouts.insert(name.clone(), first)),
            FindingOf::Disputes => drop(self.disputes.insert(name.clone(), first)),
            _ => return Some(sentence(finding)),
        }
        None
    }

    fn add_transfers(&mut self, finding: &Finding) -> Option<String> {
        let mut names = finding.name.split(':');
        let cause = names.next().and_then(PostingType::from_name);
        let debit = names.next().and_then(Account::from_name);
        let credit = names.next().and_then(Account::from_name);
        let (Some(cause), Some(debit), Some(credit)) = (cause, debit, credit) else {
            return Some(format!(
                "The ledger has transfers of no known form: {}.",
                finding.name
            ));
        };
        let amount = finding.first;
        let add = |to: &mut i64, amount: i64| *to = to.saturating_add(amount);
        add(self.debited.entry(debit.name()).or_default(), amount);
        add(self.credited.entry(credit.name()).or_default(), amount);
        let moved = self.moved.entry(cause.name()).or_default();
        if cause.accounts() == (debit, credit) {
            add(moved, amount);
        } else if cause.accounts() == (credit, debit) {
            add(moved, amount.saturating_neg());
        } else {
            return Some(format!(
                "No {} goes as {} says.",
                cause.name(),
                finding.name
            ));
        }
        None
    }

    /// Credits minus debits.
    fn balance(&self, account: Account) -> i64 {
        let of = |sums: &BTreeMap<_, i64>| sums.get(account.name()).copied().unwrap_or(0);
        of(&self.credited) - of(&self.debited)
    }

    fn moved(&self, cause: PostingType) -> i64 {
        self.moved.get(cause.name()).copied().unwrap_or(0)
    }

    fn lines(&self, kind: &str, place: &str) -> i64 {
        let name = [kind, place].concat();
        self.gross.get(&name).copied().unwrap_or(0)
    }

    fn all_lines(&self, kind: &str) -> i64 {
        self.lines(kind, ":bound") + self.lines(kind, ":unbound")
    }

    fn disputes(&self, states: &[&str]) -> i64 {
        let of = |state: &&str| self.disputes.get(*state).copied().unwrap_or(0);
        states.iter().map(of).sum()
    }

    /// The actual and expected values that differ.
    pub(crate) fn differences(&self) -> Vec<(&'static str, i64, i64)> {
        let mut compared = self.accounts();
        compared.extend(self.causes_of_payments());
        compared.extend(self.causes_of_settlements());
        compared.retain(|(_, is, should)| is != should);
        compared
    }

    /// Each account compared with its balance transactions, settlements, payouts and disputes.
    fn accounts(&self) -> Vec<(&'static str, i64, i64)> {
        let unbound = |kind| self.lines(kind, ":unbound");
        let bound = |kind| self.lines(kind, ":bound");
        let owed = [
            "capture",
            "refund",
            "direct_debit_return",
            "dispute",
            "dispute_won",
            "payout_return",
        ];
        let owed: i64 = owed.into_iter().map(unbound).sum();
        let sold = SOLD.into_iter().map(bound).sum::<i64>();
        let returned = self.payouts.get("returned").copied().unwrap_or(0);
        let owed_to_shoppers = self.overpaid - self.overpaid_returned;
        let total: i64 = Account::ALL.into_iter().map(|a| self.balance(a)).sum();
        vec![
            ("The sum of all accounts", total, 0),
            (
                "Merchant payable",
                self.balance(Account::MerchantPayable),
                owed + self.carried_forward,
            ),
            (
                "Shopper clearing",
                self.balance(Account::ShopperClearing),
                -(SOLD.into_iter().map(unbound).sum::<i64>() + owed_to_shoppers),
            ),
            (
                "Overpayment",
                self.balance(Account::Overpayment),
                owed_to_shoppers,
            ),
            ("Fees", self.balance(Account::Fees), self.bound_fees),
            (
                "Reserve",
                self.balance(Account::Reserve),
                unbound("reserve_release"),
            ),
            (
                "Dispute",
                self.balance(Account::Dispute),
                self.disputes(&["needs_response", "under_review"]),
            ),
            (
                "Provider receivable",
                self.balance(Account::ProviderReceivable),
                self.settled_payouts + self.disputes(&["lost"]) - returned - sold,
            ),
        ]
    }

    /// The posting types of payments compared with their causes.
    fn causes_of_payments(&self) -> Vec<(&'static str, i64, i64)> {
        let disputed = self.disputes(&["needs_response", "under_review", "won", "lost"]);
        vec![
            (
                "What captures moved",
                self.moved(PostingType::Capture),
                self.all_lines("capture"),
            ),
            (
                "What refunds moved",
                self.moved(PostingType::Refund),
                -self.all_lines("refund"),
            ),
            (
                "What returned direct debits moved",
                self.moved(PostingType::DirectDebitReturn),
                -self.all_lines("direct_debit_return"),
            ),
            (
                "What overpayments moved",
                self.moved(PostingType::Overpayment),
                self.overpaid,
            ),
            (
                "What refunds of overpayments moved",
                self.moved(PostingType::OverpaymentRefund),
                self.overpaid_returned,
            ),
            (
                "What disputes moved",
                self.moved(PostingType::Dispute),
                disputed,
            ),
            (
                "What lines of disputes took",
                -self.all_lines("dispute"),
                disputed,
            ),
            (
                "What won disputes moved",
                self.moved(PostingType::DisputeWon),
                self.disputes(&["won"]),
            ),
            (
                "What lines of won disputes gave",
                self.all_lines("dispute_won"),
                self.disputes(&["won"]),
            ),
            (
                "What lost disputes moved",
                self.moved(PostingType::DisputeLost),
                self.disputes(&["lost"]),
            ),
        ]
    }

    /// The posting types of settlements, reserve and payouts compared with their balance
    /// transactions.
    fn causes_of_settlements(&self) -> Vec<(&'static str, i64, i64)> {
        let sold = SOLD
            .into_iter()
            .map(|kind| self.lines(kind, ":bound"))
            .sum();
        let returned = self.payouts.get("returned").copied().unwrap_or(0);
        let paid: i64 = self.payouts.values().sum();
        let held = -self.lines("reserve_hold", ":bound");
        vec![
            (
                "What settlements moved",
                self.moved(PostingType::Settlement),
                sold,
            ),
            (
                "What fees moved",
                self.moved(PostingType::Fees),
                self.settled_fees,
            ),
            ("The reserve", self.moved(PostingType::ReserveHold), held),
            (
                "What is or will be released",
                self.all_lines("reserve_release"),
                held,
            ),
            (
                "What was released",
                self.moved(PostingType::ReserveRelease),
                self.lines("reserve_release", ":bound"),
            ),
            ("What payouts moved", self.moved(PostingType::Payout), paid),
            ("What settlements paid out", self.settled_payouts, paid),
            (
                "What returned payouts moved",
                self.moved(PostingType::PayoutReturn),
                returned,
            ),
            (
                "What lines of returned payouts gave",
                self.all_lines("payout_return"),
                returned,
            ),
        ]
    }

    pub(crate) fn trial_balance(&self, merchant: MerchantId, currency: Currency) -> Vec<TrialLine> {
        let of = |sums: &BTreeMap<_, i64>, account: Account| sums.get(account.name()).copied();
        let lines = Account::ALL.into_iter().filter_map(|account| {
            let (debited, credited) = (of(&self.debited, account), of(&self.credited, account));
            debited.or(credited)?;
            Some(TrialLine {
                merchant: merchant.to_string(),
                currency: currency.to_string(),
                account,
                debited: debited.unwrap_or(0),
                credited: credited.unwrap_or(0),
                balance: self.balance(account),
            })
        });
        lines.collect()
    }
}

/// Describes an inconsistent row.
fn sentence(finding: &Finding) -> String {
    let (name, first, second) = (&finding.name, finding.first, finding.second);
    match finding.of {
        FindingOf::LineNet => {
            format!("{name} has a net of {second} and should have one of {first}.")
        }
        FindingOf::LineMisplaced => format!("{name} is in a settlement where it does not belong."),
        FindingOf::SettlementSum => format!(
            "{name} has {first} to pay out or carry on, and pays out and carries on {second}."
        ),
        FindingOf::SettlementLines => {
            format!("{name} says {second} and its lines say {first}, or their parts differ.")
        }
        FindingOf::SettlementChain => {
            format!("{name} brings forward {second} and the one before carried forward {first}.")
        }
        FindingOf::SettlementOrder => {
            format!("{name} has the number {second} and does not follow the one before it.")
        }
        FindingOf::PayoutAmount => {
            format!("{name} pays out {first} and its payout is of {second}, or somebody else's.")
        }
        FindingOf::PayoutReturned => {
            format!("{name} has come back with {first} and its line has {second}.")
        }
        FindingOf::PaymentCaptured => {
            format!("{name} has captured {first} and its lines have {second}.")
        }
        FindingOf::PaymentRefunded => {
            format!("{name} has refunded {first} and its lines have {second}.")
        }
        FindingOf::AccountTotal => {
            let (merchant, currency) = (finding.merchant, finding.currency);
            format!(
                "The total {name} of {merchant} in {currency} is {second} and should be {first}."
            )
        }
        _ => format!("{name} was found with {first} and {second}."),
    }
}
