//! The subscriptions of a visitor, in plain words.

use super::{day, layout, quantity};
use crate::app::{
    Action, ListedInstrument, ListedInvoice, ListedState, ListedSubscription, Listing,
};
use crate::products::{self, MOST_BOTTLES, price_text};
use maud::{Markup, PreEscaped, html};

/// The page.
pub(crate) fn subscriptions(listing: &Listing) -> Markup {
    let content = html! {
        div .ledger {
            h1 { "My subscriptions" }
            @if listing.subscriptions.is_empty() {
                p .muted { "You don’t have any subscriptions yet." }
                p { a .button .primary href="/#lantern-oil" { "See lantern oil" } }
            } @else {
                ul .subscriptions {
                    @for own in &listing.subscriptions { li { (subscription(listing, own)) } }
                }
            }
        }
    };
    layout("My subscriptions", &content)
}

fn subscription(listing: &Listing, own: &ListedSubscription) -> Markup {
    let (look, title) = status(own);
    let (invoice, instrument) = (listing.invoice(own), listing.instrument(own));
    let art = products::find("lantern-oil").map_or("", |product| product.art);
    let name_id = format!("name-{}", own.id);
    html! {
        article .subscription id=(own.id) aria-labelledby=(name_id) {
            header {
                div .thumb { (PreEscaped(art)) }
                div .what {
                    h2 id=(name_id) { "Lantern oil" }
                    p .muted { (bottles(own.plan.pieces())) " · " (price_text(own.plan.amount)) }
                }
                span .pill .(look) { (title) }
            }
            @if let Some(invoice) = invoice { (due(invoice, instrument)) }
            (explanation(own))
            (facts(own, instrument))
            (actions(own))
        }
    }
}

/// The state, for style sheets and for the visitor: it looks as the states of orders do.
const fn status(own: &ListedSubscription) -> (&'static str, &'static str) {
    match own.state {
        ListedState::Active | ListedState::Trialing if own.cancel_at_period_end => {
            ("voided", "Ending")
        }
        ListedState::Active | ListedState::Trialing => ("paid", "Active"),
        ListedState::PastDue => ("declined", "Payment failed"),
        ListedState::Unpaid => ("declined", "Stopped"),
        ListedState::Paused => ("voided", "Paused"),
        ListedState::Incomplete => ("waiting", "Waiting for payment"),
        ListedState::IncompleteExpired => ("voided", "Not started"),
        ListedState::Canceled => ("voided", "Cancelled"),
    }
}

fn bottles(pieces: u32) -> String {
    let bottles = if pieces == 1 { "bottle" } else { "bottles" };
    format!("{pieces} {bottles} a month")
}

/// An invoice that the customer can pay on the verifier's page.
fn due(invoice: &ListedInvoice, instrument: Option<&ListedInstrument>) -> Markup {
    let price = price_text(invoice.due());
    let is_account = instrument.is_some_and(|instrument| instrument.sepa_debit.is_some());
    let (reason, link) = match invoice.customer_action.as_deref() {
        Some("authenticate") => (
            format!("Your bank wants you to confirm the payment of {price}."),
            "Confirm payment".to_owned(),
        ),
        Some("new_instrument") if is_account => (
            format!("Your account can’t be debited any more, and {price} is due."),
            "Pay another way".to_owned(),
        ),
        Some("new_instrument") => (
            format!("Your card can’t be charged any more, and {price} is due."),
            "Use another card".to_owned(),
        ),
        _ => (
            format!("We couldn’t collect {price}."),
            format!("Pay {price}"),
        ),
    };
    html! {
        div .due {
            p {
                (reason)
                @if let Some(at) = invoice.next_attempt_at {
                    " We’ll try again on " (day(at)) "."
                }
            }
            @if let Some(url) = &invoice.hosted_url {
                p { a .button .primary href=(url) { (link) } }
            }
        }
    }
}

