//! What a merchant has, and whether the books agree with each other.

use super::gateway::Gateway;
use super::read::Page;
use super::settlement_view::{
    AccountRecord, BalanceRecord, PendingRecord, TransactionRecord, page,
};
use crate::domain::ledger::{Account, Cause};
use crate::gate::refusal::Refusal;
pub use crate::store::TransactionFilter;
use crate::store::{Finding, FindingOf, Store};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::MerchantId;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a merchant has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balances {
    /// One for each currency that was ever used.
    pub data: Vec<BalanceRecord>,
}

/// What a merchant has in every currency.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn balances(gateway: &Gateway, merchant: MerchantId) -> Result<Balances, Refusal> {
    let store = &gateway.store;
    let mut balances: BTreeMap<Currency, BalanceRecord> = BTreeMap::new();
    for found in store.account_balances(merchant).await? {
        let account = AccountRecord {
            account: found.account,
            debited: found.debited_minor,
            credited: found.credited_minor,
            balance: found.credited_minor.saturating_sub(found.debited_minor),
        };
        let balance = of_currency(&mut balances, found.currency);
        match found.account {
            Account::Reserve => balance.reserve = account.balance,
            Account::Dispute => balance.disputed = account.balance,
            _ => {}
        }
        balance.accounts.push(account);
    }
    for pending in store.pending_lines(merchant).await? {
        let balance = of_currency(&mut balances, pending.currency);
        balance.pending = balance.pending.saturating_add(pending.net_minor);
        balance.pending_by_date.push(PendingRecord {
            settlement_date: pending.settlement_date.to_string(),
            lines: pending.lines,
            net: pending.net_minor,
        });
    }
    for (currency, carried_minor) in store.carried_over(merchant).await? {
        of_currency(&mut balances, currency).carried = carried_minor;
    }
    for (currency, in_transit_minor) in store.payouts_in_transit(merchant).await? {
        of_currency(&mut balances, currency).in_transit = in_transit_minor;
    }
    Ok(Balances {
        data: balances.into_values().collect(),
    })
}

fn of_currency(
    balances: &mut BTreeMap<Currency, BalanceRecord>,
    currency: Currency,
) -> &mut BalanceRecord {
    balances.entry(currency).or_insert_with(|| BalanceRecord {
        currency: currency.to_string(),
        pending: 0,
        pending_by_date: Vec::new(),
        carried: 0,
        reserve: 0,
        disputed: 0,
        in_transit: 0,
        accounts: Vec::new(),
    })
}

/// Lines of the merchant, newest first.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn transactions(
    gateway: &Gateway,
    merchant: MerchantId,
    mut filter: TransactionFilter,
) -> Result<Page<TransactionRecord>, Refusal> {
    let limit = filter.limit;
    filter.limit = limit.saturating_add(1);
    let rows = gateway
        .store
        .balance_transactions(merchant, &filter)
        .await?;
    Ok(page(rows, limit, TransactionRecord::of))
}

/// One account of the trial balance, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialLine {
    /// `mer_…`.
    pub merchant: String,
    /// ISO 4217.
    pub currency: String,
    /// The account.
    pub account: Account,
    /// Everything that was ever debited.
    pub debited: i64,
    /// Everything that was ever credited.
    pub credited: i64,
    /// What was credited without what was debited.
    pub balance: i64,
}

/// The books at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// Every account on which something ever stood.
    pub trial_balance: Vec<TrialLine>,
    /// Whatever does not add up, as sentences; nothing when all is well.
    pub violations: Vec<String>,
}

/// Adds everything up and compares it; `docs/SETTLEMENT.md` says what has to hold.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn books(store: &Store) -> Result<Books, Refusal> {
    let mut sums: BTreeMap<(MerchantId, Currency), Sums> = BTreeMap::new();
    let mut violations = Vec::new();
    for finding in store.findings().await? {
        let of_both = sums
            .entry((finding.merchant, finding.currency))
            .or_default();
        violations.extend(of_both.add(&finding));
    }
    let mut trial_balance = Vec::new();
    for ((merchant, currency), sums) in &sums {
        let differences = sums.differences();
        let sentences = differences.into_iter().map(|(what, is, should)| {
            format!("{what} of {merchant} in {currency} is {is} and should be {should}.")
        });
        violations.extend(sentences);
        trial_balance.extend(sums.trial_balance(*merchant, *currency));
    }
    Ok(Books {
        trial_balance,
        violations,
    })
}

/// Whatever does not add up, as sentences; nothing when all is well.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn check(store: &Store) -> Result<Vec<String>, Refusal> {
    Ok(books(store).await?.violations)
}

