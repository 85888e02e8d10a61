//! The shelf.

use super::{drawing, layout};
use crate::products::{MOST_PIECES, PRODUCTS, Product, price_text};
use maud::{Markup, html};

/// Three products, each with its own form.
pub(crate) fn home() -> Markup {
    let content = html! {
        div .hero {
            h1 { "Light, paper and a little patience" }
            p { "Three things made slowly in a small workshop, and paid for quickly." }
        }
        ul .shelf { @for product in &PRODUCTS { li { (card(product)) } } }
    };
    layout("Lamps and paper goods", &content, &html! {})
}

fn card(product: &Product) -> Markup {
    let pieces_id = format!("pieces-{}", product.id);
    html! {
        article .product {
            div .art { (drawing(product.art)) }
            div .words {
                h2 { (product.name) }
                p .muted { (product.description) }
                @if let Some(price) = product.total(1) { p .price { (price_text(price)) } }
                form method="post" action="/checkout" {
                    input type="hidden" name="product" value=(product.id);
                    div .pieces {
                        label for=(pieces_id) { "Quantity" }
                        select #(pieces_id) name="pieces" {
                            @for pieces in 1..=MOST_PIECES { option value=(pieces) { (pieces) } }
                        }
                    }
                    button .button .primary type="submit" {
                        "Buy" span .unseen { " " (product.name) }
                    }
                }
            }
        }
    }
}
