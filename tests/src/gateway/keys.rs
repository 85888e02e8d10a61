//! API keys of a test's merchants.

use super::TestGateway;
use sealpay_protocol::ids::MerchantId;
use verifier_server::auth::api_keys::read_scopes;
use verifier_server::gateway::Gateway;
use verifier_server::merchants::api_keys::Limits;
use verifier_server::merchants::register::MerchantAdmin;

/// What registers merchants at a verifier.
#[must_use]
pub fn admin_of(gateway: &Gateway) -> MerchantAdmin<'_> {
    MerchantAdmin {
        store: gateway.store(),
        encryption: gateway.encryption(),
        clock: gateway.clock(),
        rng: gateway.rng(),
        livemode: gateway.livemode(),
    }
}

impl TestGateway {
    /// What registers merchants and what belongs to them.
    #[must_use]
    pub fn admin(&self) -> MerchantAdmin<'_> {
        admin_of(&self.server.state.gateway)
    }

    /// A key of a merchant for these scopes, and its name.
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
        let admin = self.admin();
        let made = admin.add_limited_api_key(merchant, &limits).await;
        let made = made.expect("a key");
        (made.plaintext.to_string(), made.record.id.to_string())
    }
}
