//! Strict JSON objects for the structures of the protocol.
//!
//! A derived `Deserialize` also accepts an array of the members in source order. No other
//! implementation would, and a second spelling could carry a second meaning, so only objects are
//! accepted.

#[cfg(feature = "verifier")]
mod fault;

#[cfg(feature = "verifier")]
pub use fault::{JsonFault, shown_name};

use core::fmt;
use core::marker::PhantomData;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};

/// Parses one JSON object.
///
/// # Errors
/// The text is not JSON, is not an object, or has members that the type does not have.
pub fn object_from_slice<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice::<Object<T>>(bytes).map(|object| object.0)
}

/// For `#[serde(deserialize_with)]`: a member that must be an object.
///
/// # Errors
/// It is not an object.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}

/// For `#[serde(deserialize_with)]`: an optional member that must be an object.
///
/// # Errors
/// It is present and not an object.
pub fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// For `#[serde(deserialize_with)]`: an optional member that must be an array of objects.
///
/// # Errors
/// It is present and not an array of objects.
pub fn optional_objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| object.0).collect()))
}

/// For [`read_by_name!`](macro@crate::read_by_name): a string that is one of the names. A derived
/// enum also accepts `{"name":null}`, a second spelling.
///
/// # Errors
/// It is not a string, or not one of the names.
pub fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    names: &'static [&'static str],
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).ok_or_else(|| de::Error::unknown_variant(&text, names))
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Object)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::object_from_slice;
    use crate::key::PublicJwk;

    #[test]
    fn objects_are_accepted_and_arrays_rejected() {
        let rows = [
            (r#"{"kty":"OKP","crv":"Ed25519","x":""}"#, true),
            (r#" {"x":"","crv":"Ed25519","kty":"OKP"} "#, true),
            (r#"["OKP","Ed25519",""]"#, false),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"","kty":"OKP"}"#, false),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"","d":""}"#, false),
            (r#"{"kty":"OKP","crv":"Ed25519"}"#, false),
            (r#"{"kty":"OKP","crv":"Ed25519","x":""}{}"#, false),
            ("null", false),
            (r#""OKP""#, false),
            ("", false),
        ];
        for (text, good) in rows {
            let read = object_from_slice::<PublicJwk>(text.as_bytes());
            assert_eq!(read.is_ok(), good, "{text}");
        }
    }
}
