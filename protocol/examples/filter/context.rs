//! The `context` member of `seal` and `open`: the payment that a card is bound to.

use crate::filter::Refusal;
use crate::hex;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::envelope::SealContext;
use sealpay_protocol::ids::{AttemptId, MerchantId, SessionId};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::origin::Origin;
use serde::Deserialize;

/// The member `context`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    verifier_origin: Origin,
    merchant: MerchantId,
    session: SessionId,
    amount: i64,
    currency: Currency,
    session_expires_at: u64,
    attempt: AttemptId,
    thumbprint: String,
    order_digest: String,
}

impl Context {
    /// Calls `then` with the library's context. The context borrows, so it cannot be returned.
    pub(crate) fn lend<T>(
        &self,
        then: impl FnOnce(&SealContext<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let money = Money::charge(self.amount, self.currency)
            .map_err(|error| Refusal::new("amount_invalid", error))?;
        let thumbprint = Thumbprint::parse(&self.thumbprint).ok_or_else(|| {
            let message = "thumbprint must be 32 bytes in base64url";
            Refusal::new("malformed_request", message)
        })?;
        then(&SealContext {
            verifier_origin: &self.verifier_origin,
            merchant: self.merchant,
            session: self.session,
            money,
            session_expires_at: self.session_expires_at,
            attempt: self.attempt,
            thumbprint: &thumbprint,
            order_digest: &hex::bytes("order_digest", &self.order_digest)?,
        })
    }
}
