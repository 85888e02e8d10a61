//! Parses query parameters, with errors that name the parameter.

use crate::error::ApiError;
use sealpay_protocol::Named;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::limits::REFERENCE_CHARACTERS;
use sealpay_protocol::text;
use std::fmt::Display;
use std::str::FromStr;

/// Parses a parameter with `read`; `accepted` describes the accepted values.
pub(crate) fn named<T>(
    text: Option<&str>,
    name: &'static str,
    accepted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let invalid = || ApiError::invalid(name, format!("{name} must be {accepted}."));
    text.map(|text| read(text).ok_or_else(invalid)).transpose()
}

/// Describes a choice of names.
pub(crate) fn one_of(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    ["one of ", &names.join(", ")].concat()
}

/// One of the names of an enum.
pub(crate) fn name<T: Named>(
    text: Option<&str>,
    param: &'static str,
) -> Result<Option<T>, ApiError> {
    let names = one_of(T::VARIANTS.iter().map(|one| one.name()));
    named(text, param, &names, T::from_name)
}

pub(crate) fn currency(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<Currency>, ApiError> {
    let accepted = "the uppercase ISO 4217 code of a currency in which payments can be made";
    named(text, name, accepted, |code| code.parse().ok())
}

/// Digits only: the parser would also accept signs.
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

/// A second since 1970, as its first millisecond.
pub(crate) fn second(text: Option<&str>, name: &'static str) -> Result<Option<i64>, ApiError> {
    let second: Option<i64> = whole_number(text, name)?;
    Ok(second.map(|second| second.saturating_mul(1000)))
}

/// A second since 1970, as the first millisecond after it.
pub(crate) fn end_of_second(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<i64>, ApiError> {
    let first = second(text, name)?;
    Ok(first.map(|first| first.saturating_add(1000)))
}

/// A merchant's reference; other texts would match nothing.
pub(crate) fn reference(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<String>, ApiError> {
    let accepted = format!("1 to {REFERENCE_CHARACTERS} printable ASCII characters");
    named(text, name, &accepted, |text| {
        text::is_reference(text).then(|| text.to_owned())
    })
}

/// An identifier, such as the last row of the previous page.
pub(crate) fn identifier<T: FromStr<Err: Display>>(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<T>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error| ApiError::invalid(name, format!("{name} is not an id: {error}.")))
}

/// Schemas of parameters with additional constraints.
pub(crate) mod schema {
    use crate::webhooks::events::model::KINDS;
    use sealpay_protocol::currency::Currency;
    use sealpay_protocol::ids::Identifier;
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
        names(crate::webhooks::deliveries::model::DeliveryState::ALL.map(|state| state.name()))
    }

    /// An identifier: a prefix, 48 bits of time and 80 random bits.
    pub(crate) fn id<T: Identifier>() -> Object {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let pattern = format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", T::PREFIX);
        text.pattern(Some(pattern)).build()
    }

    /// A merchant's reference: printable ASCII.
    pub(crate) fn reference() -> Object {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text
            .min_length(Some(1))
            .max_length(Some(super::REFERENCE_CHARACTERS));
        text.pattern(Some("^[ -~]+$")).build()
    }
}
