//! What goes into the books for one cause: a transfer in the ledger and a line to be settled.

use super::model::{PostingType, Transfer};
use crate::disputes::model::Dispute;
use crate::payments::methods::card::route;
use crate::payments::model::Payment;
use crate::settlements::fees;
use crate::settlements::fees::Fees;
use crate::settlements::model::{BalanceTransaction, Payout, TransactionKind};
use crate::settlements::schedule;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId, TransactionId};

/// What goes into the books for one cause, together with what caused it or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// In the ledger.
    pub transfers: Vec<Transfer>,
    /// To be settled.
    pub line: Option<BalanceTransaction>,
}

/// Names for a booking, and its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostingIds {
    /// Of the transfer.
    pub transfer: LedgerTransferId,
    /// Of the transfer of what came too much.
    pub overpayment: LedgerTransferId,
    /// Of the line.
    pub line: TransactionId,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

struct Line<'a> {
    merchant: MerchantId,
    currency: Currency,
    kind: TransactionKind,
    source: String,
    payment: Option<&'a Payment>,
    region: Option<String>,
    gross_minor: i64,
    fees: Fees,
}

fn line(ids: PostingIds, line: Line<'_>) -> BalanceTransaction {
    let business_date = schedule::business_date(line.currency, ids.at_ms);
    let payment = line.payment;
    BalanceTransaction {
        id: ids.line,
        merchant: line.merchant,
        currency: line.currency,
        kind: line.kind,
        source: line.source,
        payment: payment.map(|payment| payment.id),
        order_ref: payment.map(|payment| payment.order_ref.clone()),
        method: payment.map(|payment| payment.method.name().to_owned()),
        brand: payment.and_then(|payment| Some(payment.card.as_ref()?.brand.clone())),
        region: line.region,
        gross_minor: line.gross_minor,
        fees: line.fees,
        net_minor: line.gross_minor.saturating_sub(line.fees.total_minor()),
        business_date,
        settlement_date: schedule::settlement_date(line.currency, business_date),
        settlement: None,
        created_at_ms: ids.at_ms,
    }
}

fn query(payment: &Payment) -> fees::Query<'_> {
    let mut acquirers = route::acquirers().iter();
    let acquirer = acquirers.find(|acquirer| acquirer.name == payment.provider);
    fees::Query {
        method: payment.method.name(),
        brand: payment.card.as_ref().map(|card| card.brand.as_str()),
        issuer_country: payment
            .card
            .as_ref()
            .and_then(|card| card.country.as_deref()),
        acquirer_country: acquirer.map(|acquirer| acquirer.country.as_str()),
    }
}

/// What money of a payment causes: below nothing where it is taken from the merchant.
fn of_payment(
    ids: PostingIds,
    payment: &Payment,
    (posting_type, kind): (PostingType, TransactionKind),
    source: String,
    (gross_minor, fees): (i64, Fees),
) -> Posting {
    let currency = payment.money.currency();
    let card = payment.card.as_ref();
    Posting {
        transfers: Vec::from_iter(Transfer::of(
            ids.transfer,
            payment.merchant,
            currency,
            gross_minor.saturating_abs(),
            (posting_type, source.clone()),
            ids.at_ms,
        )),
        line: Some(line(
            ids,
            Line {
                merchant: payment.merchant,
                currency,
                kind,
                source,
                payment: Some(payment),
                region: card.map(|_| fees::of_capture(&query(payment), 0).1.to_owned()),
                gross_minor,
                fees,
            },
        )),
    }
}

/// Money that came too much, or goes back of it: it is the shopper's and never settled.
fn of_overpayment(
    ids: PostingIds,
    payment: &Payment,
    posting_type: (PostingType, String),
    amount_minor: i64,
) -> Option<Transfer> {
    Transfer::of(
        ids.overpayment,
        payment.merchant,
        payment.money.currency(),
        amount_minor,
        posting_type,
        ids.at_ms,
    )
}

