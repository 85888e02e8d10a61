//! The page with the payment form: the order, the form, and what a tester needs beside it.

use super::{cards, choices, drawing, layout};
use crate::orders::Order;
use crate::personas::Personas;
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::origin::Origin;

/// What the page shows.
pub(crate) struct CheckoutPage<'a> {
    pub(crate) order: &'a Order,
    /// The order as the shop signed it, for the form.
    pub(crate) signed: &'a str,
    pub(crate) verifier: &'a Origin,
    /// Where testers control the verifier.
    pub(crate) control: Option<&'a Origin>,
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
                p .muted { "The bank is simulated. Each test card has one outcome." }
                @if let Some(origin) = page.control.filter(|_| !page.personas.is_empty()) {
                    (control(origin))
                }
                (cards::to_try(page.personas))
                @if page.order.state().can_be_signed() {
                    (choices::choices(page.order, page.personas))
                } @else {
                    p .muted { "A payment is in progress, so its test settings can’t be changed." }
                }
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
                p .muted { "Order " (order.reference) " · " (quantity(order.pieces)) }
            }
            p .total { span .unseen { "Total " } (price_text(order.total)) }
        }
    }
}

/// In a tab of its own: the form on this page has to stay. Only a verifier in test mode has it.
fn control(origin: &Origin) -> Markup {
    html! {
        p .control {
            a href={ (origin) "/sim" } target="_blank" rel="noopener" {
                "Test controls" span .unseen { " (opens in a new tab)" }
            }
            span .muted .small { "One-time codes, bank transfers, clock and faults" }
        }
    }
}

/// The element is the form and the script its loader: that is the whole integration of the page. The
/// shop's own script adds where another signed order comes from, which only a property can say; both
/// scripts are deferred so that it has done so before the form is there.
fn payment_form(page: &CheckoutPage<'_>) -> Markup {
    let reference = &page.order.reference;
    html! {
        section .pay aria-label="Payment" data-payment {
            sealpay-checkout
                order=(page.signed)
                on-complete-url={ "/orders/" (reference) "?from=form" }
                return-url={ "/orders/" (reference) }
                data-sign={ "/checkout/" (reference) "/sign" }
                // The order stands beside the form already, and the form looks like this shop.
                summary="false"
                accent="#a33d1f" {}
            script src={ (page.verifier) "/checkout.js" } defer {}
            noscript { p .problem { "Turn on JavaScript to pay." } }
            div .problem role="alert" data-payment-missing hidden {
                p { "The payment form could not be loaded. "
                    "Check your connection or content blocker, then try again." }
                p { a .button href="" { "Try again" } }
            }
        }
        (news(reference))
        p .promise {
            "Card details go straight to our payment provider. Paper Lantern never sees them."
        }
    }
}

/// What the form tells the page. The script fills and shows it; the form itself says what to do.
fn news(reference: &str) -> Markup {
    html! {
        div .news role="status" data-payment-news {
            p data-news="bank" hidden {
                "Your bank needs to confirm it’s you. Please keep this page open."
            }
            p data-news="wallet" hidden {
                "Confirm the payment in your wallet, then come back to this page."
            }
            div data-news="pending" hidden {
                p { strong { "We’ll confirm your order as soon as your transfer arrives." } }
                p { a href={ "/orders/" (reference) "?from=form" } {
                    "View order " (reference)
                } }
            }
        }
    }
}

/// `Quantity 3`
pub(super) fn quantity(count: u32) -> String {
    format!("Quantity {count}")
}
