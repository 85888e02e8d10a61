//! Stored cards: what an acquirer says about them, and what a tester does to them.

mod control;
#[cfg(test)]
mod tests;

pub use control::CredentialView;

use crate::account::{Account, AccountStatus};
use crate::acquirer::Acquirer;
use crate::issuer::letters;
use crate::journal::{BankCredential, StoredUpdate, on_file};
use crate::simulation::Simulation;
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::ids::PaymentId;
use sealpay_provider::credential::{CardOnFile, CredentialStatus, CredentialUpdate};
use sealpay_provider::{CredentialReference, CredentialVault, ProviderError, ProviderFuture};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long the card that replaces another is valid, years.
const REPLACEMENT_YEARS: u16 = 3;

/// What the account updater reports about a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardUpdate {
    /// The card has a new number and a new expiry.
    Replaced,
    /// The account is closed.
    Closed,
    /// The shopper has to be asked for another card.
    ContactCardholder,
}

sealpay_protocol::names! {
    CardUpdate {
        Replaced = "replaced",
        Closed = "closed",
        ContactCardholder = "contact_cardholder",
    }
}

impl StoredUpdate {
    /// News about a credential. A moment has only one of each kind.
    pub(crate) fn new(
        (credential, provider): (&CredentialReference, &str),
        kind: CardUpdate,
        replacement: Option<(String, YearMonth)>,
        due_at_ms: i64,
    ) -> Self {
        let (last4, expiry) = replacement.unzip();
        Self {
            id: format!("{credential}:{}:{due_at_ms}", kind.name()),
            credential: credential.clone(),
            provider: provider.to_owned(),
            kind,
            last4,
            expiry: expiry.map(|expiry| expiry.to_string()),
            due_at_ms,
            is_acknowledged: false,
        }
    }
}

impl Simulation {
    /// The reference of the credential that a payment stores: the same for each repetition.
    pub(crate) fn credential_of(
        &self,
        acquirer: &str,
        reference: PaymentId,
    ) -> Option<CredentialReference> {
        let payment = format!("{acquirer}/{reference}");
        let keyed = self.keyed("credential", payment.as_bytes());
        CredentialReference::new(["crd_", &letters(&keyed[..16])].concat()).ok()
    }

    /// The card that replaces an account's card at a moment.
    pub(crate) fn replacement(
        &self,
        (account, last4): (&str, &str),
        at_ms: i64,
    ) -> (String, YearMonth) {
        let seed = format!("{account}/{at_ms}");
        let keyed = self.keyed("replacement", seed.as_bytes());
        let drawn = keyed
            .first_chunk::<4>()
            .map_or(0, |drawn| u32::from_be_bytes(*drawn))
            % 10_000;
        let is_same = last4.parse() == Ok(drawn);
        let drawn = if is_same { (drawn + 1) % 10_000 } else { drawn };
        let now = YearMonth::from_unix_seconds(u64::try_from(at_ms / 1000).unwrap_or(0));
        let expiry = YearMonth::new(now.year().saturating_add(REPLACEMENT_YEARS), now.month());
        (format!("{drawn:04}"), expiry.unwrap_or(now))
    }

    /// The card as the gateway may know it. The account and the digits identify it.
    fn card_on_file(
        &self,
        credential: &BankCredential,
        (last4, expiry): (String, YearMonth),
    ) -> CardOnFile {
        let card = format!("{}/{last4}", credential.account);
        let keyed = self.keyed("card on file", card.as_bytes());
        CardOnFile {
            brand: credential.brand.clone(),
            account: letters(&keyed[..16]),
            last4,
            expiry,
        }
    }

    /// What the account updater says about a credential that is not revoked.
    fn status_of(
        &self,
        credential: &BankCredential,
        account: Option<&Account>,
        updates: &[StoredUpdate],
    ) -> CredentialStatus {
        let card = || self.card_on_file(credential, on_file(credential, updates));
        if account.is_some_and(|account| account.status == AccountStatus::Closed) {
            return CredentialStatus::Closed;
        }
        match updates
            .last()
            .map(|update| (update.kind, update.is_acknowledged))
        {
            Some((CardUpdate::Closed, _)) => CredentialStatus::Closed,
            Some((CardUpdate::ContactCardholder, _)) => CredentialStatus::ContactCardholder,
            Some((CardUpdate::Replaced, false)) => CredentialStatus::Replaced(card()),
            Some((CardUpdate::Replaced, true)) | None => CredentialStatus::Current(card()),
        }
    }

    async fn credential_status(
        &self,
        acquirer: &str,
        reference: &CredentialReference,
    ) -> Result<CredentialStatus, ProviderError> {
        let found = self.journal.credential(reference).await?;
        let is_here =
            |found: &BankCredential| found.provider == acquirer && found.revoked_at_ms.is_none();
        let Some(credential) = found.filter(is_here) else {
            return Ok(CredentialStatus::Unknown);
        };
        let now_ms = self.clock.now_ms_i64();
        let updates = self.journal.updates_of(reference, now_ms).await?;
        let account = self.journal.account(&credential.account).await?;
        Ok(self.status_of(&credential, account.as_ref(), &updates))
    }

    async fn credential_updates(
        &self,
        acquirer: &str,
        by_ms: i64,
        limit: u32,
    ) -> Result<Vec<CredentialUpdate>, ProviderError> {
        let due = self.journal.due_updates(acquirer, by_ms, limit).await?;
        let mut updates = Vec::with_capacity(due.len());
        for update in due {
            let Some(credential) = self.journal.credential(&update.credential).await? else {
                continue;
            };
            let status = match update.kind {
                CardUpdate::Closed => CredentialStatus::Closed,
                CardUpdate::ContactCardholder => CredentialStatus::ContactCardholder,
                CardUpdate::Replaced => {
                    let card = on_file(&credential, std::slice::from_ref(&update));
                    CredentialStatus::Replaced(self.card_on_file(&credential, card))
                }
            };
            updates.push(CredentialUpdate {
                id: update.id,
                credential: update.credential,
                status,
                at_ms: update.due_at_ms,
            });
        }
        Ok(updates)
    }
}

impl CredentialVault for Acquirer {
    fn status<'a>(
        &'a self,
        credential: &'a CredentialReference,
    ) -> ProviderFuture<'a, CredentialStatus> {
        let acquirer = &self.terms.name;
        Box::pin(self.simulation.credential_status(acquirer, credential))
    }

    fn updates(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CredentialUpdate>> {
        let acquirer = &self.terms.name;
        Box::pin(self.simulation.credential_updates(acquirer, by_ms, limit))
    }

    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()> {
        Box::pin(self.simulation.journal.acknowledge_update(id))
    }

    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            let now_ms = self.simulation.clock.now_ms_i64();
            let journal = &self.simulation.journal;
            journal
                .revoke_credential(&self.terms.name, credential, now_ms)
                .await
        })
    }
}
