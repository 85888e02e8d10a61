//! What an order's state means for its shopper, in a sentence or two. Nothing here says why a card
//! is suspect: that is told to the shop's people only.

use super::warnings;
use crate::orders::{Attempt, Order, OrderState};
use crate::products::price_text;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;

/// The sentences.
pub(super) fn explanation(order: &Order, can_be_paid: bool) -> String {
    let price = price_text(order.total);
    match order.state() {
        OrderState::Waiting => {
            "We haven’t received a payment yet. This page updates automatically.".to_owned()
        }
        OrderState::Declined => format!(
            "{} Try again or use another payment method.",
            order.leading().map_or(BANK_SAID_NO, declined)
        ),
        OrderState::Expired => expired(order),
        OrderState::WaitingForShopper => waiting_for_shopper(order, can_be_paid),
        OrderState::WaitingForTransfer => waiting_for_transfer(order),
        OrderState::Checking => {
            "We’re waiting for your bank’s response. Please don’t pay again: this page updates \
             automatically."
                .to_owned()
        }
        OrderState::Reserved => {
            let place = match method(order) {
                Some(Method::Card) => " on your card",
                Some(Method::Wallet) => " in your wallet",
                Some(Method::BankTransfer) | None => "",
            };
            format!(
                "We’ve placed a hold of {price}{place} and will charge it when your order ships."
            )
        }
        OrderState::PartlyPaid => format!(
            "We’ve charged {} of {price}. The rest stays on hold until the remaining items ship.",
            price_text(taken(order))
        ),
        OrderState::Paid => paid(order),
        OrderState::PartlyRefunded | OrderState::Refunded => format!(
            "We’ve refunded {}. It can take a few days to reach your account.",
            price_text(given_back(order))
        ),
        OrderState::Voided => {
            format!("We’ve released the hold of {price}. You haven’t been charged.")
        }
    }
}

fn paid(order: &Order) -> String {
    if let Some(disputed) = warnings::disputed(order) {
        return format!(
            "You asked your bank to return {}. We’ll update this page when they decide.",
            price_text(disputed)
        );
    }
    let taken = taken(order);
    if taken == order.total {
        let price = price_text(taken);
        return format!("Thank you! We’ve received your {price} and will start folding.");
    }
    format!(
        "Thank you! We’ve charged {} of {}; the rest won’t be charged.",
        price_text(taken),
        price_text(order.total)
    )
}

/// What the shop has taken.
fn taken(order: &Order) -> Money {
    let total = order.total.amount_minor();
    let minor = order
        .leading()
        .map_or(0, |attempt| attempt.captured_minor(total));
    Money::new(minor, order.total.currency())
}

/// What went back.
fn given_back(order: &Order) -> Money {
    let minor = order.leading().map_or(0, Attempt::refunded_minor);
    Money::new(minor, order.total.currency())
}

const BANK_SAID_NO: &str = "Your bank declined the payment. You haven’t been charged.";

/// The decline of a shopper who says no in the wallet.
const CANCELLED: &str = "wallet_refused";

/// Whether the shopper has ended the payment, and not the bank.
pub(super) fn is_cancelled(order: &Order) -> bool {
    let decline = order.leading().and_then(|attempt| attempt.decline.as_ref());
    let is_declined = order.state() == OrderState::Declined;
    is_declined && decline.is_some_and(|decline| decline.code == CANCELLED)
}

/// What the shop keeps of the money, once no more is to come.
pub(super) fn net(order: &Order) -> Option<Money> {
    let is_final = matches!(
        order.state(),
        OrderState::Paid | OrderState::PartlyRefunded | OrderState::Refunded
    );
    let minor = taken(order).amount_minor() - given_back(order).amount_minor();
    is_final.then(|| Money::new(minor, order.total.currency()))
}

fn method(order: &Order) -> Option<Method> {
    order.leading().map(|attempt| attempt.method)
}

fn declined(attempt: &Attempt) -> &'static str {
    let authentication = attempt.details.authentication.as_ref();
    let code = attempt
        .decline
        .as_ref()
        .map(|decline| decline.code.as_str());
    match (attempt.method, code) {
        (_, Some("payment_abandoned")) => {
            "The payment wasn’t confirmed in time. You haven’t been charged."
        }
        (_, Some(CANCELLED)) => "You cancelled in your wallet. You haven’t been charged.",
        (Method::Wallet, _) => "Your wallet couldn’t make this payment. You haven’t been charged.",
        (Method::BankTransfer, _) => {
            "We couldn’t set up your bank transfer. You haven’t been charged."
        }
        (Method::Card, _) => match authentication.map(|told| told.status.as_str()) {
            Some("not_authenticated" | "rejected") => {
                "Your bank couldn’t confirm it’s you. You haven’t been charged."
            }
            _ => BANK_SAID_NO,
        },
    }
}

fn expired(order: &Order) -> String {
    let received = received(order).filter(|received| received.amount_minor() > 0);
    let reason = match (method(order), received) {
        (Some(Method::BankTransfer), Some(received)) => format!(
            "Only {} of {} arrived in time, so we couldn’t confirm your order.",
            price_text(received),
            price_text(order.total)
        ),
        (Some(Method::BankTransfer), None) => {
            "Your transfer didn’t arrive in time, so we couldn’t confirm your order.".to_owned()
        }
        (Some(Method::Wallet), _) => {
            "The hold in your wallet expired before we charged it.".to_owned()
        }
        (Some(Method::Card) | None, _) => {
            "The hold on your card expired before we charged it.".to_owned()
        }
    };
    format!("{reason} You can pay again.")
}

fn waiting_for_shopper(order: &Order, can_be_paid: bool) -> String {
    let reason = match method(order) {
        Some(Method::Wallet) => "The payment is waiting for you in your wallet.",
        _ => "Your bank needs to confirm it’s you.",
    };
    let way = if can_be_paid {
        "You haven’t been charged yet. Continue in the payment form."
    } else {
        "You haven’t been charged yet. You can pay again here once this attempt has ended."
    };
    format!("{reason} {way}")
}

fn waiting_for_transfer(order: &Order) -> String {
    format!(
        "Transfer {} using the details below. Transfers can take a few days; this page updates \
         automatically.",
        price_text(still_due(order))
    )
}

/// What has come by transfer.
fn received(order: &Order) -> Option<Money> {
    let transfer = order.leading()?.details.transfer.as_ref()?;
    Some(Money::new(transfer.received, order.total.currency()))
}

/// What is still to come by transfer.
pub(super) fn still_due(order: &Order) -> Money {
    let received = received(order).map_or(0, Money::amount_minor);
    let due = order.total.amount_minor().saturating_sub(received).max(0);
    Money::new(due, order.total.currency())
}
