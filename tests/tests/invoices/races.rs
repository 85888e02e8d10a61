//! Two that pay, and a page that is out of date.

use super::{
    A_WHILE, again, approvals, by_card, checkout, paid, with_declined_renewal,
    with_declined_renewals, without_agreement,
};
use crate::databases::on_both_databases;
use crate::subscriptions::{DAY, HOUR, advance, done, id, subscription};
use harness::checkout::view;
use harness::client::APPROVED;
use harness::gateway::TestGateway;
use sealpay_protocol::api::{ActionView, ShopperState};
use serde_json::{Value, json};

async fn two_sessions_at_once_charge_once(gateway: &TestGateway) {
    for _ in 0..4 {
        let (_, invoice) = without_agreement(gateway).await;
        let before = approvals(gateway).await;
        let mut checkouts = Vec::new();
        for _ in 0..4 {
            checkouts.push(checkout(gateway, &invoice).await);
        }
        let attempts: Vec<_> = checkouts.iter().map(|one| by_card(one, APPROVED)).collect();
        let requests = checkouts.iter().zip(&attempts);
        let requests = requests
            .map(|(one, attempt)| one.request(attempt))
            .collect();
        let answers = gateway.send_together(requests).await;
        let won: Vec<_> = (0..answers.len())
            .filter(|place| answers[*place].status.is_success())
            .collect();
        assert_eq!(
            won.len(),
            1,
            "{:?}",
            answers.iter().map(|a| a.text()).collect::<Vec<_>>()
        );
        for (place, answer) in answers.iter().enumerate() {
            if place != won[0] {
                answer.assert_refused(409, "invoice_payment_in_progress");
            }
        }
        let (winner, attempt) = (&checkouts[won[0]], &attempts[won[0]]);
        let asked = view(&answers[won[0]]);
        let code = gateway.newest_code().await;
        let typed = winner.type_code(asked.payment, &code).await;
        assert_eq!(typed.action, Some(ActionView::Continue));
        assert_eq!(winner.pay(attempt).await.state, ShopperState::Captured);
        // The others find it paid, also with another attempt.
        for (place, other) in checkouts
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != won[0])
        {
            let answer = other.send(&by_card(other, APPROVED)).await;
            answer.assert_refused(409, "invoice_closed");
            let answer = other.send(&attempts[place]).await;
            answer.assert_refused(409, "invoice_closed");
        }
        assert_eq!(approvals(gateway).await, before + 1);
        let invoice = again(gateway, &invoice).await;
        assert_eq!(
            (&invoice["state"], &invoice["amount_paid"]),
            (&json!("paid"), &json!(900))
        );
    }
}

async fn refused_attempt_leaves_session_and_invoice_free(gateway: &TestGateway) {
    let (_, invoice) = without_agreement(gateway).await;
    let [one, two] = [
        checkout(gateway, &invoice).await,
        checkout(gateway, &invoice).await,
    ];
    let asked = one.pay(&by_card(&one, APPROVED)).await;
    assert_eq!(asked.state, ShopperState::RequiresAction);
    let refused = by_card(&two, APPROVED);
    two.send(&refused)
        .await
        .assert_refused(409, "invoice_payment_in_progress");
    let cancel = sealpay_protocol::api::AuthenticationStep::Cancel;
    let cancelled = one.take(asked.payment, cancel).await;
    assert_eq!(cancelled.state, ShopperState::Declined, "{cancelled:?}");
    // The very attempt that was refused was never made.
    let paid = two.pay_through(&refused).await;
    assert_eq!(paid.state, ShopperState::Captured);
    let payments = "SELECT id FROM payments WHERE invoice IS NOT NULL";
    assert_eq!(gateway.rows(payments).await.len(), 2);
}

async fn retry_that_falls_due_meanwhile_waits(gateway: &TestGateway) {
    gateway.clock.stop();
    let (_, invoice) = with_declined_renewal(gateway, "insufficient_funds").await;
    let planned = invoice["next_attempt_at"].as_u64().unwrap();
    advance(gateway, planned - gateway.now() - 300).await;
    let before = approvals(gateway).await;
    let checkout = checkout(gateway, &invoice).await;
    let attempt = by_card(&checkout, APPROVED);
    let asked = checkout.pay(&attempt).await;
    assert_eq!(asked.state, ShopperState::RequiresAction);
    // Five minutes later the retry would be due, and the customer is still at it.
    advance(gateway, 400).await;
    let waiting = again(gateway, &invoice).await;
    assert_eq!(
        (&waiting["attempts"], &waiting["state"]),
        (&json!(1), &json!("open"))
    );
    // The challenge ends unanswered: the retry is made at that moment.
    advance(gateway, A_WHILE).await;
    let after = again(gateway, &invoice).await;
    assert_eq!(after["attempts"], 2, "{after}");
    assert_eq!(approvals(gateway).await, before + 1, "the retry alone");
    let renewal = again(gateway, &invoice).await;
    let retried = gateway.payment(renewal["payment"].as_str().unwrap()).await;
    assert_eq!(retried["created_at"].as_u64().unwrap(), planned - 300 + 600);
}

