//! Sealing and opening cards: HPKE base mode (RFC 9180 section 5.1.1) with X-Wing (0x647a),
//! HKDF-SHA256 (0x0001) and ChaCha20-Poly1305 (0x0003).
//!
//! Base mode, because the request signature authenticates the sender and X-Wing supports no other
//! mode.

use crate::encoding::{array_from_base64url, base64url, hex};
use crate::envelope::{self, PLAINTEXT_BYTES, SealContext, SealedCard};
use crate::{card, secret::Secret};
use core::fmt;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 1216;
/// Bytes of a private key: the seed of X-Wing.
pub const PRIVATE_KEY_BYTES: usize = 32;
/// Bytes of an encapsulated key.
pub const ENCAPSULATED_BYTES: usize = 1120;
/// Bytes of a ciphertext: the padded card and a 16-byte tag.
pub const CIPHERTEXT_BYTES: usize = PLAINTEXT_BYTES + 16;

/// The verifier's public sealing key.
pub struct SealingPublicKey {
    key: <XWing as Kem>::PublicKey,
    key_id: String,
}

/// The verifier's private sealing key, expanded once.
pub struct SealingPrivateKey {
    key: <XWing as Kem>::PrivateKey,
    key_id: String,
}

/// The card could not be sealed because the verifier's key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealError;

/// A sealed card that does not open. Deliberately the same for every reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The sealing key is not usable.")
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The sealed card was refused.")
    }
}

impl core::error::Error for SealError {}
impl core::error::Error for OpenError {}

impl fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingPublicKey")
            .field(&self.key_id)
            .finish()
    }
}

impl fmt::Debug for SealingPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingPrivateKey")
            .field(&self.key_id)
            .finish()
    }
}

/// First eight bytes of SHA-256 over the public key, in lowercase hexadecimal.
fn key_id_of(public_key: &[u8]) -> String {
    hex(&Sha256::digest(public_key)[..8])
}

/// `sealpay/v1/card`, a zero byte and the key id.
fn info(key_id: &str) -> Vec<u8> {
    [b"sealpay/v1/card\0", key_id.as_bytes()].concat()
}

impl SealingPublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`SealError`] when the bytes are not a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let key = <XWing as Kem>::PublicKey::from_bytes(bytes).map_err(|_| SealError)?;
        Ok(Self {
            key,
            key_id: key_id_of(bytes),
        })
    }

    /// Reads a public key in base64url.
    ///
    /// # Errors
    /// [`SealError`] when the text is not a key.
    pub fn from_base64url(text: &str) -> Result<Self, SealError> {
        Self::from_bytes(&crate::encoding::from_base64url(text).ok_or(SealError)?)
    }

    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The bytes in base64url, as they are published.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url(&self.key.to_bytes())
    }
}

impl SealingPrivateKey {
    /// Derives a key pair from a random seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<[u8; PRIVATE_KEY_BYTES]>) -> Option<Self> {
        let key = <XWing as Kem>::PrivateKey::from_bytes(seed.expose()).ok()?;
        let key_id = key_id_of(&XWing::sk_to_pk(&key).to_bytes());
        Some(Self { key, key_id })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> SealingPublicKey {
        SealingPublicKey {
            key: XWing::sk_to_pk(&self.key),
            key_id: self.key_id.clone(),
        }
    }

    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

/// Seals a card for one attempt to pay.
///
/// # Errors
/// [`SealError`] when the verifier's key cannot be used.
pub fn seal(
    card: &card::Card,
    recipient: &SealingPublicKey,
    context: &SealContext<'_>,
    random: &mut impl CryptoRng,
) -> Result<SealedCard, SealError> {
    let plaintext = envelope::plaintext(card);
    let (enc, ct) = seal_bytes(
        recipient,
        plaintext.as_slice(),
        &context.associated_data(&recipient.key_id),
        random,
    )?;
    Ok(SealedCard {
        v: 1,
        kid: recipient.key_id.clone(),
        enc: base64url(&enc),
        ct: base64url(&ct),
    })
}

/// Seals arbitrary bytes as a card is sealed. Public for test vectors and for tests with hostile
/// content.
///
/// # Errors
/// [`SealError`] when the key cannot be used.
pub fn seal_bytes(
    recipient: &SealingPublicKey,
    plaintext: &[u8],
    associated_data: &[u8],
    random: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), SealError> {
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &recipient.key,
        &info(&recipient.key_id),
        plaintext,
        associated_data,
        random,
    )
    .map_err(|_| SealError)?;
    Ok((enc.to_bytes().to_vec(), ciphertext))
}

/// Opens a sealed card and parses its content.
///
/// # Errors
/// [`OpenError`], the same for every reason.
pub fn open(
    sealed: &SealedCard,
    key: &SealingPrivateKey,
    context: &SealContext<'_>,
    today: card::YearMonth,
) -> Result<card::Card, OpenError> {
    if sealed.v != 1 || sealed.kid != key.key_id {
        return Err(OpenError);
    }
    let enc: [u8; ENCAPSULATED_BYTES] = array_from_base64url(&sealed.enc).ok_or(OpenError)?;
    let ct: [u8; CIPHERTEXT_BYTES] = array_from_base64url(&sealed.ct).ok_or(OpenError)?;
    let plaintext = open_bytes(key, &enc, &ct, &context.associated_data(&key.key_id))?;
    envelope::card_of(&plaintext, today).ok_or(OpenError)
}

/// Opens bytes sealed by [`seal_bytes`].
///
/// # Errors
/// [`OpenError`], the same for every reason.
pub fn open_bytes(
    key: &SealingPrivateKey,
    enc: &[u8],
    ciphertext: &[u8],
    associated_data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| OpenError)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &key.key,
        &enc,
        &info(&key.key_id),
        ciphertext,
        associated_data,
    )
    .map(Zeroizing::new)
    .map_err(|_| OpenError)
}
