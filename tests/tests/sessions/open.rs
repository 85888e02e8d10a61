//! `POST /v1/sessions`: opening and taking over a session.

use crate::databases::on_both_databases;
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};
use sealpay_protocol::order::OrderItem;

on_both_databases! {
    same_browser_reopens_the_same_session,
    another_browser_takes_over_an_order_up_to_five_times_and_the_former_key_is_rejected,
    order_with_a_pending_outcome_is_not_taken_over,
    paid_order_shows_its_receipt_to_a_reloaded_page_and_rejects_another_payment,
    different_order_with_the_same_id_is_rejected,
    session_shows_what_the_order_contains,
}

async fn same_browser_reopens_the_same_session(gateway: &TestGateway) {
    let order = gateway.order(None);
    let browser = gateway.browser();
    let first = gateway.open(&browser, &order).await;
    let second = gateway.open(&browser, &order).await;
    assert_eq!(
        (first.session, first.expires_at),
        (second.session, second.expires_at)
    );
    assert_eq!(gateway.stored_rows().await.rows_of("sessions"), 1);
}

async fn another_browser_takes_over_an_order_up_to_five_times_and_the_former_key_is_rejected(
    gateway: &TestGateway,
) {
    let order = gateway.order(None);
    let mut browser = gateway.browser();
    let first = gateway.open(&browser, &order).await;
    for _ in 0..5 {
        let next = gateway.browser();
        let session = gateway.open(&next, &order).await;
        assert_eq!(session.session, first.session);
        let old = browser.pay(&order, &first, attempt(), &card(APPROVED));
        assert_eq!(gateway.send(old).await.code(), "signature_invalid");
        browser = next;
    }
    let refused = gateway.send(gateway.browser().open_session(&order)).await;
    refused.assert_refused(409, "order_reused");
    let request = browser.pay(&order, &first, attempt(), &card(APPROVED));
    let paid: PaymentView = gateway.send(request).await.json();
    assert_eq!(paid.state, ShopperState::Captured);
}

async fn order_with_a_pending_outcome_is_not_taken_over(gateway: &TestGateway) {
    let order = gateway.order(Some("response_lost_declined"));
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(gateway.send(request).await.status, 202);
    let refused = gateway.send(gateway.browser().open_session(&order)).await;
    refused.assert_refused(409, "attempt_in_progress");
    let own = gateway.open(&browser, &order).await;
    assert_eq!(own.state, SessionState::Processing);
    gateway.move_clock(5);
    assert_eq!(gateway.recover().await, 1);
    let taken: SessionView = gateway.open(&gateway.browser(), &order).await;
    assert_eq!(
        (taken.state, taken.session),
        (SessionState::Open, session.session)
    );
}

async fn paid_order_shows_its_receipt_to_a_reloaded_page_and_rejects_another_payment(
    gateway: &TestGateway,
) {
    let order = gateway.order(None);
    let browser = gateway.browser();
    let session = gateway.open(&browser, &order).await;
    let request = browser.pay(&order, &session, attempt(), &card(APPROVED));
    assert_eq!(gateway.send(request).await.status, 200);
    let reloaded = gateway.browser();
    let receipt = gateway.open(&reloaded, &order).await;
    assert_eq!(receipt.state, SessionState::Complete);
    let shown = receipt.payment.as_ref().map(|payment| payment.state);
    assert_eq!(shown, Some(ShopperState::Captured));
    let again = reloaded.pay(&order, &receipt, attempt(), &card(APPROVED));
    assert_eq!(gateway.send(again).await.code(), "session_complete");
}

async fn different_order_with_the_same_id_is_rejected(gateway: &TestGateway) {
    let mut claims = gateway.claims();
    let browser = gateway.browser();
    let first = gateway
        .open(&browser, &gateway.merchant.sign(&claims))
        .await;
    let before = gateway.stored_rows().await;
    claims.amount = 1;
    let cheaper = gateway.merchant.sign(&claims);
    for who in [&browser, &gateway.browser()] {
        let refused = gateway.send(who.open_session(&cheaper)).await;
        refused.assert_refused(409, "order_reused");
    }
    let changes = gateway
        .stored_rows()
        .await
        .changes_since(&before, &["nonces"]);
    assert_eq!(changes, Vec::<String>::new());
    // The same name of another merchant is another order.
    let other = gateway.register(None).await;
    claims.iss = other.id;
    let session = gateway.open(&browser, &other.sign(&claims)).await;
    assert_ne!(session.session, first.session);
}

async fn session_shows_what_the_order_contains(gateway: &TestGateway) {
    let mut claims = gateway.claims();
    claims.description = Some("Two lanterns, “moon” 🏮".into());
    claims.items = Some(vec![
        OrderItem {
            name: "Mond-Laterne".into(),
            quantity: 2,
            amount: 2990,
        },
        OrderItem {
            name: "Discount".into(),
            quantity: 1,
            amount: -500,
        },
    ]);
    let browser = gateway.browser();
    let session = gateway
        .open(&browser, &gateway.merchant.sign(&claims))
        .await;
    assert_eq!(session.order.description, claims.description);
    assert_eq!(session.order.items, claims.items);
    assert_eq!(
        (session.order.amount, session.order.currency.as_str()),
        (2490, "EUR")
    );
    assert_eq!((session.expires_at, session.livemode), (claims.exp, false));
    assert_eq!(session.merchant.name, "Paper Lantern");
}
