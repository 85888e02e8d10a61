//! What happened to a payment, one line for each event, in words for the shop's people.

use super::moment;
use crate::orders::{Attempt, News};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;

/// The list, as soon as there is more than one thing to tell.
pub(super) fn diary(attempt: &Attempt, currency: Currency) -> Markup {
    html! {
        @if attempt.news.len() > 1 {
            ol .diary {
                @for news in &attempt.news {
                    li {
                        span { (line(news, currency)) (deadline(news)) }
                        span .muted .small { (moment(news.told_at)) }
                    }
                }
            }
        }
    }
}

fn line(news: &News, currency: Currency) -> String {
    let told = &news.told;
    let amount = told.amount.map_or_else(String::new, |minor| {
        format!(" {}", price_text(Money::new(minor, currency)))
    });
    let reason = told
        .reason
        .as_ref()
        .map_or_else(String::new, |key| format!(": {}", key.replace('_', " ")));
    let what = match news.kind.as_str() {
        "payment.requires_action" => "Awaiting the shopper",
        "payment.unknown" => "Outcome unknown",
        "payment.authorized" => "Authorized",
        "payment.partially_captured" | "payment.captured" => "Captured",
        "payment.capture_failed" => "Capture failed",
        "payment.declined" => "Declined",
        "payment.voided" => "Voided",
        "payment.void_failed" => "Void failed",
        "payment.expired" => "Expired",
        "payment.partially_refunded" | "payment.refunded" => "Refunded",
        "payment.refund_failed" => "Refund failed",
        "dispute.opened" => "Disputed",
        "dispute.evidence_submitted" => "Evidence submitted for",
        "dispute.won" => "Dispute won, returned:",
        "dispute.lost" => "Dispute lost, deducted:",
        // A later verifier may tell more.
        kind => kind,
    };
    format!("{what}{amount}{reason}")
}

/// Until when the shop may answer a dispute.
fn deadline(news: &News) -> Markup {
    let told = news.told.answer_until;
    let until = told.filter(|_| news.kind == "dispute.opened");
    html! { @if let Some(until) = until { ". Respond by " (moment(until)) } }
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::orders::{News, Told};

    #[test]
    fn every_line_says_what_how_much_and_why() {
        let news = |kind: &str, amount, reason: Option<&str>| News {
            sequence: 1,
            kind: kind.into(),
            told: Told {
                amount,
                reason: reason.map(str::to_owned),
                dispute: None,
                answer_until: Some(1_763_800_000),
            },
            told_at: 0,
        };
        let rows = [
            (news("payment.authorized", None, None), "Authorized"),
            (
                news("payment.captured", Some(1_000), None),
                "Captured €10.00",
            ),
            (
                news("payment.refund_failed", Some(505), Some("account_closed")),
                "Refund failed €5.05: account closed",
            ),
            (
                news("dispute.opened", Some(2_490), Some("fraudulent")),
                "Disputed €24.90: fraudulent",
            ),
            (news("payment.polished", None, None), "payment.polished"),
        ];
        for (news, expected) in rows {
            assert_eq!(line(&news, "EUR".parse().unwrap()), expected);
        }
    }
}
