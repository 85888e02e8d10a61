//! The registered origins that may frame the form, cached for a few seconds: the document is
//! requested without credentials, so it must not cost a database read each time.

use super::client::Client;
use super::guesses::Failure;
use super::rate_limit::RateLimit;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::merchants::frame_ancestors::frame_ancestors;
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::origin::Origin;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::form_urlencoded;

/// How long a merchant's origins are cached, milliseconds; a change takes effect after this time.
pub const FRESH_MS: u64 = 3_000;
/// How long other requests use the expired entry while one request reloads it, milliseconds.
const READ_WITHIN_MS: u64 = 1_000;
/// Cached merchants; more than one server handles at the same time.
const REMEMBERED: usize = 10_000;
/// Maximum number of pages around a frame; three levels are already rare.
const MOST_PARENTS: usize = 8;

#[derive(Debug)]
struct Known {
    origins: Arc<[String]>,
    read_at_ms: u64,
    fresh_until_ms: u64,
}

impl Known {
    /// Setting the clock back does not extend the lifetime of an entry.
    fn is_fresh(&self, now_ms: u64) -> bool {
        (self.read_at_ms..self.fresh_until_ms).contains(&now_ms)
    }
}

/// The cached origins by merchant.
#[derive(Debug, Default)]
pub struct FrameOrigins(Mutex<HashMap<MerchantId, Known>>);

impl FrameOrigins {
    /// The cached origins; none if the caller has to reload them. Meanwhile other callers get the
    /// previous ones.
    pub(crate) fn known(&self, merchant: MerchantId, now_ms: u64) -> Option<Arc<[String]>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get_mut(&merchant)?;
        if known.is_fresh(now_ms) {
            return Some(Arc::clone(&known.origins));
        }
        known.read_at_ms = now_ms;
        known.fresh_until_ms = now_ms.saturating_add(READ_WITHIN_MS);
        None
    }

    fn remember(&self, merchant: MerchantId, origins: Arc<[String]>, now_ms: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, known| known.is_fresh(now_ms));
        }
        if all.len() < REMEMBERED {
            let known = Known {
                origins,
                read_at_ms: now_ms,
                fresh_until_ms: now_ms.saturating_add(FRESH_MS),
            };
            all.insert(merchant, known);
        }
    }
}

/// The registered origins of a merchant. Requests for unknown merchants may be delayed, but not
/// those for cached ones.
pub(crate) async fn origins_of(
    gateway: &Gateway,
    (known, limit): (&FrameOrigins, &RateLimit),
    client: Option<Client>,
    merchant: &str,
) -> Result<Arc<[String]>, ApiError> {
    let id = merchant.parse();
    let id: MerchantId = id.map_err(|_| ApiError::new(ErrorCode::UnknownMerchant))?;
    let now_ms = gateway.clock().wall_ms();
    if let Some(origins) = known.known(id, now_ms) {
        return Ok(origins);
    }
    let guess = client.map(|client| limit.guess_at_a_form(client));
    if guess.is_some_and(|guess| !limit.allows_guess(&guess, now_ms)) {
        return Err(ApiError::new(ErrorCode::RateLimited));
    }
    let read = frame_ancestors(gateway, merchant).await;
    if let (Err(error), Some(guess)) = (&read, guess)
        && error.code == ErrorCode::UnknownMerchant
    {
        limit.guess_failed(&guess, Failure::Credential, now_ms);
    }
    let origins: Arc<[String]> = read?.into();
    known.remember(id, Arc::clone(&origins), now_ms);
    Ok(origins)
}

/// The origins in the loader's query (`?parent=…`, once for each page around the frame) that are
/// registered. The others are not disclosed.
pub(crate) fn registered_parents(query: Option<&str>, registered: &[String]) -> Vec<String> {
    let mut parents: Vec<String> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let is_registered = name == "parent" && registered.iter().any(|origin| *origin == value);
        let is_new = !parents.iter().any(|parent| *parent == value);
        if is_registered && is_new && value.parse::<Origin>().is_ok() {
            parents.push(value.into_owned());
        }
        if parents.len() == MOST_PARENTS {
            break;
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::{FRESH_MS, FrameOrigins, READ_WITHIN_MS, registered_parents};
    use sealpay_protocol::ids::MerchantId;
    use std::sync::Arc;

    #[test]
    fn one_request_reloads_while_others_use_the_cache() {
        let (origins, merchant) = (FrameOrigins::default(), MerchantId::new(1, [1; 10]));
        let is_known = |now_ms| origins.known(merchant, now_ms).is_some();
        assert!(!is_known(10_000));
        origins.remember(merchant, Arc::from([]), 10_000);
        assert!(is_known(10_000) && is_known(9_999 + FRESH_MS));
        let stale = 10_000 + FRESH_MS;
        assert!(!is_known(stale), "this one reads");
        assert!(is_known(stale) && is_known(stale + READ_WITHIN_MS - 1));
        assert!(
            !is_known(stale + READ_WITHIN_MS),
            "the reader never came back"
        );
        assert!(!is_known(5_000), "the clock was set back");
    }

    #[test]
    fn only_named_and_registered_pages_may_frame_the_form() {
        let registered = ["https://shop.example", "https://staging.shop.example"];
        let registered = registered.map(str::to_owned);
        let rows: [(Option<&str>, &[&str]); 9] = [
            (None, &[]),
            (Some(""), &[]),
            (
                Some("parent=https%3A%2F%2Fshop.example"),
                &["https://shop.example"],
            ),
            (
                Some("parent=https://shop.example"),
                &["https://shop.example"],
            ),
            (Some("parent=https://evil.example"), &[]),
            (Some("parent=https://shop.example.evil.example"), &[]),
            (Some("parent=https://shop.example%20*"), &[]),
            (
                Some("parent=null&parent=*&parent='self'&x=https://shop.example"),
                &[],
            ),
            (
                Some(
                    "parent=https://staging.shop.example&parent=https://evil.example\
                    &parent=https://shop.example&parent=https://shop.example",
                ),
                &["https://staging.shop.example", "https://shop.example"],
            ),
        ];
        for (query, expected) in rows {
            assert_eq!(
                registered_parents(query, &registered),
                expected,
                "{query:?}"
            );
        }
    }
}
