//! Parameters of queries: read, or refused with the name at fault.

use super::paging::{PAGE_DEFAULT, PAGE_MOST};
use crate::error::ApiError;
use sealpay_protocol::currency::Currency;
use std::fmt::Display;
use std::str::FromStr;

/// `limit` of a list: 1 to 100.
pub(crate) fn page_limit(limit: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = limit else {
        return Ok(PAGE_DEFAULT);
    };
    // Digits only: the parser alone would take a plus sign too.
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=PAGE_MOST).contains(limit))
        .ok_or_else(|| {
            let detail = format!("limit must be a whole number from 1 to {PAGE_MOST}.");
            ApiError::invalid("limit", detail)
        })
}

/// A parameter that `read` understands; `accepted` says what that is.
pub(crate) fn named<T>(
    text: Option<&str>,
    name: &'static str,
    accepted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let invalid = || ApiError::invalid(name, format!("{name} must be {accepted}."));
    text.map(|text| read(text).ok_or_else(invalid)).transpose()
}

/// One of a few names.
pub(crate) fn one_of(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    ["one of ", &names.join(", ")].concat()
}

/// A currency.
pub(crate) fn currency(text: Option<&str>) -> Result<Option<Currency>, ApiError> {
    let accepted = "an ISO 4217 code in capitals that money can be paid in";
    named(text, "currency", accepted, |code| code.parse().ok())
}

/// Digits only: the parser alone would take signs too.
pub(crate) fn whole_number<T: FromStr>(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<T>, ApiError> {
    let digits = |text: &&str| text.bytes().all(|c| c.is_ascii_digit());
    let accepted = "a whole number in digits only";
    named(text, name, accepted, |text| {
        Some(text).filter(digits)?.parse().ok()
    })
}

pub(crate) fn identifier<T: FromStr<Err: Display>>(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<T>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error| ApiError::invalid(name, format!("{name} is not an id: {error}.")))
}

pub(crate) fn cursor<T: FromStr<Err: Display>>(after: Option<&str>) -> Result<Option<T>, ApiError> {
    identifier(after, "after")
}

/// The schemas of parameters that are more than their type says.
pub(crate) mod schema {
    use crate::webhooks::events::model::KINDS;
    use sealpay_protocol::currency::Currency;
    use utoipa::openapi::Object;
    use utoipa::openapi::schema::{ObjectBuilder, Type};

    fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Object {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.enum_values(Some(names)).build()
    }

    pub(crate) fn currency() -> Object {
        let all: Vec<_> = Currency::all().collect();
        names(all.iter().map(Currency::code))
    }

    pub(crate) fn event_type() -> Object {
        names(KINDS)
    }

    pub(crate) fn delivery_state() -> Object {
        names(crate::webhooks::events::model::DeliveryState::ALL.map(|state| state.name()))
    }

    /// 48 bits of time and 80 random bits behind a prefix.
    fn identifier(prefix: &str) -> Object {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let pattern = format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$");
        text.pattern(Some(pattern)).build()
    }

    macro_rules! identifiers {
        ($($name:ident = $prefix:literal;)*) => {$(
            pub(crate) fn $name() -> Object {
                identifier($prefix)
            }
        )*};
    }

    identifiers! {
        payment = "pay";
        modification = "mod";
        dispute = "dis";
        transaction = "txn";
        settlement = "set";
        payout = "pyo";
        event = "evt";
        request = "req";
    }

    /// A merchant's name for something: printable ASCII.
    pub(crate) fn reference() -> Object {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let most = sealpay_protocol::limits::REFERENCE_CHARACTERS;
        let text = text.min_length(Some(1)).max_length(Some(most));
        text.pattern(Some("^[ -~]+$")).build()
    }
}
