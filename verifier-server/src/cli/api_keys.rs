//! The commands for API keys. A key is shown once, when it is created.

use super::{found, print_json};
use crate::auth::api_keys::model::ApiKey;
use crate::auth::api_keys::read_scopes;
use crate::auth::scope::Scope;
use crate::merchants::api_keys::Limits;
use crate::merchants::register::MerchantAdmin;
use clap::Subcommand;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};
use sealpay_system::unix_seconds;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Adds an API key; prints it once.
    #[command(name = "add-api-key")]
    Add {
        merchant: MerchantId,
        /// Comma-separated scopes, such as payments:read,refunds:write, or * for all.
        #[arg(long, default_value = Scope::PaymentsRead.name())]
        scopes: String,
        /// Days until it expires; never when left out.
        #[arg(long)]
        expires_in_days: Option<u32>,
    },
    /// Rotates an API key (same scopes); prints the new key once.
    #[command(name = "rotate-api-key")]
    Rotate {
        key: ApiKeyId,
        /// Seconds the old key stays valid.
        #[arg(long, default_value_t = 86_400)]
        overlap_seconds: u32,
        /// Days until the new key expires; when left out, it ends when the old one would have.
        #[arg(long)]
        expires_in_days: Option<u32>,
    },
    /// Revokes an API key immediately.
    #[command(name = "revoke-api-key")]
    Revoke { key: ApiKeyId },
}

/// Runs a command; returns the id of the created key.
pub(super) async fn run(
    admin: &MerchantAdmin<'_>,
    command: ApiKeyCommand,
) -> Result<Option<String>, String> {
    match command {
        ApiKeyCommand::Add {
            merchant,
            scopes,
            expires_in_days,
        } => {
            let limits = Limits {
                scopes: read_scopes(&scopes)?,
                expires_in_days,
            };
            let made = admin.add_limited_api_key(merchant, &limits).await?;
            print_json(&shown(&made.record, &made.plaintext), false)?;
            Ok(Some(made.record.id.to_string()))
        }
        ApiKeyCommand::Rotate {
            key,
            overlap_seconds,
            expires_in_days,
        } => {
            let rotated = admin
                .rotate_api_key(key, overlap_seconds, expires_in_days)
                .await?;
            let mut shown = shown(&rotated.made.record, &rotated.made.plaintext);
            shown["replaces"] = json!({
                "api_key_id": key.to_string(),
                "expires_at": unix_seconds(rotated.old_expires_at_ms),
            });
            print_json(&shown, false)?;
            Ok(Some(rotated.made.record.id.to_string()))
        }
        ApiKeyCommand::Revoke { key } => {
            let revoked = admin
                .store
                .api_keys
                .revoke(key, admin.clock.now_ms_i64())
                .await
                .map_err(|error| error.to_string())?;
            found(revoked, &format!("there is no active API key {key}"))?;
            Ok(None)
        }
    }
}

fn shown(key: &ApiKey, plaintext: &str) -> Value {
    json!({
        "api_key_id": key.id.to_string(),
        "api_key": plaintext,
        "scopes": key.scopes,
        "expires_at": key.expires_at_ms.map(unix_seconds),
    })
}

/// The listed form of a key, without secrets.
pub(super) fn listed(key: &ApiKey) -> Value {
    json!({
        "api_key_id": key.id.to_string(),
        "prefix": key.prefix,
        "scopes": key.scopes,
        "expires_at": key.expires_at_ms.map(unix_seconds),
        "last_used_at": key.last_used_at_ms.map(unix_seconds),
    })
}
