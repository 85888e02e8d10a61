//! Every order, newest first.

use super::{layout, moment, paid_with, warnings};
use crate::orders::{Order, OrderPage};
use crate::products::price_text;
use maud::{Markup, html};

/// A page of the list.
pub(crate) fn orders(page: &OrderPage) -> Markup {
    let words = page.filter.words.as_str();
    let is_all = words.is_empty() && page.filter.page == 1;
    let content = html! {
        div .ledger {
            h1 { "Orders" }
            @if page.orders.is_empty() && is_all {
                p .muted { "No orders yet." }
                p { a .button .primary href="/" { "Browse the shop" } }
            } @else {
                (search(words))
                @if page.orders.is_empty() {
                    p .muted { (none_fits(words)) }
                    p { a .button href="/orders" { "Show all orders" } }
                } @else {
                    ul .rows { @for order in &page.orders { li { (row(order)) } } }
                }
                (other_pages(page))
            }
        }
    };
    layout("Orders", &content, &html! {})
}

fn search(words: &str) -> Markup {
    html! {
        form .find method="get" action="/orders" role="search" {
            label for="find" { "Search orders" }
            input #find type="search" name="q" value=(words) maxlength="100" autocomplete="off"
                spellcheck="false" aria-describedby="find-help";
            button .button { "Search" }
            p #find-help .muted .small { "Order, product, amount such as 24.90, payment, method, or "
                "the last digits of a card" }
        }
    }
}

fn none_fits(words: &str) -> String {
    if words.is_empty() {
        return "There are no more orders.".to_owned();
    }
    format!("No orders match “{words}”.")
}

/// The way to newer and older orders; the form carries the search along.
fn other_pages(page: &OrderPage) -> Markup {
    let number = page.filter.page;
    html! {
        @if number > 1 || page.has_older {
            form .pages method="get" action="/orders" aria-label="Pages" {
                input type="hidden" name="q" value=(page.filter.words);
                @if number > 1 {
                    button .button name="page" value=(number - 1) { "Newer" }
                }
                span .muted { "Page " (number) }
                @if page.has_older {
                    button .button name="page" value=(number + 1) { "Older" }
                }
            }
        }
    }
}

fn row(order: &Order) -> Markup {
    let state = order.state();
    html! {
        a href={ "/orders/" (order.reference) } {
            span .what {
                strong { (order.product.name) }
                span .muted .small {
                    span .whole { (order.reference) } " · " (moment(order.created_at))
                    @if let Some(attempt) = order.leading() {
                        " · " (paid_with(attempt))
                    }
                }
                @for warning in warnings::of(order) {
                    span .warning .small { (warning.in_short()) }
                }
            }
            span .amount { (price_text(order.total)) }
            span .pill .(state.name()) { (state.title()) }
        }
    }
}
