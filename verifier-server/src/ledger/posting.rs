//! The postings of one cause: ledger transfers, and a balance transaction to settle.

use super::model::{PostingType, Transfer};
use crate::balance::model::{BalanceTransaction, TransactionKind};
use crate::disputes::model::Dispute;
use crate::payments::model::Payment;
use crate::payouts::model::Payout;
use crate::settlements::fees;
use crate::settlements::fees::Fees;
use crate::settlements::schedule;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId, TransactionId};

/// The postings of one cause, written together with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The ledger transfers.
    pub transfers: Vec<Transfer>,
    /// The balance transaction to settle.
    pub line: Option<BalanceTransaction>,
}

/// The context of a posting: ids, time, and the acquirer of the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingContext {
    /// Id of the transfer.
    pub transfer: LedgerTransferId,
    /// Id of the transfer of an overpayment.
    pub overpayment: LedgerTransferId,
    /// Id of the balance transaction.
    pub line: TransactionId,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The country of a card payment's acquirer (ISO 3166-1 alpha-2).
    pub acquirer_country: Option<String>,
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

fn line(context: &PostingContext, line: Line<'_>) -> BalanceTransaction {
    let business_date = schedule::business_date(line.currency, context.at_ms);
    let payment = line.payment;
    BalanceTransaction {
        id: context.line,
        merchant: line.merchant,
        currency: line.currency,
        kind: line.kind,
        source: line.source,
        payment: payment.map(|payment| payment.id),
        order_ref: payment.map(|payment| payment.order_ref.clone()),
        method: payment.map(|payment| payment.details.method().name().to_owned()),
        brand: payment.and_then(|payment| Some(payment.details.card()?.card.brand.clone())),
        region: line.region,
        gross_minor: line.gross_minor,
        fees: line.fees,
        net_minor: line.gross_minor.saturating_sub(line.fees.total_minor()),
        business_date,
        settlement_date: schedule::settlement_date(line.currency, business_date),
        settlement: None,
        created_at_ms: context.at_ms,
    }
}

fn query<'a>(context: &'a PostingContext, payment: &'a Payment) -> fees::Query<'a> {
    let card = payment.details.card().map(|details| &details.card);
    fees::Query {
        method: payment.details.method().name(),
        brand: card.map(|card| card.brand.as_str()),
        issuer_country: card.and_then(|card| card.country.as_deref()),
        acquirer_country: context.acquirer_country.as_deref(),
    }
}

/// The posting of a payment's amount; negative if it is taken from the merchant.
fn of_payment(
    context: &PostingContext,
    payment: &Payment,
    (posting_type, kind): (PostingType, TransactionKind),
    source: String,
    (gross_minor, fees): (i64, Fees),
) -> Posting {
    let currency = payment.money.currency();
    let card = payment.details.card();
    Posting {
        transfers: Vec::from_iter(Transfer::new(
            context.transfer,
            payment.merchant,
            currency,
            gross_minor.saturating_abs(),
            (posting_type, source.clone()),
            context.at_ms,
        )),
        line: Some(line(
            context,
            Line {
                merchant: payment.merchant,
                currency,
                kind,
                source,
                payment: Some(payment),
                region: card.map(|_| fees::of_capture(&query(context, payment), 0).1.to_owned()),
                gross_minor,
                fees,
            },
        )),
    }
}

/// An overpaid amount, or its refund: it belongs to the shopper and is never settled.
fn of_overpayment(
    context: &PostingContext,
    payment: &Payment,
    posting_type: (PostingType, String),
    amount_minor: i64,
) -> Option<Transfer> {
    Transfer::new(
        context.overpayment,
        payment.merchant,
        payment.money.currency(),
        amount_minor,
        posting_type,
        context.at_ms,
    )
}

