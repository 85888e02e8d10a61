//! The server's own keys: sealing keys, which rotate, and keys that sign webhooks.
//!
//! A sealing key is published some time before it is used. After its replacement it is kept for the
//! longest session that may have sealed to it; then its private key is destroyed.

use super::decapsulation_key::DecapsulationKey;
use super::encryption::{KeyEncryption, KeyEncryptionError};
use crate::keys::model::{KeyPurpose, ServerKey};
use ed25519_dalek::SigningKey;
use sealpay_protocol::encoding::{base64url, hex};
use sealpay_protocol::limits::{CHALLENGE_LIFETIME_SECONDS, SESSION_LIFETIME_SECONDS};
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_protocol::webhook;
use sealpay_system::Rng;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long a sealing key is used, seconds.
pub const SEALING_KEY_SECONDS: u64 = 7 * 24 * 60 * 60;
/// How long before its use the next key is published, seconds.
pub const PUBLISHED_AHEAD_SECONDS: u64 = 24 * 60 * 60;
/// How long a replaced key still decrypts, seconds: the longest session, the longest challenge, and
/// a minute for the last request.
pub const RETENTION_SECONDS: u64 = SESSION_LIFETIME_SECONDS + CHALLENGE_LIFETIME_SECONDS + 60;

/// The active keys at one time.
#[derive(Debug, Default)]
pub struct KeyRing {
    sealing: Vec<SealingEntry>,
    webhook: Vec<WebhookEntry>,
}

#[derive(Debug)]
struct SealingEntry {
    record: ServerKey,
    key: Arc<DecapsulationKey>,
}

struct WebhookEntry {
    record: ServerKey,
    key: SigningKey,
}

impl std::fmt::Debug for WebhookEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebhookEntry")
            .field(&self.record.key_id)
            .finish()
    }
}

/// The label for encrypting a private key.
#[must_use]
pub fn label(purpose: KeyPurpose, key_id: &str) -> String {
    [purpose.name(), ":", key_id].concat()
}

fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Orders keys by age. A key may be created and replaced within a second; then the one that ends
/// first is older.
fn age(key: &ServerKey) -> (i64, i64) {
    (key.not_before, key.not_after)
}

impl KeyRing {
    /// Decrypts the stored keys.
    ///
    /// # Errors
    /// [`KeyEncryptionError`] if they were stored under another master key.
    pub fn open(
        records: Vec<ServerKey>,
        encryption: &KeyEncryption,
        now: u64,
    ) -> Result<Self, KeyEncryptionError> {
        let mut ring = Self::default();
        for record in records {
            if record.private_key_encrypted.is_empty() || record.destroy_at <= seconds(now) {
                continue;
            }
            let label = label(record.purpose, &record.key_id);
            let secret = encryption.decrypt(&label, &record.private_key_encrypted)?;
            let seed: [u8; 32] = secret
                .as_slice()
                .try_into()
                .map_err(|_| KeyEncryptionError)?;
            match record.purpose {
                KeyPurpose::Sealing => {
                    let key = DecapsulationKey::from_seed(&Secret::new(seed))
                        .ok_or(KeyEncryptionError)?;
                    ring.sealing.push(SealingEntry {
                        record,
                        key: Arc::new(key),
                    });
                }
                KeyPurpose::Webhook => {
                    let key = SigningKey::from_bytes(&Zeroizing::new(seed));
                    ring.webhook.push(WebhookEntry { record, key });
                }
            }
        }
        ring.sealing.sort_by_key(|entry| age(&entry.record));
        ring.webhook.sort_by_key(|entry| age(&entry.record));
        Ok(ring)
    }

    /// The key for decrypting cards sealed to this key id; retired keys still decrypt for a while.
    #[must_use]
    pub fn sealing_key(&self, key_id: &str, now: u64) -> Option<Arc<DecapsulationKey>> {
        self.sealing
            .iter()
            .find(|entry| entry.record.key_id == key_id && entry.record.destroy_at > seconds(now))
            .map(|entry| Arc::clone(&entry.key))
    }

