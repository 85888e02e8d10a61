//! Version 1 of the interface.

pub(super) mod authentications;
pub(super) mod events;
pub(super) mod keys;
pub(super) mod payments;
pub(super) mod sessions;

use crate::flow::read::{PAGE_DEFAULT, PAGE_MOST};
use crate::gate::refusal::{Code, Refusal};
use crate::http::signed::single;
use axum::http::{HeaderMap, header};

/// `limit` of a list: 1 to 100.
fn page_limit(limit: Option<&str>) -> Result<u32, Refusal> {
    let Some(text) = limit else {
        return Ok(PAGE_DEFAULT);
    };
    // Digits only: the parser alone would take a plus sign too.
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=PAGE_MOST).contains(limit))
        .ok_or_else(|| Refusal::of(Code::InvalidParameter, "limit"))
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    single(headers, header::AUTHORIZATION.as_str())
}

fn cursor<T: std::str::FromStr>(after: Option<&str>) -> Result<Option<T>, Refusal> {
    let parsed = after.map(str::parse).transpose();
    parsed.map_err(|_| Refusal::of(Code::InvalidParameter, "after"))
}
