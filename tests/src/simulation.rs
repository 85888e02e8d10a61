//! What a tester orders of the simulated bank and clock around an environment: time, phones, money.

use crate::environment::TestEnvironment;
use reqwest::Method;
use serde_json::{Value, json};

/// A minute of the simulated clock, in seconds.
pub const MINUTE: u64 = 60;
/// A day of it.
pub const DAY: u64 = 24 * 60 * MINUTE;

impl TestEnvironment {
    /// Advances the simulated clock; what became due is done when this returns.
    pub async fn move_clock(&self, seconds: u64) {
        let order = json!({ "advance_seconds": seconds });
        self.command(Method::POST, "/sim/clock", &order).await;
    }

    /// The newest one-time code on the phone of a persona.
    pub async fn code_on_phone_of(&self, persona: &str) -> String {
        let path = format!("/sim/phone?persona={persona}&limit=1");
        let messages = self.public(&path).await;
        let messages: Value = serde_json::from_str(&messages).expect("messages are JSON");
        let code = messages["data"][0]["code"].as_str();
        code.unwrap_or_else(|| panic!("no code for {persona} in {messages}"))
            .to_owned()
    }

    /// Sends money under a reference, which arrives at once; what the bank did with it.
    pub async fn send_money(&self, reference: &str, amount_minor: i64) -> String {
        let order = json!({ "reference": reference, "amount": amount_minor, "currency": "EUR" });
        let sent = self.command(Method::POST, "/sim/transfers", &order).await;
        let state = sent["state"].as_str();
        state.expect("a transfer has a state").to_owned()
    }

    /// The shopper's bank takes back all of a payment.
    pub async fn dispute(&self, payment: &str) {
        let order = json!({ "payment": payment, "reason": "fraudulent" });
        self.command(Method::POST, "/sim/disputes", &order).await;
    }
}

/// Another code than this one.
#[must_use]
pub fn wrong(code: &str) -> String {
    let last = code.chars().last().and_then(|digit| digit.to_digit(10));
    let other = (last.expect("a code is made of digits") + 1) % 10;
    format!("{}{other}", &code[..code.len() - 1])
}
