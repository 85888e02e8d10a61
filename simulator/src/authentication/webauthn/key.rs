//! Public keys of passkeys: ES256 and Ed25519, in COSE (RFC 9052) and as they are stored.

use super::cbor::Reader;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use ed25519_dalek::{Signature, VerifyingKey};

/// COSE algorithm ES256: ECDSA on P-256 with SHA-256.
pub(crate) const ES256: i64 = -7;

/// COSE algorithm EdDSA, with Ed25519.
pub(crate) const EDDSA: i64 = -8;

/// A valid public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// A point of P-256, uncompressed: 65 bytes.
    Es256([u8; 65]),
    /// A point of Ed25519.
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// The COSE algorithm.
    pub(crate) const fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => ES256,
            Self::Ed25519(_) => EDDSA,
        }
    }

    /// As it is stored.
    pub(crate) const fn bytes(&self) -> &[u8] {
        match self {
            Self::Es256(point) => point,
            Self::Ed25519(point) => point,
        }
    }

    /// From the stored parts.
    pub(crate) fn from_parts(algorithm: i64, bytes: &[u8]) -> Option<Self> {
        match algorithm {
            ES256 => {
                let point: [u8; 65] = bytes.try_into().ok()?;
                // Parsing checks that the point lies on the curve.
                let parsed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).parse();
                parsed.is_ok().then_some(Self::Es256(point))
            }
            EDDSA => {
                let point: [u8; 32] = bytes.try_into().ok()?;
                let key = VerifyingKey::from_bytes(&point).ok()?;
                (!key.is_weak()).then_some(Self::Ed25519(point))
            }
            _ => None,
        }
    }

    /// A `COSE_Key` with the members that WebAuthn section 5.8.5 requires and no other.
    pub(crate) fn from_cose(mut reader: Reader<'_>) -> Option<Self> {
        let (mut kind, mut algorithm, mut curve) = (None, None, None);
        let (mut x, mut y) = (None, None);
        for _ in 0..reader.map()? {
            let is_first = match reader.integer()? {
                1 => kind.replace(reader.integer()?).is_none(),
                3 => algorithm.replace(reader.integer()?).is_none(),
                -1 => curve.replace(reader.integer()?).is_none(),
                -2 => x.replace(reader.bytes()?).is_none(),
                -3 => y.replace(reader.bytes()?).is_none(),
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        match (kind?, algorithm?, curve?, x?, y) {
            // EC2 on P-256. A compressed point has a boolean in place of y, so it is refused.
            (2, ES256, 1, x, Some(y)) if x.len() == 32 && y.len() == 32 => {
                Self::from_parts(ES256, &[&[4], x, y].concat())
            }
            // OKP on Ed25519.
            (1, EDDSA, 6, x, None) => Self::from_parts(EDDSA, x),
            _ => None,
        }
    }

    /// Section 6.5.5: an ECDSA signature is ASN.1 DER, an Ed25519 signature has 64 bytes.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            Self::Ed25519(point) => {
                let key = VerifyingKey::from_bytes(point);
                let signature = Signature::from_slice(signature);
                key.is_ok_and(|key| {
                    signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
                })
            }
        }
    }
}
