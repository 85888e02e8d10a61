//! An order as reported by its webhooks, and the list of orders. The script swaps the live part.

use super::status::{OrderStatus, due, explanation, is_cancelled, text};
use super::{copy_button, layout, method_name, moment, summary};
use crate::basket::Basket;
use crate::integration::state::{Order, Payment, PaymentState};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::origin::Origin;

/// How long the page shows a payment as being confirmed, seconds. Webhooks take a few. Later it
/// says what to do instead.
const CONFIRMING_SECONDS: u64 = 5 * 60;

/// How long a shopper who paid in the form has waited for the webhook, seconds.
fn waited_seconds(order: &Order, basket: &Basket, now: u64) -> Option<u64> {
    let returned_at = basket.returned_at.filter(|_| order.payments.is_empty());
    returned_at.map(|returned_at| now.saturating_sub(returned_at))
}

/// Changes whenever the page does: the page compares it with its own.
pub(crate) fn revision(order: &Order, basket: &Basket, now: u64) -> String {
    let sequences: u64 = order.payments.iter().map(|payment| payment.sequence).sum();
    let waited = waited_seconds(order, basket, now);
    let is_late = waited.is_some_and(|seconds| seconds >= CONFIRMING_SECONDS);
    let name = OrderStatus::from_order(order).name;
    let is_subscribed = order.is_subscribed();
    format!(
        "{name}-{}-{sequences}-{is_late}-{is_subscribed}",
        order.payments.len()
    )
}

/// The page of an order.
pub(crate) fn order(order: &Order, basket: &Basket, control: Option<&Origin>, now: u64) -> Markup {
    let reference = &order.reference;
    let content = html! {
        div .receipt {
            div .headline {
                p .eyebrow { "Order " span .whole { (reference) } }
                button .button type="button" data-print hidden { "Print" }
            }
            div data-live={ "/orders/" (reference) "/status" }
                data-revision=(revision(order, basket, now)) {
                (status(order, basket, now))
                @if let Some(payment) = order.payment() { (instruction(payment)) }
                (purchase(order, basket))
                (activity(order, control))
            }
        }
    };
    let title = OrderStatus::from_order(order).title;
    layout(&format!("{title}: order {reference}"), &content)
}

fn status(order: &Order, basket: &Basket, now: u64) -> Markup {
    let OrderStatus { name, title } = OrderStatus::from_order(order);
    let can_be_paid = order.can_be_paid(now);
    let look = if order.payment().is_some_and(is_cancelled) {
        "cancelled"
    } else {
        name
    };
    let checkout = format!("/checkout/{}", order.reference);
    let way_to_pay = match name {
        "declined" => "Try again",
        "expired" => "Pay again",
        "waiting_for_shopper" => "Continue payment",
        _ => "Go to payment",
    };
    html! {
        section .status .(look) role="status" aria-atomic="true" {
            span .sign aria-hidden="true" {}
            div {
                h1 data-order-state=(name) { (title) }
                @match waited_seconds(order, basket, now) {
                    Some(0..CONFIRMING_SECONDS) => {
                        p { "Thanks – we’re confirming your payment. This page updates "
                            "automatically." }
                    }
                    Some(_) => {
                        p { "We haven’t received your payment yet. If you’ve paid, please don’t "
                            "pay again. Write to "
                            a href="mailto:help@paperlantern.example" {
                                "help@paperlantern.example"
                            }
                            " with the number of your order, and we’ll look for it." }
                        p { a .button href=(checkout) { "I haven’t paid yet" } }
                    }
                    None => {
                        p { (explanation(order, can_be_paid)) }
                        @if can_be_paid { p { a .button .primary href=(checkout) { (way_to_pay) } } }
                        @if order.is_subscribed() {
                            p { a .button href="/subscriptions" { "Go to My subscriptions" } }
                        }
                    }
                }
            }
        }
    }
}

/// The bank transfer that the shopper has to make, ready to be copied into a banking app.
fn instruction(payment: &Payment) -> Markup {
    let is_awaited =
        payment.state == PaymentState::RequiresAction && payment.method == Method::BankTransfer;
    let fact = |title: &str, shown: &str, copied: &str| {
        html! { div { dt { (title) } dd { code { (shown) } (copy_button(copied, title)) } } }
    };
    let facts = [
        ("Account holder", "holder"),
        ("IBAN", "iban"),
        ("BIC", "bic"),
        ("Reference", "reference"),
    ];
    html! {
        @if is_awaited {
            section .instruction aria-labelledby="instruction" {
                h2 #instruction { "Your bank transfer" }
                dl {
                    (fact("Amount", &price_text(due(payment)), &due(payment).decimal()))
                    @for (title, member) in facts {
                        @let value = text(payment, "transfer", member);
                        @let in_groups = if member == "iban" { in_fours(value) } else { value.into() };
                        (fact(title, &in_groups, value))
                    }
                    @if let Some(at) = payment.details["transfer"]["expires_at"].as_u64() {
                        div { dt { "Pay by" } dd { (moment(at)) } }
                    }
                }
                p .muted .small { "Include the reference so we can match your transfer to this "
                    "order." }
            }
        }
    }
}

