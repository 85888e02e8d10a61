//! The audit trail of commands, and the command that reads and verifies it.

use super::api_keys::ApiKeyCommand;
use super::{Merchant, print_json};
use crate::config::Config;
use crate::domain::audit::{AuditEntry, OPERATOR};
use crate::flow::audit::{self, AuditRecord};
use crate::server::Parts;
use clap::Args;
use sealpay_protocol::ids::{MerchantId, RequestId};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct AuditCommand {
    /// Only verify the trail; print the number of rows and the last hash.
    #[arg(long)]
    verify: bool,
    /// Only rows of this merchant.
    #[arg(long)]
    merchant: Option<MerchantId>,
}

/// Prints the trail, the oldest row first, and verifies it on the way.
pub(super) async fn run(config: &Config, command: &AuditCommand) -> Result<(), String> {
    let parts = Parts::open(config).await?;
    let verified = audit::verify(&parts.store, &parts.vault, |row| {
        let is_wanted = command.merchant.is_none() || command.merchant == row.entry.merchant;
        if command.verify || !is_wanted {
            return Ok(());
        }
        let merchant = row.entry.merchant.map(|merchant| merchant.to_string());
        let mut line = serde_json::to_value(AuditRecord::of(row.clone()))
            .map_err(|error| error.to_string())?;
        line["merchant"] = json!(merchant);
        line["sequence"] = json!(row.sequence);
        print_json(&line, true)
    });
    let verified = verified.await;
    parts.store.close().await;
    let (rows, hash) = verified?;
    if command.verify {
        print_json(&json!({"rows": rows, "last_hash": hash}), true)?;
    }
    Ok(())
}

/// What a command changes: its name, the merchant, and the thing that it names.
#[derive(Debug)]
pub(super) struct Change {
    action: &'static str,
    merchant: Option<MerchantId>,
    subject: Option<String>,
}

impl Change {
    pub(super) const fn new(
        action: &'static str,
        merchant: Option<MerchantId>,
        subject: Option<String>,
    ) -> Self {
        Self {
            action,
            merchant,
            subject,
        }
    }

    /// What a command for merchants changes; none where it only reads. What is named by its own id
    /// belongs to a merchant that is looked up.
    pub(super) async fn of(command: &Merchant, parts: &Parts) -> Option<Self> {
        let of = |action, merchant: &MerchantId, subject: Option<&String>| {
            Some(Self::new(action, Some(*merchant), subject.cloned()))
        };
        match command {
            Merchant::Add(_) | Merchant::List => None,
            Merchant::SetReserve(command) => of("merchant set-reserve", &command.merchant(), None),
            Merchant::AddKey {
                merchant, key_id, ..
            } => of("merchant add-key", merchant, Some(key_id)),
            Merchant::RetireKey { merchant, key_id } => {
                of("merchant retire-key", merchant, Some(key_id))
            }
            Merchant::AddOrigin { merchant, origin } => {
                of("merchant add-origin", merchant, Some(origin))
            }
            Merchant::RemoveOrigin { merchant, origin } => {
                of("merchant remove-origin", merchant, Some(origin))
            }
            Merchant::AddWebhook { merchant, url } => {
                of("merchant add-webhook", merchant, Some(url))
            }
            Merchant::DisableWebhook { endpoint } => {
                let found = parts.store.endpoint_by_id(*endpoint).await.ok().flatten();
                let merchant = found.map(|found| found.merchant);
                let subject = Some(endpoint.to_string());
                Some(Self::new("merchant disable-webhook", merchant, subject))
            }
            Merchant::ApiKeys(command) => Some(Self::of_api_keys(command, parts).await),
        }
    }

    async fn of_api_keys(command: &ApiKeyCommand, parts: &Parts) -> Self {
        let (action, key) = match command {
            ApiKeyCommand::Add { merchant, .. } => {
                return Self::new("merchant add-api-key", Some(*merchant), None);
            }
            ApiKeyCommand::Rotate { key, .. } => ("merchant rotate-api-key", key),
            ApiKeyCommand::Revoke { key } => ("merchant revoke-api-key", key),
        };
        let found = parts.store.api_key(*key).await.ok().flatten();
        let merchant = found.map(|found| found.merchant);
        Self::new(action, merchant, Some(key.to_string()))
    }

    /// Writes the row of a command that has ended.
    pub(super) async fn note<T>(
        self,
        parts: &Parts,
        outcome: &Result<T, String>,
    ) -> Result<(), String> {
        let entry = AuditEntry {
            request: RequestId::new(parts.clock.now_ms(), parts.entropy.bytes()),
            merchant: self.merchant,
            actor: OPERATOR.into(),
            action: self.action.into(),
            subject: self.subject,
            source: "command line".into(),
            outcome: if outcome.is_ok() { "done" } else { "failed" }.into(),
            at_ms: parts.clock.now_ms_i64(),
        };
        audit::append(&parts.store, &parts.vault, entry)
            .await
            .map_err(|error| {
                format!("it is done, and the audit trail could not be written: {error}")
            })
    }
}
