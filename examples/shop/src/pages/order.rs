//! One order, as the webhooks told of it. The script swaps the live part when it changes.

use super::checkout::quantity;
use super::explanation::{explanation, still_due};
use super::{DeskForm, attempt, copy_button, desk, drawing, layout, moment, warnings};
use crate::desk::Deed;
use crate::orders::{Order, OrderState, Transfer};
use crate::products::price_text;
use maud::{Markup, html};

/// Who looks, and when.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// Who comes from the form just paid, and must not be asked to pay again.
    pub(crate) from_the_form: bool,
    /// What the shop's staff have just done here.
    pub(crate) done: Option<Deed>,
    /// Seconds since 1970.
    pub(crate) now: u64,
    /// What the forms of the shop's people carry; none where the shop cannot do anything.
    pub(crate) desk: Option<DeskForm<'a>>,
}

/// The page.
pub(crate) fn order(order: &Order, visit: Visit<'_>) -> Markup {
    // Without scripts the page asks again by itself, until there is nothing more to come.
    let head = html! {
        @if !order.state().is_settled() {
            noscript { meta http-equiv="refresh" content="5"; }
        }
    };
    let content = html! {
        div .receipt {
            p .eyebrow { "Order " (order.reference) }
            @if let Some(deed) = visit.done {
                p .flash role="status" { (desk::done(deed)) }
            }
            div data-live={ "/orders/" (order.reference) "/status" }
                data-revision=(order.revision()) {
                (status(order, visit))
                @if let Some(transfer) = awaited(order) { (instruction(order, transfer)) }
                (lines(order))
                (warnings::section(order))
                (desk::section(order, visit.desk))
                (attempts(order))
            }
        }
    };
    layout(
        &format!("{}: order {}", order.state().title(), order.reference),
        &content,
        &head,
    )
}

fn status(order: &Order, visit: Visit<'_>) -> Markup {
    let state = order.state();
    let confirming = visit.from_the_form && state == OrderState::Waiting;
    let can_be_paid = order.can_be_paid(state, visit.now);
    html! {
        section .status .(state.name()) role="status" aria-atomic="true" {
            span .sign aria-hidden="true" {}
            div {
                h1 data-order-state=(state.name()) { (state.title()) }
                @if confirming {
                    p { "Thanks – we’re confirming your payment. This page updates "
                        "automatically." }
                } @else {
                    p { (explanation(order, can_be_paid)) }
                }
                @if can_be_paid && !confirming {
                    p { a .button .primary href={ "/checkout/" (order.reference) } {
                        (way_to_pay(state))
                    } }
                }
            }
        }
    }
}

const fn way_to_pay(state: OrderState) -> &'static str {
    match state {
        OrderState::Declined => "Try again",
        OrderState::Expired => "Pay again",
        OrderState::WaitingForShopper => "Continue payment",
        _ => "Go to payment",
    }
}

/// The transfer that the shopper has to make.
fn awaited(order: &Order) -> Option<&Transfer> {
    let attempt = order.leading()?;
    let is_awaited = order.state() == OrderState::WaitingForTransfer;
    attempt.details.transfer.as_ref().filter(|_| is_awaited)
}

fn instruction(order: &Order, transfer: &Transfer) -> Markup {
    html! {
        section .instruction aria-labelledby="instruction" {
            h2 #instruction { "Your bank transfer" }
            dl {
                (fact("Amount", &price_text(still_due(order)), &still_due(order).decimal()))
                @if !transfer.holder.is_empty() {
                    (fact("Account holder", &transfer.holder, &transfer.holder))
                }
                (fact("IBAN", &in_fours(&transfer.iban), &transfer.iban))
                @if !transfer.bic.is_empty() { (fact("BIC", &transfer.bic, &transfer.bic)) }
                (fact("Reference", &transfer.reference, &transfer.reference))
                @if let Some(expires_at) = transfer.expires_at {
                    div { dt { "Pay by" } dd { (moment(expires_at)) } }
                }
            }
            p .muted .small { "Include the reference so we can match your transfer to this "
                "order." }
        }
    }
}

/// What a banking app asks for, ready to be copied into it.
fn fact(title: &str, shown: &str, copied: &str) -> Markup {
    html! {
        div { dt { (title) } dd { code { (shown) } (copy_button(copied, title)) } }
    }
}

/// An IBAN as it is printed (ISO 13616): four characters and a space.
fn in_fours(iban: &str) -> String {
    let mut text = String::with_capacity(48);
    let plain = iban.chars().filter(|c| !c.is_whitespace());
    for (place, character) in plain.enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

fn lines(order: &Order) -> Markup {
    html! {
        section .summary aria-label="Your order" {
            div .thumb { (drawing(order.product.art)) }
            div .what {
                p .name { (order.product.name) }
                p .muted { (quantity(order.pieces)) " · " (moment(order.created_at)) }
            }
            p .total { span .unseen { "Total " } (price_text(order.total)) }
        }
    }
}

fn attempts(order: &Order) -> Markup {
    let currency = order.total.currency();
    html! {
        section .attempts aria-labelledby="attempts" {
            h2 #attempts { "Payment activity" }
            @if order.attempts.is_empty() {
                p .muted { "No payment events yet." }
            } @else {
                p .muted .small { "From signed webhooks. In a real shop, only staff would see "
                    "this." }
                ol { @for attempt in &order.attempts { li { (attempt::told(attempt, currency)) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_fours;

    #[test]
    fn an_iban_is_written_in_groups_of_four() {
        for iban in ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00"] {
            assert_eq!(in_fours(iban), "DE89 3704 0044 0532 0130 00");
        }
    }
}
