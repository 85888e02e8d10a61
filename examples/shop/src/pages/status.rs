//! What the state of an order means to its shopper, in a title and a sentence or two.

use crate::integration::state::{Order, Payment, PaymentState};
use crate::products::price_text;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use serde_json::Value;

/// A state in words.
#[derive(Clone, Copy)]
pub(crate) struct OrderStatus {
    /// For scripts and style sheets.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
}

impl OrderStatus {
    pub(crate) fn from_order(order: &Order) -> Self {
        let unpaid = Self {
            name: "waiting",
            title: "Waiting for payment",
        };
        order.payment().map_or(unpaid, Self::from_payment)
    }

    pub(super) fn from_payment(payment: &Payment) -> Self {
        let (name, title) = match payment.state {
            PaymentState::Declined if is_cancelled(payment) => ("declined", "Payment cancelled"),
            PaymentState::Declined => ("declined", "Payment declined"),
            PaymentState::Expired => ("expired", "Payment expired"),
            PaymentState::RequiresAction if payment.method == Method::BankTransfer => {
                ("waiting_for_transfer", "Waiting for your bank transfer")
            }
            PaymentState::RequiresAction => ("waiting_for_shopper", "Waiting for you to confirm"),
            PaymentState::Unknown | PaymentState::Other => ("checking", "Checking with your bank"),
            PaymentState::Voided => ("voided", "Cancelled"),
            PaymentState::Pending => ("pending", "Order confirmed – direct debit on its way"),
            PaymentState::Returned => ("returned", "Direct debit returned"),
            PaymentState::Refunded => ("refunded", "Refunded"),
            PaymentState::Authorized => ("reserved", "Order confirmed – not charged yet"),
            PaymentState::PartiallyCaptured => ("partially_captured", "Partly paid"),
            PaymentState::PartiallyRefunded => ("partially_refunded", "Partly refunded"),
            PaymentState::Captured => ("paid", "Paid"),
        };
        Self { name, title }
    }
}

/// Whether the shopper ended the payment, and not the bank.
pub(super) fn is_cancelled(payment: &Payment) -> bool {
    text(payment, "decline", "code") == "wallet_refused"
}

/// A text in a member of the payment, such as the code of its decline; empty when there is none.
pub(super) fn text<'a>(payment: &'a Payment, member: &str, key: &str) -> &'a str {
    payment.details[member][key].as_str().unwrap_or_default()
}

/// An amount of the payment.
pub(super) fn money(payment: &Payment, minor: &Value) -> Money {
    Money::new(minor.as_i64().unwrap_or(0), payment.amount.currency())
}

/// What arrived by bank transfer.
fn received(payment: &Payment) -> Money {
    money(payment, &payment.details["transfer"]["received"])
}

/// What is still to come by bank transfer.
pub(super) fn due(payment: &Payment) -> Money {
    let due = payment.amount.amount_minor() - received(payment).amount_minor();
    Money::new(due.max(0), payment.amount.currency())
}

