//! The examples of the OpenAPI document: stored as data, inserted when it is generated, and
//! executed by a test.
//!
//! An example is one request and its response, both under one name. The summary of the response is
//! the first line of the request.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::openapi::content::Content;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Schema};

const EXAMPLES: &str = include_str!("../../data/examples.json");
const JSON: &str = "application/json";

/// A request and its response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// Method and path as in the OpenAPI document.
    operation: String,
    /// Distinguishes the examples of an operation.
    name: String,
    /// The query, without its question mark.
    query: Option<String>,
    /// The body, if there is one.
    request: Option<Value>,
    /// The status of the response.
    status: u16,
    /// The media type of the response; JSON if omitted.
    media_type: Option<String>,
    /// The body of the response; a text if it is not JSON, null if there is none.
    response: Value,
}

/// Sorts members, because their order otherwise depends on a feature of the JSON library that
/// another crate may enable.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().collect();
            let members = members.into_iter();
            let sorted: Map<_, _> = members.map(|(name, value)| (name, sorted(value))).collect();
            sorted.into()
        }
        Value::Array(rows) => rows.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn put(content: &mut RefOr<Content>, name: &str, summary: &str, value: Value) -> Option<()> {
    let RefOr::T(content) = content else {
        return None;
    };
    let example = ExampleBuilder::new().value(Some(sorted(value)));
    let example = example.summary(summary).build();
    content.examples.insert(name.to_owned(), example.into());
    Some(())
}

fn operation_of<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    let operation = match method {
        "GET" => &mut item.get,
        "POST" => &mut item.post,
        "DELETE" => &mut item.delete,
        _ => return None,
    };
    operation.as_mut()
}

impl Exchange {
    fn put_into(self, contract: &mut OpenApi) -> Option<()> {
        let (method, path) = self.operation.split_once(' ')?;
        let operation = operation_of(contract.paths.paths.get_mut(path)?, method)?;
        if let Some(request) = self.request {
            let RefOr::T(body) = operation.request_body.as_mut()? else {
                return None;
            };
            put(body.content.get_mut(JSON)?, &self.name, "", request)?;
        }
        let answer = operation
            .responses
            .responses
            .get_mut(&self.status.to_string())?;
        let RefOr::T(answer) = answer else {
            return None;
        };
        let query = self.query.map(|query| ["?", &query].concat());
        let summary = [self.operation.as_str(), &query.unwrap_or_default()].concat();
        if self.response.is_null() {
            return answer.content.is_empty().then_some(());
        }
        let media_type = self.media_type.as_deref().unwrap_or(JSON);
        let content = answer.content.get_mut(media_type)?;
        put(content, &self.name, &summary, self.response)
    }
}

/// Sorts the members of examples in schemas.
fn sort_those_of_types(contract: &mut OpenApi) {
    let components = contract.components.as_mut();
    for schema in components
        .map(|all| all.schemas.values_mut())
        .into_iter()
        .flatten()
    {
        if let RefOr::T(Schema::Object(object)) = schema {
            object.example = object.example.take().map(sorted);
        }
    }
}

/// Inserts every example into the document.
pub(crate) fn put_into(contract: &mut OpenApi) -> Result<(), serde_json::Error> {
    sort_those_of_types(contract);
    let exchanges: Vec<Exchange> = serde_json::from_str(EXAMPLES)?;
    for exchange in exchanges {
        let what = format!("{}, {}", exchange.operation, exchange.name);
        exchange.put_into(contract).ok_or_else(|| {
            serde_json::Error::custom(format!(
                "the contract has no place for the example of {what}"
            ))
        })?;
    }
    Ok(())
}
