//! Every example of the OpenAPI file is sent to a verifier, and the response has its schema.
//!
//! The answers in `verifier-server/data/examples.json` were recorded by
//!
//! ```text
//! cargo test -p sealpay-tests --test all print_the_examples -- --ignored --nocapture
//! ```

use super::history::History;
use harness::client::Prepared;
use harness::gateway::{Answer, TestGateway};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use verifier_server::http::openapi;

/// An example as it stands in the contract.
#[derive(Debug, Clone)]
struct Example {
    operation: String,
    name: String,
    query: Option<String>,
    request: Option<Value>,
    status: String,
    media_type: Option<String>,
    response: Value,
}

fn contract() -> Value {
    serde_json::from_str(&openapi::document().unwrap()).unwrap()
}

/// The operations of the merchant's, as `GET /v1/payments`, with what the contract says of them.
fn operations(contract: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let tags = operation["tags"].as_array();
            if tags.is_some_and(|tags| tags.contains(&"merchant".into())) {
                found.insert(format!("{} {path}", method.to_uppercase()), operation);
            }
        }
    }
    found
}

/// The examples of an operation: the answers, each with the request of its name.
fn examples_of(operation: &str, contract: &Value) -> Vec<Example> {
    let requests = &contract["requestBody"]["content"]["application/json"]["examples"];
    let mut found = Vec::new();
    for (status, answer) in contract["responses"].as_object().unwrap() {
        if status == "204" {
            found.push(Example {
                operation: operation.to_owned(),
                name: "nothing".into(),
                query: None,
                request: None,
                status: status.clone(),
                media_type: None,
                response: Value::Null,
            });
        }
        let Some(forms) = answer["content"].as_object() else {
            continue;
        };
        for (media_type, form) in forms {
            for (name, example) in form["examples"].as_object().into_iter().flatten() {
                let line = example["summary"].as_str().unwrap();
                found.push(Example {
                    operation: operation.to_owned(),
                    name: name.clone(),
                    query: line.split_once('?').map(|(_, query)| query.to_owned()),
                    request: requests.get(name).map(|request| request["value"].clone()),
                    status: status.clone(),
                    media_type: Some(media_type.clone()),
                    response: example["value"].clone(),
                });
            }
        }
    }
    found
}

/// What changes things comes behind what only looks, and what deletes comes last.
fn in_order(mut examples: Vec<Example>) -> Vec<Example> {
    examples.sort_by_key(|example| {
        let rank = match example.operation.split(' ').next() {
            Some("GET") => 0,
            Some("DELETE") => 2,
            _ => 1,
        };
        (rank, example.operation.clone(), example.name.clone())
    });
    examples
}

fn request_of(gateway: &TestGateway, history: &History, example: &Example) -> Prepared {
    let (method, path) = example.operation.split_once(' ').unwrap();
    let path = path.replace("{id}", history.id_in(&example.operation));
    let query = example.query.as_deref().map(|query| history.named(query));
    let query = query
        .map(|query| ["?", &query].concat())
        .unwrap_or_default();
    let path = [path, query].concat();
    let mut request = Prepared::get_of(&path, Some(&gateway.merchant.api_key));
    request.method = method.to_owned();
    if method != "GET" {
        request.set(
            "idempotency-key",
            &format!("example-{}-{path}", example.name),
        );
    }
    if let Some(body) = &example.request {
        request.set("content-type", "application/json");
        request.body = history.named(&body.to_string()).into_bytes();
    }
    request
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Where an answer has another form than its example: the same members to the last level, of
/// the same kinds. A list has at least one row where the example has, and each is like one of its.
fn differences(place: &str, expected: &Value, found: &Value) -> Vec<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let names: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
            let members = names.into_iter().flat_map(|name| {
                let place = format!("{place}/{name}");
                match (expected.get(name), found.get(name)) {
                    (Some(expected), Some(found)) => differences(&place, expected, found),
                    (Some(_), None) => vec![format!("{place} is missing")],
                    _ => vec![format!("{place} is not in the example")],
                }
            });
            members.collect()
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.is_empty() != found.is_empty() {
                return vec![format!("{place} has {} rows", found.len())];
            }
            let unlike = found.iter().enumerate().filter_map(|(row, found)| {
                let place = format!("{place}/{row}");
                let all = expected
                    .iter()
                    .map(|expected| differences(&place, expected, found));
                all.min_by_key(Vec::len)
            });
            unlike.flatten().collect()
        }
        _ if kind(expected) == kind(found) => Vec::new(),
        _ => vec![format!(
            "{place} is {} and not {}",
            kind(found),
            kind(expected)
        )],
    }
}

#[test]
fn response_with_a_different_schema_is_detected() {
    let example = json!({"a": 1, "b": [{"c": null}, {"c": "text"}], "d": {"e": true}, "f": []});
    let same = json!({"a": 2, "b": [{"c": "other"}], "d": {"e": false}, "f": []});
    assert_eq!(differences("", &example, &same), Vec::<String>::new());
    let rows = [
        (json!({"a": "2"}), "/a is a text and not a number"),
        (json!({"a": null}), "/a is null and not a number"),
        (json!({"g": 1}), "/g is not in the example"),
        (json!({"b": []}), "/b has 0 rows"),
        (json!({"f": [1]}), "/f has 1 rows"),
        (json!({"b": [{"c": 1}]}), "/b/0/c is a number and not null"),
        (json!({"d": {}}), "/d/e is missing"),
    ];
    for (change, expected) in rows {
        let mut found = same.clone();
        for (name, value) in change.as_object().unwrap() {
            found[name] = value.clone();
        }
        assert_eq!(differences("", &example, &found), [expected]);
    }
}

