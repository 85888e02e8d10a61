//! Webhook signatures of Standard Webhooks. Every delivery has both schemes, `v1a` (Ed25519) and
//! `v1` (HMAC-SHA256): published libraries check only `v1`, and only `v1a` proves the sender to a
//! third party.

use crate::encoding::{base64, from_base64};
use crate::limits::WEBHOOK_TOLERANCE_SECONDS;
use crate::secret::Secret;
use core::fmt;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of an endpoint's HMAC secret.
pub const SECRET_BYTES: usize = 32;

/// An endpoint's HMAC secret, written `whsec_` and base64.
#[derive(Debug)]
pub struct EndpointSecret(Secret<[u8; SECRET_BYTES]>);

/// Why a webhook was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookError {
    /// The timestamp is not a number or too far from the receiver's clock.
    TimestampRefused,
    /// No signature in the list matches.
    SignatureRefused,
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimestampRefused => "The webhook's timestamp is too far from the clock.",
            Self::SignatureRefused => "No signature of the webhook fits.",
        })
    }
}

impl core::error::Error for WebhookError {}

/// The three headers of a delivery.
#[derive(Debug, Clone, Copy)]
pub struct WebhookHeaders<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signature: &'a str,
}

impl EndpointSecret {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Reads `whsec_…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(from_base64(text.strip_prefix("whsec_")?)?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// The bytes, for encrypted storage.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; SECRET_BYTES] {
        self.0.expose()
    }

    /// Writes `whsec_…`, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(["whsec_", &base64(self.0.expose())].concat())
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        // RFC 2104 section 2, step 1: a shorter key is padded with zeros to the block size of
        // SHA-256.
        let mut block = Zeroizing::new([0; 64]);
        block[..SECRET_BYTES].copy_from_slice(self.0.expose());
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(message);
        mac
    }
}

/// Writes a public key as `whpk_` and base64.
#[must_use]
pub fn public_key_text(key: &VerifyingKey) -> String {
    ["whpk_", &base64(key.as_bytes())].concat()
}

/// Reads `whpk_…`.
#[must_use]
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = from_base64(text.strip_prefix("whpk_")?)?.try_into().ok()?;
    crate::key::verifying_key(&bytes).ok()
}

fn message(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// Signs a delivery with every active key and secret; returns the value of `webhook-signature`.
#[must_use]
pub fn sign(
    id: &str,
    timestamp: u64,
    body: &[u8],
    keys: &[&SigningKey],
    secrets: &[&EndpointSecret],
) -> String {
    let message = message(id, &timestamp.to_string(), body);
    let asymmetric = keys
        .iter()
        .map(|key| ["v1a,", &base64(&key.sign(&message).to_bytes())].concat());
    let symmetric = secrets.iter().map(|secret| {
        [
            "v1,",
            &base64(&secret.mac(&message).finalize().into_bytes()),
        ]
        .concat()
    });
    asymmetric.chain(symmetric).collect::<Vec<_>>().join(" ")
}

fn check_timestamp(timestamp: &str, now: u64) -> Result<(), WebhookError> {
    // Digits only: the parser would also accept a plus sign.
    let digits = Some(timestamp).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    let sent: u64 = digits
        .and_then(|text| text.parse().ok())
        .ok_or(WebhookError::TimestampRefused)?;
    if sent.abs_diff(now) > WEBHOOK_TOLERANCE_SECONDS {
        return Err(WebhookError::TimestampRefused);
    }
    Ok(())
}

fn signatures<'a>(list: &'a str, scheme: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    list.split(' ')
        .filter_map(move |entry| entry.strip_prefix(scheme)?.strip_prefix(','))
        .filter_map(from_base64)
}

/// Checks the `v1` signature of a delivery over its raw body.
///
/// # Errors
/// [`WebhookError`].
pub fn verify_secret(
    headers: &WebhookHeaders<'_>,
    body: &[u8],
    secret: &EndpointSecret,
    now: u64,
) -> Result<(), WebhookError> {
    check_timestamp(headers.timestamp, now)?;
    let mac = secret.mac(&message(headers.id, headers.timestamp, body));
    let fits = signatures(headers.signature, "v1")
        .any(|signature| mac.clone().verify_slice(&signature).is_ok());
    if fits {
        Ok(())
    } else {
        Err(WebhookError::SignatureRefused)
    }
}

/// Checks the `v1a` signature of a delivery over its raw body.
///
/// # Errors
/// [`WebhookError`].
pub fn verify_key(
    headers: &WebhookHeaders<'_>,
    body: &[u8],
    key: &VerifyingKey,
    now: u64,
) -> Result<(), WebhookError> {
    check_timestamp(headers.timestamp, now)?;
    let message = message(headers.id, headers.timestamp, body);
    let fits = signatures(headers.signature, "v1a")
        .filter_map(|bytes| Signature::from_slice(&bytes).ok())
        .any(|signature| key.verify_strict(&message, &signature).is_ok());
    if fits {
        Ok(())
    } else {
        Err(WebhookError::SignatureRefused)
    }
}
