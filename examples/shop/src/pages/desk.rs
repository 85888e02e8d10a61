//! The shop's desk on the order page: taking, letting go and giving back money, and what came of it.

use super::layout;
use crate::desk::{Deed, Said, Wish};
use crate::orders::{Attempt, Order};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::money::Money;

/// What every form here carries.
#[derive(Clone, Copy)]
pub(crate) struct DeskForm<'a> {
    /// Proves that the form stood on this browser's own page.
    pub(crate) token: &'a str,
    /// Begins the name of the request, so that it is never done twice.
    pub(crate) key: &'a str,
}

/// A deed that is possible now, and the most it can be about.
struct Offer<'a> {
    attempt: &'a Attempt,
    deed: Deed,
    most: Money,
}

fn offers(order: &Order) -> Vec<Offer<'_>> {
    let total = order.total.amount_minor();
    let of_attempt = |attempt| {
        let money = |minor| Money::new(minor, order.total.currency());
        let capturable = money(Attempt::capturable_minor(attempt, total));
        let refundable = money(Attempt::refundable_minor(attempt, total));
        let deeds = [
            (Deed::Capture, capturable),
            (Deed::Void, capturable),
            (Deed::Refund, refundable),
        ];
        deeds.map(|(deed, most)| Offer {
            attempt,
            deed,
            most,
        })
    };
    let offers = order.attempts.iter().flat_map(of_attempt);
    offers
        .filter(|offer| offer.most.amount_minor() > 0)
        .collect()
}

/// The section, where there is something to do.
pub(super) fn section(order: &Order, form: Option<DeskForm<'_>>) -> Markup {
    let offers = offers(order);
    html! {
        @if let Some(form) = form {
            @if !offers.is_empty() {
                section .desk aria-labelledby="desk" {
                    h2 #desk { "Back office" }
                    p .muted .small { "In a real shop only its own people get to see this." }
                    @for (place, offer) in offers.iter().enumerate() {
                        (deed(order, offer, form, place))
                    }
                }
            }
        }
    }
}

fn deed(order: &Order, offer: &Offer<'_>, form: DeskForm<'_>, place: usize) -> Markup {
    let most = price_text(offer.most);
    let (button, label, hint) = match offer.deed {
        Deed::Capture => (
            "Capture",
            "Take",
            format!("Empty takes all {most} that is held."),
        ),
        Deed::Void => (
            "Void",
            "",
            format!("Lets go the {most} that is held, for good."),
        ),
        Deed::Refund => (
            "Refund",
            "Give back",
            format!("Empty gives back all {most}."),
        ),
    };
    let key = format!("{}-{}", form.key, offer.deed.name());
    let (field, help) = (format!("amount-{place}"), format!("amount-help-{place}"));
    html! {
        form .deed method="post" action={ "/orders/" (order.reference) "/desk" } {
            (hidden(form.token, &key, &offer.attempt.payment, offer.deed))
            @if label.is_empty() {
                p .small .muted #(help) { (hint) }
            } @else {
                div .amount {
                    label for=(field) { (label) " (" (order.total.currency().code()) ")" }
                    input #(field) name="amount" inputmode="decimal" autocomplete="off"
                        placeholder=(offer.most.decimal()) aria-describedby=(help);
                    p .small .muted #(help) { (hint) }
                }
            }
            button .button .primary[offer.deed == Deed::Capture] type="submit"
                aria-describedby=(help) { (button) }
        }
    }
}

fn hidden(token: &str, key: &str, payment: &str, deed: Deed) -> Markup {
    html! {
        @for (name, value) in [("token", token), ("key", key), ("payment", payment),
            ("deed", deed.name())] {
            input type="hidden" name=(name) value=(value);
        }
    }
}

/// The page about a deed that is not simply done.
pub(crate) fn desk_answer(order: &Order, wish: &Wish, said: &Said, token: &str) -> Markup {
    let deed = wish.deed.name();
    let (title, sentence) = match said {
        Said::Done | Said::Pending => (
            "Not finished yet",
            format!("The bank has not answered to the {deed} yet. The order tells when it has."),
        ),
        Said::Failed(sentence) => (
            "The bank said no",
            format!("The {deed} failed, and nothing was changed. {sentence}"),
        ),
        Said::Refused(sentence) => ("That cannot be done", sentence.clone()),
        Said::Nothing => (
            "No answer came",
            format!(
                "The {deed} may be done or not. Ask once more: it is the same request, and it is \
                 done only once."
            ),
        ),
    };
    let again = *said == Said::Nothing;
    let amount = wish
        .amount_minor
        .map(|minor| Money::new(minor, order.total.currency()).decimal());
    let content = html! {
        div .notice {
            h1 { (title) }
            p { (sentence) }
            @if again {
                form method="post" action={ "/orders/" (order.reference) "/desk" } {
                    (hidden(token, &wish.key, &wish.payment, wish.deed))
                    @if let Some(amount) = amount {
                        input type="hidden" name="amount" value=(amount);
                    }
                    button .button .primary type="submit" { "Ask once more" }
                }
            }
            p { a .button href={ "/orders/" (order.reference) } {
                "Back to order " (order.reference)
            } }
        }
    };
    layout(title, &content, &html! {})
}
