//! Accounts in another currency than the payment's: debits are exchanged by the bank's rates and
//! rounded up.

use super::{ledger, number_of};
use harness::gateway::TestGateway;
use sealpay_protocol::order::Capture;
use serde_json::json;

/// The account, the payment's amount and currency, what that is in the account's currency.
const ROWS: [(&str, i64, &str, i64); 8] = [
    ("dolly_dollar_account", 8_600, "EUR", 10_000),
    ("dolly_dollar_account", 1, "EUR", 2),
    ("dolly_dollar_account", 2_490, "USD", 2_490),
    ("dolly_dollar_account", 1_000, "JPY", 640),
    ("perry_pound_account", 1_140, "EUR", 1_000),
    ("perry_pound_account", 1_141, "EUR", 1_001),
    ("yuki_yen_account", 55, "EUR", 100),
    ("yuki_yen_account", 56, "EUR", 102),
];

#[tokio::test]
async fn debit_in_another_currency_is_exchanged_and_one_unit_less_is_declined() {
    let gateway = TestGateway::start().await;
    for (name, amount, currency, taken) in ROWS {
        for (capture, lies_there, reason) in [
            (Capture::Automatic, taken, None),
            (Capture::Manual, taken, None),
            (Capture::Automatic, taken - 1, Some("insufficient_funds")),
        ] {
            let what = format!("{name}: {amount} {currency}, {capture:?}, {lies_there} there");
            gateway
                .change_account(name, &json!({"balance_minor": 900_000}))
                .await;
            let held = ledger(&gateway, name).await.held;
            let order = json!({"balance_minor": held + lies_there});
            gateway.change_account(name, &order).await;
            let before = ledger(&gateway, name).await;
            let checkout = gateway
                .checkout(|claims| {
                    claims.amount = amount;
                    claims.currency = currency.into();
                    claims.capture = capture;
                })
                .await;
            let view = checkout.pay(&checkout.by_card(number_of(name))).await;
            let payment = gateway.payment(view.payment).await;
            assert_eq!(payment["decline"]["code"].as_str(), reason, "{what}");
            let after = ledger(&gateway, name).await;
            let spent = (before.balance - after.balance, after.held - before.held);
            let expected = match (reason, capture) {
                (Some(_), _) => (0, 0),
                (None, Capture::Automatic) => (taken, 0),
                (None, Capture::Manual) => (0, taken),
            };
            assert_eq!(spent, expected, "{what}");
            let counted = if reason.is_none() { taken } else { 0 };
            assert_eq!(after.sum - before.sum, counted, "{what}");
        }
    }
    gateway.finish().await;
}
