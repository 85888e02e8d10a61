//! `/sim`: the control page for testers. The script updates it every second from `/sim/state`.

mod upcoming;
mod worlds;

use super::faults::targets;
use super::text;
use super::{AccountStatus, Enrolment};
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};
use sealpay_protocol::currency::Currency;

/// The faults and their labels.
const FAULTS: [(&str, &str); 5] = [
    ("latency", "Slow response"),
    ("request_lost", "Request lost: nothing is booked"),
    ("response_lost", "Response lost: it is booked"),
    ("acquirer_down", "Acquirer down"),
    ("issuer_down", "Issuer down"),
];

/// The sections of the page, in order.
const SECTIONS: [(&str, &str); 9] = [
    ("clock", "Clock"),
    ("phone", "Phone"),
    ("upcoming", "Coming up"),
    ("payments", "Payments"),
    ("transfers", "Transfers"),
    ("accounts", "Accounts"),
    ("faults", "Faults"),
    ("webhooks", "Webhooks"),
    ("worlds", "Worlds"),
];

pub(super) async fn control() -> Response {
    text::page(page())
}

fn page() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { "Simulated bank" }
                link rel="icon" href=(text::CONTROL_ICON);
                link rel="stylesheet" href="/sim/control.css";
                script src="/sim/control.js" defer {}
            }
            body data-exponents=(exponents()) {
                a .skip href="#content" { "Skip to the content" }
                header .top {
                    div .inner {
                        p .brand { span .mark aria-hidden="true" {} "Simulated bank" }
                        p .badge { "Test mode" }
                        p #live .live { "Connecting…" }
                    }
                }
                main #content .inner tabindex="-1" {
                    h1 .unseen { "Test controls of the simulated bank" }
                    noscript { p .warning { "This page needs JavaScript. Programs use "
                        a href="/sim/state" { "/sim/state" } "." } }
                    nav .jump aria-label="Sections" {
                        @for (id, title) in SECTIONS { a href={ "#" (id) } { (title) } }
                    }
                    div .columns {
                        div .side { (clock()) (phone()) }
                        div .wide {
                            (upcoming::section()) (payments()) (transfers()) (accounts()) (faults()) (webhooks())
                            (worlds::section())
                        }
                    }
                }
                (account_dialog())
                (payment_dialog())
                p #notice .notice role="status" {}
                footer .foot { div .inner { p {
                    "Everything here is also available over the API at " code { "/sim/…" }
                    ". No money moves."
                } } }
            }
        }
    }
}

/// Currencies whose minor unit is not a hundredth, for the script.
fn exponents() -> String {
    let others = Currency::all().filter(|currency| currency.exponent() != 2);
    let written: Vec<_> = others
        .map(|currency| format!("{}:{}", currency.code(), currency.exponent()))
        .collect();
    written.join(" ")
}

fn card(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section .card id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            (content)
        }
    }
}

/// A table that the keyboard can scroll sideways; the script writes its rows.
fn table(id: &str, label: &str, columns: &[&str]) -> Markup {
    html! {
        div .scroll tabindex="0" role="group" aria-label=(label) {
            table {
                caption .unseen { (label) }
                thead { tr { @for column in columns { (heading(column)) } } }
                tbody id=(id) {}
            }
        }
    }
}

/// The heading of a column; columns of buttons have one for screen readers only.
fn heading(column: &str) -> Markup {
    html! {
        th scope="col" {
            @if column.is_empty() { span .unseen { "Change" } } @else { (column) }
        }
    }
}

fn field(id: &str, label: &str, input: &Markup) -> Markup {
    html! { div .field { label for=(id) { (label) } (input) } }
}

fn number(id: &str, name: &str, label: &str, least: &str, most: &str) -> Markup {
    field(
        id,
        label,
        &html! {
            input id=(id) name=(name) type="number" inputmode="numeric" step="1" min=(least) max=(most);
        },
    )
}

/// An input for an amount in major units; the script sends minor units of the account's currency.
fn amount(id: &str, name: &str, label: &str, may_be_negative: bool) -> Markup {
    let sign = if may_be_negative { "-?" } else { "" };
    field(
        id,
        label,
        &html! {
            input id=(id) name=(name) inputmode="decimal" maxlength="18" autocomplete="off"
                pattern={ (sign) "[0-9]+([.,][0-9]+)?" };
        },
    )
}