    /// The key for new sessions: the newest valid one.
    #[must_use]
    pub fn current_sealing_key(&self, now: u64) -> Option<&ServerKey> {
        self.sealing
            .iter()
            .rev()
            .map(|entry| &entry.record)
            .find(|key| key.not_before <= seconds(now) && key.not_after > seconds(now))
    }

    /// Sealing keys to publish: valid and future ones.
    pub fn published_sealing_keys(&self, now: u64) -> impl Iterator<Item = &ServerKey> {
        let now = seconds(now);
        self.sealing
            .iter()
            .map(|entry| &entry.record)
            .filter(move |key| key.not_after > now)
    }

    /// Webhook keys to publish: all that are not destroyed.
    pub fn published_webhook_keys(&self) -> impl Iterator<Item = &ServerKey> {
        self.webhook.iter().map(|entry| &entry.record)
    }

    /// The keys that sign webhooks now; two during a rotation.
    pub fn webhook_keys(&self, now: u64) -> impl Iterator<Item = &SigningKey> {
        let now = seconds(now);
        self.webhook
            .iter()
            .filter(move |entry| entry.record.not_before <= now && entry.record.not_after > now)
            .map(|entry| &entry.key)
    }

    /// The keys to create now, so that there is always a current one, and a next one in time.
    /// Usually empty.
    #[must_use]
    pub fn missing(&self, encryption: &KeyEncryption, rng: &Rng, now: u64) -> Vec<ServerKey> {
        let mut made = Vec::new();
        // A key for a distant time may exist already, and does not replace the next one.
        let current = self.current_sealing_key(now);
        let end = current.and_then(|key| u64::try_from(key.not_after).ok());
        match end {
            Some(end) => {
                let is_near = end <= now.saturating_add(PUBLISHED_AHEAD_SECONDS);
                if is_near && self.current_sealing_key(end).is_none() {
                    made.extend(new_sealing_key(encryption, rng, end));
                }
            }
            None => made.extend(new_sealing_key(encryption, rng, now)),
        }
        let is_good = |entry: &WebhookEntry| entry.record.not_after > seconds(now);
        if !self.webhook.iter().any(is_good) {
            made.push(new_webhook_key(encryption, rng, now));
        }
        made
    }
}

/// Creates a sealing key that is valid from a time, seconds since 1970.
pub(crate) fn new_sealing_key(
    encryption: &KeyEncryption,
    rng: &Rng,
    not_before: u64,
) -> Option<ServerKey> {
    let seed = Secret::new(rng.bytes::<32>());
    let key = SealingPrivateKey::from_seed(&seed)?;
    let label = label(KeyPurpose::Sealing, key.key_id());
    let not_after = not_before.saturating_add(SEALING_KEY_SECONDS);
    Some(ServerKey {
        key_id: key.key_id().to_owned(),
        purpose: KeyPurpose::Sealing,
        public_key: key.public_key().to_base64url(),
        private_key_encrypted: encryption.encrypt(&label, seed.expose(), rng.bytes()),
        not_before: seconds(not_before),
        not_after: seconds(not_after),
        destroy_at: seconds(not_after.saturating_add(RETENTION_SECONDS)),
    })
}

/// Creates a webhook key that is valid from now on, seconds since 1970.
pub(crate) fn new_webhook_key(encryption: &KeyEncryption, rng: &Rng, now: u64) -> ServerKey {
    let seed = Zeroizing::new(rng.bytes::<32>());
    let public = SigningKey::from_bytes(&seed).verifying_key();
    let key_id = hex(&Sha256::digest(public.as_bytes())[..8]);
    let label = label(KeyPurpose::Webhook, &key_id);
    ServerKey {
        purpose: KeyPurpose::Webhook,
        public_key: base64url(public.as_bytes()),
        private_key_encrypted: encryption.encrypt(&label, seed.as_slice(), rng.bytes()),
        key_id,
        not_before: seconds(now),
        // Receivers store webhook keys, so they do not rotate automatically.
        not_after: i64::MAX,
        destroy_at: i64::MAX,
    }
}

