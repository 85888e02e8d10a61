//! One attempt to pay, for the shop's people and for testers: everything that the webhook told.

use super::{diary, method_name, moment};
use crate::orders::{Attempt, AttemptState, Authentication, Decline, Risk, Transfer};
use crate::products::price_text;
use maud::{Markup, html};
use sealpay_protocol::currency::Currency;
use sealpay_protocol::method::Method;
use sealpay_protocol::money::Money;
use sealpay_protocol::origin::Origin;

/// The attempt.
pub(super) fn told(attempt: &Attempt, currency: Currency, control: Option<&Origin>) -> Markup {
    let details = &attempt.details;
    html! {
        article .attempt .(attempt.state.name()) {
            h3 {
                span .pill { (title(attempt)) }
                span .muted .small { (moment(attempt.created_at)) }
            }
            @if let Some(decline) = &attempt.decline { (refused(decline)) }
            dl {
                div { dt { "Method" } dd { (method_name(attempt.method)) } }
                @if !attempt.card.is_empty() {
                    div { dt { "Card" } dd .capital { (attempt.card) } }
                }
                div { dt { "Payment" } dd { code { (attempt.payment) }
                    @if let Some(control) = control {
                        " " a .small href={ (control) "/sim#" (attempt.payment) } target="_blank"
                            rel="noopener" { "Events" span .unseen { " (opens in a new tab)" } }
                    }
                } }
                @if let Some(route) = &details.route {
                    div { dt { "Route" } dd .capital { (words(&route.provider)) " ("
                        (words(&route.reason)) ")" } }
                }
            }
            @if let Some(risk) = &details.risk { (assessed(risk)) }
            @if let Some(authentication) = &details.authentication { (asked(authentication)) }
            @if let Some(transfer) = &details.transfer { (expected(transfer, currency)) }
            (sums(attempt, currency))
            (diary::diary(attempt, currency))
        }
    }
}

fn title(attempt: &Attempt) -> &'static str {
    let transfer = attempt.details.transfer.as_ref();
    let has_come = transfer.is_some_and(|transfer| transfer.received > 0);
    match (attempt.state, attempt.method) {
        (AttemptState::Declined, _) => "Declined",
        (AttemptState::Expired, Method::BankTransfer) if has_come => "Underpaid",
        (AttemptState::Expired, Method::BankTransfer) => "Not paid in time",
        (AttemptState::Expired, _) => "Expired",
        (AttemptState::RequiresAction, Method::BankTransfer) => "Awaiting bank transfer",
        (AttemptState::RequiresAction, _) => "Awaiting authentication",
        (AttemptState::Unknown, _) => "Outcome unknown",
        (AttemptState::Authorized, _) => "Authorized",
        (AttemptState::PartiallyCaptured, _) => "Partly captured",
        (AttemptState::Captured, _) => "Captured",
        (AttemptState::PartiallyRefunded, _) => "Partly refunded",
        (AttemptState::Refunded, _) => "Refunded",
        (AttemptState::Voided, _) => "Voided",
    }
}

fn refused(decline: &Decline) -> Markup {
    html! {
        p .reason { (decline.message) }
        dl {
            div { dt { "Code" } dd { code { (decline.code) } } }
            @if let Some(response_code) = &decline.response_code {
                div { dt { "Response code" } dd { code { (response_code) } } }
            }
            div { dt { "Class" } dd { code { (decline.class) } } }
        }
    }
}

fn assessed(risk: &Risk) -> Markup {
    let outcome = match risk.outcome.as_str() {
        "allow" => "Low risk",
        "step_up" => "Authentication required",
        "review" => "Review before shipping",
        "block" => "Blocked",
        other => other,
    };
    html! {
        dl {
            div { dt { "Risk" } dd { (outcome) } }
            div { dt { "Score" } dd { (risk.score) } }
            (reasons("Reasons", &risk.reasons))
        }
    }
}

fn asked(authentication: &Authentication) -> Markup {
    html! {
        dl {
            div { dt { "Authentication" } dd .capital { (words(&authentication.status)) } }
            @if let Some(eci) = &authentication.eci {
                div { dt { abbr title="Electronic commerce indicator" { "ECI" } }
                    dd { code { (eci) } } }
            }
            @if let Some(challenge) = &authentication.challenge {
                div { dt { "Verified by" } dd .capital { (words(challenge)) } }
            }
            (reasons("Requested because", &authentication.reasons))
        }
    }
}

fn expected(transfer: &Transfer, currency: Currency) -> Markup {
    html! {
        dl {
            div { dt { "Reference" } dd { code { (transfer.reference) } } }
            div { dt { "Received" } dd { (price_text(Money::new(transfer.received, currency))) } }
            @if transfer.overpaid > 0 {
                div { dt { "Overpaid" }
                    dd { (price_text(Money::new(transfer.overpaid, currency))) } }
            }
        }
    }
}

/// How far the money is, as soon as any has moved.
fn sums(attempt: &Attempt, currency: Currency) -> Markup {
    let details = &attempt.details;
    let sums = [
        ("Captured", details.amount_captured),
        ("Refunded", details.amount_refunded),
        ("Disputed", details.amount_disputed),
    ];
    let moved = sums.map(|(title, minor)| (title, minor.unwrap_or(0)));
    html! {
        @if moved.iter().any(|(_, minor)| *minor > 0) {
            dl {
                @for (title, minor) in moved {
                    @if minor > 0 {
                        div { dt { (title) }
                            dd { (price_text(Money::new(minor, currency))) } }
                    }
                }
            }
        }
    }
}

/// Keys of rules: a merchant looks them up, so they stand as they are.
fn reasons(title: &str, keys: &[String]) -> Markup {
    html! {
        @if !keys.is_empty() {
            div { dt { (title) } dd {
                @for (place, key) in keys.iter().enumerate() {
                    @if place > 0 { ", " } code { (key) }
                }
            } }
        }
    }
}

/// `european_cards` → `European cards`
fn words(key: &str) -> String {
    key.replace('_', " ").replace("european", "European")
}
