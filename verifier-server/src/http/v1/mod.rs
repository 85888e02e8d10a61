//! Version 1 of the interface.

pub(super) mod authentications;
pub(super) mod balance;
pub(super) mod disputes;
pub(super) mod events;
pub(super) mod keys;
pub(super) mod modifications;
pub(super) mod payments;
pub(super) mod payouts;
pub(super) mod sessions;
pub(super) mod settlements;
pub(super) mod webhook_endpoints;

use crate::flow::read::{PAGE_DEFAULT, PAGE_MOST};
use crate::gate::refusal::{Code, Refusal};
use std::str::FromStr;

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

/// A parameter that `read` understands.
fn named<T>(
    text: Option<&str>,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let invalid = || Refusal::of(Code::InvalidParameter, name);
    text.map(|text| read(text).ok_or_else(invalid)).transpose()
}

/// Digits only: the parser alone would take signs too.
fn whole_number<T: FromStr>(text: Option<&str>, name: &'static str) -> Result<Option<T>, Refusal> {
    let digits = |text: &&str| text.bytes().all(|c| c.is_ascii_digit());
    named(text, name, |text| Some(text).filter(digits)?.parse().ok())
}

fn cursor<T: FromStr>(after: Option<&str>) -> Result<Option<T>, Refusal> {
    let parsed = after.map(str::parse).transpose();
    parsed.map_err(|_| Refusal::of(Code::InvalidParameter, "after"))
}
