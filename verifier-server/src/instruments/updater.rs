//! Processes news of the account updater: replaced cards and closed accounts.

use super::model::{Instrument, InstrumentState, StoredCard};
use super::view;
use crate::agreements::store::InstrumentChange;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::idempotency::write::Written;
use crate::worker;
use sealpay_provider::CredentialVault;
use sealpay_provider::credential::{CardOnFile, CredentialStatus, CredentialUpdate};

/// Maximum number of news in one batch.
const BATCH: u32 = 64;
/// Maximum attempts of a change that conflicts with others of the same instrument.
const TRIES: usize = 8;

/// Processes one batch of news of each acquirer; returns how many were acknowledged. News is
/// acknowledged after it is recorded; until then the acquirer reports it again.
///
/// # Errors
/// The store or an acquirer does not respond.
pub async fn collect(gateway: &Gateway) -> Result<usize, ApiError> {
    let mut acknowledged = 0;
    for (provider, vault) in gateway.providers.vaults() {
        acknowledged += collect_from(gateway, provider, vault).await?;
    }
    Ok(acknowledged)
}

async fn collect_from(
    gateway: &Gateway,
    provider: &str,
    vault: &dyn CredentialVault,
) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut acknowledged = 0;
    for update in gateway.within(vault.updates(now_ms, BATCH)).await? {
        let processed = async {
            apply_everywhere(gateway, provider, &update).await?;
            Ok(gateway.within(vault.acknowledge(&update.id)).await?)
        };
        // Failed news does not block the others.
        match processed.await {
            Ok(()) => acknowledged += 1,
            Err(error) => worker::retries("news of the account updater", &update.id, &error),
        }
    }
    Ok(acknowledged)
}

async fn apply_everywhere(
    gateway: &Gateway,
    provider: &str,
    update: &CredentialUpdate,
) -> Result<(), ApiError> {
    let credential = update.credential.as_str();
    let instruments = &gateway.store.instruments;
    for instrument in instruments.list_by_credential(provider, credential).await? {
        apply(gateway, instrument, &update.status).await?;
    }
    Ok(())
}

/// Records what became of an instrument's card; returns the instrument afterwards. The worker and a
/// charge may learn of it at the same time.
///
/// # Errors
/// The store does not respond, or the instrument does not stop changing.
pub(crate) async fn apply(
    gateway: &Gateway,
    mut before: Instrument,
    status: &CredentialStatus,
) -> Result<Instrument, ApiError> {
    for _ in 0..TRIES {
        if let Some(after) = apply_once(gateway, &before, status).await? {
            return Ok(after);
        }
        let current = gateway.store.instruments.get(before.id).await?;
        before = current.ok_or(ApiError::new(ErrorCode::InstrumentUnavailable))?;
    }
    let why = "an instrument does not stop changing";
    Err(ApiError::because(ErrorCode::Overloaded, why))
}

/// The instrument afterwards; none if it has changed since it was read.
async fn apply_once(
    gateway: &Gateway,
    before: &Instrument,
    status: &CredentialStatus,
) -> Result<Option<Instrument>, ApiError> {
    let mut after = before.clone();
    let kind = match status {
        CredentialStatus::Current(_) | CredentialStatus::ContactCardholder => {
            return Ok(Some(before.clone()));
        }
        CredentialStatus::Replaced(card) => {
            after.card = replaced(gateway, before, card).await?;
            "instrument.updated"
        }
        CredentialStatus::Closed | CredentialStatus::Unknown => {
            after.state = InstrumentState::Closed;
            "instrument.closed"
        }
    };
    // Reported again, or nobody may use it any more.
    if before.state != InstrumentState::Active || after == *before {
        return Ok(Some(before.clone()));
    }
    after.sequence = before.sequence.saturating_add(1);
    after.updated_at_ms = gateway.clock.now_ms_i64();
    let previous = (after.card != before.card).then_some(&before.card);
    let event = view::event(gateway, kind, &after, previous)?;
    let change = InstrumentChange {
        before_sequence: before.sequence,
        instrument: &after,
        agreements: &[],
        events: &[event],
        request: None,
    };
    match gateway.store.agreements.change(change).await? {
        Written::Done => {
            gateway.wake_outbox();
            Ok(Some(after))
        }
        Written::Repeated(_) | Written::Moved => Ok(None),
    }
}

/// The new card. Its number is known to the acquirer only, so the fingerprint is one of the
/// acquirer's account; the customer may have saved the new card already.
async fn replaced(
    gateway: &Gateway,
    before: &Instrument,
    card: &CardOnFile,
) -> Result<StoredCard, ApiError> {
    let account = [before.provider.as_str(), &card.account].join(":");
    let fingerprint = gateway
        .encryption
        .card_fingerprint(before.merchant, &account);
    let instruments = &gateway.store.instruments;
    let other = instruments
        .get_by_card(before.customer, &fingerprint, &before.provider)
        .await?;
    let is_taken = other.is_some_and(|other| other.id != before.id);
    Ok(StoredCard {
        brand: card.brand.clone(),
        last4: card.last4.clone(),
        expiry: card.expiry.to_string(),
        fingerprint: if is_taken {
            before.card.fingerprint.clone()
        } else {
            fingerprint
        },
        country: before.card.country.clone(),
    })
}
