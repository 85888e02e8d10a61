//! The draft of a settlement: from the sums of its balance transactions to what it pays, reserves
//! and carries forward.
//!
//! Nothing here depends on when or by which process it is closed: ids and times are derived from
//! the merchant, the currency and the date, so that a retry after a crash closes the same
//! settlement.

use super::fees::Fees;
use super::model::Settlement;
use super::schedule;
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::ledger::model::{PostingType, Transfer};
use crate::merchants::model::Reserve;
use crate::payouts::model::{Payout, PayoutState};
use jiff::civil::Date;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId, PayoutId, SettlementId, TransactionId};
use sha2::{Digest, Sha256};

/// The key of a settlement batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchKey {
    /// The settlement date.
    pub settlement_date: Date,
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
}

/// The sums of a batch, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// The number of balance transactions.
    pub lines: i64,
    /// Gross sum.
    pub gross_minor: i64,
    /// Sum of the fees.
    pub fees: Fees,
    /// Net sum.
    pub net_minor: i64,
    /// Gross of captures and refunds.
    pub sold_minor: i64,
    /// Net of captures, refunds and disputes.
    pub earned_minor: i64,
    /// Released reserves.
    pub released_minor: i64,
}

/// The previous settlement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Previous {
    /// Its number; 0 if there is none.
    pub number: i64,
    /// Its amount carried forward, minor units; zero or negative.
    pub carried_forward_minor: i64,
}

/// The merchant's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The reserve.
    pub reserve: Reserve,
    /// The payout account (ISO 13616); empty until one is set.
    pub account: String,
}

/// A closed settlement with its postings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The settlement.
    pub settlement: Settlement,
    /// The reserve: a balance transaction that holds it, in this settlement, and one that releases
    /// it later.
    pub reserve: Vec<BalanceTransaction>,
    /// The ledger transfers.
    pub transfers: Vec<Transfer>,
    /// The payout.
    pub payout: Option<Payout>,
}

impl BatchKey {
    /// The id of its settlement.
    #[must_use]
    pub fn settlement(&self) -> SettlementId {
        let date = self.settlement_date.to_string();
        let of = [&self.merchant.to_string(), self.currency.code(), &date];
        SettlementId::new(self.moment(), derived("settlement", &of))
    }

    /// When the calendar closes it, milliseconds since 1970.
    #[must_use]
    pub fn closes_at_ms(&self) -> i64 {
        schedule::closes_at_ms(self.currency, self.settlement_date)
    }

    fn moment(&self) -> u64 {
        u64::try_from(self.closes_at_ms()).unwrap_or(0)
    }
}

/// Derives ten bytes from a purpose and its parts. Lengths prefix the parts, so that different
/// parts never collide.
fn derived(what: &str, parts: &[&str]) -> [u8; 10] {
    let mut digest = Sha256::new();
    for part in [what].iter().chain(parts) {
        digest.update(part.len().to_string());
        digest.update(":");
        digest.update(part);
    }
    let digest = digest.finalize();
    let mut bytes = [0; 10];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(byte, of_digest)| *byte = of_digest);
    bytes
}

/// The reserve of the net amount: rounded down, and zero for a loss or a holding period of zero
/// days.
fn reserved(earned_minor: i64, reserve: Reserve) -> i64 {
    if reserve.days == 0 {
        return 0;
    }
    let share = i128::from(earned_minor.max(0)) * i128::from(reserve.basis_points.min(10_000));
    i64::try_from(share / 10_000).unwrap_or(0)
}

/// Closes a batch. A positive result is paid out, a negative one carried forward.
#[must_use]
pub fn close(group: &BatchKey, sums: &Sums, previous: Previous, terms: &Terms) -> Closed {
    let held_minor = reserved(sums.earned_minor, terms.reserve);
    let net_minor = sums.net_minor.saturating_sub(held_minor);
    let owed_minor = net_minor.saturating_add(previous.carried_forward_minor);
    let id = group.settlement();
    let payout = (owed_minor > 0).then(|| payout(group, id, owed_minor, terms));
    let settlement = Settlement {
        id,
        merchant: group.merchant,
        currency: group.currency,
        number: previous.number.saturating_add(1),
        settlement_date: group.settlement_date,
        lines: sums.lines.saturating_add(i64::from(held_minor > 0)),
        gross_minor: sums.gross_minor.saturating_sub(held_minor),
        fees: sums.fees,
        net_minor,
        brought_forward_minor: previous.carried_forward_minor,
        carried_forward_minor: owed_minor.min(0),
        payout: payout.as_ref().map(|payout| payout.id),
        payout_minor: owed_minor.max(0),
        closed_at_ms: group.closes_at_ms(),
    };
    Closed {
        reserve: reserve_lines(group, id, held_minor, terms.reserve.days),
        transfers: transfers(group, &settlement, sums, held_minor),
        payout,
        settlement,
    }
}

