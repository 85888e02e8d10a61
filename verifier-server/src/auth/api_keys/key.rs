//! API keys of merchants: created once, shown once, stored only as a keyed hash.

use crate::auth::api_keys::model::ApiKey;
use crate::error::{ApiError, ErrorCode};
use crate::keys::encryption::KeyEncryption;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::ids::{ApiKeyId, MerchantId};
use sealpay_system::Rng;
use zeroize::Zeroizing;

/// Prefix of test keys, recognizable for people and secret scanners.
pub const TEST_PREFIX: &str = "sk_test_";
/// Prefix of live keys.
pub const LIVE_PREFIX: &str = "sk_live_";
const SHOWN_CHARACTERS: usize = TEST_PREFIX.len() + 4;
const KEY_CHARACTERS: usize = TEST_PREFIX.len() + 43;

const fn prefix(livemode: bool) -> &'static str {
    if livemode { LIVE_PREFIX } else { TEST_PREFIX }
}

/// A new key for the merchant, and its stored record.
pub struct NewApiKey {
    /// To be shown once.
    pub plaintext: Zeroizing<String>,
    /// To be stored.
    pub record: ApiKey,
}

/// Makes an API key with all permissions and no expiry.
#[must_use]
pub fn make(
    merchant: MerchantId,
    livemode: bool,
    encryption: &KeyEncryption,
    rng: &Rng,
    now_ms: u64,
) -> NewApiKey {
    let random = Zeroizing::new(rng.bytes::<32>());
    let plaintext = Zeroizing::new([prefix(livemode), &base64url(random.as_slice())].concat());
    let record = ApiKey {
        id: ApiKeyId::new(now_ms, rng.bytes()),
        merchant,
        prefix: plaintext[..SHOWN_CHARACTERS].to_owned(),
        hash: encryption.api_key_hash(&plaintext),
        scopes: "*".into(),
        expires_at_ms: None,
        last_used_at_ms: None,
        created_at_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
    };
    NewApiKey { plaintext, record }
}

impl NewApiKey {
    /// Restricts a key to scopes and sets its expiry, milliseconds since 1970.
    #[must_use]
    pub fn limited(mut self, scopes: &str, expires_at_ms: Option<i64>) -> Self {
        scopes.clone_into(&mut self.record.scopes);
        self.record.expires_at_ms = expires_at_ms;
        self
    }
}

/// Whether a key has not expired at a time, milliseconds since 1970.
#[must_use]
pub fn is_good_at(key: &ApiKey, now_ms: i64) -> bool {
    key.expires_at_ms.is_none_or(|end_ms| now_ms < end_ms)
}

/// The token of an `Authorization` header with the scheme Bearer (RFC 6750 section 2.1). Scheme
/// names are case-insensitive, and one or more spaces follow (RFC 9110 sections 11.1 and 11.4).
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The hash of the key in an `Authorization` header, for lookup.
///
/// # Errors
/// [`ErrorCode::ApiKeyInvalid`] if the header is missing or does not contain a key,
/// [`ErrorCode::ApiKeyOfOtherMode`] for a test key in live mode, or the reverse.
pub fn hash_of_header(
    header: Option<&str>,
    livemode: bool,
    encryption: &KeyEncryption,
) -> Result<String, ApiError> {
    let key = header
        .and_then(bearer)
        .filter(|key| key.len() == KEY_CHARACTERS)
        .filter(|key| key.starts_with(TEST_PREFIX) || key.starts_with(LIVE_PREFIX))
        .ok_or_else(|| ApiError::for_param(ErrorCode::ApiKeyInvalid, "authorization"))?;
    if !key.starts_with(prefix(livemode)) {
        return Err(ApiError::for_param(
            ErrorCode::ApiKeyOfOtherMode,
            "authorization",
        ));
    }
    Ok(encryption.api_key_hash(key))
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_scheme_is_case_insensitive() {
        let rows = [
            ("Bearer sk_test_1", Some("sk_test_1")),
            ("bearer sk_test_1", Some("sk_test_1")),
            ("BEARER  sk_test_1 ", Some("sk_test_1")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearersk_test_1", None),
            ("Basic sk_test_1", None),
            ("sk_test_1", None),
            (" Bearer sk_test_1", None),
        ];
        for (header, token) in rows {
            assert_eq!(bearer(header), token, "{header:?}");
        }
    }
}
