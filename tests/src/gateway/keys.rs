//! API keys of a test's merchants.

use super::TestGateway;
use sealpay_protocol::ids::MerchantId;
use verifier_server::flow::api_keys::{Limits, read_scopes};
use verifier_server::flow::register::Registrar;

impl TestGateway {
    /// What registers merchants and what belongs to them.
    #[must_use]
    pub fn registrar(&self) -> Registrar<'_> {
        let inner = &self.server.state.gateway;
        Registrar {
            store: inner.store(),
            vault: inner.vault(),
            clock: inner.clock(),
            entropy: inner.entropy(),
            livemode: inner.livemode(),
        }
    }

    /// A key of a merchant for these scopes, and its name.
    ///
    /// # Panics
    /// When the scopes are none.
    pub async fn limited_key(
        &self,
        merchant: MerchantId,
        scopes: &str,
        days: Option<u32>,
    ) -> (String, String) {
        let limits = Limits {
            scopes: read_scopes(scopes).expect("scopes"),
            expires_in_days: days,
        };
        let registrar = self.registrar();
        let made = registrar.add_limited_api_key(merchant, &limits).await;
        let made = made.expect("a key");
        (made.plaintext.to_string(), made.record.id.to_string())
    }
}
