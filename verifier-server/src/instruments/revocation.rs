//! Has providers delete the credentials that no instrument uses any more.

use crate::agreements::revoke;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::worker;
use sealpay_provider::CredentialReference;

/// Maximum number of credentials in one batch.
const BATCH: u32 = 64;

/// The pause before a provider that did not respond is asked again, milliseconds.
const RETRY_MS: i64 = 60 * 1000;

/// How long erased customers are looked through for instruments that a payment saved meanwhile,
/// milliseconds.
const ERASED_MS: i64 = 24 * 60 * 60 * 1000;

/// Deletes one batch of credentials; returns how many were deleted.
///
/// # Errors
/// The store does not respond.
pub async fn revoke_due(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let instruments = &gateway.store.instruments;
    let since_ms = now_ms.saturating_sub(ERASED_MS);
    for instrument in instruments.of_erased(since_ms, BATCH).await? {
        revoke::detach(gateway, None, instrument.id).await?;
    }
    let mut deleted = 0;
    for (provider, credential) in instruments.revocations(now_ms, BATCH).await? {
        // The customer may have saved the card again.
        let is_over = instruments.is_in_use(&provider, &credential).await?
            || revoke_one(gateway, &provider, &credential).await;
        if is_over {
            instruments.end_revocation(&provider, &credential).await?;
            deleted += 1;
        } else {
            let due_ms = now_ms.saturating_add(RETRY_MS);
            instruments
                .postpone_revocation(&provider, &credential, due_ms)
                .await?;
        }
    }
    Ok(deleted)
}

/// Whether the provider has deleted the credential.
async fn revoke_one(gateway: &Gateway, provider: &str, credential: &str) -> bool {
    let Ok(reference) = CredentialReference::new(credential) else {
        return true;
    };
    let debits = gateway.providers.direct_debits.as_deref();
    let debits = debits.filter(|debits| debits.name() == provider);
    let revoking = match (gateway.providers.credentials(provider), debits) {
        (Some(vault), _) => vault.revoke(&reference),
        (None, Some(debits)) => debits.revoke(&reference),
        (None, None) => {
            tracing::warn!(
                provider,
                "a credential cannot be deleted: its provider is not configured"
            );
            return false;
        }
    };
    match gateway.within(revoking).await {
        Ok(()) => true,
        Err(error) => {
            worker::retries("the deletion of a credential", &provider, &error.into());
            false
        }
    }
}
