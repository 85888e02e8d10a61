//! The order of a page: only there, and only from the verifier.

use super::{browser, opening, order_of, page, without_agreement};
use crate::databases::on_both_databases;
use crate::subscriptions::id;
use ed25519_dalek::SigningKey;
use harness::client::{SHOP_ORIGIN, origin};
use harness::gateway::TestGateway;
use harness::time::random;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::order::{self, OrderClaims};

async fn claims_on_page(gateway: &TestGateway) -> (String, OrderClaims) {
    let (_, invoice) = without_agreement(gateway).await;
    let order = order_of(gateway, &invoice).await;
    let claims = order::claims_unverified(&order).unwrap();
    assert_eq!(claims.invoice.unwrap().to_string(), id(&invoice));
    (order, claims)
}

async fn order_names_the_invoice_and_only_the_own_origin(gateway: &TestGateway) {
    let (order, claims) = claims_on_page(gateway).await;
    assert_eq!(claims.iss, gateway.merchant.id);
    assert_eq!(claims.aud, gateway.origin);
    assert_eq!(claims.parent_origins, std::slice::from_ref(&gateway.origin));
    assert_eq!((claims.amount, claims.currency.as_str()), (900, "EUR"));
    assert!(claims.order_ref.starts_with("INV-"), "{}", claims.order_ref);
    assert_eq!(
        claims.customer.as_deref(),
        Some(crate::agreements::CUSTOMER)
    );
    assert!(claims.agreement.is_some());
    assert!(claims.exp - claims.iat <= 1800);
    let browser = browser(gateway);
    let opened = gateway.send(opening(gateway, &browser, &order)).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
}

async fn order_of_a_page_cannot_be_embedded_elsewhere(gateway: &TestGateway) {
    let (order, claims) = claims_on_page(gateway).await;
    for parent in [SHOP_ORIGIN, "https://evil.example"] {
        let browser = browser(gateway);
        let body = browser.open_body(&order, parent);
        let answer = gateway.send(browser.open_with(body)).await;
        answer.assert_refused(403, "origin_not_allowed");
    }
    // Nor can its frame, whose document any page may ask for.
    let path = |parent: &str| format!("/checkout/{}?parent={parent}", claims.iss);
    for (parent, expected) in [
        (gateway.origin.as_str(), Some(gateway.origin.as_str())),
        ("https://evil.example", None),
    ] {
        let answer = gateway.get(&path(parent), None).await;
        let Some(policy) = answer.header("content-security-policy") else {
            // The server of this test has no widget.
            assert_eq!(answer.status, 404);
            continue;
        };
        let ancestors = policy.split("frame-ancestors ").nth(1);
        assert_eq!(ancestors, Some(expected.unwrap_or("'none'")));
    }
}

async fn orders_of_merchants_cannot_name_an_invoice(gateway: &TestGateway) {
    let (_, claims) = claims_on_page(gateway).await;
    let registered = OrderClaims {
        parent_origins: vec![origin(SHOP_ORIGIN)],
        ..claims.clone()
    };
    let merchant = &gateway.merchant;
    for (claims, parent) in [
        (&claims, gateway.origin.as_str()),
        (&registered, SHOP_ORIGIN),
    ] {
        let browser = browser(gateway);
        let order = merchant.sign(claims);
        let body = browser.open_body(&order, parent);
        let answer = gateway.send(browser.open_with(body)).await;
        answer.assert_refused(403, "invoice_not_allowed");
    }
}

async fn reserved_key_signs_for_nobody_else(gateway: &TestGateway) {
    let (order, claims) = claims_on_page(gateway).await;
    let header = order.split('.').next().unwrap();
    let header = sealpay_protocol::encoding::from_base64url(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let kid = header["kid"].as_str().unwrap();
    assert!(kid.starts_with("sealpay."), "{kid}");
    let foreign = SigningKey::from_bytes(&random());
    for key in [&foreign, &gateway.merchant.key] {
        let forged = order::sign(&claims, kid, key).unwrap();
        let browser = browser(gateway);
        let answer = gateway.send(opening(gateway, &browser, &forged)).await;
        answer.assert_refused(401, "order_signature_invalid");
    }
    // Nobody can register it, under no merchant, as a first key or as another one.
    let public_key = base64url(foreign.verifying_key().as_bytes());
    for reserved in [kid, "sealpay.", "sealpay.other"] {
        let added = gateway
            .admin()
            .add_order_key(gateway.merchant.id, reserved, &public_key, "")
            .await;
        assert!(added.unwrap_err().contains("reserved"), "{reserved}");
    }
    // The request of a merchant is not signed with it either.
    let altered = order.replacen('.', ".A", 1);
    let browser = browser(gateway);
    let answer = gateway.send(opening(gateway, &browser, &altered)).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

async fn saved_cards_are_not_shown_to_who_has_a_link(gateway: &TestGateway) {
    use crate::agreements::agreed;
    use sealpay_protocol::agreement::AgreementKind;
    let saved = agreed(gateway, AgreementKind::CardOnFile, None).await;
    let (_, invoice) = without_agreement(gateway).await;
    let checkout = super::checkout(gateway, &invoice).await;
    assert_eq!(checkout.session.instruments, []);
    let instrument = saved["instrument"].as_str().unwrap().parse().unwrap();
    let attempt = checkout.by_saved(instrument, Some(crate::agreements::CONSENT));
    let answer = checkout.send(&attempt).await;
    answer.assert_refused(409, "instrument_unavailable");
    let answer = gateway.send(checkout.remove(instrument)).await;
    answer.assert_refused(409, "instrument_unavailable");
}

async fn expired_order_is_replaced_by_the_page(gateway: &TestGateway) {
    let (_, invoice) = without_agreement(gateway).await;
    let order = order_of(gateway, &invoice).await;
    gateway.move_clock(1801);
    let browser = gateway.browser();
    let answer = gateway.send(opening(gateway, &browser, &order)).await;
    answer.assert_refused(410, "order_expired");
    let fresh = order_of(gateway, &invoice).await;
    assert_ne!(fresh, order);
    let opened = gateway.send(opening(gateway, &browser, &fresh)).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(page(gateway, &invoice).await.status, 200);
}

on_both_databases! {
    order_names_the_invoice_and_only_the_own_origin,
    order_of_a_page_cannot_be_embedded_elsewhere,
    orders_of_merchants_cannot_name_an_invoice,
    reserved_key_signs_for_nobody_else,
    saved_cards_are_not_shown_to_who_has_a_link,
    expired_order_is_replaced_by_the_page,
}
