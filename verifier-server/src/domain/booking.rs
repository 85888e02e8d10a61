//! What goes into the books for one cause: a transfer in the ledger and a line to be settled.

use super::dispute::Dispute;
use super::fees::{self, Fees};
use super::ledger::{Cause, Transfer};
use super::payment::Payment;
use super::route;
use super::schedule;
use super::settlement::{BalanceTransaction, Payout, TransactionKind};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::{LedgerTransferId, MerchantId, TransactionId};

/// What goes into the books for one cause, together with what caused it or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// In the ledger.
    pub transfers: Vec<Transfer>,
    /// To be settled.
    pub line: Option<BalanceTransaction>,
}

/// Names for a booking, and its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
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

fn line(naming: Naming, line: Line<'_>) -> BalanceTransaction {
    let sales_day = schedule::sales_day(line.currency, naming.at_ms);
    let payment = line.payment;
    BalanceTransaction {
        id: naming.line,
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
        sales_day,
        settlement_date: schedule::settlement_date(line.currency, sales_day),
        settlement: None,
        created_at_ms: naming.at_ms,
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
    naming: Naming,
    payment: &Payment,
    (cause, kind): (Cause, TransactionKind),
    source: String,
    (gross_minor, fees): (i64, Fees),
) -> Booking {
    let currency = payment.money.currency();
    let card = payment.card.as_ref();
    Booking {
        transfers: Vec::from_iter(Transfer::of(
            naming.transfer,
            payment.merchant,
            currency,
            gross_minor.saturating_abs(),
            (cause, source.clone()),
            naming.at_ms,
        )),
        line: Some(line(
            naming,
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
    naming: Naming,
    payment: &Payment,
    cause: (Cause, String),
    amount_minor: i64,
) -> Option<Transfer> {
    Transfer::of(
        naming.overpayment,
        payment.merchant,
        payment.money.currency(),
        amount_minor,
        cause,
        naming.at_ms,
    )
}

/// Money was captured. The source is the modification, or the payment where it was taken at once.
#[must_use]
pub fn of_capture(naming: Naming, payment: &Payment, source: String, amount_minor: i64) -> Booking {
    let (fees, _) = fees::of_capture(&query(payment), amount_minor);
    let what = (Cause::Capture, TransactionKind::Capture);
    let over = (Cause::Overpayment, source.clone());
    let over = of_overpayment(naming, payment, over, payment.overpaid_minor());
    let mut booking = of_payment(naming, payment, what, source, (amount_minor, fees));
    booking.transfers.extend(over);
    booking
}

/// Money was refunded; the payment is as it is afterwards. What came too much goes back first, and
/// is no business of the settlement's: it never was the merchant's.
#[must_use]
pub fn of_refund(naming: Naming, payment: &Payment, source: String, amount_minor: i64) -> Booking {
    let too_much_minor = payment.overpayment_refunded_minor(payment.refunded_minor)
        - payment.overpayment_refunded_minor(payment.refunded_minor.saturating_sub(amount_minor));
    let over = (Cause::OverpaymentRefund, source.clone());
    let over = of_overpayment(naming, payment, over, too_much_minor);
    let amount_minor = amount_minor.saturating_sub(too_much_minor);
    let fees = fees::of_refund(&query(payment), amount_minor);
    let what = (Cause::Refund, TransactionKind::Refund);
    let gross_minor = amount_minor.saturating_neg();
    let mut booking = of_payment(naming, payment, what, source, (gross_minor, fees));
    booking.transfers.extend(over);
    if amount_minor == 0 {
        booking.line = None;
    }
    booking
}

/// The shopper's bank has taken money back.
#[must_use]
pub fn of_dispute(naming: Naming, payment: &Payment, dispute: &Dispute) -> Booking {
    let amount_minor = dispute.money.amount_minor();
    let fees = fees::of_dispute(&query(payment), amount_minor);
    let what = (Cause::Dispute, TransactionKind::Dispute);
    let gross_minor = amount_minor.saturating_neg();
    of_payment(
        naming,
        payment,
        what,
        dispute.id.to_string(),
        (gross_minor, fees),
    )
}

/// The shopper's bank has returned the money.
#[must_use]
pub fn of_dispute_won(naming: Naming, payment: &Payment, dispute: &Dispute) -> Booking {
    let what = (Cause::DisputeWon, TransactionKind::DisputeWon);
    let amount_minor = dispute.money.amount_minor();
    let id = dispute.id.to_string();
    of_payment(naming, payment, what, id, (amount_minor, Fees::default()))
}

/// The shopper's bank keeps the money. The merchant has lost it when the dispute was opened.
#[must_use]
pub fn of_dispute_lost(naming: Naming, dispute: &Dispute) -> Booking {
    Booking {
        transfers: Vec::from_iter(Transfer::of(
            naming.transfer,
            dispute.merchant,
            dispute.money.currency(),
            dispute.money.amount_minor(),
            (Cause::DisputeLost, dispute.id.to_string()),
            naming.at_ms,
        )),
        line: None,
    }
}

/// A payout came back, and is owed again.
#[must_use]
pub fn of_payout_return(naming: Naming, payout: &Payout) -> Booking {
    let source = payout.id.to_string();
    Booking {
        transfers: Vec::from_iter(Transfer::of(
            naming.transfer,
            payout.merchant,
            payout.currency,
            payout.amount_minor,
            (Cause::PayoutReturn, source.clone()),
            naming.at_ms,
        )),
        line: Some(line(
            naming,
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