/// A stored webhook key as `whpk_…`.
#[must_use]
pub fn webhook_key_text(key: &ServerKey) -> Option<String> {
    let bytes = sealpay_protocol::encoding::array_from_base64url(&key.public_key)?;
    let public = sealpay_protocol::key::verifying_key(&bytes).ok()?;
    Some(webhook::public_key_text(&public))
}

#[cfg(test)]
mod tests {
    use super::{KeyRing, PUBLISHED_AHEAD_SECONDS, RETENTION_SECONDS, SEALING_KEY_SECONDS};
    use crate::keys::encryption::KeyEncryption;
    use crate::keys::master_key::MasterKey;
    use sealpay_system::Rng;

    #[test]
    fn keys_are_created_published_ahead_retired_and_destroyed() {
        let encryption = KeyEncryption::new(&MasterKey::new([1; 32]));
        let rng = Rng::system();
        let start = 1_700_000_000;
        let mut stored = KeyRing::default().missing(&encryption, &rng, start);
        assert_eq!(stored.len(), 2, "a sealing key and a webhook key");
        let open = |stored: &Vec<_>, now| KeyRing::open(stored.clone(), &encryption, now).unwrap();
        let first = stored[0].key_id.clone();
        assert_eq!(
            open(&stored, start).missing(&encryption, &rng, start).len(),
            0
        );

        let end = start + SEALING_KEY_SECONDS;
        let ahead = end - PUBLISHED_AHEAD_SECONDS;
        stored.extend(open(&stored, ahead).missing(&encryption, &rng, ahead));
        assert_eq!(stored.len(), 3, "the next sealing key");
        let ring = open(&stored, ahead);
        assert_eq!(ring.published_sealing_keys(ahead).count(), 2);
        assert_eq!(ring.current_sealing_key(ahead).unwrap().key_id, first);
        assert_eq!(
            ring.current_sealing_key(end).unwrap().key_id,
            stored[2].key_id
        );

        assert_eq!(ring.published_sealing_keys(end).count(), 1);
        assert!(
            ring.sealing_key(&first, end + RETENTION_SECONDS - 1)
                .is_some()
        );
        assert!(ring.sealing_key(&first, end + RETENTION_SECONDS).is_none());
        assert_eq!(open(&stored, end + RETENTION_SECONDS).sealing.len(), 1);
    }

    #[test]
    fn a_key_for_a_distant_time_leaves_no_gap() {
        let encryption = KeyEncryption::new(&MasterKey::new([1; 32]));
        let rng = Rng::system();
        let start = 1_700_000_000;
        let mut stored = KeyRing::default().missing(&encryption, &rng, start);
        let open = |stored: &Vec<_>| KeyRing::open(stored.clone(), &encryption, start).unwrap();
        let far = start + 50 * SEALING_KEY_SECONDS;
        stored.extend(open(&stored).missing(&encryption, &rng, far));
        assert!(open(&stored).current_sealing_key(far).is_some());
        assert!(open(&stored).current_sealing_key(start).is_some());
        let end = start + SEALING_KEY_SECONDS;
        let near = end - PUBLISHED_AHEAD_SECONDS;
        stored.extend(open(&stored).missing(&encryption, &rng, near));
        assert!(open(&stored).current_sealing_key(end).is_some());
        assert_eq!(open(&stored).missing(&encryption, &rng, near).len(), 0);
    }

    #[test]
    fn keys_do_not_decrypt_with_another_master_key() {
        let encryption = KeyEncryption::new(&MasterKey::new([1; 32]));
        let stored = KeyRing::default().missing(&encryption, &Rng::system(), 1);
        let other = KeyEncryption::new(&MasterKey::new([2; 32]));
        assert!(KeyRing::open(stored, &other, 1).is_err());
    }
}
