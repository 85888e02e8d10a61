//! The page with the payment form: the order, the form, and what a tester needs beside it.

use super::{cards, drawing, layout};
use crate::orders::Order;
use crate::personas::{Group, Personas};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::order::Capture;
use sealpay_protocol::origin::Origin;

/// What the page shows.
pub(crate) struct CheckoutPage<'a> {
    pub(crate) order: &'a Order,
    /// The order as the shop signed it, for the script tag.
    pub(crate) signed: &'a str,
    pub(crate) verifier: &'a Origin,
    pub(crate) personas: &'a Personas,
}

/// The page.
pub(crate) fn checkout(page: &CheckoutPage<'_>) -> Markup {
    let content = html! {
        div .checkout {
            div .till {
                h1 { "Checkout" }
                (summary(page.order))
                (payment_form(page))
            }
            aside .testers aria-labelledby="testers" {
                h2 #testers { "For testers" }
                p .muted { "The bank is simulated. Choose a card for the answer you want to see." }
                (cards::to_try(page.personas))
                (choices(page.order, page.personas))
            }
        }
    };
    layout("Checkout", &content, &html! {})
}

fn summary(order: &Order) -> Markup {
    html! {
        section .summary aria-label="Your order" {
            div .thumb { (drawing(order.product.art)) }
            div .what {
                p .name { (order.product.name) }
                p .muted { "Order " (order.reference) " · " (pieces(order.pieces)) }
            }
            p .total { span .unseen { "Total " } (price_text(order.total)) }
        }
    }
}

/// This one script tag is the whole integration of the page.
fn payment_form(page: &CheckoutPage<'_>) -> Markup {
    html! {
        section .pay aria-label="Payment" data-payment {
            script src={ (page.verifier) "/checkout.js" }
                data-order=(page.signed)
                data-on-complete-url={ "/orders/" (page.order.reference) "?from=form" }
                async {}
            noscript { p .problem { "Paying by card needs JavaScript." } }
            div .problem role="alert" data-payment-missing hidden {
                p { "The payment form could not be loaded. "
                    "Check your connection or content blocker, then try again." }
                p { a .button href="" { "Try again" } }
            }
        }
        p .promise {
            "The form belongs to the payment service and runs apart from this page: "
            "this shop never sees your card."
        }
    }
}

/// Lets testers ask for an answer whatever the card; it goes into the signed order.
fn choices(order: &Order, personas: &Personas) -> Markup {
    let chosen = order.simulate.as_deref();
    html! {
        details .choices open[chosen.is_some() || order.capture == Capture::Manual] {
            summary { "Choose the bank’s answer instead" }
            form method="post" action={ "/checkout/" (order.reference) } {
                label for="simulate" { "Bank’s answer" }
                select #simulate name="simulate" {
                    option value="" { "By card (default)" }
                    @for group in Group::ALL {
                        @let outcomes = personas.outcomes(group);
                        @if !outcomes.is_empty() {
                            optgroup label=(group.title()) {
                                @for outcome in outcomes {
                                    option value=(outcome) selected[chosen == Some(outcome)] {
                                        (outcome)
                                    }
                                }
                            }
                        }
                    }
                }
                label for="capture" { "Charge" }
                select #capture name="capture" {
                    option value="automatic" { "At once" }
                    option value="manual" selected[order.capture == Capture::Manual] {
                        "Later (reserve only)"
                    }
                }
                button .button type="submit" { "Use this" }
                p .muted .small { "The shop signs the order again and reloads the form." }
            }
        }
    }
}

/// `1 piece`, `3 pieces`
pub(super) fn pieces(count: u32) -> String {
    if count == 1 {
        "1 piece".to_owned()
    } else {
        format!("{count} pieces")
    }
}
