//! What holds whatever happens: limits of the schemes, one charge for each period, kills between any
//! two steps.

use super::{DAY, advance, agreement, done, id, invoices, monthly, price, subscribe, subscription};
use crate::agreements::{agreed_in, agreeing};
use crate::databases::on_both_databases;
use crate::settlements::crash::dying;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::order::OrderClaims;
use serde_json::{Value, json};
use verifier_server::{invoices as server_invoices, subscriptions as server_subscriptions};

async fn no_policy_exceeds_the_limit_of_the_scheme(gateway: &TestGateway) {
    // Visa allows 20 tries of one card and amount in thirty days.
    let policy = json!({"delays_hours": {"later": vec![1; 20]}, "horizon_days": 10, "end": "keep"});
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "insufficient_funds", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({"dunning": policy})).await;
    advance(gateway, 58 * DAY).await;
    let all = invoices(gateway, &made).await;
    // The first charge of the subscription is of the same card and amount, and thirty days before.
    assert_eq!(all[1]["attempts"], 20, "{}", all[1]);
    assert_eq!(subscription(gateway, &made).await["state"], "past_due");
    let path = format!("/v1/invoices/{}/pay", id(&all[1]));
    super::refused(gateway, &path, json!({}), (409, "card_blocked")).await;
}

async fn charges_of_one_card_at_once_stay_within_the_limit_of_the_scheme(gateway: &TestGateway) {
    let policy = json!({"delays_hours": {}, "horizon_days": 10, "end": "keep"});
    let declined = json!({"trial_days": 1,
        "simulate": {"outcome": "insufficient_funds", "invoice": 1}});
    let price = price(gateway, 900, declined).await;
    let mut agreements = Vec::new();
    for customer in 0..12 {
        let of_customer = |claims: &mut OrderClaims| {
            agreeing(claims, AgreementKind::Subscription, None);
            claims.customer = Some(format!("family-{customer}"));
        };
        agreements.push(agreed_in(gateway, of_customer, APPROVED).await);
    }
    // Twelve tries, and then twelve at once, where Visa allows twenty in all.
    for tries in [12, 20] {
        for agreement in &agreements {
            subscribe(gateway, agreement, &price, json!({"dunning": policy})).await;
        }
        gateway.move_clock(i64::try_from(DAY + 60).unwrap());
        let server = &gateway.server.state.gateway;
        server_subscriptions::renew::renew(server).await.unwrap();
        // As two servers.
        let collect =
            async || while server_invoices::collect::collect(server).await.unwrap() > 0 {};
        tokio::join!(collect(), collect());
        let made = "SELECT COUNT(*) FROM card_attempts WHERE invoice IS NOT NULL";
        assert_eq!(gateway.rows(made).await, [[tries.to_string()]]);
    }
}

async fn renewals_and_charges_at_once_bill_each_period_once(gateway: &TestGateway) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(monthly(gateway).await);
    }
    gateway.move_clock(i64::try_from(32 * DAY).unwrap());
    let server = &gateway.server.state.gateway;
    for _ in 0..4 {
        let renew = || server_subscriptions::renew::renew(server);
        let collect = || server_invoices::collect::collect(server);
        let (a, b, c, d, e, f) =
            tokio::join!(renew(), renew(), collect(), collect(), renew(), collect());
        for done in [a, b, c, d, e, f] {
            done.expect("the store responds");
        }
    }
    for one in &made {
        let all = invoices(gateway, one).await;
        assert_eq!(all.len(), 2);
        assert_eq!(all[1]["state"], "paid", "{}", all[1]);
        assert_eq!(all[1]["attempts"], 1);
    }
    let payments = gateway
        .rows("SELECT invoice FROM payments WHERE invoice IS NOT NULL")
        .await;
    let mut invoices: Vec<_> = payments.into_iter().map(|row| row[0].clone()).collect();
    let count = invoices.len();
    invoices.sort();
    invoices.dedup();
    assert_eq!((count, invoices.len()), (10, 10));
}

/// A subscription whose second invoice has a payment without an outcome; both of them.
async fn with_pending_payment(gateway: &TestGateway) -> (Value, Value) {
    let agreement = agreement(gateway, APPROVED).await;
    let simulate = json!({"simulate": {"outcome": "response_lost", "invoice": 2}});
    let price = price(gateway, 900, simulate).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    gateway.move_clock(i64::try_from(31 * DAY + 3600).unwrap());
    bill(gateway).await;
    let invoice = invoices(gateway, &made).await.remove(1);
    let payment = gateway.payment(invoice["payment"].as_str().unwrap());
    assert_eq!(payment.await["state"], "unknown");
    (made, invoice)
}