fn clock() -> Markup {
    card(
        "clock",
        "Clock",
        &html! {
            p .now { time #now { "–" } }
            p #ahead .muted { "\u{a0}" }
            div .buttons {
                button type="button" data-advance="300" { "+5 min" }
                button type="button" data-advance="86400" { "+1 day" }
                button type="button" data-advance="604800" { "+7 days" }
            }
            form #advance .row {
                (field("advance-count", "Advance by", &html! {
                    input #advance-count name="count" type="number" inputmode="numeric" min="1"
                        max="1000000" step="1" value="1" required;
                }))
                (field("advance-unit", "Unit", &html! {
                    select #advance-unit name="unit" {
                        option value="60" { "minutes" }
                        option value="3600" selected { "hours" }
                        option value="86400" { "days" }
                    }
                }))
                button { "Advance" }
            }
            p .muted .small { "The clock only moves forward, for everybody on this "
                "server; restoring a world moves it back. Anything that falls due runs immediately." }
        },
    )
}

fn phone() -> Markup {
    card(
        "phone",
        "Phone",
        &html! {
            div #newest .newest hidden {
                p #newest-to .muted .small {}
                button #code .code type="button" {}
                p #newest-about .small {}
                p #newest-text {}
            }
            p #silent .muted { "No messages yet. One-time codes for all test cards appear here." }
            ol #messages .messages tabindex="0" aria-label="Earlier messages" {}
        },
    )
}

fn payments() -> Markup {
    card(
        "payments",
        "Payments",
        &html! {
            (table("payment-rows", "The newest payments",
                &["Time", "Order", "Amount", "Paid with", "State", "Route", "Risk", "Authentication"]))
        },
    )
}

fn transfers() -> Markup {
    card(
        "transfers",
        "Transfers",
        &html! {
            div .split {
                (table("transfer-rows", "Incoming transfers",
                    &["Arrives", "Reference", "Amount", "State"]))
                form #send .stack aria-labelledby="send-title" {
                    h3 #send-title { "Send money" }
                    div #awaited .awaited {}
                    (field("send-reference", "Reference", &html! {
                        input #send-reference name="reference" maxlength="140" required
                            autocomplete="off" spellcheck="false";
                    }))
                    div .row {
                        (field("send-amount", "Amount", &html! {
                            input #send-amount name="amount" inputmode="decimal" required
                                pattern="[0-9]+([.,][0-9]+)?" placeholder="24.90"
                                autocomplete="off";
                        }))
                        (field("send-currency", "Currency", &html! {
                            input #send-currency .short name="currency" value="EUR" maxlength="3"
                                pattern="[A-Z]{3}" required autocomplete="off" spellcheck="false";
                        }))
                    }
                    button .primary { "Send money" }
                }
            }
        },
    )
}

fn accounts() -> Markup {
    card(
        "accounts",
        "Accounts",
        &html! {
            div .row .tools {
                (field("search", "Search", &html! {
                    input #search type="search" autocomplete="off" spellcheck="false";
                }))
                p #found .muted .small role="status" {}
            }
            (table("account-rows", "Accounts of the bank",
                &["Holder", "Card", "Balance", "Available", "Status", "Enrolment", "Limits", ""]))
        },
    )
}

fn faults() -> Markup {
    card(
        "faults",
        "Faults",
        &html! {
            p #no-faults .muted { "No active faults." }
            ul #fault-list .list aria-label="Faults in force" {}
            ul #spent-list .list .spent aria-label="Faults that are used up" {}
            form #fault .grid {
                (field("fault-kind", "Fault", &html! {
                    select #fault-kind name="kind" {
                        @for (value, label) in FAULTS { option value=(value) { (label) } }
                    }
                }))
                (field("fault-target", "Applies to", &html! {
                    select #fault-target name="target" {
                        option value="any" { "All" }
                        option value="issuer" { "The issuers" }
                        @for (name, title) in targets() { option value=(name) { (title) } }
                    }
                }))
                (number("fault-min", "min_ms", "Minimum delay (ms)", "0", "120000"))
                (number("fault-max", "max_ms", "Maximum delay (ms)", "0", "120000"))
                (field("fault-scope", "How often", &html! {
                    select #fault-scope name="scope" {
                        option value="next" { "The next requests" }
                        option value="share_per_mille" { "A share of requests (per 1,000)" }
                    }
                }))
                (field("fault-count", "How many", &html! {
                    input #fault-count name="count" type="number" inputmode="numeric" step="1" min="1"
                        max="1000000" value="1" required;
                }))
                (number("fault-seed", "seed", "Seed", "0", "4294967295"))
                div .buttons {
                    button .primary { "Add fault" }
                    button #mend type="button" { "Clear all faults" }
                }
            }
        },
    )
}

