//! What the shop's people have to know before they send anything.

use crate::orders::Order;
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::money::Money;

/// One of them.
pub(super) enum Warning {
    /// The fraud rules are not sure.
    Review,
    /// So much came too much.
    Overpaid(Money),
}

/// Those of an order, by how much they matter.
pub(super) fn of(order: &Order) -> Vec<Warning> {
    let is_review = order
        .attempts
        .iter()
        .any(|attempt| attempt.is_to_be_reviewed());
    let overpaid: i64 = order
        .attempts
        .iter()
        .filter_map(|attempt| attempt.overpaid_minor())
        .fold(0, i64::saturating_add);
    let overpaid = Money::new(overpaid, order.total.currency());
    let review = is_review.then_some(Warning::Review);
    let overpaid = (overpaid.amount_minor() > 0).then_some(Warning::Overpaid(overpaid));
    review.into_iter().chain(overpaid).collect()
}

impl Warning {
    /// For the list.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Review => "Look at this before you send anything".to_owned(),
            Self::Overpaid(money) => format!("Overpaid by {}", price_text(*money)),
        }
    }

    fn in_full(&self) -> String {
        match self {
            Self::Review => "Look at this before you send anything. The payment went through, but \
                 the fraud rules are not sure of it: the reasons stand below."
                .to_owned(),
            Self::Overpaid(money) => {
                format!("Overpaid by {}: send that back.", price_text(*money))
            }
        }
    }
}

/// The part of the order page, where there is something to say.
pub(super) fn section(order: &Order) -> Markup {
    let warnings = of(order);
    html! {
        @if !warnings.is_empty() {
            section .warnings aria-labelledby="warnings" {
                h2 #warnings { "For the shop’s people" }
                ul { @for warning in &warnings { li { (warning.in_full()) } } }
            }
        }
    }
}