/// The sentences for the shopper.
pub(super) fn explanation(order: &Order, can_be_paid: bool) -> String {
    let Some(payment) = order.payment() else {
        return "We haven’t received a payment yet. This page updates automatically.".into();
    };
    let price = price_text(order.total);
    let is_subscribed = order.is_subscribed();
    match payment.state {
        PaymentState::Declined | PaymentState::Returned if is_subscribed => format!(
            "Your bank didn’t pay our direct debit of {price}. You can pay under My subscriptions."
        ),
        PaymentState::Captured if is_subscribed => {
            format!("Thank you! We’ve received your {price}. Your oil is on its way.")
        }
        PaymentState::Declined => {
            format!(
                "{} Try again or use another payment method.",
                declined(payment)
            )
        }
        PaymentState::Expired => expired(payment, &price),
        PaymentState::RequiresAction if payment.method == Method::BankTransfer => format!(
            "Transfer {} using the details below. Transfers can take a few days; this page \
             updates automatically.",
            price_text(due(payment))
        ),
        PaymentState::RequiresAction => {
            let reason = match payment.method {
                Method::Wallet => "The payment is waiting for you in your wallet.",
                _ => "Your bank needs to confirm it’s you.",
            };
            let next = if can_be_paid {
                "Continue in the payment form."
            } else {
                "You can pay again here once this attempt has ended."
            };
            format!("{reason} You haven’t been charged yet. {next}")
        }
        PaymentState::Unknown | PaymentState::Other => {
            "We’re waiting for your bank’s response. Please don’t pay again: this page updates \
             automatically."
                .into()
        }
        PaymentState::Pending => {
            let date = text(payment, "direct_debit", "collection_date");
            format!("We’ll debit {price} from your account on {date}.")
        }
        PaymentState::Returned => {
            format!("Your bank has taken back our direct debit of {price}. Please contact us.")
        }
        PaymentState::Authorized => {
            let place = match payment.method {
                Method::Card => " on your card",
                Method::Wallet => " in your wallet",
                Method::BankTransfer | Method::SepaDebit => "",
            };
            format!(
                "We’ve placed a hold of {price}{place} and will charge it when your order ships."
            )
        }
        PaymentState::PartiallyCaptured => format!(
            "We’ve charged {} of {price}. The rest stays on hold until the remaining items ship.",
            price_text(money(payment, &payment.details["amount_captured"]))
        ),
        PaymentState::Captured => paid(payment, &price),
        PaymentState::PartiallyRefunded | PaymentState::Refunded => format!(
            "We’ve refunded {}. It can take a few days to reach your account.",
            price_text(money(payment, &payment.details["amount_refunded"]))
        ),
        PaymentState::Voided => {
            format!("We’ve released the hold of {price}. You haven’t been charged.")
        }
    }
}

fn declined(payment: &Payment) -> &'static str {
    let is_rejected = ["not_authenticated", "rejected"];
    match payment.method {
        _ if text(payment, "decline", "code") == "payment_abandoned" => {
            "The payment wasn’t confirmed in time. You haven’t been charged."
        }
        _ if is_cancelled(payment) => "You cancelled in your wallet. You haven’t been charged.",
        Method::Wallet => "Your wallet couldn’t make this payment. You haven’t been charged.",
        Method::BankTransfer => "We couldn’t set up your bank transfer. You haven’t been charged.",
        Method::SepaDebit => "Your bank refused the direct debit. You haven’t been charged.",
        Method::Card if is_rejected.contains(&text(payment, "authentication", "status")) => {
            "Your bank couldn’t confirm it’s you. You haven’t been charged."
        }
        Method::Card => "Your bank declined the payment. You haven’t been charged.",
    }
}

fn expired(payment: &Payment, price: &str) -> String {
    let received = received(payment);
    let reason = match payment.method {
        Method::BankTransfer if received.amount_minor() > 0 => format!(
            "Only {} of {price} arrived in time. It will be returned to you.",
            price_text(received)
        ),
        Method::BankTransfer => {
            "Your transfer didn’t arrive in time. If it arrives later, it will be returned to you."
                .into()
        }
        Method::Wallet => "The hold in your wallet expired before we charged it.".into(),
        Method::Card | Method::SepaDebit => {
            "The hold on your card expired before we charged it.".into()
        }
    };
    format!("{reason} You can pay again.")
}

fn paid(payment: &Payment, price: &str) -> String {
    let captured = money(payment, &payment.details["amount_captured"]);
    let disputed = money(payment, &payment.details["amount_disputed"]);
    if disputed.amount_minor() > 0 {
        format!(
            "You asked your bank to return {}. We’ll update this page when they decide.",
            price_text(disputed)
        )
    } else if captured == payment.amount {
        format!("Thank you! We’ve received your {price} and will start folding.")
    } else {
        format!(
            "Thank you! We’ve charged {} of {price}; the rest won’t be charged.",
            price_text(captured)
        )
    }
}
