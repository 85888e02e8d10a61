//! The page with the payment form and, for a tester, the cards and settings beside it.

use super::{copy_button, layout, method_name, summary};
use crate::app::Shop;
use crate::basket::{Basket, TestSettings};
use crate::integration::page::payment_form;
use crate::integration::state::Order;
use crate::products::price_text;
use crate::test_cards::{GROUPS, TestCard, TestCards};
use maud::{Markup, html};
use sealpay_protocol::order::Capture;
use sealpay_protocol::origin::Origin;

/// The page.
pub(crate) fn checkout(
    shop: &Shop,
    order: &Order,
    basket: &Basket,
    signed: &str,
    cards: &TestCards,
) -> Markup {
    let reference = &order.reference;
    let line = html! {
        p .muted { "Order " (reference) " · Quantity " (basket.pieces) }
        @if basket.product.is_monthly { p .muted { "Renews each month until you cancel" } }
    };
    let total = html! { span .unseen { "Total " } (price_text(order.total)) };
    let content = html! {
        div .checkout {
            div .till {
                h1 { "Checkout" }
                (summary(basket, &line, &total))
                section .pay aria-label="Payment" data-payment {
                    (payment_form(&shop.merchant.verifier, signed, reference))
                    noscript { p .problem { "Turn on JavaScript to pay." } }
                    div .problem role="alert" data-payment-missing hidden {
                        p { "The payment form could not be loaded. "
                            "Check your connection or content blocker, then try again." }
                        p { a .button href="" { "Try again" } }
                    }
                }
                (payment_status(reference))
                p .promise { "Card details go straight to our payment provider. Paper Lantern "
                    "never sees them." }
            }
            @if let Some(control) = &shop.control {
                (testers(control, order, &basket.settings, cards))
            }
        }
    };
    layout("Checkout", &content)
}

/// What the form says to the page. The script shows it; the form itself says what to do.
fn payment_status(reference: &str) -> Markup {
    html! {
        div .payment-status role="status" data-payment-status {
            p data-status="bank" hidden {
                "Your bank needs to confirm it’s you. Please keep this page open."
            }
            p data-status="wallet" hidden {
                "Confirm the payment in your wallet, then come back to this page."
            }
            div data-status="pending" hidden {
                p { strong { "We’ll confirm your order as soon as your transfer arrives." } }
                p { a href={ "/orders/" (reference) "?from=form" } { "View order " (reference) } }
            }
        }
    }
}

fn testers(control: &Origin, order: &Order, settings: &TestSettings, cards: &TestCards) -> Markup {
    html! {
        aside .testers aria-labelledby="testers" {
            h2 #testers { "For testers" }
            p .muted { "The bank is simulated. Each test card has one outcome." }
            // In a tab of its own: the form on this page has to stay.
            p .control {
                a href={ (control) "/sim" } target="_blank" rel="noopener" {
                    "Test controls" span .unseen { " (opens in a new tab)" }
                }
                span .muted .small { "One-time codes, bank transfers, clock and faults" }
            }
            (test_cards(cards))
            @if order.can_be_signed() {
                (test_settings(order, settings, cards))
            } @else {
                p .muted { "A payment is in progress, so its test settings can’t be changed." }
            }
        }
    }
}

/// The test cards: grouped, searchable, each number one press away from the clipboard.
pub(crate) fn test_cards(cards: &TestCards) -> Markup {
    if cards.is_empty() {
        return html! {
            p .muted { "The test cards aren’t available right now. Reload the page in a moment." }
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
            @for (group, cards) in GROUPS.map(|group| (group, cards.cards(group))) {
                @if !cards.is_empty() {
                    details .group open[group == GROUPS[0]] {
                        summary { (group) span .count aria-hidden="true" { (cards.len()) } }
                        table {
                            caption .unseen { "Cards: " (group) }
                            thead .unseen {
                                tr { th scope="col" { "Card" } th scope="col" { "Copy" } }
                            }
                            tbody { @for card in cards { (row(card)) } }
                        }
                    }
                }
            }
            p .muted role="status" data-search-result {}
        }
    }
}

fn row(card: &TestCard) -> Markup {
    let TestCard {
        name,
        title,
        number,
        brand,
        outcome,
        description,
    } = card;
    html! {
        tr data-found-by={ (name) " " (brand) " " (outcome) " " (number) } {
            td {
                strong { (title) }
                code .number { (card.grouped_number()) }
                // Names for programs stand between backticks.
                span .muted .small {
                    @for (place, part) in description.split('`').enumerate() {
                        @if place % 2 == 1 { code { (part) } } @else { (part) }
                    }
                }
            }
            td { (copy_button(number, &format!("the number of {title}"))) }
        }
    }
}

/// What testers may choose, whatever the card; it goes into the signed order.
fn test_settings(order: &Order, settings: &TestSettings, cards: &TestCards) -> Markup {
    html! {
        details .choices open[*settings != TestSettings::default()] {
            summary { "Test settings: payment methods and outcome" }
            form method="post" action={ "/checkout/" (order.reference) } {
                fieldset {
                    legend { "Payment methods" }
                    @for method in Basket::possible_methods(order) {
                        label .tick {
                            input type="checkbox" name=(method.name()) value="yes"
                                checked[settings.methods.contains(&method)];
                            (method_name(method))
                        }
                    }
                }
                @if order.subscription.is_none() {
                    label .tick {
                        input type="checkbox" name="is_returning" value="yes"
                            checked[settings.is_returning];
                        "Returning customer: save cards and pay with saved ones"
                    }
                }
                label for="simulate" { "Outcome" }
                select #simulate name="simulate" {
                    option value="" { "Decided by the card (default)" }
                    @for group in GROUPS {
                        optgroup label=(group) {
                            @for outcome in cards.outcomes(group) {
                                option selected[settings.simulate == outcome] { (outcome) }
                            }
                        }
                    }
                }
                label for="capture" { "Charge" }
                select #capture name="capture" {
                    option value="automatic" { "Immediately" }
                    option value="manual" selected[settings.capture == Capture::Manual] {
                        "Later (authorize only)"
                    }
                }
                button .button type="submit" { "Apply" }
                p .muted .small { "Applying signs the order again and reloads the form." }
            }
        }
    }
}
