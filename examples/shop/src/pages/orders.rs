//! Every order, newest first.

use super::{layout, method_name, moment, warnings};
use crate::orders::Order;
use crate::products::price_text;
use maud::{Markup, html};

/// The list.
pub(crate) fn orders(orders: &[Order]) -> Markup {
    let content = html! {
        div .ledger {
            h1 { "Orders" }
            @if orders.is_empty() {
                p .muted { "No orders yet." }
                p { a .button .primary href="/" { "Browse the shop" } }
            } @else {
                ul .rows { @for order in orders { li { (row(order)) } } }
            }
        }
    };
    layout("Orders", &content, &html! {})
}

fn row(order: &Order) -> Markup {
    let state = order.state();
    html! {
        a href={ "/orders/" (order.reference) } {
            span .what {
                strong { (order.product.name) }
                span .muted .small {
                    (order.reference) " · " (moment(order.created_at))
                    @if let Some(attempt) = order.leading() {
                        " · " (method_name(attempt.method))
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