/// Money was captured. The source is the modification, or the payment where it was taken at once.
#[must_use]
pub fn of_capture(
    ids: PostingIds,
    payment: &Payment,
    source: String,
    amount_minor: i64,
) -> Posting {
    let (fees, _) = fees::of_capture(&query(payment), amount_minor);
    let what = (PostingType::Capture, TransactionKind::Capture);
    let over = (PostingType::Overpayment, source.clone());
    let over = of_overpayment(ids, payment, over, payment.overpaid_minor());
    let mut posting = of_payment(ids, payment, what, source, (amount_minor, fees));
    posting.transfers.extend(over);
    posting
}

/// Money was refunded; the payment is as it is afterwards. What came too much goes back first, and
/// is no business of the settlement's: it never was the merchant's.
#[must_use]
pub fn of_refund(ids: PostingIds, payment: &Payment, source: String, amount_minor: i64) -> Posting {
    let too_much_minor = payment.overpayment_refunded_minor(payment.refunded_minor)
        - payment.overpayment_refunded_minor(payment.refunded_minor.saturating_sub(amount_minor));
    let over = (PostingType::OverpaymentRefund, source.clone());
    let over = of_overpayment(ids, payment, over, too_much_minor);
    let amount_minor = amount_minor.saturating_sub(too_much_minor);
    let fees = fees::of_refund(&query(payment), amount_minor);
    let what = (PostingType::Refund, TransactionKind::Refund);
    let gross_minor = amount_minor.saturating_neg();
    let mut posting = of_payment(ids, payment, what, source, (gross_minor, fees));
    posting.transfers.extend(over);
    if amount_minor == 0 {
        posting.line = None;
    }
    posting
}

/// The shopper's bank has taken money back.
#[must_use]
pub fn of_dispute(ids: PostingIds, payment: &Payment, dispute: &Dispute) -> Posting {
    let amount_minor = dispute.money.amount_minor();
    let fees = fees::of_dispute(&query(payment), amount_minor);
    let what = (PostingType::Dispute, TransactionKind::Dispute);
    let gross_minor = amount_minor.saturating_neg();
    of_payment(
        ids,
        payment,
        what,
        dispute.id.to_string(),
        (gross_minor, fees),
    )
}

/// The shopper's bank has returned the money.
#[must_use]
pub fn of_dispute_won(ids: PostingIds, payment: &Payment, dispute: &Dispute) -> Posting {
    let what = (PostingType::DisputeWon, TransactionKind::DisputeWon);
    let amount_minor = dispute.money.amount_minor();
    let id = dispute.id.to_string();
    of_payment(ids, payment, what, id, (amount_minor, Fees::default()))
}

/// The shopper's bank keeps the money. The merchant has lost it when the dispute was opened.
#[must_use]
pub fn of_dispute_lost(ids: PostingIds, dispute: &Dispute) -> Posting {
    Posting {
        transfers: Vec::from_iter(Transfer::of(
            ids.transfer,
            dispute.merchant,
            dispute.money.currency(),
            dispute.money.amount_minor(),
            (PostingType::DisputeLost, dispute.id.to_string()),
            ids.at_ms,
        )),
        line: None,
    }
}

/// A payout came back, and is owed again.
#[must_use]
pub fn of_payout_return(ids: PostingIds, payout: &Payout) -> Posting {
    let source = payout.id.to_string();
    Posting {
        transfers: Vec::from_iter(Transfer::of(
            ids.transfer,
            payout.merchant,
            payout.currency,
            payout.amount_minor,
            (PostingType::PayoutReturn, source.clone()),
            ids.at_ms,
        )),
        line: Some(line(
            ids,
            Line {
                merchant: payout.merchant,
                currency: payout.currency,
                kind: TransactionKind::PayoutReturn,
                source,
                payment: None,
                region: None,
                gross_minor: payout.amount_minor,
                fees: Fees::default(),
            },
        )),
    }
}