/// A capture. The source is the modification, or the payment if it was captured automatically.
#[must_use]
pub fn of_capture(
    context: &PostingContext,
    payment: &Payment,
    source: String,
    amount_minor: i64,
) -> Posting {
    let (fees, _) = fees::of_capture(&query(context, payment), amount_minor);
    let what = (PostingType::Capture, TransactionKind::Capture);
    let over = (PostingType::Overpayment, source.clone());
    let over = of_overpayment(context, payment, over, payment.overpaid_minor());
    let mut posting = of_payment(context, payment, what, source, (amount_minor, fees));
    posting.transfers.extend(over);
    posting
}

/// A refund; the payment is in its state afterwards. An overpayment is refunded first, and is not
/// settled because it never belonged to the merchant.
#[must_use]
pub fn of_refund(
    context: &PostingContext,
    payment: &Payment,
    source: String,
    amount_minor: i64,
) -> Posting {
    let too_much_minor = payment.overpayment_refunded_minor(payment.refunded_minor)
        - payment.overpayment_refunded_minor(payment.refunded_minor.saturating_sub(amount_minor));
    let over = (PostingType::OverpaymentRefund, source.clone());
    let over = of_overpayment(context, payment, over, too_much_minor);
    let amount_minor = amount_minor.saturating_sub(too_much_minor);
    let fees = fees::of_refund(&query(context, payment), amount_minor);
    let what = (PostingType::Refund, TransactionKind::Refund);
    let gross_minor = amount_minor.saturating_neg();
    let mut posting = of_payment(context, payment, what, source, (gross_minor, fees));
    posting.transfers.extend(over);
    if amount_minor == 0 {
        posting.line = None;
    }
    posting
}

/// The debtor's bank has taken back a direct debit: all of it, with the fee of a dispute.
#[must_use]
pub fn of_debit_return(context: &PostingContext, payment: &Payment) -> Posting {
    let amount_minor = payment.returned_minor;
    let fees = fees::of_dispute(&query(context, payment), amount_minor);
    let what = (
        PostingType::DirectDebitReturn,
        TransactionKind::DirectDebitReturn,
    );
    let gross_minor = amount_minor.saturating_neg();
    let source = payment.id.to_string();
    of_payment(context, payment, what, source, (gross_minor, fees))
}

/// A dispute was opened: the shopper's bank withdraws the amount.
#[must_use]
pub fn of_dispute(context: &PostingContext, payment: &Payment, dispute: &Dispute) -> Posting {
    let amount_minor = dispute.money.amount_minor();
    let fees = fees::of_dispute(&query(context, payment), amount_minor);
    let what = (PostingType::Dispute, TransactionKind::Dispute);
    let gross_minor = amount_minor.saturating_neg();
    of_payment(
        context,
        payment,
        what,
        dispute.id.to_string(),
        (gross_minor, fees),
    )
}

/// A dispute was won: the shopper's bank returns the amount.
#[must_use]
pub fn of_dispute_won(context: &PostingContext, payment: &Payment, dispute: &Dispute) -> Posting {
    let what = (PostingType::DisputeWon, TransactionKind::DisputeWon);
    let amount_minor = dispute.money.amount_minor();
    let id = dispute.id.to_string();
    of_payment(context, payment, what, id, (amount_minor, Fees::default()))
}

/// A dispute was lost: the shopper's bank keeps the amount, which the merchant lost when the
/// dispute was opened.
#[must_use]
pub fn of_dispute_lost(context: &PostingContext, dispute: &Dispute) -> Posting {
    Posting {
        transfers: Vec::from_iter(Transfer::new(
            context.transfer,
            dispute.merchant,
            dispute.money.currency(),
            dispute.money.amount_minor(),
            (PostingType::DisputeLost, dispute.id.to_string()),
            context.at_ms,
        )),
        line: None,
    }
}

/// A payout was returned, and is owed again.
#[must_use]
pub fn of_payout_return(context: &PostingContext, payout: &Payout) -> Posting {
    let source = payout.id.to_string();
    Posting {
        transfers: Vec::from_iter(Transfer::new(
            context.transfer,
            payout.merchant,
            payout.currency,
            payout.amount_minor,
            (PostingType::PayoutReturn, source.clone()),
            context.at_ms,
        )),
        line: Some(line(
            context,
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
