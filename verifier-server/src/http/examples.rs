//! Examples of the contract: kept as data, put into it when it is made, and executed by a test.
//!
//! An example is one request and its answer. Both stand under one name: the body of the request
//! with the body that is asked for, and the answer, whose summary is the request's first line.

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

/// One request and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// Method and path as the contract writes them.
    operation: String,
    /// Told apart by it from others of the operation.
    name: String,
    /// What stands behind the path, without its question mark.
    query: Option<String>,
    /// The body, if there is one.
    request: Option<Value>,
    /// The status of the answer.
    status: u16,
    /// Its form; JSON when left out.
    media_type: Option<String>,
    /// Its body; text where the form is not JSON, and null where there is none.
    response: Value,
}

/// In what order members stand depends on a feature of the JSON library that another crate may
/// turn on: sorted, the text is the same with and without.
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

/// Examples that stand beside a type, in the one order of members.
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

/// Puts every example into the contract.
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
