//! What is kept under the master key: encrypted private keys, and keyed hashes of numbers that
//! must be recognized but not known.

use super::master_key::MasterKey;
use crate::edge::hmac_sha256;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::Mac;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::secret::Secret;
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// Keys derived from the master key (HKDF, RFC 5869), one for each purpose.
pub struct Vault {
    encryption: Secret<[u8; 32]>,
    fingerprint: Secret<[u8; 32]>,
    api_key: Secret<[u8; 32]>,
    address: Secret<[u8; 32]>,
    bank: Secret<[u8; 32]>,
}

/// A stored secret that the master key does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultError;

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored secret does not open with this master key")
    }
}

impl std::error::Error for VaultError {}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Derives the keys.
    #[must_use]
    pub fn new(master_key: &MasterKey) -> Self {
        let derivation = Hkdf::<Sha256>::new(None, master_key.expose());
        let derive = |purpose: &str| {
            let mut key = [0; 32];
            // 32 bytes are far below the 8160 that HKDF-SHA256 can give (RFC 5869 section 2.3).
            let derived = derivation.expand(purpose.as_bytes(), &mut key);
            debug_assert!(derived.is_ok(), "HKDF gives 32 bytes");
            Secret::new(key)
        };
        Self {
            encryption: derive("sealpay/v1/vault/encryption"),
            fingerprint: derive("sealpay/v1/vault/card-fingerprint"),
            api_key: derive("sealpay/v1/vault/api-key"),
            address: derive("sealpay/v1/vault/address"),
            bank: derive("sealpay/v1/simulated-bank"),
        }
    }

    /// Encrypts a secret for the database. The label says what it is and for whom, so that one
    /// row's secret does not open in another's place.
    #[must_use]
    pub fn encrypt(&self, label: &str, secret: &[u8], nonce: [u8; NONCE_BYTES]) -> String {
        let cipher = XChaCha20Poly1305::new(self.encryption.expose().into());
        let payload = Payload {
            msg: secret,
            aad: label.as_bytes(),
        };
        // Encryption fails only for messages of 256 GiB and more (RFC 8439 section 2.8).
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        base64url(&[nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Vault::encrypt`] made with the same label.
    ///
    /// # Errors
    /// [`VaultError`] for another label, another master key or altered bytes.
    pub fn decrypt(&self, label: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let bytes = from_base64url(text).ok_or(VaultError)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError)?;
        let cipher = XChaCha20Poly1305::new(self.encryption.expose().into());
        let payload = Payload {
            msg: sealed,
            aad: label.as_bytes(),
        };
        let secret = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| VaultError)?;
        Ok(Zeroizing::new(secret))
    }

    /// Recognizes a card without knowing its number (PCI DSS 3.5.1.1: a keyed hash of all of it).
    /// Each merchant sees other fingerprints, so that two of them cannot compare their shoppers.
    #[must_use]
    pub fn card_fingerprint(&self, merchant: MerchantId, number: &str) -> String {
        // A merchant's id always has thirty characters, so nothing can slide between the two.
        keyed_hash(&self.fingerprint, &format!("{merchant}{number}"))
    }

    /// Recognizes a shopper's network without keeping it; each merchant sees others.
    #[must_use]
    pub fn address_fingerprint(&self, merchant: MerchantId, network: IpAddr) -> String {
        keyed_hash(&self.address, &format!("{merchant}{network}"))
    }

    /// The simulated bank's own key. The bank and the verifier share a master key only because
    /// they share a process.
    #[must_use]
    pub fn bank_key(&self) -> Secret<[u8; 32]> {
        Secret::new(*self.bank.expose())
    }

    /// What is stored of an API key. The key has 256 random bits, so a slow hash adds nothing.
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
    use super::{Vault, VaultError};
    use crate::gate::master_key::MasterKey;
    use sealpay_protocol::ids::MerchantId;

    #[test]
    fn a_secret_opens_only_under_its_own_label_and_master_key() {
        let vault = Vault::new(&MasterKey::new([1; 32]));
        let other = Vault::new(&MasterKey::new([2; 32]));
        let text = vault.encrypt("sealing:a", b"secret", [3; 24]);
        assert_eq!(
            vault.decrypt("sealing:a", &text).unwrap().as_slice(),
            b"secret"
        );
        assert_eq!(vault.decrypt("sealing:b", &text), Err(VaultError));
        assert_eq!(other.decrypt("sealing:a", &text), Err(VaultError));
        assert_eq!(vault.decrypt("sealing:a", ""), Err(VaultError));
        assert_eq!(
            vault.decrypt("sealing:a", &text[..text.len() - 2]),
            Err(VaultError)
        );
    }

    #[test]
    fn hashes_depend_on_the_master_key_and_the_purpose() {
        let vault = Vault::new(&MasterKey::new([1; 32]));
        let other = Vault::new(&MasterKey::new([2; 32]));
        let (one, two) = (MerchantId::new(1, [1; 10]), MerchantId::new(2, [2; 10]));
        let fingerprint = vault.card_fingerprint(one, "x");
        assert_eq!(fingerprint, vault.card_fingerprint(one, "x"));
        assert_ne!(fingerprint, vault.card_fingerprint(two, "x"));
        assert_ne!(fingerprint, other.card_fingerprint(one, "x"));
        assert_ne!(vault.api_key_hash("x"), other.api_key_hash("x"));
    }
}