/// The names of a table's columns, or of a document's elements.
fn form_of_text(media_type: &str, text: &str) -> BTreeSet<String> {
    let line = text.lines().next().unwrap_or_default();
    if media_type == "text/csv" {
        return line.split(',').map(str::to_owned).collect();
    }
    let tags = text.split('<').skip(1);
    let names = tags.filter_map(|tag| tag.split([' ', '>', '/', '\n']).find(|s| !s.is_empty()));
    names.map(str::to_owned).collect()
}

fn check(example: &Example, answer: &Answer) {
    let what = format!("{}, {}", example.operation, example.name);
    let told = answer.text();
    assert_eq!(answer.status.as_str(), example.status, "{what}: {told}");
    let Some(media_type) = &example.media_type else {
        assert_eq!(told, "", "{what}");
        return;
    };
    let given = answer.header("content-type").unwrap_or_default();
    assert_eq!(given.split(';').next(), Some(media_type.as_str()), "{what}");
    if media_type == "application/json" {
        let found = differences("", &example.response, &answer.json());
        assert!(found.is_empty(), "{what}:\n{}\n{told}", found.join("\n"));
    } else {
        let expected = form_of_text(media_type, example.response.as_str().unwrap());
        assert_eq!(form_of_text(media_type, &told), expected, "{what}");
    }
}

/// Every operation has an example of each answer that is no refusal, and of each body.
#[test]
fn every_merchant_operation_has_examples() {
    let contract = contract();
    let mut missing = Vec::new();
    let operations = operations(&contract);
    assert!(operations.len() > 20, "{:?}", operations.keys());
    for (name, operation) in operations {
        let examples = examples_of(&name, operation);
        let has_body = operation.get("requestBody").is_some();
        if has_body && !examples.iter().any(|example| example.request.is_some()) {
            missing.push(format!("{name} has no example of a request"));
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            // What is pending is told with the same record.
            let other = examples.iter().any(|example| example.status == "200");
            if matches!(status.as_str(), "4XX" | "5XX") || (status == "202" && other) {
                continue;
            }
            for media_type in answer["content"].as_object().into_iter().flatten() {
                let of_form = |example: &&Example| {
                    example.status == *status && example.media_type.as_ref() == Some(media_type.0)
                };
                if examples.iter().find(of_form).is_none() {
                    missing.push(format!(
                        "{name} has no example of {status} {}",
                        media_type.0
                    ));
                }
            }
        }
        let requests = &operation["requestBody"]["content"]["application/json"]["examples"];
        for example in requests.as_object().into_iter().flatten() {
            if !examples.iter().any(|known| known.name == *example.0) {
                missing.push(format!(
                    "{name}, {}: a request without its answer",
                    example.0
                ));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_matches_the_response() {
    let contract = contract();
    let operations = operations(&contract);
    let examples = operations
        .iter()
        .flat_map(|(name, operation)| examples_of(name, operation));
    let examples = in_order(examples.collect());
    let gateway = History::gateway().await;
    let history = History::of(&gateway).await;
    for example in &examples {
        let request = request_of(&gateway, &history, example);
        check(example, &gateway.send(request).await);
    }
    gateway.finish().await;
}

/// What was recorded, without what is another's every time for no reason.
fn recorded(history: &History, value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, recorded(history, value)))
            .collect(),
        Value::Array(rows) => rows.into_iter().map(|row| recorded(history, row)).collect(),
        Value::String(text) if text.starts_with("whsec_") => {
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()
        }
        Value::String(text) => text.replace(history.receiver(), History::PUBLIC_URL).into(),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints the examples file"]
async fn print_the_examples() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../verifier-server/data/examples.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut exchanges: Vec<Value> = serde_json::from_str(&text).unwrap();
    let gateway = History::gateway().await;
    let history = History::of(&gateway).await;
    let text = |exchange: &Value, member: &str| exchange[member].as_str().map(str::to_owned);
    let examples = exchanges.iter().map(|exchange| Example {
        operation: text(exchange, "operation").unwrap(),
        name: text(exchange, "name").unwrap(),
        query: text(exchange, "query"),
        request: exchange.get("request").cloned(),
        status: String::new(),
        media_type: None,
        response: Value::Null,
    });
    for example in in_order(examples.collect()) {
        let exchange = exchanges.iter_mut().find(|exchange| {
            exchange["operation"] == example.operation.as_str()
                && exchange["name"] == example.name.as_str()
        });
        let exchange = exchange.unwrap();
        let answer = gateway.send(request_of(&gateway, &history, &example)).await;
        assert!(
            answer.status.is_success(),
            "{}: {}",
            example.operation,
            answer.text()
        );
        exchange["status"] = answer.status.as_u16().into();
        let response = serde_json::from_slice(&answer.body);
        let response = response.unwrap_or_else(|_| match answer.text() {
            text if text.is_empty() => Value::Null,
            text => text.into(),
        });
        exchange["response"] = recorded(&history, response);
    }
    println!("{}", serde_json::to_string_pretty(&exchanges).unwrap());
    gateway.finish().await;
}
