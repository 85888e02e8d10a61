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
                    p .muted .small { "In a real shop, only staff would see this." }
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
        Deed::Capture => ("Capture", "Amount to capture", format!("Up to {most}.")),
        Deed::Void => (
            "Void",
            "",
            format!("Releases the {most} hold. This can’t be undone."),
        ),
        Deed::Refund => ("Refund", "Amount to refund", format!("Up to {most}.")),
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
                        required value=(offer.most.decimal()) aria-describedby=(help);
                    p .small .muted #(help) { (hint) }
                }
            }
            button .button .primary[offer.deed == Deed::Capture]
                .danger[offer.deed == Deed::Void] type="submit"
                aria-describedby=(help) { (button) @if offer.deed.is_final() { "…" } }
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

/// What is shown once after something that the bank has accepted, by its name in the address.
pub(crate) fn done(name: &str) -> Option<&'static str> {
    if name == "evidence" {
        return Some("Evidence sent.");
    }
    Some(match Deed::parse(name)? {
        Deed::Capture => "Capture successful.",
        Deed::Void => "Hold released.",
        Deed::Refund => "Refund successful.",
    })
}

/// The fields of a request that the shop's staff have confirmed.
fn confirmed(order: &Order, wish: &Wish, token: &str) -> Markup {
    let money = |minor| Money::new(minor, order.total.currency());
    html! {
        (hidden(token, &wish.key, &wish.payment, wish.deed))
        @if let Some(minor) = wish.amount_minor {
            input type="hidden" name="amount" value=(money(minor).decimal());
        }
        input type="hidden" name="confirmed" value="yes";
    }
}

/// The question before a deed that cannot be undone.
pub(crate) fn confirmation(order: &Order, wish: &Wish, token: &str) -> Markup {
    let money = |minor| Money::new(minor, order.total.currency());
    let total = order.total.amount_minor();
    let attempt = order
        .attempts
        .iter()
        .find(|attempt| attempt.payment == wish.payment);
    let held = attempt.map_or(0, |attempt| attempt.capturable_minor(total));
    let all = match wish.deed {
        Deed::Capture | Deed::Void => held,
        Deed::Refund => attempt.map_or(0, |attempt| attempt.refundable_minor(total)),
    };
    let amount = price_text(money(wish.amount_minor.unwrap_or(all)));
    let (question, sentence, button) = match wish.deed {
        Deed::Void => (
            format!("Release the {amount} hold?"),
            "You won’t be able to charge this payment any more.".to_owned(),
            "Release the hold".to_owned(),
        ),
        Deed::Refund if held > 0 => (
            format!("Refund {amount}?"),
            format!(
                "This also releases the remaining {} hold. It can’t be undone.",
                price_text(money(held))
            ),
            format!("Refund {amount}"),
        ),
        Deed::Refund | Deed::Capture => (
            format!("{} {amount}?", wish.deed.title()),
            "This can’t be undone.".to_owned(),
            format!("{} {amount}", wish.deed.title()),
        ),
    };
    let content = html! {
        div .notice {
            h1 { (question) }
            p { "Order " (order.reference) ". " (sentence) }
            form method="post" action={ "/orders/" (order.reference) "/desk" } {
                (confirmed(order, wish, token))
                button .button .danger type="submit" { (button) }
            }
            p { a .button href={ "/orders/" (order.reference) } { "Cancel" } }
        }
    };
    layout(&question, &content, &html! {})
}

/// The page about a deed that is not simply done.
pub(crate) fn desk_answer(order: &Order, wish: &Wish, said: &Said, token: &str) -> Markup {
    let deed = wish.deed.name();
    let (title, sentence) = match said {
        Said::Done | Said::Pending => (
            "Not finished yet",
            format!("The {deed} is pending. The order updates when the bank responds."),
        ),
        Said::Failed(sentence) => (
            "Declined by the bank",
            format!("The {deed} failed, and nothing was changed. {sentence}"),
        ),
        Said::Refused(sentence) => ("Not allowed", sentence.clone()),
        Said::Nothing => (
            "Outcome unknown",
            format!(
                "We don’t know yet whether the {deed} went through. It’s safe to retry; it can’t \
                 happen twice."
            ),
        ),
    };
    let again = *said == Said::Nothing;
    let content = html! {
        div .notice {
            h1 { (title) }
            p { (sentence) }
            @if again {
                form method="post" action={ "/orders/" (order.reference) "/desk" } {
                    (confirmed(order, wish, token))
                    button .button .primary type="submit" { "Retry" }
                }
            }
            p { a .button href={ "/orders/" (order.reference) } {
                "Back to order " (order.reference)
            } }
        }
    };
    layout(title, &content, &html! {})
}