async fn invoice_cannot_be_closed_while_its_payment_is_under_way(gateway: &TestGateway) {
    let (made, invoice) = with_pending_payment(gateway).await;
    let path = format!("/v1/invoices/{}", id(&invoice));
    for verb in ["pay", "void", "mark-uncollectible"] {
        let refusal = (409, "invoice_payment_in_progress");
        super::refused(gateway, &format!("{path}/{verb}"), json!({}), refusal).await;
    }
    let note = format!("{path}/credit-notes");
    super::refused(
        gateway,
        &note,
        json!({"amount": 1}),
        (409, "invoice_payment_in_progress"),
    )
    .await;
    let cancel = format!("/v1/subscriptions/{}/cancel", id(&made));
    done(gateway, &cancel, json!({"effective": "now"})).await;
    advance(gateway, 600).await;
    assert_eq!(invoices(gateway, &made).await[1]["state"], "paid");
    assert_eq!(subscription(gateway, &made).await["state"], "canceled");
}

async fn sums_of_an_invoice_agree(gateway: &TestGateway) {
    let made = monthly(gateway).await;
    let large = price(gateway, 5000, json!({})).await;
    let small = price(gateway, 100, json!({})).await;
    let path = format!("/v1/subscriptions/{}/change", id(&made));
    for (days, price) in [
        (3, &large),
        (9, &small),
        (40, &large),
        (2, &small),
        (50, &large),
    ] {
        advance(gateway, days * DAY).await;
        done(gateway, &path, json!({"items": [{"price": price["id"]}]})).await;
    }
    advance(gateway, 100 * DAY).await;
    for invoice in invoices(gateway, &made).await {
        let number = |name: &str| invoice[name].as_i64().unwrap();
        let lines = invoice["lines"].as_array().unwrap();
        let sum: i64 = lines
            .iter()
            .map(|line| line["amount"].as_i64().unwrap())
            .sum();
        assert_eq!(sum, number("total"), "{invoice}");
        let settled = number("credit_applied") + number("amount_paid") + number("amount_credited");
        assert_eq!(settled + number("amount_due"), number("total"), "{invoice}");
        assert_eq!(invoice["state"], "paid");
        assert_ne!(invoice["number"], Value::Null);
    }
}

async fn bill(gateway: &TestGateway) {
    let server = &gateway.server.state.gateway;
    server_subscriptions::renew::renew(server).await.unwrap();
    server_invoices::collect::collect(server).await.unwrap();
}

async fn crash_at_any_step_bills_each_period_once(gateway: &mut TestGateway) {
    let agreement = agreement(gateway, APPROVED).await;
    let weekly = json!({"interval": {"unit": "week", "count": 1}});
    let price = price(gateway, 900, weekly).await;
    let made = subscribe(gateway, &agreement, &price, json!({})).await;
    // Postgres waits more often, for its connection.
    let stride = gateway.database_url().map_or(1, |_| 5);
    let (mut crashes, mut has_ended) = (0, false);
    // A minute past the end of the first period.
    gateway.move_clock(i64::try_from(7 * DAY + 60).unwrap());
    while !has_ended {
        has_ended = dying(bill(gateway), crashes * stride).await;
        crashes += 1;
        assert!(crashes < 99, "it comes to its end");
        gateway.restart().await;
        // The lease of the crashed server ends; a payment that never left is tried again.
        gateway.move_clock(i64::try_from(DAY).unwrap());
        bill(gateway).await;
        advance(gateway, DAY).await;
        let all = invoices(gateway, &made).await;
        assert_eq!(all.len(), crashes + 1, "a crash after {crashes} waits");
        let last = all.last().unwrap();
        assert_eq!(last["state"], "paid", "{crashes}: {last}");
        assert_eq!(last["amount_paid"], 900);
        gateway.move_clock(i64::try_from(5 * DAY).unwrap());
    }
    assert!(crashes > 5, "it crashed on its way: {crashes}");
    let approved = "SELECT reference FROM bank_authorizations WHERE state IN ('held', 'booked')";
    let approved = gateway.bank_rows(approved).await.len();
    // The payment that made the agreement, and one for each period.
    assert_eq!(approved, crashes + 2);
}

/// No request gets there today: a payment that is under way keeps its invoice open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payment_for_a_void_invoice_becomes_credit() {
    let fixture = TestGateway::start().await;
    let gateway = &fixture;
    let (made, invoice) = with_pending_payment(gateway).await;
    let void = format!(
        "UPDATE invoices SET state = 'void' WHERE id = '{}'",
        id(&invoice)
    );
    gateway.tamper(&void);
    advance(gateway, 600).await;
    let invoice = invoices(gateway, &made).await.remove(1);
    assert_eq!(invoice["state"], "void");
    assert_eq!(invoice["amount_paid"], 0);
    let credit = gateway
        .rows("SELECT amount_minor FROM customer_credits")
        .await;
    assert_eq!(credit, [["900"]]);
    advance(gateway, 31 * DAY).await;
    assert_eq!(invoices(gateway, &made).await[2]["credit_applied"], 900);
    fixture.finish().await;
}

on_both_databases! {
    crash_at_any_step_bills_each_period_once,
    no_policy_exceeds_the_limit_of_the_scheme,
    charges_of_one_card_at_once_stay_within_the_limit_of_the_scheme,
    renewals_and_charges_at_once_bill_each_period_once,
    invoice_cannot_be_closed_while_its_payment_is_under_way,
    sums_of_an_invoice_agree,
}
