//! What an order's state means for its shopper, in a sentence or two. Nothing here says why a card
//! is suspect: that is told to the shop's people only.

use crate::orders::{Attempt, Order, OrderState};
use crate::products::price_text;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;

/// The sentences.
pub(super) fn explanation(order: &Order, can_be_paid: bool) -> String {
    let price = price_text(order.total);
    match order.state() {
        OrderState::Waiting => {
            "Nothing has been paid yet. This page changes by itself when the bank has answered."
                .to_owned()
        }
        OrderState::Declined => format!(
            "{} You can try again or pay in another way.",
            order.leading().map_or(BANK_SAID_NO, declined)
        ),
        OrderState::Expired => expired(order),
        OrderState::WaitingForShopper => waiting_for_shopper(order, can_be_paid),
        OrderState::WaitingForTransfer => waiting_for_transfer(order),
        OrderState::Checking => {
            "The bank has not answered yet. Please do not pay again: this page changes by itself."
                .to_owned()
        }
        OrderState::Reserved => {
            let place = match method(order) {
                Some(Method::Card) => " on your card",
                Some(Method::Wallet) => " in your wallet",
                Some(Method::BankTransfer) | None => "",
            };
            format!("{price} is reserved{place}. We take it when the parcel leaves.")
        }
        OrderState::PartlyPaid => format!(
            "{} of {price} has been paid. The rest is reserved until the other parcels leave.",
            price_text(taken(order))
        ),
        OrderState::Paid => paid(order),
        OrderState::PartlyRefunded => format!(
            "{} of the {} that you paid is on its way back. Your bank may need some days.",
            price_text(given_back(order)),
            price_text(taken(order))
        ),
        OrderState::Refunded => format!(
            "{} is on its way back. Your bank may need some days.",
            price_text(given_back(order))
        ),
        OrderState::Voided => {
            format!("We do not take the {price} that was reserved. Nothing was charged.")
        }
    }
}

fn paid(order: &Order) -> String {
    let taken = taken(order);
    if taken == order.total {
        let price = price_text(taken);
        return format!("Thank you. {price} has been paid, and we start folding.");
    }
    format!(
        "Thank you. {} of {} has been paid; the rest will not be charged.",
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

const BANK_SAID_NO: &str = "The bank said no, and nothing was charged.";

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
            "The payment was not confirmed in time, and nothing was charged."
        }
        (_, Some("wallet_refused")) => {
            "The payment was refused in the wallet, and nothing was charged."
        }
        (Method::Wallet, _) => "The wallet could not pay, and nothing was charged.",
        (Method::BankTransfer, _) => {
            "No account for a transfer was to be had; nothing was charged."
        }
        (Method::Card, _) => match authentication.map(|told| told.status.as_str()) {
            Some("not_authenticated" | "rejected") => {
                "Your bank could not confirm that it is you, and nothing was charged."
            }
            _ => BANK_SAID_NO,
        },
    }
}

fn expired(order: &Order) -> String {
    let received = received(order).filter(|received| received.amount_minor() > 0);
    let reason = match (method(order), received) {
        (Some(Method::BankTransfer), Some(received)) => format!(
            "Only {} of {} arrived in time, so the order was not placed.",
            price_text(received),
            price_text(order.total)
        ),
        (Some(Method::BankTransfer), None) => {
            "The money did not arrive in time, so the order was not placed.".to_owned()
        }
        (Some(Method::Wallet), _) => {
            "The payment ran out before the money was taken from the wallet.".to_owned()
        }
        (Some(Method::Card) | None, _) => {
            "The reservation ran out before the money was taken.".to_owned()
        }
    };
    format!("{reason} You can pay again.")
}

fn waiting_for_shopper(order: &Order, can_be_paid: bool) -> String {
    let reason = match method(order) {
        Some(Method::Wallet) => "The payment waits for you in your wallet.",
        _ => "Your bank wants to be sure that it is you.",
    };
    let way = if can_be_paid {
        "Nothing has been paid yet: go on in the payment form."
    } else {
        "Nothing has been paid yet. You can pay again here as soon as this attempt is over."
    };
    format!("{reason} {way}")
}

fn waiting_for_transfer(order: &Order) -> String {
    format!(
        "Please transfer {} as told below. Your order is placed when the money is there, which may \
         take some days; this page changes by itself.",
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
