//! Routes by brand, currency, country and amount.

use super::{bank_authorizations_of, number};
use harness::gateway::TestGateway;
use sealpay_protocol::api::ShopperState;
use serde_json::json;

#[tokio::test]
async fn brand_currency_country_and_amount_select_the_acquirer() {
    let gateway = TestGateway::start().await;
    let (german, american) = (number("4", 1), number("44", 1));
    let rows = [
        ("4242424242424242", 2490, "EUR", "harbor", "european_cards"),
        ("5555555555554444", 2490, "EUR", "harbor", "european_cards"),
        (&german, 2490, "EUR", "harbor", "european_cards"),
        // The currency decides, not the issuer: euros go to the acquirer for euros.
        (&american, 2490, "EUR", "harbor", "european_cards"),
        (&american, 2490, "USD", "meridian", "american_cards"),
        (&german, 2490, "USD", "meridian", "cheapest"),
        ("378282246310005", 2490, "EUR", "meridian", "cheapest"),
        ("6011111111111117", 2490, "USD", "meridian", "cheapest"),
        ("3530111333300000", 2490, "JPY", "meridian", "cheapest"),
        ("6200000000000005", 2490, "EUR", "meridian", "cheapest"),
        ("4242424242424242", 2490, "JPY", "meridian", "cheapest"),
        // 1.65 % and 2 is less than 1.10 % and 8 up to 10.90.
        ("4242424242424242", 900, "GBP", "meridian", "cheapest"),
        ("4242424242424242", 9000, "GBP", "harbor", "cheapest"),
        ("4242424242424242", 9000, "SEK", "harbor", "cheapest"),
    ];
    for (number, amount, currency, provider, reason) in rows {
        let what = format!("…{} {amount} {currency}", &number[12..]);
        let checkout = gateway
            .checkout(|claims| {
                claims.amount = amount;
                claims.currency = currency.into();
            })
            .await;
        let view = checkout.pay(&checkout.by_card(number)).await;
        assert_eq!(view.state, ShopperState::Captured, "{what}");
        let payment = gateway.payment(view.payment).await;
        let route = json!({"provider": provider, "reason": reason});
        assert_eq!(payment["route"], route, "{what}");
        let events = gateway.events_of(view.payment).await;
        assert_eq!(
            events[0]["body"]["data"]["payment"]["route"], route,
            "{what}"
        );
        let book = bank_authorizations_of(&gateway, view.payment).await;
        assert_eq!(book, [[provider, "booked"]], "{what}");
        // The shopper hears of none of it.
        let shown = serde_json::to_string(&view).unwrap();
        assert!(
            !shown.contains(provider) && !shown.contains("route"),
            "{shown}"
        );
    }
    gateway.finish().await;
}
