//! The commands for the server's own keys.

use super::audit::Change;
use super::print_json;
use crate::app::{FOLLOW_KEYS_EVERY, Parts, is_master_key_in_environment, master_key_path};
use crate::config::Config;
use crate::keys;
use crate::keys::key_ring::webhook_key_text;
use crate::keys::master_key::{self, MasterKey};
use crate::keys::model::{KeyPurpose, ServerKey};
use crate::keys::rotate::{Rotation, next_master_keys};
use crate::store::DatabaseError;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Lists the server's keys, without secrets.
    List,
    /// Rotates a key while servers are running.
    #[command(subcommand)]
    Rotate(RotateCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum RotateCommand {
    /// The key that signs webhooks (`v1a`).
    Webhook {
        /// How long the previous key signs as well, such as 14d or 12h; 0 if it has leaked.
        #[arg(long, default_value = "14d", value_parser = duration)]
        overlap: u64,
    },
    /// The key that cards are sealed to. The server rotates it every week.
    Sealing {
        /// Destroy the previous keys immediately, because one has leaked.
        #[arg(long, required = true)]
        now: bool,
    },
    /// The master key; everything it encrypts is re-encrypted.
    Master {
        /// Only write the new key beside the old one, to copy the file to the other machines. Run
        /// the command again without this when every machine has it.
        #[arg(long)]
        prepare: bool,
        /// Seconds to wait until every running server has read the new key.
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
}

/// Parses a number with a unit (d, h, m or s) as seconds; 0 needs no unit.
fn duration(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no duration: write 14d, 12h, 30m, 60s or 0");
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        "" if text == "0" => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - unit.len()]
        .parse()
        .map_err(|_| wrong())?;
    number.checked_mul(seconds).ok_or_else(wrong)
}

fn listed(key: &ServerKey) -> Value {
    let end = |end: i64| (end != i64::MAX).then_some(end);
    // A sealing key has 1,216 bytes; `GET /v1/keys` publishes it.
    let public_key = (key.purpose == KeyPurpose::Webhook).then(|| webhook_key_text(key));
    json!({
        "key_id": key.key_id,
        "purpose": key.purpose.name(),
        "public_key": public_key.flatten(),
        "not_before": key.not_before,
        "not_after": end(key.not_after),
        "destroyed_at": end(key.destroy_at),
        "destroyed": key.private_key_encrypted.is_empty(),
    })
}

pub(super) async fn run(config: &Config, command: KeysCommand) -> Result<(), String> {
    let parts = Parts::open_existing(config).await?;
    let outcome = match command {
        KeysCommand::List => list(&parts).await,
        KeysCommand::Rotate(command) => {
            let action = match command {
                RotateCommand::Webhook { .. } => "keys rotate webhook",
                RotateCommand::Sealing { .. } => "keys rotate sealing",
                RotateCommand::Master { .. } => "keys rotate master",
            };
            let outcome = rotate(config, &parts, command).await;
            let noted = Change::new(action, None, None).note(&parts, &outcome).await;
            outcome.and(noted)
        }
    };
    parts.store.close().await;
    outcome
}

const fn rotation(parts: &Parts) -> Rotation<'_> {
    Rotation {
        store: &parts.store,
        encryption: &parts.encryption,
        clock: &parts.clock,
        rng: &parts.rng,
    }
}

async fn list(parts: &Parts) -> Result<(), String> {
    for key in rotation(parts).list().await? {
        print_json(&listed(&key), true)?;
    }
    let id = parts.encryption.encryption_key_id();
    print_json(&json!({"key_id": id, "purpose": "master"}), true)
}

async fn rotate(config: &Config, parts: &Parts, command: RotateCommand) -> Result<(), String> {
    match command {
        RotateCommand::Webhook { overlap } => {
            print_json(&listed(&rotation(parts).webhook(overlap).await?), true)
        }
        RotateCommand::Sealing { now: _ } => {
            print_json(&listed(&rotation(parts).sealing_now().await?), true)
        }
        RotateCommand::Master { prepare, wait } => {
            master(config, parts, prepare, Duration::from_secs(wait)).await
        }
    }
}

