//! Version 1 of the interface.

pub(super) mod events;
pub(super) mod keys;
pub(super) mod payments;
pub(super) mod sessions;

use crate::flow::read::{PAGE_DEFAULT, PAGE_MOST};
use crate::gate::refusal::{Code, Refusal};
use axum::http::{HeaderMap, header};

/// `limit` of a list: 1 to 100.
fn page_limit(limit: Option<u32>) -> Result<u32, Refusal> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MOST).contains(&limit) {
        Ok(limit)
    } else {
        Err(Refusal::of(Code::InvalidParameter, "limit"))
    }
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

fn cursor<T: std::str::FromStr>(after: Option<&str>) -> Result<Option<T>, Refusal> {
    let parsed = after.map(str::parse).transpose();
    parsed.map_err(|_| Refusal::of(Code::InvalidParameter, "after"))
}
