//! Encryption and keyed hashes with keys derived from the master key.

use super::hosted::HostedKeys;
use super::master_key::{MasterKey, MasterKeys};
use crate::auth::audit::model::AuditChain;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::Mac;
use sealpay_protocol::encoding::{base64url, from_base64url, hex};
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::secret::Secret;
use sealpay_system::hmac_sha256;
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// Keys derived from the master key (HKDF, RFC 5869), one for each purpose. The encryption keys can
/// be replaced at run time; those of the hashes stay.
pub struct KeyEncryption {
    encryption: RwLock<Arc<EncryptionKeys>>,
    fingerprint: Secret<[u8; 32]>,
    api_key: Secret<[u8; 32]>,
    address: Secret<[u8; 32]>,
    bank: Secret<[u8; 32]>,
    audit: Secret<[u8; 32]>,
    hosted: HostedKeys,
}

/// A stored secret that cannot be decrypted with the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEncryptionError;

/// An encryption key and its name, which prefixes every ciphertext.
struct EncryptionKey {
    id: String,
    key: Secret<[u8; 32]>,
}

/// The current key first, then those that are being replaced.
struct EncryptionKeys {
    current: EncryptionKey,
    previous: Vec<EncryptionKey>,
}

fn derived(from: &MasterKey, purpose: &str) -> Secret<[u8; 32]> {
    let mut key = [0; 32];
    // 32 bytes are far below the 8160 that HKDF-SHA256 can output (RFC 5869 section 2.3).
    let derived = Hkdf::<Sha256>::new(None, from.expose()).expand(purpose.as_bytes(), &mut key);
    debug_assert!(derived.is_ok(), "HKDF gives 32 bytes");
    Secret::new(key)
}

impl EncryptionKey {
    fn new(master: &MasterKey) -> Self {
        let name = derived(master, "sealpay/v1/encryption/encryption-key-id");
        Self {
            id: format!("m{}", hex(&name.expose()[..4])),
            key: derived(master, "sealpay/v1/encryption/encryption"),
        }
    }
}

impl EncryptionKeys {
    fn from_master_keys(keys: &MasterKeys) -> Self {
        Self {
            current: EncryptionKey::new(&keys.current),
            previous: keys.previous.iter().map(EncryptionKey::new).collect(),
        }
    }

    fn find(&self, id: &str) -> Option<&EncryptionKey> {
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        keys.find(|key| key.id == id)
    }
}

/// The root of the keyed hashes for a master key that was never replaced.
#[must_use]
pub fn hash_root(master_key: &MasterKey) -> MasterKey {
    derived(master_key, "sealpay/v1/encryption/hash-root")
}

impl fmt::Display for KeyEncryptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored secret does not open with this master key")
    }
}

impl std::error::Error for KeyEncryptionError {}

impl fmt::Debug for KeyEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyEncryption")
    }
}

impl KeyEncryption {
    /// Derives the keys of one master key.
    #[must_use]
    pub fn new(master_key: &MasterKey) -> Self {
        Self::from_keys(&MasterKeys::from(Secret::new(*master_key.expose())))
    }

    /// Derives the keys of several master keys, during a rotation.
    #[must_use]
    pub fn from_keys(keys: &MasterKeys) -> Self {
        let derived_root = hash_root(&keys.current);
        let root = keys.hash_root.as_ref().unwrap_or(&derived_root);
        Self {
            encryption: RwLock::new(Arc::new(EncryptionKeys::from_master_keys(keys))),
            fingerprint: derived(root, "sealpay/v1/encryption/card-fingerprint"),
            api_key: derived(root, "sealpay/v1/encryption/api-key"),
            address: derived(root, "sealpay/v1/encryption/address"),
            bank: derived(root, "sealpay/v1/simulated-bank"),
            audit: derived(root, "sealpay/v1/encryption/audit-trail"),
            hosted: HostedKeys::new(
                derived(root, "sealpay/v1/hosted/link"),
                &derived(root, "sealpay/v1/hosted/order-key"),
            ),
        }
    }