/// An IBAN as it is printed (ISO 13616): four characters and a space.
fn in_fours(iban: &str) -> String {
    let characters: Vec<char> = iban.chars().filter(|c| !c.is_whitespace()).collect();
    let groups = characters.chunks(4).map(String::from_iter);
    groups.collect::<Vec<_>>().join(" ")
}

fn purchase(order: &Order, basket: &Basket) -> Markup {
    let lines = html! {
        p .muted { "Quantity " (basket.pieces) " · " (moment(basket.created_at)) }
        @if let Some(payment) = order.payment() {
            @if payment.state >= PaymentState::Authorized { p .muted { (paid_with(payment)) } }
        }
    };
    let total = html! {
        @if let Some(kept) = kept(order).filter(|kept| *kept != order.total) {
            span .unseen { "Total " } s { (price_text(order.total)) } " "
            span .unseen { "charged after refunds " } (price_text(kept))
        } @else {
            span .unseen { "Total " } (price_text(order.total))
        }
    };
    summary(basket, &lines, &total)
}

/// What the shop keeps, once no more is to come.
fn kept(order: &Order) -> Option<Money> {
    let payment = order.payment()?;
    let is_final = matches!(
        payment.state,
        PaymentState::Captured | PaymentState::PartiallyRefunded | PaymentState::Refunded
    );
    let minor = |member| payment.details[member].as_i64().unwrap_or(0);
    let kept = minor("amount_captured") - minor("amount_refunded");
    is_final.then(|| Money::new(kept, order.total.currency()))
}

/// The card, or else the method.
fn paid_with(payment: &Payment) -> Markup {
    let brand = text(payment, "card", "brand").replace(['-', '_'], " ");
    html! {
        @if brand.is_empty() {
            (method_name(payment.method))
        } @else {
            span .capital .whole { (brand) " •••• " (text(payment, "card", "last4")) }
        }
    }
}

/// Every payment of the order, as the demo shows it.
fn activity(order: &Order, control: Option<&Origin>) -> Markup {
    html! {
        section .attempts aria-labelledby="attempts" {
            h2 #attempts { "Payment activity" }
            @if order.payments.is_empty() {
                p .muted { "No payment events yet." }
            } @else {
                p .muted .small { "From signed webhooks. In a real shop, only staff would see "
                    "this." }
                ol { @for payment in order.payments.iter().rev() {
                    li { (attempt(payment, control)) }
                } }
            }
        }
    }
}

fn attempt(payment: &Payment, control: Option<&Origin>) -> Markup {
    let OrderStatus { name, title } = OrderStatus::from_payment(payment);
    let created_at = payment.details["created_at"].as_u64();
    let facts = [
        ("Code", text(payment, "decline", "code")),
        ("Response code", text(payment, "decline", "response_code")),
        ("Class", text(payment, "decline", "class")),
        ("Risk", text(payment, "risk", "outcome")),
        ("Authentication", text(payment, "authentication", "status")),
        ("Route", text(payment, "route", "provider")),
    ];
    html! {
        article .attempt {
            h3 {
                span .pill .(name) { (title) }
                @if let Some(at) = created_at { span .muted .small { (moment(at)) } }
            }
            @if !text(payment, "decline", "detail").is_empty() {
                p .reason { (text(payment, "decline", "detail")) }
            }
            dl {
                div { dt { "Paid with" } dd { (paid_with(payment)) } }
                div { dt { "Payment" } dd { code { (payment.id) }
                    @if let Some(control) = control {
                        " " a .small href={ (control) "/sim#" (payment.id) } target="_blank"
                            rel="noopener" { "Events" span .unseen { " (opens in a new tab)" } }
                    }
                } }
                @for (title, key) in facts {
                    @if !key.is_empty() { div { dt { (title) } dd { code { (key) } } } }
                }
            }
        }
    }
}

/// The newest orders.
pub(crate) fn orders(orders: &[(Order, Basket)]) -> Markup {
    let content = html! {
        div .ledger {
            h1 { "Orders" }
            @if orders.is_empty() {
                p .muted { "No orders yet." }
                p { a .button .primary href="/" { "Browse the shop" } }
            } @else {
                ul .rows { @for (order, basket) in orders { li { (row(order, basket)) } } }
            }
        }
    };
    layout("Orders", &content)
}

fn row(order: &Order, basket: &Basket) -> Markup {
    let OrderStatus { name, title } = OrderStatus::from_order(order);
    html! {
        a href={ "/orders/" (order.reference) } {
            span .what {
                strong { (basket.product.name) }
                span .muted .small {
                    span .whole { (order.reference) } " · " (moment(basket.created_at))
                    @if let Some(payment) = order.payment() { " · " (paid_with(payment)) }
                }
            }
            span .amount { (price_text(order.total)) }
            span .pill .(name) { (title) }
        }
    }
}
