//! What a tester orders of the simulated world around a stage: time, phones, money.

#![expect(
    clippy::expect_used,
    reason = "a test whose world does not obey has to stop"
)]

use crate::stage::Stage;
use reqwest::Method;
use serde_json::{Value, json};

/// A minute of the world's clock, seconds.
pub const MINUTE: u64 = 60;
/// A day of it.
pub const DAY: u64 = 24 * 60 * MINUTE;

impl Stage {
    /// Moves the world's clock; what became due is done when this returns.
    pub async fn move_clock(&self, seconds: u64) {
        let order = json!({ "advance_seconds": seconds });
        self.command(Method::POST, "/sim/clock", &order).await;
    }

    /// The newest one-time code on the phone of a persona.
    ///
    /// # Panics
    /// When there is none.
    pub async fn code_on_phone_of(&self, persona: &str) -> String {
        let path = format!("/sim/phone?persona={persona}&limit=1");
        let messages = self.public(&path).await;
        let messages: Value = serde_json::from_str(&messages).expect("messages are JSON");
        let code = messages["data"][0]["code"].as_str();
        code.unwrap_or_else(|| panic!("no code for {persona} in {messages}"))
            .to_owned()
    }

    /// Sends money under a reference, which arrives at once; what the bank did with it.
    ///
    /// # Panics
    /// When the bank does not take it.
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
///
/// # Panics
/// When this is no code.
#[must_use]
pub fn wrong(code: &str) -> String {
    let last = code.chars().last().and_then(|digit| digit.to_digit(10));
    let other = (last.expect("a code is made of digits") + 1) % 10;
    format!("{}{other}", &code[..code.len() - 1])
}
