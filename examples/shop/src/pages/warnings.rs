//! What the shop's people have to know before they send anything.

use super::{DeskForm, moment};
use crate::orders::{News, Order};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use std::collections::BTreeMap;

/// The longest evidence, characters.
pub(crate) const EVIDENCE_CHARACTERS: usize = 4_000;

/// One of them.
pub(super) enum Warning {
    /// The fraud rules are not sure.
    Review,
    /// So much came too much.
    Overpaid(Money),
    /// The shopper's bank wants so much back, and the shop may answer until then.
    Disputed {
        id: String,
        money: Money,
        until: Option<u64>,
    },
    /// The shopper's bank looks at what the shop said.
    UnderReview(Money),
    /// So much is lost.
    Lost(Money),
}

/// What a dispute has come to, by its last news; nothing when it was won.
fn dispute(id: &str, news: &News, currency: Currency) -> Option<Warning> {
    let money = Money::new(news.told.amount.unwrap_or(0), currency);
    match news.kind.as_str() {
        "dispute.opened" => Some(Warning::Disputed {
            id: id.to_owned(),
            money,
            until: news.told.answer_until,
        }),
        "dispute.evidence_submitted" => Some(Warning::UnderReview(money)),
        "dispute.lost" => Some(Warning::Lost(money)),
        _ => None,
    }
}

/// What the disputes of an order have come to.
fn disputes(order: &Order) -> impl Iterator<Item = Warning> {
    let news = order.attempts.iter().flat_map(|attempt| &attempt.news);
    let mut last = BTreeMap::new();
    for news in news {
        if let Some(id) = &news.told.dispute {
            last.insert(id, news);
        }
    }
    let currency = order.total.currency();
    last.into_iter()
        .filter_map(move |(id, news)| dispute(id, news, currency))
}

/// What the shopper's bank is asking back, while that is not decided.
pub(super) fn disputed(order: &Order) -> Option<Money> {
    disputes(order).find_map(|warning| match warning {
        Warning::Disputed { money, .. } | Warning::UnderReview(money) => Some(money),
        _ => None,
    })
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
    disputes(order).chain(review).chain(overpaid).collect()
}

impl Warning {
    /// For the list.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Review => "Review before shipping".to_owned(),
            Self::Overpaid(money) => format!("Overpaid by {}", price_text(*money)),
            Self::Disputed { money, .. } => format!("Disputed: {}", price_text(*money)),
            Self::UnderReview(money) => format!("Dispute under review: {}", price_text(*money)),
            Self::Lost(money) => format!("Dispute lost: {}", price_text(*money)),
        }
    }

    fn in_full(&self) -> Markup {
        html! {
            @match self {
                Self::Review => {
                    "Review before shipping. The payment was approved, but the fraud rules flagged "
                    "it. The reasons are listed below."
                }
                Self::Overpaid(money) => {
                    "Overpaid by " (price_text(*money)) ". Refund the difference."
                }
                Self::Disputed { money, until, .. } => {
                    "The cardholder’s bank disputed " (price_text(*money)) ". Submit evidence"
                    @if let Some(until) = until { " by " (moment(*until)) }
                    " or you’ll lose the dispute."
                }
                Self::UnderReview(money) => {
                    "The cardholder’s bank is reviewing your evidence about " (price_text(*money)) "."
                }
                Self::Lost(money) => {
                    "Dispute lost: " (price_text(*money)) " was returned to the cardholder."
                }
            }
        }
    }
}

/// The part of the order page, where there is something to say.
pub(super) fn section(order: &Order, form: Option<DeskForm<'_>>) -> Markup {
    let warnings = of(order);
    html! {
        @if !warnings.is_empty() {
            section .warnings aria-labelledby="warnings" {
                h2 #warnings { "Action needed" }
                ul { @for warning in &warnings {
                    li {
                        (warning.in_full())
                        @if let (Warning::Disputed { id, .. }, Some(form)) = (warning, form) {
                            (evidence(order, id, form))
                        }
                    }
                } }
            }
        }
    }
}

/// What the shop says to a dispute.
fn evidence(order: &Order, dispute: &str, form: DeskForm<'_>) -> Markup {
    let field = format!("evidence-{dispute}");
    html! {
        form .evidence method="post" action={ "/orders/" (order.reference) "/evidence" } {
            @for (name, value) in [("token", form.token), ("dispute", dispute)] {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name="key" value={ (form.key) "-" (dispute) };
            label for=(field) { "Evidence" }
            textarea #(field) name="evidence" rows="4" required maxlength=(EVIDENCE_CHARACTERS)
                placeholder="Tracking number, delivery date, what the customer wrote …" {}
            button .button .primary { "Send evidence" }
        }
    }
}