fn payout(group: &BatchKey, settlement: SettlementId, amount_minor: i64, terms: &Terms) -> Payout {
    let closed_at_ms = group.closes_at_ms();
    Payout {
        id: PayoutId::new(
            group.moment(),
            derived("payout", &[&settlement.to_string()]),
        ),
        merchant: group.merchant,
        settlement,
        currency: group.currency,
        amount_minor,
        account: terms.account.clone(),
        state: PayoutState::Pending,
        failure: None,
        created_at_ms: closed_at_ms,
        updated_at_ms: closed_at_ms,
        // Unleased: the payout is due immediately, even if the settlement was closed early.
        lease_until_ms: 0,
    }
}

fn reserve_lines(
    group: &BatchKey,
    settlement: SettlementId,
    held_minor: i64,
    days: u32,
) -> Vec<BalanceTransaction> {
    if held_minor == 0 {
        return Vec::new();
    }
    let released_on = schedule::business_days_after(group.currency, group.settlement_date, days);
    let line = |kind: TransactionKind, amount_minor, settlement_date, bound| BalanceTransaction {
        id: TransactionId::new(
            group.moment(),
            derived(kind.name(), &[&settlement.to_string()]),
        ),
        merchant: group.merchant,
        currency: group.currency,
        kind,
        source: settlement.to_string(),
        payment: None,
        order_ref: None,
        method: None,
        brand: None,
        region: None,
        gross_minor: amount_minor,
        fees: Fees::default(),
        net_minor: amount_minor,
        business_date: group.settlement_date,
        settlement_date,
        settlement: bound,
        created_at_ms: group.closes_at_ms(),
    };
    let taken = held_minor.saturating_neg();
    let (hold, release) = (
        TransactionKind::ReserveHold,
        TransactionKind::ReserveRelease,
    );
    vec![
        line(hold, taken, group.settlement_date, Some(settlement)),
        line(release, held_minor, released_on, None),
    ]
}

fn transfers(
    group: &BatchKey,
    settlement: &Settlement,
    sums: &Sums,
    held_minor: i64,
) -> Vec<Transfer> {
    let moved = [
        (PostingType::Settlement, sums.sold_minor),
        (PostingType::Fees, sums.fees.total_minor()),
        (PostingType::ReserveHold, held_minor),
        (PostingType::ReserveRelease, sums.released_minor),
        (PostingType::Payout, settlement.payout_minor),
    ];
    let settlement = settlement.id.to_string();
    let transfers = moved
        .into_iter()
        .filter_map(|(posting_type, amount_minor)| {
            let id =
                LedgerTransferId::new(group.moment(), derived(posting_type.name(), &[&settlement]));
            let why = (posting_type, settlement.clone());
            let at_ms = group.closes_at_ms();
            Transfer::new(id, group.merchant, group.currency, amount_minor, why, at_ms)
        });
    transfers.collect()
}

#[cfg(test)]
mod tests {
    use super::{BatchKey, Previous, Sums, Terms, close};
    use crate::ledger::model::{Account, PostingType};
    use crate::merchants::model::Reserve;
    use crate::settlements::fees::Fees;
    use jiff::civil::date;
    use sealpay_protocol::ids::MerchantId;

    fn group() -> BatchKey {
        BatchKey {
            settlement_date: date(2026, 11, 25),
            merchant: MerchantId::new(1, [1; 10]),
            currency: "EUR".parse().unwrap(),
        }
    }

    fn terms(basis_points: u32, days: u32) -> Terms {
        Terms {
            reserve: Reserve { basis_points, days },
            account: "account".into(),
        }
    }

    fn sums(net_minor: i64, earned_minor: i64) -> Sums {
        Sums {
            lines: 3,
            gross_minor: net_minor + 30,
            fees: Fees {
                interchange_minor: 10,
                scheme_minor: 5,
                processor_minor: 15,
            },
            net_minor,
            sold_minor: net_minor + 30,
            earned_minor,
            released_minor: 0,
        }
    }

