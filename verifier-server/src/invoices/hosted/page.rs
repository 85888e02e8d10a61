//! The page of an invoice as HTML. It works in every width, in light and dark, and says what to do
//! where nothing can be paid.

use super::service::{Page, PageState};
use crate::invoices::model::{CustomerAction, Invoice, InvoiceLine};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use sealpay_protocol::money::Money;

/// The favicon as a data URL, to avoid a request.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
    viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%230f5e63'/%3E%3C/svg%3E";

const PAID: &str = "This invoice is paid";

/// The page of a link that this verifier made.
pub(super) fn page(page: &Page) -> Markup {
    let title = format!("{} · {}", heading(page), page.merchant);
    let content = html! {
        p .payee { (page.merchant) }
        // The script shows the other heading after the payment.
        h1 data-paid=(PAID) { (heading(page)) }
        p .reason { (sentence(page)) }
        @if page.state == PageState::InProgress { p { a .again href="" { "Check again" } } }
        @if page.state != PageState::Expired { (invoice(page)) }
        @if let PageState::Payable(order) = &page.state { (payment(page, order)) }
        @if page.is_test { p .note { "Test mode: no money moves." } }
    };
    document(&title, &content)
}

/// The page of every other link.
pub(super) fn unknown() -> Markup {
    let title = "This page doesn’t exist";
    let content = html! {
        h1 { (title) }
        p .reason {
            "The link is incomplete or has been changed. Please open it again from the message that \
             you received."
        }
    };
    document(title, &content)
}

fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex, nofollow";
                title { (title) }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href="/pay/page.css";
            }
            body { main { (content) } }
        }
    }
}

fn heading(page: &Page) -> String {
    match page.state {
        PageState::Payable(_) => format!("Pay {}", page.invoice.due_money()),
        PageState::InProgress => "Your payment is being processed".into(),
        PageState::Collecting => "Your direct debit is on its way".into(),
        PageState::Paid => PAID.into(),
        PageState::Closed => "This invoice can no longer be paid".into(),
        PageState::Expired => "This link has expired".into(),
    }
}

fn sentence(page: &Page) -> String {
    let merchant = &page.merchant;
    match page.state {
        PageState::Payable(_) => reason(&page.invoice).into(),
        PageState::InProgress => {
            "A payment for this invoice is on its way. Please don’t pay again – wait a moment, then \
             check again."
                .into()
        }
        PageState::Collecting => format!(
            "{merchant} collects the amount from your bank account within the next few weeks. You \
             don’t have to do anything."
        ),
        PageState::Paid => "Thank you. Nothing more is due, and you can close this page.".into(),
        PageState::Closed => format!(
            "{merchant} has closed this invoice, and you haven’t been charged here. If you have \
             questions, please contact {merchant}."
        ),
        PageState::Expired => format!(
            "To protect you, links like this one stop working after a while. Please contact \
             {merchant} to find out whether anything is due."
        ),
    }
}

/// Why the customer is asked.
const fn reason(invoice: &Invoice) -> &'static str {
    match invoice.collection.action {
        Some(CustomerAction::Authenticate) => {
            "Your bank wants you to confirm this payment. Enter your card, then follow the steps that \
             your bank shows you."
        }
        Some(CustomerAction::NewInstrument) => {
            "Your card couldn’t be charged. Please pay with another card, or with the new details of \
             this one."
        }
        Some(CustomerAction::FirstPayment) => {
            "Pay for the first period, and your subscription starts right away."
        }
        None => "This invoice is due. You can pay it here.",
    }
}

fn invoice(page: &Page) -> Markup {
    let invoice = &page.invoice;
    let currency = invoice.total.currency();
    let money = |amount_minor| Money::new(amount_minor, currency).to_string();
    let is_due = matches!(
        page.state,
        PageState::Payable(_) | PageState::InProgress | PageState::Collecting
    );
    let due_minor = invoice.due_minor();
    let is_partly_due = due_minor != invoice.total.amount_minor();
    let rows = [
        (
            "Total",
            invoice.total.amount_minor(),
            is_partly_due || !is_due,
        ),
        (
            "Your credit",
            -invoice.applied_minor,
            invoice.applied_minor != 0,
        ),
        (
            "Credited",
            -invoice.credited_minor,
            invoice.credited_minor != 0,
        ),
        ("Paid", -invoice.paid_minor, invoice.paid_minor != 0),
    ];
    let number = invoice.number.as_deref().unwrap_or_default();
    html! {
        section aria-labelledby="invoice" {
            h2 #invoice { "Invoice " (number) }
            dl {
                @for line in &invoice.lines {
                    div { dt { (line_name(line, &page.zone)) } dd { (money(line.amount_minor)) } }
                }
                @for (name, amount_minor, _) in rows.iter().filter(|(.., is_shown)| *is_shown) {
                    div .sum[*name == "Total"] { dt { (name) } dd { (money(*amount_minor)) } }
                }
                @if is_due {
                    div .due.sum[!is_partly_due] { dt { "Amount due" } dd { (money(due_minor)) } }
                }
            }
        }
    }
}