fn webhooks() -> Markup {
    card(
        "webhooks",
        "Webhooks",
        &html! {
            p #webhook_faults .muted { "Webhooks are delivered once and in order." }
            form #webhook .grid {
                (number("webhook-duplicate", "duplicate", "Duplicate rate (per 1,000)", "0", "1000"))
                (number("webhook-delay", "delay_ms", "Delay (ms)", "0", "3600000"))
                (number("webhook-drop", "drop_first", "Fail the next deliveries", "0", "10000"))
                div .field .check {
                    input #webhook-reorder type="checkbox" name="reorder";
                    label for="webhook-reorder" { "Deliver out of order" }
                }
                div .buttons {
                    button .primary { "Apply" }
                    button #behave type="button" { "Reset" }
                }
            }
        },
    )
}

fn account_dialog() -> Markup {
    html! {
        dialog #account aria-labelledby="account-title" {
            form #account-form {
                h2 #account-title {}
                p #account-about .muted .small {}
                div .grid {
                    (field("account-status", "Status", &html! {
                        select #account-status name="status" {
                            @for status in AccountStatus::ALL {
                                option value=(status.name()) { (words(status.name())) }
                            }
                        }
                    }))
                    (field("account-enrolment", "Enrolment", &html! {
                        select #account-enrolment name="enrolment" {
                            @for enrolment in Enrolment::ALL {
                                option value=(enrolment.name()) { (words(enrolment.name())) }
                            }
                        }
                    }))
                    (amount("account-balance", "balance_minor", "Balance", true))
                    (amount("account-credit", "credit_limit_minor", "Credit limit", false))
                    (amount("account-each", "per_transaction_limit_minor", "Per-payment limit",
                        false))
                    (number("account-count", "daily_count_limit", "Daily payment limit", "0",
                        "999999999999"))
                    (amount("account-sum", "daily_sum_limit_minor", "Daily amount limit", false))
                    (number("account-codes", "wrong_codes", "Wrong codes in a row", "0", "5"))
                    (field("account-phone", "Phone", &html! {
                        input #account-phone name="phone" type="tel" pattern="\\+[0-9]{8,15}"
                            autocomplete="off";
                    }))
                }
                p .muted .small { "Leave a limit empty for no limit." }
                h3 #credentials-title { "Stored cards" }
                ul #account-credentials .events aria-labelledby="credentials-title" {}
                p #no-credentials .muted .small { "No stored cards." }
                div .buttons {
                    button #account-replace type="button" { "Replace card" }
                    button #account-end type="button" { "Close account" }
                    button #account-contact type="button" { "Contact cardholder" }
                }
                p #account-problem .problem role="alert" {}
                div .buttons {
                    button .primary { "Save" }
                    button #account-close type="button" { "Cancel" }
                }
            }
        }
    }
}

/// The details of a payment, filled by the script while open.
fn payment_dialog() -> Markup {
    html! {
        dialog #payment .history aria-labelledby="payment-title" {
            h2 #payment-title {}
            p #payment-about .muted .small {}
            h3 #events-title { "Events and deliveries" }
            ol #payment-events .events aria-labelledby="events-title" {}
            p #no-events .muted { "No events yet." }
            h3 #disputes-title { "Disputes" }
            ul #payment-disputes .events aria-labelledby="disputes-title" {}
            p #no-disputes .muted { "No disputes." }
            form method="dialog" .buttons { button { "Close" } }
        }
    }
}

/// Converts a name to words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::{exponents, page};
    use std::collections::HashSet;

    #[test]
    fn the_page_has_no_inline_code_and_labels_have_fields() {
        let text = page().into_string();
        for inline in ["<style", " style=", " onclick=", " onsubmit=", "<script>"] {
            assert!(!text.contains(inline), "{inline}");
        }
        let ids: Vec<_> = text
            .split(" id=\"")
            .skip(1)
            .filter_map(|t| t.split('"').next())
            .collect();
        let unique: HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "an id stands twice: {ids:?}");
        for label in text
            .split("<label for=\"")
            .skip(1)
            .filter_map(|t| t.split('"').next())
        {
            assert!(unique.contains(&label), "{label}");
        }
    }

    #[test]
    fn the_script_gets_currencies_with_other_exponents() {
        let exponents = exponents();
        assert!(
            exponents.contains("JPY:0") && exponents.contains("KWD:3"),
            "{exponents}"
        );
        assert!(!exponents.contains("EUR"), "{exponents}");
    }
}