/// Longer than a server needs to detect rotated keys and complete its current writes.
const FOLLOWED_AFTER: Duration = Duration::from_secs(FOLLOW_KEYS_EVERY.as_secs() * 4);

/// Waits until running servers have reloaded their keys and completed their current writes.
async fn until_servers_follow() {
    tokio::time::sleep(FOLLOWED_AFTER).await;
}

/// Waits until every running server encrypts under the new master key. A server with an outdated
/// copy of the file never does; then nothing may be removed.
async fn until_every_server_has_it(
    parts: &Parts,
    path: &Path,
    patience: Duration,
) -> Result<(), String> {
    let key = parts.encryption.encryption_key_id();
    let inside = |error: DatabaseError| error.to_string();
    let mut waited = Duration::ZERO;
    loop {
        until_servers_follow().await;
        waited += FOLLOWED_AFTER;
        let since = parts
            .clock
            .wall_i64()
            .saturating_sub(keys::follow::GONE_AFTER);
        let without = parts.store.keys.servers_without_key(&key, since).await;
        match without.map_err(inside)? {
            0 => return Ok(()),
            count if waited >= patience => {
                return Err(format!(
                    "{count} of the running servers have not read the new master key, so nothing \
                     was removed: {} has both keys. A server that got a copy of the file, by \
                     systemd or on another machine, needs the new file and a restart; run the \
                     command again then",
                    path.display()
                ));
            }
            _ => {}
        }
    }
}

async fn master(
    config: &Config,
    parts: &Parts,
    prepare: bool,
    patience: Duration,
) -> Result<(), String> {
    if is_master_key_in_environment() {
        return Err(
            "SEALPAY_MASTER_KEY is set, and a command cannot change it: put the master key into a \
             file (master_key_file) and remove the variable, restart, and rotate then"
                .into(),
        );
    }
    let path = master_key_path(config);
    let mut keys = master_key::load(&path)?;
    if keys.previous.is_empty() {
        keys = next_master_keys(keys, MasterKey::new(parts.rng.bytes()));
        master_key::replace(&path, &keys)?;
    }
    parts.encryption.replace_encryption_keys(&keys);
    let rotation = rotation(parts);
    rotation.announce().await?;
    if prepare {
        eprintln!(
            "{} has the new master key and the old one. Copy it to every machine that runs a \
             server on this database, and run the command again without --prepare.",
            path.display()
        );
        return Ok(());
    }
    until_every_server_has_it(parts, &path, patience).await?;
    let mut values = rotation.encrypt_anew().await?;
    // A slow server may have written under the old key until just now.
    loop {
        until_servers_follow().await;
        let late = rotation.encrypt_anew().await?;
        values += late;
        if late == 0 {
            break;
        }
    }
    keys.previous.clear();
    master_key::replace(&path, &keys)?;
    parts.encryption.replace_encryption_keys(&keys);
    rotation.announce().await?;
    let id = parts.encryption.encryption_key_id();
    print_json(&json!({"key_id": id, "encrypted_anew": values}), true)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_numbers_with_a_unit() {
        let rows = [
            ("14d", Some(1_209_600)),
            ("12h", Some(43_200)),
            ("30m", Some(1_800)),
            ("60s", Some(60)),
            ("0", Some(0)),
            ("0d", Some(0)),
            ("14", None),
            ("d", None),
            ("-1d", None),
            ("1.5d", None),
            ("1w", None),
            ("", None),
            ("99999999999999999999d", None),
            ("999999999999999999d", None),
        ];
        for (text, seconds) in rows {
            assert_eq!(duration(text).ok(), seconds, "{text}");
        }
    }
}