    /// Encrypts with other keys from now on. The hash keys stay.
    pub fn replace_encryption_keys(&self, keys: &MasterKeys) {
        let keys = Arc::new(EncryptionKeys::from_master_keys(keys));
        *self
            .encryption
            .write()
            .unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn encryption_keys(&self) -> Arc<EncryptionKeys> {
        Arc::clone(
            &self
                .encryption
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The name of the current encryption key.
    #[must_use]
    pub fn encryption_key_id(&self) -> String {
        self.encryption_keys().current.id.clone()
    }

    /// The names of the keys whose ciphertexts can be decrypted, the current one first.
    #[must_use]
    pub fn encryption_key_ids(&self) -> Vec<String> {
        let keys = self.encryption_keys();
        let all = std::iter::once(&keys.current).chain(&keys.previous);
        all.map(|key| key.id.clone()).collect()
    }

    /// Encrypts a secret for the database. The label names its purpose and owner, so that a
    /// ciphertext copied to another row cannot be decrypted there. The key's name is prefixed.
    #[must_use]
    pub fn encrypt(&self, label: &str, secret: &[u8], nonce: [u8; NONCE_BYTES]) -> String {
        let keys = self.encryption_keys();
        let cipher = XChaCha20Poly1305::new(keys.current.key.expose().into());
        let payload = Payload {
            msg: secret,
            aad: label.as_bytes(),
        };
        // Encryption only fails for messages of 256 GiB and more (RFC 8439 section 2.8).
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        let sealed = base64url(&[nonce.as_slice(), &sealed].concat());
        [&keys.current.id, ".", &sealed].concat()
    }

    /// Decrypts a ciphertext of [`KeyEncryption::encrypt`] with the same label.
    ///
    /// # Errors
    /// [`KeyEncryptionError`] for another label, an unknown master key or altered bytes.
    pub fn decrypt(
        &self,
        label: &str,
        text: &str,
    ) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let (id, sealed) = text.split_once('.').ok_or(KeyEncryptionError)?;
        let keys = self.encryption_keys();
        let key = keys.find(id).ok_or(KeyEncryptionError)?;
        let bytes = from_base64url(sealed).ok_or(KeyEncryptionError)?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(KeyEncryptionError)?;
        let cipher = XChaCha20Poly1305::new(key.key.expose().into());
        let payload = Payload {
            msg: sealed,
            aad: label.as_bytes(),
        };
        let secret = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| KeyEncryptionError)?;
        Ok(Zeroizing::new(secret))
    }

    /// A fingerprint that recognizes a card without storing its number (PCI DSS 3.5.1.1: a keyed
    /// hash of the full number). Fingerprints differ by merchant, so that two merchants cannot
    /// match their shoppers.
    #[must_use]
    pub fn card_fingerprint(&self, merchant: MerchantId, number: &str) -> String {
        // A merchant id always has thirty characters, so the concatenation is unambiguous.
        keyed_hash(&self.fingerprint, &format!("{merchant}{number}"))
    }

    /// A fingerprint that recognizes a shopper's network without storing it; differs by merchant.
    #[must_use]
    pub fn address_fingerprint(&self, merchant: MerchantId, network: IpAddr) -> String {
        keyed_hash(&self.address, &format!("{merchant}{network}"))
    }

    /// The simulated bank's key. Bank and verifier share a master key only because they share a
    /// process.
    #[must_use]
    pub fn bank_key(&self) -> Secret<[u8; 32]> {
        Secret::new(*self.bank.expose())
    }

    /// The hash chain of the audit trail.
    #[must_use]
    pub fn audit_chain(&self) -> AuditChain {
        AuditChain::new(Secret::new(*self.audit.expose()))
    }

    /// The keys of the verifier's own pages for invoices.
    #[must_use]
    pub const fn hosted(&self) -> &HostedKeys {
        &self.hosted
    }

    /// The hash of an API key. The key has 256 random bits, so a slow hash adds nothing.
    #[must_use]
    pub fn api_key_hash(&self, api_key: &str) -> String {
        keyed_hash(&self.api_key, api_key)
    }
}

fn keyed_hash(key: &Secret<[u8; 32]>, text: &str) -> String {
    let mut mac = hmac_sha256(key.expose());
    mac.update(text.as_bytes());
    base64url(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{KeyEncryption, KeyEncryptionError, hash_root};
    use crate::keys::master_key::{MasterKey, MasterKeys, parse};
    use sealpay_protocol::ids::MerchantId;

    #[test]
    fn secrets_decrypt_only_with_their_label_and_master_key() {
        let encryption = KeyEncryption::new(&MasterKey::new([1; 32]));
        let other = KeyEncryption::new(&MasterKey::new([2; 32]));
        let text = encryption.encrypt("sealing:a", b"secret", [3; 24]);
        assert_eq!(
            encryption.decrypt("sealing:a", &text).unwrap().as_slice(),
            b"secret"
        );
        assert_eq!(
            encryption.decrypt("sealing:b", &text),
            Err(KeyEncryptionError)
        );
        assert_eq!(other.decrypt("sealing:a", &text), Err(KeyEncryptionError));
        assert_eq!(encryption.decrypt("sealing:a", ""), Err(KeyEncryptionError));
        assert_eq!(
            encryption.decrypt("sealing:a", &text[..text.len() - 2]),
            Err(KeyEncryptionError)
        );
    }

    #[test]
    fn a_replaced_master_key_decrypts_until_it_is_removed_and_hashes_stay() {
        let [old, new] = [[1; 32], [2; 32]].map(MasterKey::new);
        let encryption = KeyEncryption::new(&old);
        let (before, hash) = (
            encryption.encrypt("a", b"secret", [3; 24]),
            encryption.api_key_hash("x"),
        );
        let link = encryption.hosted().link_code(b"x");
        let order_key = encryption.hosted().order_key();
        let mut keys = MasterKeys {
            hash_root: Some(hash_root(&old)),
            previous: vec![old],
            current: new,
        };
        // As in a running server, and in one that starts now.
        encryption.replace_encryption_keys(&keys);
        for encryption in [
            &encryption,
            &KeyEncryption::from_keys(&parse(&keys.to_text()).unwrap()),
        ] {
            assert_eq!(
                encryption.decrypt("a", &before).unwrap().as_slice(),
                b"secret"
            );
            let after = encryption.encrypt("a", b"secret", [4; 24]);
            assert_ne!(
                before.split_once('.').unwrap().0,
                after.split_once('.').unwrap().0
            );
            assert_eq!(
                encryption.decrypt("a", &after).unwrap().as_slice(),
                b"secret"
            );
            assert_eq!(encryption.api_key_hash("x"), hash);
            assert_eq!(encryption.hosted().link_code(b"x"), link);
            assert_eq!(encryption.hosted().order_key(), order_key);
        }
        keys.previous.clear();
        encryption.replace_encryption_keys(&keys);
        let started = KeyEncryption::from_keys(&parse(&keys.to_text()).unwrap());
        for encryption in [&encryption, &started] {
            assert_eq!(encryption.decrypt("a", &before), Err(KeyEncryptionError));
            assert_eq!(encryption.api_key_hash("x"), hash);
        }
        for wrong in ["", "AAAA", &[keys.to_text().as_str(), "AAAA"].concat()] {
            assert!(parse(wrong).is_err(), "{}", wrong.len());
        }
    }

    #[test]
    fn hashes_depend_on_the_master_key_and_the_purpose() {
        let encryption = KeyEncryption::new(&MasterKey::new([1; 32]));
        let other = KeyEncryption::new(&MasterKey::new([2; 32]));
        let (one, two) = (MerchantId::new(1, [1; 10]), MerchantId::new(2, [2; 10]));
        let fingerprint = encryption.card_fingerprint(one, "x");
        assert_eq!(fingerprint, encryption.card_fingerprint(one, "x"));
        assert_ne!(fingerprint, encryption.card_fingerprint(two, "x"));
        assert_ne!(fingerprint, other.card_fingerprint(one, "x"));
        assert_ne!(encryption.api_key_hash("x"), other.api_key_hash("x"));
    }
}