async fn payment_in_time_makes_the_retry_superfluous(gateway: &TestGateway) {
    let (made, invoice) = with_declined_renewal(gateway, "insufficient_funds").await;
    let before = approvals(gateway).await;
    paid(gateway, &invoice, APPROVED).await;
    advance(gateway, 20 * DAY).await;
    let after = again(gateway, &invoice).await;
    assert_eq!(
        (&after["attempts"], &after["state"]),
        (&json!(1), &json!("paid"))
    );
    assert_eq!(approvals(gateway).await, before + 1);
    assert_eq!(subscription(gateway, &made).await["state"], "active");
}

async fn retry_and_page_at_once_charge_once(gateway: &TestGateway) {
    gateway.clock.stop();
    let all = with_declined_renewals(gateway, &["insufficient_funds"; 6]).await;
    let planned = |invoice: &Value| invoice["next_attempt_at"].as_u64().unwrap();
    let first = all
        .iter()
        .map(|(_, invoice)| planned(invoice))
        .min()
        .unwrap();
    let last = all
        .iter()
        .map(|(_, invoice)| planned(invoice))
        .max()
        .unwrap();
    assert!(last - first < 30, "they were made one after the other");
    advance(gateway, first - gateway.now() - 1).await;
    let before = approvals(gateway).await;
    let mut requests = Vec::new();
    for (_, invoice) in &all {
        let checkout = checkout(gateway, invoice).await;
        requests.push(checkout.request(&by_card(&checkout, APPROVED)));
    }
    // The requests are signed a moment before the retries fall due.
    gateway.move_clock(i64::try_from(last - first + 2).unwrap());
    let server = &gateway.server.state.gateway;
    let collect = verifier_server::invoices::collect::collect(server);
    let (collected, answers) = tokio::join!(collect, gateway.send_together(requests));
    collected.expect("the store responds");
    for answer in &answers {
        assert!(
            answer.status.is_success() || answer.status == 409,
            "{}",
            answer.text()
        );
    }
    advance(gateway, HOUR).await;
    for (_, invoice) in &all {
        let after = again(gateway, invoice).await;
        assert_eq!(
            (&after["state"], &after["amount_paid"]),
            (&json!("paid"), &json!(900))
        );
    }
    assert_eq!(approvals(gateway).await, before + all.len());
}

async fn amount_that_a_credit_note_changed_is_not_charged(gateway: &TestGateway) {
    let (_, invoice) = with_declined_renewal(gateway, "revocation_one").await;
    let stale = checkout(gateway, &invoice).await;
    let note = format!("/v1/invoices/{}/credit-notes", id(&invoice));
    done(gateway, &note, json!({"amount": 300})).await;
    let answer = stale.send(&by_card(&stale, APPROVED)).await;
    answer.assert_refused(409, "invoice_amount_changed");
    let fresh = checkout(gateway, &invoice).await;
    assert_eq!(fresh.session.order.amount, 600);
    let payment = fresh.pay_through(&by_card(&fresh, APPROVED)).await;
    assert_eq!(payment.state, ShopperState::Captured);
    let after = again(gateway, &invoice).await;
    assert_eq!(
        (&after["state"], &after["amount_paid"]),
        (&json!("paid"), &json!(600))
    );
}

async fn closed_invoice_is_not_charged_by_an_open_page(gateway: &TestGateway) {
    let all = with_declined_renewals(gateway, &["revocation_one"; 2]).await;
    for ((_, invoice), verb) in all.iter().zip(["void", "mark-uncollectible"]) {
        let stale = checkout(gateway, invoice).await;
        let before = approvals(gateway).await;
        let path = format!("/v1/invoices/{}/{verb}", id(invoice));
        done(gateway, &path, json!({})).await;
        let answer = stale.send(&by_card(&stale, APPROVED)).await;
        answer.assert_refused(409, "invoice_closed");
        assert_eq!(approvals(gateway).await, before);
    }
}

on_both_databases! {
    two_sessions_at_once_charge_once,
    refused_attempt_leaves_session_and_invoice_free,
    retry_that_falls_due_meanwhile_waits,
    payment_in_time_makes_the_retry_superfluous,
    retry_and_page_at_once_charge_once,
    amount_that_a_credit_note_changed_is_not_charged,
    closed_invoice_is_not_charged_by_an_open_page,
}
