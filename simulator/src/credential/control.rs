//! Testers see stored cards and report news of the account updater, in test mode only.

use super::CardUpdate;
use crate::SimulatedBank;
use crate::account::AccountStatus;
use crate::control::{AccountRequest, AccountView, ControlError};
use crate::journal::{BankCredential, StoredUpdate, on_file};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_provider::ProviderError;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Maximum number of stored cards that are listed at once.
const LISTED: u32 = 200;

/// Maximum number of reports of the account updater that are read for a list.
const REPORTS: u32 = 1_000;

/// A stored card, for testers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CredentialView {
    /// The acquirer's reference.
    pub reference: String,
    /// The acquirer that stored it.
    pub acquirer: String,
    /// The agreement that it was stored for: `card_on_file`, `subscription`, `instalment` or
    /// `unscheduled`.
    pub kind: &'static str,
    /// The last four digits of the present card.
    pub last4: String,
    /// The expiry of the present card, `YYYY-MM`.
    pub expiry: String,
    /// `current`, `revoked`, or what the account updater reported last: `replaced`, `closed` or
    /// `contact_cardholder`.
    pub status: &'static str,
    /// Decided payments that the merchant initiated.
    pub charges: i64,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

impl CredentialView {
    fn new(credential: BankCredential, updates: &[StoredUpdate]) -> Self {
        let (last4, expiry) = on_file(&credential, updates);
        let reported = updates.last().map(|update| update.kind.name());
        let is_revoked = credential.revoked_at_ms.is_some();
        Self {
            reference: credential.reference.to_string(),
            acquirer: credential.provider,
            kind: AgreementKind::name(credential.kind),
            last4,
            expiry: expiry.to_string(),
            status: if is_revoked {
                "revoked"
            } else {
                reported.unwrap_or("current")
            },
            charges: credential.charges,
            created_at_ms: credential.created_at_ms,
        }
    }
}

impl SimulatedBank {
    pub(crate) async fn newest_credentials(&self) -> Result<Vec<BankCredential>, ProviderError> {
        self.simulation.journal.newest_credentials(LISTED).await
    }

    pub(crate) async fn credentials_of(
        &self,
        account: &str,
    ) -> Result<Vec<BankCredential>, ProviderError> {
        let journal = &self.simulation.journal;
        journal.credentials_of(account, LISTED).await
    }

    /// Adds stored cards to their accounts.
    pub(crate) async fn add_credentials(
        &self,
        accounts: &mut [AccountView],
        stored: Vec<BankCredential>,
    ) -> Result<(), ProviderError> {
        let journal = &self.simulation.journal;
        if stored.is_empty() {
            return Ok(());
        }
        let now_ms = self.simulation.clock.now_ms_i64();
        let mut updates: HashMap<_, Vec<StoredUpdate>> = HashMap::new();
        for update in journal.newest_updates(now_ms, REPORTS).await? {
            let of_credential = updates.entry(update.credential.clone());
            of_credential.or_default().push(update);
        }
        let mut by_account: HashMap<String, Vec<CredentialView>> = HashMap::new();
        for credential in stored {
            let account = credential.account.clone();
            let reported = updates
                .get(&credential.reference)
                .map_or(&[][..], |all| all);
            let view = CredentialView::new(credential, reported);
            by_account.entry(account).or_default().push(view);
        }
        for account in accounts {
            account.credentials = by_account.remove(&account.id).unwrap_or_default();
        }
        Ok(())
    }

    /// The issuer replaces the card of an account, closes the account, or wants the cardholder to be
    /// asked; the account updater reports it about every stored card of the account. The account is
    /// named as for [`SimulatedBank::account`].
    ///
    /// # Errors
    /// There is none, or the journal failed.
    pub async fn update_card(
        &self,
        name: &str,
        update: CardUpdate,
    ) -> Result<AccountView, ControlError> {
        let simulation = &self.simulation;
        let journal = &simulation.journal;
        let mut account = self.find(name).await?;
        let now_ms = simulation.clock.now_ms_i64();
        let replaced = update == CardUpdate::Replaced;
        let card = replaced.then(|| simulation.replacement((&account.id, &account.last4), now_ms));
        let credentials = journal.credentials_of(&account.id, u32::MAX).await?;
        let credentials = credentials.iter();
        let valid = credentials.filter(|credential| credential.revoked_at_ms.is_none());
        let updates = valid.map(|credential| {
            let about = (&credential.reference, credential.provider.as_str());
            StoredUpdate::new(about, update, card.clone(), now_ms)
        });
        if update == CardUpdate::Closed {
            let closed = AccountRequest {
                status: Some(AccountStatus::Closed),
                ..AccountRequest::default()
            };
            journal.change_account(account.clone(), closed).await?;
        }
        if let Some((last4, _)) = card.clone() {
            account.last4 = last4;
            journal.replace_card(account.clone()).await?;
        }
        journal.add_updates(updates.collect()).await?;
        self.account(&account.id).await
    }
}
