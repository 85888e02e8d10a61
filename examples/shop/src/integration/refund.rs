//! Returning money with the merchant API.

use super::Merchant;
use serde_json::{Value, json};

impl Merchant {
    /// Refunds a payment, or part of it; the state of the refund, `succeeded` or `pending`.
    /// `reference` is the shop's own name for it: sent twice, it is carried out once.
    pub(crate) async fn refund(
        &self,
        payment: &str,
        amount_minor: Option<i64>,
        reference: &str,
    ) -> Result<String, String> {
        let unknown = |error| format!("The outcome is unknown; send it again. {error}");
        let response = self
            .client
            .post(format!("{}/v1/payments/{payment}/refunds", self.verifier))
            .bearer_auth(self.api_key.expose())
            .header("idempotency-key", format!("{payment}-{reference}"))
            .json(&json!({ "amount": amount_minor, "reference": reference }))
            .send()
            .await
            .map_err(unknown)?;
        let body: Value = response.json().await.map_err(unknown)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match text(&body["failure"]["detail"]).or_else(|| text(&body["detail"])) {
            Some(reason) => Err(reason),
            None => text(&body["state"]).ok_or_else(|| "The response is unreadable.".into()),
        }
    }
}