    #[test]
    fn positive_results_are_paid_out_and_negative_ones_carried_forward() {
        // Net, brought forward, reserve in basis points; then held, paid out, carried forward.
        let rows = [
            (1_000, 0, 0, 0, 1_000, 0),
            (1_000, -400, 0, 0, 600, 0),
            (1_000, -1_000, 0, 0, 0, 0),
            (1_000, -1_001, 0, 0, 0, -1),
            (-1_000, 0, 0, 0, 0, -1_000),
            (-1_000, -500, 1_000, 0, 0, -1_500),
            (999, 0, 1_000, 99, 900, 0),
            (1_000, -950, 1_000, 100, 0, -50),
            (1_000, 0, 10_000, 1_000, 0, 0),
            (1_000, 0, 99_999, 1_000, 0, 0),
            (0, 0, 1_000, 0, 0, 0),
        ];
        for (net, brought_forward, reserve, held, paid, carried_forward) in rows {
            let previous = Previous {
                number: 7,
                carried_forward_minor: brought_forward,
            };
            let closed = close(&group(), &sums(net, net), previous, &terms(reserve, 5));
            let row = (net, brought_forward, reserve);
            let settlement = &closed.settlement;
            assert_eq!(settlement.payout_minor, paid, "{row:?}");
            assert_eq!(settlement.carried_forward_minor, carried_forward, "{row:?}");
            assert_eq!(
                settlement.net_minor + settlement.brought_forward_minor,
                paid + carried_forward,
                "{row:?}"
            );
            assert_eq!(settlement.number, 8);
            assert_eq!(closed.payout.map_or(0, |payout| payout.amount_minor), paid);
            let lines: Vec<_> = closed.reserve.iter().map(|line| line.net_minor).collect();
            let expected = if held == 0 { vec![] } else { vec![-held, held] };
            assert_eq!(lines, expected, "{row:?}");
            assert_eq!(settlement.lines, 3 + i64::from(held > 0));
        }
    }

    #[test]
    fn reserve_of_zero_days_holds_nothing() {
        let closed = close(
            &group(),
            &sums(1_000, 1_000),
            Previous::default(),
            &terms(500, 0),
        );
        assert!(closed.reserve.is_empty());
        assert_eq!(closed.settlement.payout_minor, 1_000);
    }

    #[test]
    fn closing_is_deterministic_and_ids_differ_between_batches() {
        let once = |group: &BatchKey| {
            let terms = terms(1_000, 5);
            close(group, &sums(1_000, 1_000), Previous::default(), &terms)
        };
        assert_eq!(once(&group()), once(&group()));
        let others = [
            BatchKey {
                settlement_date: date(2026, 11, 26),
                ..group()
            },
            BatchKey {
                merchant: MerchantId::new(1, [2; 10]),
                ..group()
            },
            BatchKey {
                currency: "USD".parse().unwrap(),
                ..group()
            },
        ];
        for other in others {
            assert_ne!(once(&group()).settlement.id, once(&other).settlement.id);
            let payout = |group| once(group).payout.map(|payout| payout.id);
            assert_ne!(payout(&group()), payout(&other));
        }
    }

    #[test]
    fn ledger_transfers_match_the_settlement() {
        let sums = Sums {
            sold_minor: -200,
            released_minor: 50,
            ..sums(1_000, 1_000)
        };
        let closed = close(&group(), &sums, Previous::default(), &terms(1_000, 5));
        let moved: Vec<_> = closed
            .transfers
            .iter()
            .map(|moved| (moved.posting_type, moved.debit, moved.amount_minor))
            .collect();
        let expected = [
            // More refunds than captures: debit and credit are swapped.
            (PostingType::Settlement, Account::ShopperClearing, 200),
            (PostingType::Fees, Account::MerchantPayable, 30),
            (PostingType::ReserveHold, Account::MerchantPayable, 100),
            (PostingType::ReserveRelease, Account::Reserve, 50),
            (PostingType::Payout, Account::MerchantPayable, 900),
        ];
        assert_eq!(moved, expected);
        let ids: std::collections::HashSet<_> =
            closed.transfers.iter().map(|moved| moved.id).collect();
        assert_eq!(ids.len(), expected.len());
    }
}
