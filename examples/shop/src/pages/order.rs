//! One order, as the webhooks told of it. The script swaps the live part when it changes.

use super::checkout::quantity;
use super::explanation::{explanation, is_cancelled, net, still_due};
use super::{DeskForm, attempt, copy_button, desk, drawing, layout, moment, paid_with, warnings};
use crate::orders::{Order, OrderState, Transfer};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::origin::Origin;

/// How long a payment is being confirmed, seconds: webhooks come within some. After that the page says
/// what to do instead.
const CONFIRMING_SECONDS: u64 = 5 * 60;

/// Where a visitor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// From another page, or by an address of their own.
    Elsewhere,
    /// From the form: the shopper has paid there, and must not be asked to pay again.
    FromForm {
        /// Seconds since 1970.
        since: u64,
    },
}

impl Arrival {
    /// Whether the webhook is later than it should be.
    const fn is_long_ago(self, now: u64) -> bool {
        matches!(self, Self::FromForm { since } if now >= since.saturating_add(CONFIRMING_SECONDS))
    }

    /// Changes whenever the page of this visitor does: a page compares it with its own.
    pub(crate) fn revision(self, order: &Order, now: u64) -> String {
        let late = if self.is_long_ago(now) { "-late" } else { "" };
        format!("{}{late}", order.revision())
    }

    /// The address that is asked for the revision.
    fn status_address(self, order: &Order) -> String {
        let query = match self {
            Self::Elsewhere => String::new(),
            Self::FromForm { since } => format!("?from=form&since={since}"),
        };
        format!("/orders/{}/status{query}", order.reference)
    }
}

/// Who looks, and when.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) arrival: Arrival,
    /// What the shop's staff have just done here.
    pub(crate) done: Option<&'static str>,
    /// Seconds since 1970.
    pub(crate) now: u64,
    /// Where testers control the verifier, and see what happened to a payment.
    pub(crate) control: Option<&'a Origin>,
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
            div .headline {
                p .eyebrow { "Order " span .whole { (order.reference) } }
                button .button type="button" data-print hidden { "Print" }
            }
            @if let Some(done) = visit.done { p .flash role="status" { (done) } }
            div data-live=(visit.arrival.status_address(order))
                data-revision=(visit.arrival.revision(order, visit.now)) {
                (status(order, visit))
                @if let Some(transfer) = awaited(order) { (instruction(order, transfer)) }
                (lines(order))
                (warnings::section(order, visit.desk))
                (desk::section(order, visit.desk))
                (attempts(order, visit.control))
            }
        }
    };
    layout(
        &format!("{}: order {}", title(order), order.reference),
        &content,
        &head,
    )
}

/// Who has said no in the wallet has cancelled; a bank declines.
fn title(order: &Order) -> &'static str {
    if is_cancelled(order) {
        "Payment cancelled"
    } else {
        order.state().title()
    }
}

fn status(order: &Order, visit: Visit<'_>) -> Markup {
    let state = order.state();
    let is_unconfirmed = visit.arrival != Arrival::Elsewhere && state == OrderState::Waiting;
    let can_be_paid = order.can_be_paid(state, visit.now);
    let look = if is_cancelled(order) {
        "cancelled"
    } else {
        state.name()
    };
    html! {
        section .status .(look) role="status" aria-atomic="true" {
            span .sign aria-hidden="true" {}
            div {
                h1 data-order-state=(state.name()) { (title(order)) }
                @if is_unconfirmed {
                    (unconfirmed(order, visit))
                } @else {
                    p { (explanation(order, can_be_paid)) }
                }
                @if can_be_paid && !is_unconfirmed {
                    p { a .button .primary href={ "/checkout/" (order.reference) } {
                        (way_to_pay(state))
                    } }
                }
            }
        }
    }
}

/// The form says that the order is paid, and no webhook does.
fn unconfirmed(order: &Order, visit: Visit<'_>) -> Markup {
    html! {
        @if visit.arrival.is_long_ago(visit.now) {
            p { "We haven’t received your payment yet. If you’ve paid, please don’t pay again. Write "
                "to " a href="mailto:help@paperlantern.example" { "help@paperlantern.example" }
                " with the number of your order, and we’ll look for it." }
            p { a .button href={ "/checkout/" (order.reference) } { "I haven’t paid yet" } }
        } @else {
            p { "Thanks – we’re confirming your payment. This page updates automatically." }
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
    let paid = order.leading().filter(|attempt| attempt.has_money());
    html! {
        section .summary aria-label="Your order" {
            div .thumb { (drawing(order.product.art)) }
            div .what {
                p .name { (order.product.name) }
                p .muted { (quantity(order.pieces)) " · " (moment(order.created_at)) }
                @if let Some(attempt) = paid {
                    p .muted { (paid_with(attempt)) }
                }
            }
            (total(order))
        }
    }
}

/// What the order cost; where the shop has other money now, both.
fn total(order: &Order) -> Markup {
    html! {
        p .total {
            @if let Some(net) = net(order).filter(|net| *net != order.total) {
                span .unseen { "Total " } s { (price_text(order.total)) } " "
                span .unseen { "charged after refunds " } (price_text(net))
            } @else {
                span .unseen { "Total " } (price_text(order.total))
            }
        }
    }
}

fn attempts(order: &Order, control: Option<&Origin>) -> Markup {
    let currency = order.total.currency();
    html! {
        section .attempts aria-labelledby="attempts" {
            h2 #attempts { "Payment activity" }
            @if order.attempts.is_empty() {
                p .muted { "No payment events yet." }
            } @else {
                p .muted .small { "From signed webhooks. In a real shop, only staff would see "
                    "this." }
                ol { @for attempt in &order.attempts {
                    li { (attempt::told(attempt, currency, control)) }
                } }
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
