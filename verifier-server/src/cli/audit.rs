//! Audits commands, and implements the command that prints and verifies the audit trail.

use super::api_keys::ApiKeyCommand;
use super::{Merchant, print_json};
use crate::app::Parts;
use crate::auth::audit;
use crate::auth::audit::AuditRecord;
use crate::auth::audit::model::{AuditEntry, OPERATOR};
use crate::config::Config;
use crate::gateway::Gateway;
use crate::keys::key_ring::KeyRing;
use crate::keys::model::KeyPurpose;
use crate::store::DatabaseError;
use clap::Args;
use sealpay_protocol::ids::{MerchantId, RequestId};
use sealpay_system::{Clock, Rng};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct AuditCommand {
    /// Only verify the trail; print the number of rows and the last hash.
    #[arg(long)]
    verify: bool,
    /// Fail unless the trail still has this row with this hash, as an earlier `--verify` or the
    /// server's log gave them: without that, nothing tells whether its end was cut off.
    #[arg(long, requires = "verify", value_name = "ROW:HASH", value_parser = anchor)]
    expect: Option<Anchor>,
    /// Only rows of this merchant.
    #[arg(long)]
    merchant: Option<MerchantId>,
}

/// With another master key every row would appear altered.
async fn opens_its_keys(parts: &Parts) -> Result<(), String> {
    let inside = |error: DatabaseError| error.to_string();
    for purpose in [KeyPurpose::Sealing, KeyPurpose::Webhook] {
        let keys = parts.store.keys.list(purpose).await.map_err(inside)?;
        KeyRing::open(keys, &parts.encryption, parts.clock.now())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A row whose hash is known from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Anchor {
    row: i64,
    hash: String,
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let read = || {
        let (row, hash) = text.split_once(':')?;
        let row = row.parse().ok().filter(|row| *row > 0)?;
        let hash = (hash.len() == 43).then(|| hash.to_owned())?;
        Some(Anchor { row, hash })
    };
    read().ok_or_else(|| "give the row and its hash, such as 17:ZYSy…".into())
}

/// Prints the trail, oldest row first, and verifies it meanwhile.
pub(super) async fn run(config: &Config, command: &AuditCommand) -> Result<(), String> {
    let parts = Parts::open_existing(config).await?;
    opens_its_keys(&parts).await?;
    let mut is_expected = command.expect.is_none();
    let verified = audit::verify(&parts.store, &parts.encryption, |row| {
        if let Some(anchor) = &command.expect {
            is_expected |= row.sequence == anchor.row && row.hash == anchor.hash;
        }
        let is_wanted = command.merchant.is_none() || command.merchant == row.entry.merchant;
        if command.verify || !is_wanted {
            return Ok(());
        }
        let merchant = row.entry.merchant.map(|merchant| merchant.to_string());
        let mut line = serde_json::to_value(AuditRecord::new(row.clone()))
            .map_err(|error| error.to_string())?;
        line["merchant"] = json!(merchant);
        line["sequence"] = json!(row.sequence);
        print_json(&line, true)
    });
    let verified = verified.await;
    parts.store.close().await;
    let (rows, hash) = verified?;
    if !is_expected {
        return Err(
            "the audit trail fits together and does not have the expected row: its end was cut off, \
             or it is of another database"
                .into(),
        );
    }
    if command.verify {
        print_json(&json!({"rows": rows, "last_hash": hash}), true)?;
    }
    Ok(())
}

fn unwritten(error: DatabaseError) -> String {
    format!("it is done, and the audit trail could not be written: {error}")
}

/// The audited change of a command: its name, the merchant, and the resource.
#[derive(Debug)]
pub(super) struct Change {
    action: String,
    merchant: Option<MerchantId>,
    subject: Option<String>,
}

impl Change {
    pub(super) fn new(action: &str, merchant: Option<MerchantId>, subject: Option<String>) -> Self {
        Self {
            action: action.to_owned(),
            merchant,
            subject,
        }
    }

    /// The change made by a merchant command; none if it only reads. For a resource named by its
    /// own id, the merchant is looked up.
    pub(super) async fn from_command(command: &Merchant, parts: &Parts) -> Option<Self> {
        let of = |action, merchant: &MerchantId, subject: Option<&String>| {
            Some(Self::new(action, Some(*merchant), subject.cloned()))
        };
        match command {
            Merchant::Add(_) | Merchant::List => None,
            Merchant::SetReserve(command) => of("merchant set-reserve", &command.merchant(), None),
            Merchant::SetCreditorIdentifier(command) => of(
                "merchant set-creditor-identifier",
                &command.merchant(),
                Some(&command.identifier().to_owned()),
            ),
            Merchant::SetPayoutAccount(command) => of(
                "merchant set-payout-account",
                &command.merchant(),
                Some(&command.iban().to_owned()),
            ),
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
                let found = parts.store.endpoints.get(*endpoint).await.ok().flatten();
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
        let found = parts.store.api_keys.get(*key).await.ok().flatten();
        let merchant = found.map(|found| found.merchant);
        Self::new(action, merchant, Some(key.to_string()))
    }

    /// Adds the id of the created resource, if none was named before.
    pub(super) fn of_made(self, made: Option<&String>) -> Self {
        Self {
            subject: self.subject.or_else(|| made.cloned()),
            ..self
        }
    }

    /// Audits a completed command.
    pub(super) async fn note<T>(
        self,
        parts: &Parts,
        outcome: &Result<T, String>,
    ) -> Result<(), String> {
        let entry = self.entry(&parts.clock, &parts.rng, outcome.is_ok());
        let written = audit::append(&parts.store, &parts.encryption, entry);
        written.await.map_err(unwritten)
    }

    /// The same, for a command that runs with a gateway.
    pub(super) async fn note_in<T>(
        self,
        gateway: &Gateway,
        outcome: &Result<T, String>,
    ) -> Result<(), String> {
        let entry = self.entry(gateway.clock(), gateway.rng(), outcome.is_ok());
        audit::write(gateway, entry).await.map_err(unwritten)
    }

    fn entry(self, clock: &Clock, rng: &Rng, is_done: bool) -> AuditEntry {
        AuditEntry {
            request: RequestId::new(clock.now_ms(), rng.bytes()),
            merchant: self.merchant,
            actor: OPERATOR.into(),
            action: self.action,
            subject: self.subject,
            source: "command line".into(),
            outcome: if is_done { "done" } else { "failed" }.into(),
            at_ms: clock.now_ms_i64(),
        }
    }
}
