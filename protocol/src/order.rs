//! The order: a compact JWS (RFC 7515 section 7.1) that the merchant's server signs.
//!
//! There is one algorithm, one header form, and keys come only from the merchant's registration, so
//! nothing is negotiable.

mod claims;
#[cfg(feature = "verifier")]
mod refusal;
#[cfg(feature = "verifier")]
mod verify;

pub use claims::{AuthenticationRequirement, Capture, OrderClaims, OrderItem, Simulate};
#[cfg(feature = "verifier")]
pub use refusal::{OrderError, OrderRefusal};
#[cfg(feature = "verifier")]
pub use verify::{CompactOrder, Order};

use crate::encoding::{base64url, from_base64url};
use crate::json;
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The `typ` of an order.
pub const TYPE: &str = "sealpay-order+jwt";

/// The JWS header. It has exactly these members, so `jku`, `jwk`, `x5u` and `crit` never parse.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// Signs an order as the merchant's server does.
///
/// Does not validate the claims; the verifier does, and reports what is wrong.
///
/// # Errors
/// The claims could not be written as JSON, which no value of these types causes.
pub fn sign(
    claims: &OrderClaims,
    key_id: &str,
    key: &SigningKey,
) -> Result<String, serde_json::Error> {
    let header = Header {
        alg: "Ed25519".into(),
        typ: TYPE.into(),
        kid: key_id.into(),
    };
    let mut compact = base64url(&serde_json::to_vec(&header)?);
    compact.push('.');
    compact.push_str(&base64url(&serde_json::to_vec(claims)?));
    let signature = key.sign(compact.as_bytes());
    compact.push('.');
    compact.push_str(&base64url(&signature.to_bytes()));
    Ok(compact)
}

/// SHA-256 over the compact text. A sealed card is bound to it.
#[must_use]
pub fn digest(compact: &str) -> [u8; 32] {
    Sha256::digest(compact.as_bytes()).into()
}

/// Reads the claims without verification, for a page that only displays them.
#[must_use]
pub fn claims_unverified(compact: &str) -> Option<OrderClaims> {
    let payload = compact.split('.').nth(1)?;
    json::object_from_slice(&from_base64url(payload)?).ok()
}
