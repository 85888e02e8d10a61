//! What happened to a payment, one line for each event, in words for the shop's people.

use super::moment;
use crate::orders::{Attempt, News};
use crate::products::price_text;
use crate::when;
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
                        span { (line(news, currency)) }
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
    let answer = told
        .answer_until
        .filter(|_| news.kind == "dispute.opened")
        .map_or_else(String::new, |moment| {
            format!(". Answer until {}", when::in_words(moment))
        });
    let what = match news.kind.as_str() {
        "payment.requires_action" => "Waiting for the shopper",
        "payment.unknown" => "No answer from the bank yet",
        "payment.authorized" => "Authorized",
        "payment.partially_captured" | "payment.captured" => "Captured",
        "payment.capture_failed" => "Could not capture",
        "payment.declined" => "Declined",
        "payment.voided" => "Voided",
        "payment.void_failed" => "Could not void",
        "payment.expired" => "Expired",
        "payment.partially_refunded" | "payment.refunded" => "Refunded",
        "payment.refund_failed" => "Could not refund",
        "dispute.opened" => "Disputed",
        "dispute.evidence_submitted" => "Evidence sent about",
        "dispute.won" => "Dispute won, back came",
        "dispute.lost" => "Dispute lost, gone are",
        // A later verifier may tell more.
        kind => kind,
    };
    format!("{what}{amount}{reason}{answer}")
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
                "Could not refund €5.05: account closed",
            ),
            (
                news("dispute.opened", Some(2_490), Some("fraudulent")),
                "Disputed €24.90: fraudulent. Answer until 22 Nov 2025, 08:26 UTC",
            ),
            (news("payment.polished", None, None), "payment.polished"),
        ];
        for (news, expected) in rows {
            assert_eq!(line(&news, "EUR".parse().unwrap()), expected);
        }
    }
}
