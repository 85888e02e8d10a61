//! Opens sealed cards with the primitives of AWS-LC and a key that is expanded once.
//!
//! `sealpay_protocol::seal` opens the same cards with crates that also run in browsers, and expands
//! the X-Wing seed every time. Opening is most of the cost of a payment, so the server has this
//! faster implementation: HPKE base mode (RFC 9180 sections 5.1.1 and 5.2) for one message, and
//! X-Wing (draft-connolly-cfrg-xwing-kem section 5). Tests compare both with each other and with
//! the vectors.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
use aws_lc_rs::digest::{self, SHA3_256};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::kem::{self, Ciphertext, ML_KEM_768};
use ml_kem::{FromSeed, MlKem768};
use sealpay_protocol::card::{Card, YearMonth};
use sealpay_protocol::encoding::array_from_base64url;
use sealpay_protocol::envelope::{self, SealContext, SealedCard};
use sealpay_protocol::seal::{
    CIPHERTEXT_BYTES, ENCAPSULATED_BYTES, OpenError, PRIVATE_KEY_BYTES, SealingPrivateKey,
};
use sealpay_protocol::secret::Secret;
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use std::fmt;
use zeroize::Zeroizing;

/// `HPKE`, the KEM 0x647a, the KDF 0x0001 and the AEAD 0x0003 (RFC 9180 section 5.1).
const SUITE: &[u8; 10] = b"HPKE\x64\x7a\x00\x01\x00\x03";
const VERSION_LABEL: &[u8; 7] = b"HPKE-v1";
const MODE_BASE: &[u8; 1] = &[0];
/// X-Wing section 5.3.
const X_WING_LABEL: &[u8; 6] = br"\.//^\";

const ML_KEM_CIPHERTEXT_BYTES: usize = 1088;
const SECRET_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

type Bytes32 = Zeroizing<[u8; SECRET_BYTES]>;

/// The verifier's private sealing key, expanded once.
pub struct DecapsulationKey {
    ml_kem: kem::DecapsulationKey,
    x25519: agreement::PrivateKey,
    x25519_public: agreement::PublicKey,
    /// `key_schedule_context`, the same for every card that is sealed to this key.
    schedule: Vec<u8>,
    key_id: String,
}

impl fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecapsulationKey")
            .field(&self.key_id)
            .finish()
    }
}

impl DecapsulationKey {
    /// Expands a seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<[u8; PRIVATE_KEY_BYTES]>) -> Option<Self> {
        let key_id = SealingPrivateKey::from_seed(seed)?.key_id().to_owned();
        let info = [b"sealpay/v1/card\0", key_id.as_bytes()].concat();
        Self::with_info(seed, key_id, &info)
    }

    fn with_info(
        seed: &Secret<[u8; PRIVATE_KEY_BYTES]>,
        key_id: String,
        info: &[u8],
    ) -> Option<Self> {
        // X-Wing section 5.2: SHAKE-256 gives the two seeds of ML-KEM and the scalar of X25519.
        let mut expanded = Zeroizing::new([0; 96]);
        let mut shake = Shake256::default();
        shake.update(seed.expose());
        shake.finalize_xof().read(expanded.as_mut_slice());
        let (ml_kem_seed, scalar) = expanded.split_at(64);
        let x25519 = agreement::PrivateKey::from_private_key(&X25519, scalar).ok()?;
        Some(Self {
            ml_kem: kem::DecapsulationKey::new(&ML_KEM_768, &expanded_ml_kem(ml_kem_seed)?).ok()?,
            x25519_public: x25519.compute_public_key().ok()?,
            x25519,
            schedule: [
                MODE_BASE,
                labeled_extract(&[], b"psk_id_hash", &[]).as_slice(),
                labeled_extract(&[], b"info_hash", info).as_slice(),
            ]
            .concat(),
            key_id,
        })
    }

    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Opens a sealed card and parses its content.
    ///
    /// # Errors
    /// [`OpenError`], the same for every reason.
    pub fn open(
        &self,
        sealed: &SealedCard,
        context: &SealContext<'_>,
        today: YearMonth,
    ) -> Result<Card, OpenError> {
        if sealed.v != 1 || sealed.kid != self.key_id {
            return Err(OpenError);
        }
        let enc: [u8; ENCAPSULATED_BYTES] = array_from_base64url(&sealed.enc).ok_or(OpenError)?;
        let ct: [u8; CIPHERTEXT_BYTES] = array_from_base64url(&sealed.ct).ok_or(OpenError)?;
        // Decrypted in place, so the buffer must be wiped.
        let mut bytes = Zeroizing::new(ct);
        let associated_data = context.associated_data(&self.key_id);
        let card = self.open_in_place(&enc, bytes.as_mut_slice(), &associated_data)?;
        envelope::card_of(card, today).ok_or(OpenError)
    }

    fn open_in_place<'a>(
        &self,
        enc: &[u8; ENCAPSULATED_BYTES],
        bytes: &'a mut [u8],
        associated_data: &[u8],
    ) -> Result<&'a [u8], OpenError> {
        let shared = self.decapsulate(enc).ok_or(OpenError)?;
        // RFC 9180 section 5.1, without a pre-shared key and without exports.
        let secret = labeled_extract(shared.as_slice(), b"secret", &[]);
        let key = labeled_expand(&secret, b"key", &self.schedule, SECRET_BYTES);
        let nonce = labeled_expand(&secret, b"base_nonce", &self.schedule, NONCE_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..NONCE_BYTES]);
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).map(LessSafeKey::new);
        let (Ok(key), Ok(nonce)) = (key, nonce) else {
            return Err(OpenError);
        };
        let opened = key.open_in_place(nonce, Aad::from(associated_data), bytes);
        opened.map(|card| &*card).map_err(|_| OpenError)
    }

    /// X-Wing section 5.5. Rejects a point of small order, which the stock crate does not: no
    /// honest client uses one.
    fn decapsulate(&self, enc: &[u8; ENCAPSULATED_BYTES]) -> Option<Bytes32> {
        let (ml_kem, x25519) = enc.split_at(ML_KEM_CIPHERTEXT_BYTES);
        let ml_kem = self.ml_kem.decapsulate(Ciphertext::from(ml_kem)).ok()?;
        let peer = UnparsedPublicKey::new(&X25519, x25519);
        agreement::agree(&self.x25519, peer, (), |agreed| {
            let mut hash = digest::Context::new(&SHA3_256);
            hash.update(ml_kem.as_ref());
            hash.update(agreed);
            hash.update(x25519);
            hash.update(self.x25519_public.as_ref());
            hash.update(X_WING_LABEL);
            Ok(bytes32(hash.finish().as_ref()))
        })
        .ok()
    }
}

