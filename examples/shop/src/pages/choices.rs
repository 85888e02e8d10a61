//! What testers may choose, whatever the card; it goes into the signed order.

use super::method_name;
use crate::orders::{Order, Terms};
use crate::personas::{Group, Personas};
use maud::{Markup, html};
use sealpay_protocol::method::Method;
use sealpay_protocol::order::Capture;

/// Where the shop sends its parcels: ISO 3166-1 alpha-2, and the name.
pub(crate) const BILLING_COUNTRIES: [(&str, &str); 9] = [
    ("AT", "Austria"),
    ("BR", "Brazil"),
    ("FR", "France"),
    ("DE", "Germany"),
    ("JP", "Japan"),
    ("NL", "Netherlands"),
    ("CH", "Switzerland"),
    ("GB", "United Kingdom"),
    ("US", "United States"),
];

/// The form; it is open when something was chosen already.
pub(super) fn choices(order: &Order, personas: &Personas) -> Markup {
    let terms = &order.terms;
    html! {
        details .choices open[*terms != Terms::default()] {
            summary { "Test settings: payment methods and outcome" }
            form method="post" action={ "/checkout/" (order.reference) } {
                (methods(terms))
                (identity_and_country(terms))
                (answers(terms, personas))
                label for="capture" { "Charge" }
                select #capture name="capture" {
                    option value="automatic" { "Immediately" }
                    option value="manual" selected[terms.capture == Capture::Manual] {
                        "Later (authorize only)"
                    }
                }
                button .button type="submit" { "Apply" }
                p .muted .small { "Applying signs the order again and reloads the form." }
            }
        }
    }
}

fn methods(terms: &Terms) -> Markup {
    html! {
        fieldset {
            legend { "Payment methods" }
            @for method in Method::ALL {
                label .tick {
                    input type="checkbox" name=(method.name()) value="yes"
                        checked[terms.methods.contains(&method)];
                    (method_name(method))
                }
            }
        }
    }
}

fn identity_and_country(terms: &Terms) -> Markup {
    let chosen = terms.billing_country.as_deref();
    html! {
        label for="authentication" { "Authentication" }
        select #authentication name="authentication" {
            option value="automatic" { "When the risk rules require it" }
            option value="required" selected[terms.requires_authentication] { "Always" }
        }
        label for="billing-country" { "Billing country" }
        select #billing-country name="billing_country" {
            option value="" { "Not provided" }
            @for (code, name) in BILLING_COUNTRIES {
                option value=(code) selected[chosen == Some(code)] { (name) }
            }
        }
    }
}

fn answers(terms: &Terms, personas: &Personas) -> Markup {
    let chosen = terms.simulate.as_deref();
    html! {
        label for="simulate" { "Outcome" }
        select #simulate name="simulate" {
            option value="" { "Decided by the card (default)" }
            @for group in Group::ALL {
                @let outcomes = personas.outcomes(group);
                @if !outcomes.is_empty() {
                    optgroup label=(group.title()) {
                        @for outcome in outcomes {
                            option value=(outcome) selected[chosen == Some(outcome)] { (outcome) }
                        }
                    }
                }
            }
        }
    }
}
