//! One order, as the webhooks told of it. The script swaps the live part when it changes.

use super::checkout::pieces;
use super::{drawing, layout, moment};
use crate::orders::{Attempt, AttemptState, Order, OrderState};
use crate::products::price_text;
use maud::{Markup, html};

/// The page. Who comes from the form just paid, and must not be asked to pay again.
pub(crate) fn order(order: &Order, from_the_form: bool) -> Markup {
    let settled = order.state() >= OrderState::Reserved;
    // Without scripts the page asks again by itself, until there is nothing more to come.
    let head = html! {
        @if !settled { noscript { meta http-equiv="refresh" content="5"; } }
    };
    let content = html! {
        div .receipt {
            p .eyebrow { "Order " (order.reference) }
            div data-live={ "/orders/" (order.reference) "/status" }
                data-revision=(order.revision()) {
                (status(order, from_the_form))
                (lines(order))
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

fn status(order: &Order, from_the_form: bool) -> Markup {
    let state = order.state();
    let confirming = from_the_form && state == OrderState::Waiting;
    html! {
        section .status .(state.name()) role="status" aria-atomic="true" {
            span .sign aria-hidden="true" {}
            div {
                h1 data-order-state=(state.name()) { (state.title()) }
                @if confirming {
                    p { "The bank has answered the form. This page changes by itself as soon as "
                        "the shop has been told too." }
                } @else {
                    p { (explanation(order)) }
                }
                @if order.can_be_paid() && !confirming {
                    p { a .button .primary href={ "/checkout/" (order.reference) } {
                        @if state == OrderState::Declined { "Try again" } @else { "Go to payment" }
                    } }
                }
            }
        }
    }
}

fn explanation(order: &Order) -> String {
    let price = price_text(order.total);
    match order.state() {
        OrderState::Waiting => {
            "Nothing has been paid yet. This page changes by itself when the bank has answered."
                .to_owned()
        }
        OrderState::Declined => {
            "The bank said no, and nothing was charged. You can try again or use another card."
                .to_owned()
        }
        OrderState::Checking => {
            "The bank has not answered yet. Please do not pay again: this page changes by itself."
                .to_owned()
        }
        OrderState::Reserved => {
            format!("{price} is reserved on your card. We take it when the parcel leaves.")
        }
        OrderState::Paid => format!("Thank you. {price} has been paid, and we start folding."),
    }
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
    html! {
        section .attempts aria-labelledby="attempts" {
            h2 #attempts { "What the shop was told" }
            @if order.attempts.is_empty() {
                p .muted { "No webhook has arrived for this order." }
            } @else {
                p .muted .small { "From signed webhooks. A real shop would keep this page for "
                    "its own people." }
                ol { @for attempt in &order.attempts { li { (told(attempt)) } } }
            }
        }
    }
}

fn told(attempt: &Attempt) -> Markup {
    let title = match attempt.state {
        AttemptState::Declined => "Declined",
        AttemptState::Unknown => "No answer yet",
        AttemptState::Authorized => "Authorized",
        AttemptState::Captured => "Captured",
    };
    html! {
        article .attempt .(attempt.state.name()) {
            h3 { span .pill { (title) } span .muted .small { (moment(attempt.created_at)) } }
            @if let Some(decline) = &attempt.decline {
                p .reason { (decline.message) }
                dl {
                    div { dt { "Code" } dd { code { (decline.code) } } }
                    @if let Some(response_code) = &decline.response_code {
                        div { dt { "Response code" } dd { code { (response_code) } } }
                    }
                    div { dt { "Class" } dd { code { (decline.class) } } }
                }
            }
            dl {
                @if !attempt.card.is_empty() {
                    div { dt { "Card" } dd .brand-and-digits { (attempt.card) } }
                }
                div { dt { "Payment" } dd { code { (attempt.payment) } } }
            }
        }
    }
}