/// The sums of a merchant's books in one currency, minor units.
#[derive(Debug, Default)]
struct Sums {
    debited: BTreeMap<&'static str, i64>,
    credited: BTreeMap<&'static str, i64>,
    /// What each cause moved in its own direction.
    moved: BTreeMap<&'static str, i64>,
    /// Gross of the lines of a kind, bound or not.
    gross: BTreeMap<String, i64>,
    bound_fees: i64,
    settled_fees: i64,
    settled_payouts: i64,
    carried_out: i64,
    payouts: BTreeMap<String, i64>,
    disputes: BTreeMap<String, i64>,
}

impl Sums {
    /// Takes a sum; a row that is not what it has to be becomes a sentence.
    fn add(&mut self, finding: &Finding) -> Option<String> {
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
            FindingOf::Carried => self.carried_out = first,
            FindingOf::Payouts => drop(self.payouts.insert(name.clone(), first)),
            FindingOf::Disputes => drop(self.disputes.insert(name.clone(), first)),
            _ => return Some(sentence(finding)),
        }
        None
    }

    fn add_transfers(&mut self, finding: &Finding) -> Option<String> {
        let mut names = finding.name.split(':');
        let cause = names.next().and_then(Cause::from_name);
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

    /// What was credited without what was debited.
    fn balance(&self, account: Account) -> i64 {
        let of = |sums: &BTreeMap<_, i64>| sums.get(account.name()).copied().unwrap_or(0);
        of(&self.credited) - of(&self.debited)
    }

    fn moved(&self, cause: Cause) -> i64 {
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

    /// What is, and what should be, where the two differ.
    fn differences(&self) -> Vec<(&'static str, i64, i64)> {
        let mut compared = self.accounts();
        compared.extend(self.causes());
        compared.retain(|(_, is, should)| is != should);
        compared
    }

    /// Each account against the lines, settlements, payouts and disputes that it is made of.
    fn accounts(&self) -> Vec<(&'static str, i64, i64)> {
        let unbound = |kind| self.lines(kind, ":unbound");
        let bound = |kind| self.lines(kind, ":bound");
        let owed = [
            "capture",
            "refund",
            "dispute",
            "dispute_won",
            "payout_return",
        ];
        let owed: i64 = owed.into_iter().map(unbound).sum();
        let sold = bound("capture") + bound("refund");
        let returned = self.payouts.get("returned").copied().unwrap_or(0);
        let total: i64 = Account::ALL.into_iter().map(|a| self.balance(a)).sum();
        vec![
            ("The sum of all accounts", total, 0),
            (
                "Merchant payable",
                self.balance(Account::MerchantPayable),
                owed + self.carried_out,
            ),
            (
                "Shopper clearing",
                self.balance(Account::ShopperClearing),
                -(unbound("capture") + unbound("refund")),
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

    /// Each cause of transfers against what it was the cause of.
    fn causes(&self) -> Vec<(&'static str, i64, i64)> {
        let sold = self.lines("capture", ":bound") + self.lines("refund", ":bound");
        let disputed = self.disputes(&["needs_response", "under_review", "won", "lost"]);
        let returned = self.payouts.get("returned").copied().unwrap_or(0);
        let paid: i64 = self.payouts.values().sum();
        let held = -self.lines("reserve_hold", ":bound");
        vec![
            (
                "What captures moved",
                self.moved(Cause::Capture),
                self.all_lines("capture"),
            ),
            (
                "What refunds moved",
                self.moved(Cause::Refund),
                -self.all_lines("refund"),
            ),
            ("What disputes moved", self.moved(Cause::Dispute), disputed),
            (
                "What lines of disputes took",
                -self.all_lines("dispute"),
                disputed,
            ),
            (
                "What won disputes moved",
                self.moved(Cause::DisputeWon),
                self.disputes(&["won"]),
            ),
            (
                "What lines of won disputes gave",
                self.all_lines("dispute_won"),
                self.disputes(&["won"]),
            ),
            (
                "What lost disputes moved",
                self.moved(Cause::DisputeLost),
                self.disputes(&["lost"]),
            ),
            (
                "What settlements moved",
                self.moved(Cause::Settlement),
                sold,
            ),
            (
                "What fees moved",
                self.moved(Cause::Fees),
                self.settled_fees,
            ),
            ("What was kept back", self.moved(Cause::ReserveHold), held),
            (
                "What is or will be released",
                self.all_lines("reserve_release"),
                held,
            ),
            (
                "What was released",
                self.moved(Cause::ReserveRelease),
                self.lines("reserve_release", ":bound"),
            ),
            ("What payouts moved", self.moved(Cause::Payout), paid),
            ("What settlements paid out", self.settled_payouts, paid),
            (
                "What returned payouts moved",
                self.moved(Cause::PayoutReturn),
                returned,
            ),
            (
                "What lines of returned payouts gave",
                self.all_lines("payout_return"),
                returned,
            ),
        ]
    }

    fn trial_balance(&self, merchant: MerchantId, currency: Currency) -> Vec<TrialLine> {
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

/// A row of the books that is not what it has to be.
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
            format!("{name} carries in {second} and the one before carried out {first}.")
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
        _ => format!("{name} was found with {first} and {second}."),
    }
}
