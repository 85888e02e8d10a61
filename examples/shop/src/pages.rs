//! The pages, as HTML. `maud` escapes every value; only the shop's own drawings go in as they are.

mod attempt;
mod cards;
mod checkout;
mod choices;
mod desk;
mod diary;
mod explanation;
mod home;
mod order;
mod orders;
mod warnings;

pub(crate) use checkout::{CheckoutPage, checkout};
pub(crate) use choices::BILLING_COUNTRIES;
pub(crate) use desk::{DeskForm, confirmation, desk_answer, done};
pub(crate) use home::home;
pub(crate) use order::{Arrival, Visit, order};
pub(crate) use orders::orders;
pub(crate) use warnings::EVIDENCE_CHARACTERS;

use crate::orders::Attempt;
use crate::when;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sealpay_protocol::method::Method;

/// The page frame: head, navigation and footer around the content.
fn layout(title: &str, content: &Markup, head: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="theme-color" media="(prefers-color-scheme: light)" content="#faf6ee";
                meta name="theme-color" media="(prefers-color-scheme: dark)" content="#191613";
                title { (title) " · Paper Lantern" }
                link rel="icon" href="/assets/favicon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/shop.css";
                script src="/assets/shop.js" defer {}
                (head)
            }
            body {
                a .skip href="#content" { "Skip to the content" }
                header .top {
                    div .inner {
                        a .brand href="/" { (mark()) "Paper Lantern" }
                        nav aria-label="Shop" {
                            a href="/" { "Shop" }
                            a href="/orders" { "Orders" }
                        }
                    }
                }
                main #content .inner tabindex="-1" { (content) }
                footer .foot {
                    div .inner {
                        p { "Paper Lantern is a demonstration. The bank is simulated, no money "
                            "moves and nothing is sent." }
                    }
                }
            }
        }
    }
}

/// A page that only says something, such as that another page is missing.
pub(crate) fn notice(title: &str, sentence: &str) -> Markup {
    notice_with_way_back(title, sentence, "/")
}

/// The same with a way back to somewhere else.
pub(crate) fn notice_with_way_back(title: &str, sentence: &str, back: &str) -> Markup {
    let words = if back == "/" {
        "Back to the shop"
    } else {
        "Back to the order"
    };
    let content = html! {
        div .notice {
            h1 { (title) }
            p { (sentence) }
            p { a .button href=(back) { (words) } }
        }
    };
    layout(title, &content, &html! {})
}

fn mark() -> Markup {
    PreEscaped(include_str!("../assets/mark.svg").to_owned())
}

/// A drawing of the shop's own.
fn drawing(svg: &'static str) -> PreEscaped<&'static str> {
    PreEscaped(svg)
}

/// Puts a value on the clipboard. Without scripts it is not shown.
fn copy_button(value: &str, what: &str) -> Markup {
    html! {
        button .copy type="button" data-copy=(value) {
            span data-copy-word { "Copy" }
            span .unseen { " " (what) }
        }
    }
}

/// A way to pay, for people.
const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Card => "Card",
        Method::Wallet => "Wallet",
        Method::BankTransfer => "Bank transfer",
    }
}

/// What an attempt was paid with: the card, or else the method.
fn paid_with(attempt: &Attempt) -> Markup {
    html! {
        @if attempt.card.is_empty() {
            (method_name(attempt.method))
        } @else {
            span .capital .whole { (attempt.card) }
        }
    }
}

/// A moment; the script rewrites the words in the reader's zone and language.
fn moment(unix_seconds: u64) -> Markup {
    html! {
        time datetime=(when::for_machines(unix_seconds)) { (when::in_words(unix_seconds)) }
    }
}
