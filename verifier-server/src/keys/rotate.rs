//! Key rotations requested by an operator. Running servers follow.

use super::ciphertexts::{Ciphertext, EncryptedColumn};
use super::encryption::{KeyEncryption, hash_root};
use super::key_ring;
use super::key_ring::{new_sealing_key, new_webhook_key};
use super::master_key::{MasterKey, MasterKeys};
use crate::keys::model::{KeyPurpose, ServerKey};
use crate::merchants::register::endpoint_label;
use crate::store::{DatabaseError, Store};
use crate::webhooks::endpoints::service::stored_response_label;
use sealpay_system::{Clock, Rng};

/// Values that are read in one batch.
const BATCH: u32 = 500;

/// The dependencies of a rotation.
#[derive(Debug)]
pub struct Rotation<'a> {
    /// The store with the keys.
    pub store: &'a Store,
    /// The encryption of the stored keys.
    pub encryption: &'a KeyEncryption,
    /// The clock.
    pub clock: &'a Clock,
    /// Randomness.
    pub rng: &'a Rng,
}

fn inside(error: DatabaseError) -> String {
    error.to_string()
}

fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Rotation<'_> {
    /// The servers' simulated time, seconds since 1970.
    async fn now(&self) -> Result<u64, String> {
        let ahead_ms = self.store.clock_ahead_ms().await.map_err(inside)?;
        Ok(self.clock.wall().saturating_add(ahead_ms / 1000))
    }

    /// Every key, including destroyed ones.
    pub async fn list(&self) -> Result<Vec<ServerKey>, String> {
        let mut keys = Vec::new();
        for purpose in KeyPurpose::ALL {
            keys.extend(self.store.keys.list(purpose).await.map_err(inside)?);
        }
        Ok(keys)
    }

    /// Replaces the webhook key; the previous one also signs during the overlap.
    pub async fn webhook(&self, overlap_seconds: u64) -> Result<ServerKey, String> {
        let now = self.now().await?;
        let key = new_webhook_key(self.encryption, self.rng, now);
        let end = seconds(now.saturating_add(overlap_seconds));
        let rotated = self.store.keys.rotate(&key, (end, end)).await;
        rotated.map(|()| key).map_err(inside)
    }

    /// Replaces the sealing key now and destroys the previous ones. For cards sealed to those and
    /// not yet received, the widget seals again, and asks for the security code once more.
    pub async fn sealing_now(&self) -> Result<ServerKey, String> {
        let now = self.now().await?;
        let key = new_sealing_key(self.encryption, self.rng, now);
        let key = key.ok_or("a sealing key could not be made")?;
        let end = seconds(now);
        let rotated = self.store.keys.rotate(&key, (end, end)).await;
        rotated.map_err(inside)?;
        self.store.keys.destroy(end).await.map_err(inside)?;
        Ok(key)
    }

    /// Makes running servers reload their master keys.
    pub async fn announce(&self) -> Result<(), String> {
        self.store.keys.revise().await.map_err(inside)
    }

    /// Re-encrypts all values that are not under the current key; returns their number.
    ///
    /// # Errors
    /// A sentence. Completed values stay, and the rest can be done later.
    pub async fn encrypt_anew(&self) -> Result<u64, String> {
        let mut count = 0;
        for column in EncryptedColumn::ALL {
            count += self.encrypt_column_anew(column).await?;
        }
        Ok(count)
    }

    async fn encrypt_column_anew(&self, column: EncryptedColumn) -> Result<u64, String> {
        let current = self.encryption.encryption_key_id();
        let mut count = 0;
        loop {
            let found = self
                .store
                .keys
                .ciphertexts_of_other_keys(column, &current, BATCH)
                .await
                .map_err(inside)?;
            if found.is_empty() {
                return Ok(count);
            }
            for seen in &found {
                let label = label(column, seen)?;
                let secret = self
                    .encryption
                    .decrypt(&label, &seen.text)
                    .map_err(|error| {
                        format!(
                            "{error} ({label}); nothing was lost, and the old key is still there"
                        )
                    })?;
                let new = self.encryption.encrypt(&label, &secret, self.rng.bytes());
                let replaced = self.store.keys.replace_ciphertext(column, seen, &new).await;
                // A value that was changed meanwhile is found again if necessary.
                count += u64::from(replaced.map_err(inside)?);
            }
        }
    }
}

fn label(column: EncryptedColumn, value: &Ciphertext) -> Result<String, String> {
    let [first, second, third] = &value.row;
    Ok(match column {
        EncryptedColumn::ServerKey => {
            let purpose = KeyPurpose::ALL
                .into_iter()
                .find(|purpose| purpose.name() == first);
            let purpose = purpose.ok_or_else(|| format!("{first} is no purpose of a key"))?;
            key_ring::label(purpose, second)
        }
        EncryptedColumn::EndpointSecret
        | EncryptedColumn::PreviousEndpointSecret
        | EncryptedColumn::FormerEndpointSecret => {
            let endpoint = first.parse();
            endpoint_label(endpoint.map_err(|error| format!("{first}: {error}"))?)
        }
        EncryptedColumn::StoredResponse => stored_response_label(first, second, third),
    })
}

/// The master keys at the start of a rotation: the new one, and the one that it replaces.
#[must_use]
pub fn next_master_keys(before: MasterKeys, new: MasterKey) -> MasterKeys {
    let root = before.hash_root;
    MasterKeys {
        hash_root: Some(root.unwrap_or_else(|| hash_root(&before.current))),
        previous: vec![before.current],
        current: new,
    }
}