/// AWS-LC takes the expanded form of a private key, which only this function still produces.
#[expect(
    deprecated,
    reason = "the seed, which is the better form, is what is stored"
)]
fn expanded_ml_kem(seed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    use ml_kem::ExpandedKeyEncoding;
    let seed = Zeroizing::new(<[u8; 64]>::try_from(seed).ok()?);
    let (private, _) = MlKem768::from_seed(&(*seed).into());
    let mut long = private.to_expanded_bytes();
    let expanded = Zeroizing::new(long.to_vec());
    zeroize::Zeroize::zeroize(long.as_mut_slice());
    Some(expanded)
}

/// All hashes and tags here have 32 bytes.
fn bytes32(from: &[u8]) -> Bytes32 {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    for (to, from) in bytes.iter_mut().zip(from) {
        *to = *from;
    }
    bytes
}

/// RFC 9180 section 4.
fn labeled_extract(salt: &[u8], label: &[u8], input: &[u8]) -> Bytes32 {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, salt));
    for part in [VERSION_LABEL, SUITE.as_slice(), label, input] {
        mac.update(part);
    }
    bytes32(mac.sign().as_ref())
}

/// RFC 9180 section 4, limited to one block of HKDF (RFC 5869 section 2.3); the caller takes the
/// first `length` bytes.
fn labeled_expand(secret: &Bytes32, label: &[u8], info: &[u8], length: usize) -> Bytes32 {
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let mut mac = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, secret.as_slice()));
    for part in [length.as_slice(), VERSION_LABEL, SUITE, label, info, &[1]] {
        mac.update(part);
    }
    bytes32(mac.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use super::{DecapsulationKey, ENCAPSULATED_BYTES, PRIVATE_KEY_BYTES, Secret};
    use rand_core::{TryCryptoRng, TryRng};
    use sealpay_protocol::seal::{SealingPrivateKey, open_bytes, seal_bytes};
    use sealpay_system::Rng;
    use std::convert::Infallible;

    /// The operating system's generator, with the interface that HPKE expects.
    struct Random(Rng);

    impl TryRng for Random {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from_be_bytes(self.0.bytes()))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from_be_bytes(self.0.bytes()))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = self.0.bytes::<1>()[0]);
            Ok(())
        }
    }

    impl TryCryptoRng for Random {}

    fn pair(seed: [u8; PRIVATE_KEY_BYTES]) -> (SealingPrivateKey, DecapsulationKey) {
        let stock = SealingPrivateKey::from_seed(&Secret::new(seed)).unwrap();
        (
            stock,
            DecapsulationKey::from_seed(&Secret::new(seed)).unwrap(),
        )
    }

    /// Opens with both implementations and fails the test if they differ.
    fn open(
        (stock, quick): &(SealingPrivateKey, DecapsulationKey),
        enc: &[u8],
        ct: &[u8],
        associated_data: &[u8],
    ) -> Option<Vec<u8>> {
        let expected = open_bytes(stock, enc, ct, associated_data).ok();
        let enc: &[u8; ENCAPSULATED_BYTES] = enc.try_into().unwrap();
        let mut bytes = ct.to_vec();
        let opened = quick.open_in_place(enc, &mut bytes, associated_data).ok();
        assert_eq!(opened, expected.as_ref().map(|bytes| bytes.as_slice()));
        opened.map(<[u8]>::to_vec)
    }

    #[test]
    fn sealed_cards_open_as_with_the_stock_crate() {
        let rng = Rng::system();
        for length in [0, 1, 15, 16, 17, 255, 256, 257] {
            let keys = pair(rng.bytes());
            assert_eq!(keys.0.key_id(), keys.1.key_id());
            let (plaintext, data) = (vec![7; length], rng.bytes::<40>());
            let mut random = Random(rng.clone());
            let (enc, ct) =
                seal_bytes(&keys.0.public_key(), &plaintext, &data, &mut random).unwrap();
            assert_eq!(open(&keys, &enc, &ct, &data), Some(plaintext));
        }
    }

    #[test]
    fn altered_cards_open_with_neither_implementation() {
        let rng = Rng::system();
        let (keys, other) = (pair(rng.bytes()), pair(rng.bytes()));
        let data = rng.bytes::<40>();
        let mut random = Random(rng.clone());
        let (enc, ct) = seal_bytes(&keys.0.public_key(), &[7; 256], &data, &mut random).unwrap();
        assert_eq!(open(&other, &enc, &ct, &data), None);
        assert_eq!(open(&keys, &enc, &ct, &data[1..]), None);
        assert_eq!(open(&keys, &enc, &ct[1..], &data), None);
        assert_eq!(open(&keys, &enc, &[], &data), None);
        let flipped = |bytes: &[u8], place: usize| {
            let mut bytes = bytes.to_vec();
            bytes[place] ^= 1 << (place % 8);
            bytes
        };
        for place in (0..enc.len()).step_by(31).chain(1088..enc.len()) {
            let opened = open(&keys, &flipped(&enc, place), &ct, &data);
            // RFC 7748 section 5 ignores the top bit of a coordinate, but X-Wing hashes it.
            assert_eq!(opened, None, "enc {place}");
        }
        for place in 0..ct.len() {
            assert_eq!(
                open(&keys, &enc, &flipped(&ct, place), &data),
                None,
                "ct {place}"
            );
        }
        for place in 0..data.len() {
            assert_eq!(
                open(&keys, &enc, &ct, &flipped(&data, place)),
                None,
                "data {place}"
            );
        }
    }

    #[test]
    fn points_of_small_order_are_rejected() {
        let rng = Rng::system();
        let keys = pair(rng.bytes());
        let mut enc = rng.bytes::<ENCAPSULATED_BYTES>();
        for point in [[0; 32], [&[1][..], &[0; 31]].concat().try_into().unwrap()] {
            enc[1088..].copy_from_slice(&point);
            assert!(keys.1.decapsulate(&enc).is_none());
        }
    }

    #[test]
    fn the_vector_of_the_hpke_draft_opens() {
        let text = include_str!("../../../protocol/vectors/hpke-pq_test-vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let suite = |vector: &&serde_json::Value| {
            vector["kem_id"] == 0x647a && vector["kdf_id"] == 1 && vector["aead_id"] == 3
        };
        let vector = vectors.as_array().unwrap().iter().find(suite).unwrap();
        let bytes = |value: &serde_json::Value| {
            data_encoding::HEXLOWER
                .decode(value.as_str().unwrap().as_bytes())
                .unwrap()
        };
        let seed: [u8; PRIVATE_KEY_BYTES] = bytes(&vector["skRm"]).try_into().unwrap();
        let info = bytes(&vector["info"]);
        let key = DecapsulationKey::with_info(&Secret::new(seed), String::new(), &info).unwrap();
        let enc = bytes(&vector["enc"]).try_into().unwrap();
        let shared = key.decapsulate(&enc).unwrap();
        assert_eq!(shared.as_slice(), bytes(&vector["shared_secret"]));
        let first = &vector["encryptions"][0];
        let mut ct = bytes(&first["ct"]);
        let opened = key
            .open_in_place(&enc, &mut ct, &bytes(&first["aad"]))
            .unwrap();
        assert_eq!(opened, bytes(&first["pt"]));
    }
}