fn line_name(line: &InvoiceLine, zone: &str) -> Markup {
    let period = line.period_start_ms.zip(line.period_end_ms);
    html! {
        (line.description)
        @if line.quantity > 1 { " × " (line.quantity) }
        @if let Some((start_ms, end_ms)) = period {
            span .period { (date(start_ms, zone)) " – " (date(end_ms, zone)) }
        }
    }
}

/// A date as the customer's calendar shows it.
fn date(at_ms: i64, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone).strftime("%-d %B %Y").to_string()
}

/// The form, embedded as a merchant embeds it.
fn payment(page: &Page, order: &str) -> Markup {
    let merchant = &page.merchant;
    html! {
        section .payment aria-labelledby="pay" {
            h2 #pay { "Your card" }
            noscript { p .warning { "To pay, please turn on JavaScript and reload this page." } }
            sealpay-checkout order=(order) summary="false" {}
            p .note {
                (merchant) " does not see your card number."
            }
            script src="/pay/page.js" {}
            script src="/checkout.js" defer {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{date, page};
    use crate::invoices::hosted::service::{Page, PageState};
    use crate::invoices::model::{
        Collection, CustomerAction, Invoice, InvoiceLine, InvoiceReason, InvoiceState, LineKind,
    };
    use sealpay_protocol::ids::{CustomerId, InvoiceId, MerchantId};
    use sealpay_protocol::money::Money;

    fn shown(state: PageState) -> String {
        let line = InvoiceLine {
            kind: LineKind::Plan,
            description: "<b>Oil</b>".into(),
            price: None,
            quantity: 2,
            amount_minor: 1800,
            is_prorated: false,
            period_start_ms: Some(1_767_222_000_000),
            period_end_ms: Some(1_769_900_400_000),
        };
        let invoice = Invoice {
            id: InvoiceId::new(1, [1; 10]),
            merchant: MerchantId::new(1, [1; 10]),
            customer: CustomerId::new(1, [1; 10]),
            subscription: None,
            period_number: None,
            number: Some("INV-000001".into()),
            reason: InvoiceReason::SubscriptionRenewal,
            state: InvoiceState::Open,
            lines: vec![line],
            total: Money::new(1800, "EUR".parse().unwrap()),
            applied_minor: 300,
            paid_minor: 0,
            credited_minor: 0,
            collection: Collection {
                action: Some(CustomerAction::Authenticate),
                ..Collection::default()
            },
            due: None,
            due_at_ms: 0,
            lease_until_ms: 0,
            finalized_at_ms: Some(1),
            closed_at_ms: None,
            sequence: 1,
            created_at_ms: 1,
            updated_at_ms: 1,
        };
        let shown = Page {
            state,
            merchant: "<script>alert(1)</script>".into(),
            invoice,
            zone: "Europe/Berlin".into(),
            is_test: true,
        };
        page(&shown).into_string()
    }

    #[test]
    fn texts_of_merchants_are_escaped() {
        let text = shown(PageState::Paid);
        assert!(
            text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{text}"
        );
        assert!(text.contains("&lt;b&gt;Oil&lt;/b&gt; × 2"), "{text}");
        assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    }

    #[test]
    fn payable_pages_show_what_is_due_and_why() {
        let text = shown(PageState::Payable("a.b.c".into()));
        for part in [
            "Pay 15.00 EUR",
            "Your bank wants you to confirm this payment.",
            "Invoice INV-000001",
            "-3.00 EUR",
            "1 January 2026 – 1 February 2026",
            "<sealpay-checkout order=\"a.b.c\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn only_payable_pages_have_a_form() {
        let states = [
            PageState::InProgress,
            PageState::Collecting,
            PageState::Paid,
            PageState::Closed,
            PageState::Expired,
        ];
        for state in states {
            let text = shown(state);
            assert!(!text.contains("checkout.js"), "{text}");
            assert!(!text.contains("sealpay-checkout"), "{text}");
        }
    }

    #[test]
    fn dates_are_those_of_the_zone() {
        assert_eq!(date(1_767_222_000_000, "Europe/Berlin"), "1 January 2026");
        assert_eq!(date(1_767_222_000_000, "UTC"), "31 December 2025");
        assert_eq!(date(1_767_222_000_000, "Mars/Olympus"), "31 December 2025");
    }
}
