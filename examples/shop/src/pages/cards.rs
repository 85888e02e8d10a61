//! The cards to try: grouped, searchable, each number one press away from the clipboard.

use crate::personas::{Group, Persona, Personas};
use maud::{Markup, html};

/// The list, or a sentence when the verifier has none.
pub(super) fn to_try(personas: &Personas) -> Markup {
    if personas.is_empty() {
        return html! {
            p .muted { "The test cards aren’t available right now. Reload the page in a "
                "moment." }
        };
    }
    html! {
        section .cards aria-labelledby="cards" data-cards {
            h3 #cards { "Test cards" }
            p .muted .small { "Use any name, any future expiry date and any security code "
                "(3 digits; 4 for American Express)." }
            div .search hidden data-search {
                label for="card-search" { "Search test cards" }
                input #card-search type="search" autocomplete="off" spellcheck="false"
                    placeholder="insufficient, amex, lost …";
            }
            @for group in Group::ALL {
                @let cards: Vec<_> = personas.of(group).collect();
                @if !cards.is_empty() { (rows(group, &cards)) }
            }
            p .muted role="status" data-search-result {}
        }
    }
}

fn rows(group: Group, cards: &[&Persona]) -> Markup {
    html! {
        details .group open[group == Group::Approved] {
            summary {
                (group.title())
                span .count aria-hidden="true" data-count { (cards.len()) }
            }
            table {
                caption .unseen { "Cards: " (group.title()) }
                thead .unseen { tr { th scope="col" { "Card" } th scope="col" { "Copy" } } }
                tbody { @for card in cards { (row(card)) } }
            }
        }
    }
}

fn row(card: &Persona) -> Markup {
    let outcome = card.outcome().unwrap_or("account balance limit");
    let found_by = format!("{} {} {outcome} {}", card.name, card.brand, card.number);
    html! {
        tr data-found-by=(found_by) {
            td {
                strong { (card.title) }
                code .number { (card.grouped_number()) }
                span .muted .small { (with_code(&card.description)) }
            }
            td {
                (super::copy_button(&card.number, &format!("the number of {}", card.title)))
            }
        }
    }
}

/// A sentence of the verifier's, in which names for programs stand between backticks.
fn with_code(sentence: &str) -> Markup {
    html! {
        @for (place, part) in sentence.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
