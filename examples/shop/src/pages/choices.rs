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
            summary { "Choose what is offered and answered" }
            form method="post" action={ "/checkout/" (order.reference) } {
                (methods(terms))
                (identity_and_country(terms))
                (answers(terms, personas))
                label for="capture" { "Charge" }
                select #capture name="capture" {
                    option value="automatic" { "At once" }
                    option value="manual" selected[terms.capture == Capture::Manual] {
                        "Later (reserve only)"
                    }
                }
                button .button type="submit" { "Use this" }
                p .muted .small { "The shop signs the order again and reloads the form." }
            }
        }
    }
}

fn methods(terms: &Terms) -> Markup {
    html! {
        fieldset {
            legend { "Ways to pay" }
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
        label for="authentication" { "Identity check" }
        select #authentication name="authentication" {
            option value="automatic" { "When the rules ask for it" }
            option value="required" selected[terms.requires_authentication] { "Always" }
        }
        label for="billing-country" { "Billing country" }
        select #billing-country name="billing_country" {
            option value="" { "Not given" }
            @for (code, name) in BILLING_COUNTRIES {
                option value=(code) selected[chosen == Some(code)] { (name) }
            }
        }
    }
}

fn answers(terms: &Terms, personas: &Personas) -> Markup {
    let chosen = terms.simulate.as_deref();
    html! {
        label for="simulate" { "Bank’s answer" }
        select #simulate name="simulate" {
            option value="" { "By card (default)" }
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
