//! One order, as the webhooks told of it. The script swaps the live part when it changes.

use super::checkout::pieces;
use super::explanation::{explanation, still_due};
use super::{DeskForm, attempt, desk, drawing, layout, moment, warnings};
use crate::orders::{Order, OrderState, Transfer};
use crate::products::price_text;
use maud::{Markup, html};

/// Who looks, and when.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// Who comes from the form just paid, and must not be asked to pay again.
    pub(crate) from_the_form: bool,
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
                    p { "The payment form is done. This page changes by itself as soon as "
                        "the shop has been told too." }
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
        OrderState::WaitingForShopper => "Go on with the payment",
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
                div { dt { "Amount" } dd { (price_text(still_due(order))) } }
                div { dt { "IBAN" } dd { code { (in_fours(&transfer.iban)) } } }
                div { dt { "Reference" } dd { code { (transfer.reference) } } }
            }
            p .muted .small { "Without the reference nobody knows that the money is for this "
                "order." }
        }
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
        section .summary aria-label="What was ordered" {
            div .thumb { (drawing(order.product.art)) }
            div .what {
                p .name { (order.product.name) }
                p .muted { (pieces(order.pieces)) " · " (moment(order.created_at)) }
            }
            p .total { span .unseen { "Total " } (price_text(order.total)) }
        }
    }
}

fn attempts(order: &Order) -> Markup {
    let currency = order.total.currency();
    html! {
        section .attempts aria-labelledby="attempts" {
            h2 #attempts { "What the shop was told" }
            @if order.attempts.is_empty() {
                p .muted { "No webhook has arrived for this order." }
            } @else {
                p .muted .small { "From signed webhooks. A real shop would keep this page for "
                    "its own people." }
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