/// What the state means, where its name does not say it all.
fn explanation(own: &ListedSubscription) -> Markup {
    let changed = own.queued_plan.as_ref();
    let changed = changed.filter(|changed| changed.pieces() != own.plan.pieces());
    html! {
        @match own.state {
            ListedState::Paused => p {
                "No bottles and no charges until you resume. If you resume after "
                (day(own.period_end)) ", a new month starts that day and is charged."
            },
            ListedState::Unpaid => p {
                "We’ve stopped sending bottles. Pay what is due, and they come again."
            },
            ListedState::Incomplete => p { "It starts with your first payment." },
            ListedState::IncompleteExpired => p { "The first payment wasn’t made in time." },
            ListedState::Canceled => p {
                "Ended on " (day(own.ended_at.unwrap_or(own.period_end)))
                @if own.end_reason.as_deref() == Some("payment_failed") {
                    ", because we couldn’t collect a payment"
                }
                "."
            },
            _ if own.cancel_at_period_end => p {
                "Ends on " (day(own.period_end)) ". You won’t be charged again."
            },
            _ => @if let Some(changed) = changed {
                p { "From " (day(own.period_end)) ": " (bottles(changed.pieces())) "." }
            }
        }
    }
}

fn facts(own: &ListedSubscription, instrument: Option<&ListedInstrument>) -> Markup {
    // Of others, what is due comes first.
    let is_charged = own.actions().contains(&Action::Pause);
    let plan = own.queued_plan.as_ref().unwrap_or(&own.plan);
    let account = instrument.and_then(|instrument| instrument.sepa_debit.as_ref());
    let card = instrument.and_then(|instrument| instrument.card.as_ref());
    html! {
        dl {
            @if is_charged {
                div {
                    dt { "Next charge" }
                    dd {
                        (day(own.period_end)) " · " (price_text(plan.amount))
                        @if account.is_some() { ", debited about two weeks later" }
                    }
                }
            }
            @if let Some(card) = card {
                div { dt { "Card" } dd { span .capital { (card.brand) " •••• " (card.last4) } } }
            }
            @if let Some(account) = account {
                div { dt { "Bank account" } dd { "•••• " (account.last4) } }
            }
            div { dt { "Subscribed on" } dd { (day(own.created_at)) } }
        }
    }
}

fn actions(own: &ListedSubscription) -> Markup {
    let (id, possible) = (&own.id, own.actions());
    let path = |action: Action| format!("/subscriptions/{id}/{}", action.name());
    let pieces_id = format!("pieces-{id}");
    let plan = own.queued_plan.as_ref().unwrap_or(&own.plan);
    let buttons = [
        (Action::Pause, "Pause"),
        (Action::Resume, "Resume"),
        (Action::Keep, "Keep my subscription"),
    ];
    html! {
        div .actions {
            @if possible.contains(&Action::Change) {
                form .change method="post" action=(path(Action::Change)) {
                    div .pieces {
                        label for=(pieces_id) { "Bottles from next month" }
                        (quantity(&pieces_id, MOST_BOTTLES, plan.pieces()))
                    }
                    button .button type="submit" { "Change" }
                }
            }
            @for (action, title) in buttons {
                @if possible.contains(&action) {
                    form method="post" action=(path(action)) {
                        button .button type="submit" { (title) }
                    }
                }
            }
        }
        @if possible.contains(&Action::Cancel) {
            details {
                summary { "Cancel subscription" }
                form .ending method="post" action=(path(Action::Cancel)) {
                    p { (ending(own)) " You won’t be charged for another month." }
                    button .button type="submit" { "Yes, cancel it" }
                }
            }
        }
    }
}

/// When a subscription that is cancelled now ends. One that is not running has no month to end.
fn ending(own: &ListedSubscription) -> Markup {
    html! {
        @match own.state {
            ListedState::Active | ListedState::Trialing | ListedState::PastDue => {
                "Your subscription ends on " (day(own.period_end)) "."
            }
            _ => "Your subscription ends now."
        }
    }
}
