//! The public part of the widget's ephemeral Ed25519 key.

use crate::encoding;
use core::fmt;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An Ed25519 public key as a JWK (RFC 8037 section 2), with exactly these members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicJwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The 32 bytes of the key in base64url.
    pub x: String,
}

/// RFC 7638 thumbprint of a key: 43 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

/// A JWK that is not a usable Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The key is not an Ed25519 public key as RFC 8037 writes it.")
    }
}

impl core::error::Error for KeyError {}

impl PublicJwk {
    /// Encodes a key.
    #[must_use]
    pub fn from_key(key: &VerifyingKey) -> Self {
        Self {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: encoding::base64url(key.as_bytes()),
        }
    }

    /// Decodes the key.
    ///
    /// # Errors
    /// [`KeyError`] for another type of key, a wrong length, a point that is not on the curve, and
    /// a point of small order, with which one signature would verify many messages.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        if self.kty != "OKP" || self.crv != "Ed25519" {
            return Err(KeyError);
        }
        let bytes: [u8; 32] = encoding::array_from_base64url(&self.x).ok_or(KeyError)?;
        verifying_key(&bytes)
    }
}

/// Decodes the 32 bytes of an Ed25519 public key.
///
/// # Errors
/// [`KeyError`] for a point that is not on the curve, of small order, or encoded non-canonically.
pub fn verifying_key(bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError)?;
    if key.is_weak() || !is_canonical(bytes) {
        Err(KeyError)
    } else {
        Ok(key)
    }
}

/// Whether the y coordinate is below 2^255 − 19 (RFC 8032 section 5.1.3 step 1). The library
/// reduces larger values, which would give one key two thumbprints.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xed || middle.iter().any(|&byte| byte != 0xff) || high & 0x7f != 0x7f
}

impl Thumbprint {
    /// The thumbprint of a key (RFC 7638 section 3, members of RFC 8037 section 2).
    #[must_use]
    pub fn from_key(key: &VerifyingKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(br#"{"crv":"Ed25519","kty":"OKP","x":""#);
        hash.update(encoding::base64url(key.as_bytes()));
        hash.update(br#""}"#);
        Self(encoding::base64url(&hash.finalize()))
    }

    /// The 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a stored or received thumbprint.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        encoding::array_from_base64url::<32>(text).map(|_| Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyError, PublicJwk, Thumbprint, is_canonical, verifying_key};

    #[test]
    fn the_thumbprint_of_rfc_8037_appendix_a3() {
        let jwk = PublicJwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into(),
        };
        let thumbprint = Thumbprint::from_key(&jwk.verifying_key().unwrap());
        assert_eq!(
            thumbprint.as_str(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn keys_of_small_order_are_rejected() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(verifying_key(&identity), Err(KeyError));
        assert_eq!(verifying_key(&[0; 32]), Err(KeyError));
    }

    /// The rows are below, at and above 2^255 − 19, with one deciding byte in the middle.
    #[test]
    fn coordinates_from_the_prime_on_are_not_canonical() {
        let y = |low: u8, middle: u8, high: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[17], bytes[31]) = (low, middle, high);
            bytes
        };
        let rows = [
            (y(0xec, 0xff, 0x7f), true),
            (y(0xed, 0xff, 0x7f), false),
            (y(0xee, 0xff, 0x7f), false),
            (y(0xff, 0xff, 0x7f), false),
            // A smaller byte above the lowest makes the coordinate smaller.
            (y(0xff, 0xfe, 0x7f), true),
            (y(0xff, 0x00, 0x7f), true),
            (y(0xff, 0xff, 0x7e), true),
            (y(0xff, 0xff, 0x00), true),
            (y(0x00, 0x00, 0x00), true),
            // The sign of x is the highest bit, and not part of y.
            (y(0xec, 0xff, 0xff), true),
            (y(0xed, 0xff, 0xff), false),
            (y(0xff, 0xfe, 0xff), true),
            (y(0xff, 0xff, 0xfe), true),
        ];
        for (bytes, canonical) in rows {
            assert_eq!(is_canonical(&bytes), canonical, "{bytes:02x?}");
        }
    }

    #[test]
    fn non_canonical_keys_are_rejected() {
        let mut checked = 0;
        for low in 0xed..=0xff {
            let mut second = [0xff; 32];
            second[0] = low;
            second[31] = 0x7f;
            let mut first = [0; 32];
            first[0] = low - 0xed;
            if verifying_key(&first).is_ok() {
                checked += 1;
            }
            assert_eq!(verifying_key(&second), Err(KeyError), "{low}");
        }
        assert!(checked > 0, "none of these points would be a key otherwise");
    }
}
