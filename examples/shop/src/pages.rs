//! The pages, as HTML. `maud` escapes every value; only the shop's own drawings go in as they are.

mod checkout;
mod order;
mod status;
mod subscriptions;

pub(crate) use checkout::checkout;
#[cfg(test)]
pub(crate) use checkout::test_cards;
pub(crate) use order::{order, orders, revision};
pub(crate) use status::OrderStatus;
pub(crate) use subscriptions::subscriptions;

use crate::basket::Basket;
use crate::products::{PRODUCTS, Product, price_text};
use crate::time_text;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sealpay_protocol::method::Method;

/// The page frame: head, navigation and footer around the content.
fn layout(title: &str, content: &Markup) -> Markup {
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
            }
            body {
                a .skip href="#content" { "Skip to the content" }
                header .top {
                    div .inner {
                        a .brand href="/" {
                            (PreEscaped(include_str!("../assets/mark.svg"))) "Paper Lantern"
                        }
                        nav aria-label="Shop" {
                            a href="/" { "Shop" }
                            a href="/orders" { "Orders" }
                            a href="/subscriptions" { "My subscriptions" }
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

/// A page with a sentence, such as that another page is missing.
pub(crate) fn notice(title: &str, sentence: &str) -> Markup {
    let content = html! {
        div .notice {
            h1 { (title) }
            p { (sentence) }
            p { a .button href="/" { "Back to the shop" } }
        }
    };
    layout(title, &content)
}

/// The products, each with its own form.
pub(crate) fn home() -> Markup {
    let content = html! {
        div .hero {
            h1 { "Light, paper and a little patience" }
            p { "Made slowly in a small workshop, and paid for quickly." }
        }
        ul .shelf {
            @for product in &PRODUCTS { li .wide[product.is_monthly] { (product_card(product)) } }
        }
    };
    layout("Lamps and paper goods", &content)
}

fn product_card(product: &Product) -> Markup {
    let pieces_id = format!("pieces-{}", product.id);
    let (period, pieces, verb) = if product.is_monthly {
        (" a month", "Bottles", "Subscribe")
    } else {
        ("", "Quantity", "Buy")
    };
    html! {
        article .product id=(product.id) {
            div .art { (PreEscaped(product.art)) }
            div .words {
                h2 { (product.name) }
                p .muted { (product.description) }
                @if let Some(price) = product.total(1) { p .price { (price_text(price)) (period) } }
                form method="post" action="/checkout" {
                    input type="hidden" name="product" value=(product.id);
                    div .pieces {
                        label for=(pieces_id) { (pieces) }
                        (quantity(&pieces_id, product.most_pieces, 1))
                    }
                    button .button .primary type="submit" {
                        (verb) span .unseen { @if product.is_monthly { " to" } " " (product.name) }
                    }
                }
            }
        }
    }
}

/// A choice of pieces.
fn quantity(id: &str, most: u32, chosen: u32) -> Markup {
    html! {
        select #(id) name="pieces" {
            @for pieces in 1..=most {
                option value=(pieces) selected[pieces == chosen] { (pieces) }
            }
        }
    }
}

/// The product of an order, a line about it and the price.
fn summary(basket: &Basket, lines: &Markup, total: &Markup) -> Markup {
    let product = basket.product;
    html! {
        section .summary aria-label="Your order" {
            div .thumb { (PreEscaped(product.art)) }
            div .what { p .name { (product.name) } (lines) }
            p .total { (total) }
        }
    }
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

const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Card => "Card",
        Method::Wallet => "Wallet",
        Method::BankTransfer => "Bank transfer",
        Method::SepaDebit => "SEPA direct debit",
    }
}

/// A moment; the script rewrites it in the reader's time zone and language.
fn moment(unix_seconds: u64) -> Markup {
    let text = time_text::rfc3339(unix_seconds);
    let words = text.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(text) { (words) } }
}

/// The day of a moment.
fn day(unix_seconds: u64) -> Markup {
    html! {
        time .whole datetime=(time_text::rfc3339(unix_seconds)) data-day {
            (time_text::day(unix_seconds))
        }
    }
}
