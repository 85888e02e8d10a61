//! The page of an order, in every state that a shopper sees.

use super::{event, shop};
use crate::integration::state::Order;
use serde_json::{Value, json};

/// State of the payment | method and details | state of the order | whether it may be paid | texts.
const STATES: &str = "\
requires_action | card | waiting_for_shopper | yes | confirm it’s you; Continue payment
requires_action | wallet | waiting_for_shopper | yes | in your wallet
requires_action | transfer 0 | waiting_for_transfer | no | Transfer €49.80; DE89 3704 0044 05; RF18
requires_action | transfer 980 | waiting_for_transfer | no | Transfer €40.00; COBADEFFXXX
expired | transfer 980 | expired | yes | Only €9.80 of €49.80 arrived; Pay again
expired | transfer 0 | expired | yes | Your transfer didn’t arrive in time
expired | card | expired | yes | The hold on your card expired
declined | card no_funds | declined | yes | Your bank declined; Try again; no_funds; Not &lt;that&gt;.
declined | card threeds_failed | declined | yes | Your bank couldn’t confirm it’s you
declined | wallet wallet_refused | declined | yes | Payment cancelled; You cancelled in your wallet
unknown | card | checking | no | Please don’t pay again
authorized | card | reserved | no | hold of €49.80 on your card; visa •••• 4242
partially_captured | sums 2000 0 0 | partially_captured | no | charged €20.00 of €49.80
captured | sums 4980 0 0 | paid | no | We’ve received your €49.80
captured | sums 3000 0 0 | paid | no | €30.00 of €49.80; the rest won’t be charged
captured | sums 4980 0 4980 | paid | no | You asked your bank to return €49.80
partially_refunded | sums 3000 500 0 | partially_refunded | no | refunded €5.00; <s>€49.80</s>; €25.00
refunded | sums 3000 3000 0 | refunded | no | We’ve refunded €30.00
voided | card | voided | no | You haven’t been charged";

fn payment(details: &str) -> Value {
    let number = |text: &str| text.parse::<i64>().unwrap();
    match details.split(' ').collect::<Vec<_>>()[..] {
        ["transfer", received] => json!({ "method": "bank_transfer", "card": null, "transfer": {
            "iban": "DE89370400440532013000", "holder": "Paper Lantern", "bic": "COBADEFFXXX",
            "reference": "RF18 5390 0754", "received": number(received) } }),
        ["sums", captured, refunded, disputed] => json!({
            "amount_captured": number(captured), "amount_refunded": number(refunded),
            "amount_disputed": number(disputed) }),
        ["wallet"] => json!({ "method": "wallet", "card": null }),
        [method, code] => json!({ "method": method,
            "decline": { "code": code, "response_code": "51", "detail": "Not <that>." },
            "authentication": (code == "threeds_failed").then(|| json!({ "status": "rejected" })) }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn order_page_explains_every_state_and_offers_to_pay_only_when_that_is_safe() {
    let shop = shop("states");
    for (place, row) in STATES.lines().enumerate() {
        let [state, details, expected, is_payable, texts] =
            row.split(" | ").collect::<Vec<_>>()[..]
        else {
            panic!("{row}")
        };
        let reference = shop.order().await;
        shop.signed(&reference).await;
        let event = event(&reference, 1, state, payment(details));
        shop.deliver(&place.to_string(), &event).await;
        assert_eq!(shop.state(&reference).await, expected, "{row}");
        let page = shop.get(&format!("/orders/{reference}")).await.text;
        for text in texts.split("; ") {
            assert!(page.contains(text), "{text} in {page}");
        }
        let link = format!("href=\"/checkout/{reference}\"");
        assert_eq!(page.contains(&link), is_payable == "yes", "{row}");
        let list = shop.get("/orders").await.text;
        assert!(
            list.contains(&format!("class=\"pill {expected}\"")),
            "{list}"
        );
    }
}

#[tokio::test]
async fn shopper_who_paid_is_asked_to_wait_and_later_not_to_pay_again() {
    let shop = shop("confirming");
    let reference = shop.order().await;
    let path = format!("/orders/{reference}");
    assert!(shop.get(&path).await.text.contains("Go to payment"));
    for path in [format!("{path}?from=form"), path.clone()] {
        let page = shop.get(&path).await.text;
        assert!(page.contains("we’re confirming your payment"), "{page}");
        assert!(!page.contains("Go to payment"), "{page}");
    }
    let age = |order: &mut Order| {
        let returned_at = order.details["returned_at"].as_u64().unwrap();
        order.details["returned_at"] = json!(returned_at - 300);
    };
    let before = shop.get(&format!("{path}/status")).await.text;
    shop.merchant
        .orders
        .update(&reference, age)
        .unwrap()
        .unwrap();
    assert_ne!(shop.get(&format!("{path}/status")).await.text, before);
    let page = shop.get(&path).await.text;
    assert!(
        page.contains("If you’ve paid, please don’t pay again."),
        "{page}"
    );
    shop.deliver("evt_1", &event(&reference, 1, "captured", json!({})))
        .await;
    let page = shop.get(&path).await.text;
    assert!(page.contains("We’ve received your €49.80"), "{page}");
    assert!(
        page.contains("href=\"http://127.0.0.1:2/sim#pay_1\""),
        "{page}"
    );
}
