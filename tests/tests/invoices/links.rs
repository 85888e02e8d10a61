//! Links that are altered, foreign, old or used.

use super::{
    again, order_on, page, paid, path_of, unagreed, with_declined_renewal, with_declined_renewals,
    without_agreement,
};
use crate::databases::on_both_databases;
use crate::subscriptions::{DAY, advance, done, id};
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use serde_json::{Value, json};

async fn page_shows_what_is_due_and_is_well_guarded(gateway: &TestGateway) {
    let (_, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    let page = page(gateway, &invoice).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    let number = invoice["number"].as_str().unwrap();
    for part in [
        "Paper Lantern",
        number,
        "Pay 9.00 EUR",
        "Lantern oil",
        "Your card couldn’t be charged.",
        "src=\"/checkout.js\"",
        "Test mode",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    for (path, kind) in [
        ("/pay/page.css", "text/css"),
        ("/pay/page.js", "text/javascript"),
    ] {
        let file = gateway.get(path, None).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("content-type").unwrap().starts_with(kind));
    }
}

async fn links_stay_the_same_and_are_in_events(gateway: &TestGateway) {
    let (_, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    advance(gateway, DAY).await;
    assert_eq!(
        again(gateway, &invoice).await["hosted_url"],
        invoice["hosted_url"]
    );
    let events = gateway.events().await;
    let of_invoice = |kind: &str| {
        let mut of_kind = events.iter().filter(|event| event["type"] == kind);
        let found = of_kind.find(|event| event["subject"] == invoice["id"]);
        found.expect(kind)["body"]["data"]["invoice"].clone()
    };
    for kind in [
        "invoice.finalized",
        "invoice.payment_failed",
        "invoice.action_required",
    ] {
        assert_eq!(
            of_invoice(kind)["hosted_url"],
            invoice["hosted_url"],
            "{kind}"
        );
    }
    paid(gateway, &invoice, APPROVED).await;
    assert_eq!(again(gateway, &invoice).await["hosted_url"], Value::Null);
}

async fn links_survive_a_restart(gateway: &mut TestGateway) {
    let (_, invoice) = without_agreement(gateway).await;
    gateway.restart().await;
    assert_eq!(page(gateway, &invoice).await.status, 200);
}

async fn altered_links_lead_nowhere(gateway: &TestGateway) {
    let (_, invoice) = without_agreement(gateway).await;
    let path = path_of(gateway, &invoice);
    let (before, token) = path.rsplit_once('/').unwrap();
    let mut altered: Vec<String> = Vec::new();
    for place in 0..token.len() {
        let letter = if token.as_bytes()[place] == b'A' {
            "B"
        } else {
            "A"
        };
        altered.push([&token[..place], letter, &token[place + 1..]].concat());
    }
    altered.extend((1..token.len()).map(|length| token[..length].to_owned()));
    altered.extend([
        format!("{token}A"),
        format!("{token}%3D"),
        format!("%20{token}"),
        "A".repeat(4096),
        "..".into(),
        "%00".into(),
        "%F0%9F%92%B6".into(),
    ]);
    for token in altered {
        let answer = gateway.get(&format!("{before}/{token}"), None).await;
        assert_eq!(answer.status, 404, "{token}");
        let text = answer.text();
        assert!(
            !text.contains("INV-") && !text.contains("Paper Lantern"),
            "{text}"
        );
    }
    assert_eq!(gateway.get(&path, None).await.status, 200);
}

async fn links_of_another_invoice_and_another_verifier_do_not_mix(gateway: &TestGateway) {
    let (made, one) = without_agreement(gateway).await;
    let (_, two) = unagreed(gateway, &made["customer"]).await;
    let [a, b] = [&one, &two].map(|invoice| path_of(gateway, invoice));
    // The invoice of one with the code of the other.
    let place = a.len() - 32;
    let mixed = [&a[..place], &b[place..]].concat();
    assert_eq!(gateway.get(&mixed, None).await.status, 404);
    let other = TestGateway::start().await;
    assert_eq!(other.get(&a, None).await.status, 404);
    other.finish().await;
}

async fn links_expire_by_the_simulated_clock(gateway: &TestGateway) {
    gateway.clock.stop();
    let (made, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    let path = path_of(gateway, &invoice);
    let issued = invoice["finalized_at"].as_u64().unwrap();
    // It stays open, and nothing else ends it before.
    let cancel = format!("/v1/subscriptions/{}/cancel", id(&made));
    done(gateway, &cancel, json!({"effective": "now"})).await;
    advance(gateway, issued + 90 * DAY - gateway.now() - 1).await;
    assert_eq!(gateway.get(&path, None).await.status, 200);
    advance(gateway, 1).await;
    let page = gateway.get(&path, None).await;
    assert_eq!(page.status, 410);
    assert!(
        page.text().contains("This link has expired"),
        "{}",
        page.text()
    );
    assert_eq!(order_on(&page), None);
}

async fn pages_of_closed_invoices_say_so(gateway: &TestGateway) {
    let mut open = with_declined_renewals(gateway, &["revocation_one"; 3]).await;
    let (_, last) = open.pop().unwrap();
    for ((_, invoice), verb) in open.iter().zip(["void", "mark-uncollectible"]) {
        let path = path_of(gateway, invoice);
        let close = format!("/v1/invoices/{}/{verb}", id(invoice));
        let closed = done(gateway, &close, json!({})).await;
        assert_eq!(closed["hosted_url"], Value::Null);
        let page = gateway.get(&path, None).await;
        assert_eq!(page.status, 410, "{verb}");
        let words = "This invoice can no longer be paid";
        assert!(page.text().contains(words), "{}", page.text());
        assert_eq!(order_on(&page), None);
    }
    let path = path_of(gateway, &last);
    paid(gateway, &last, APPROVED).await;
    let page = gateway.get(&path, None).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("This invoice is paid"),
        "{}",
        page.text()
    );
    assert_eq!(order_on(&page), None);
}

async fn other_methods_are_not_served(gateway: &TestGateway) {
    let (_, invoice) = without_agreement(gateway).await;
    let mut request = harness::client::Prepared::get_of(&path_of(gateway, &invoice), None);
    request.method = "POST".into();
    gateway
        .send(request)
        .await
        .assert_refused(405, "method_not_allowed");
}

on_both_databases! {
    page_shows_what_is_due_and_is_well_guarded,
    links_stay_the_same_and_are_in_events,
    links_survive_a_restart,
    altered_links_lead_nowhere,
    links_of_another_invoice_and_another_verifier_do_not_mix,
    pages_of_closed_invoices_say_so,
    other_methods_are_not_served,
}

/// Its rows are changed by hand, which is done on SQLite only.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn old_links_expire() {
    let gateway = TestGateway::start().await;
    links_expire_by_the_simulated_clock(&gateway).await;
    gateway.finish().await;
}
