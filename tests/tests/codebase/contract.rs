//! The error reference and the OpenAPI file match the server.

use super::none;
use super::sources::root;
use std::collections::BTreeMap;
use std::fs;
use verifier_server::error::ErrorCode;
use verifier_server::http::openapi;

/// The rows of the tables in the last section of `docs/reference/errors.md`.
fn rows_of(document: &str) -> impl Iterator<Item = &str> {
    let errors = document.split("\n## Codes").nth(1).unwrap_or_default();
    errors.lines().filter(|line| line.starts_with("| "))
}

/// Its codes with their statuses.
fn codes_of(document: &str) -> BTreeMap<String, Vec<u16>> {
    let mut codes = BTreeMap::new();
    for row in rows_of(document) {
        let mut cells = row.trim_matches('|').split('|');
        let statuses = cells.next().unwrap_or_default().split(',');
        let statuses: Vec<u16> = statuses
            .filter_map(|text| text.trim().parse().ok())
            .collect();
        for name in cells
            .next()
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
        {
            codes.insert(name.to_owned(), statuses.clone());
        }
    }
    codes
}

fn differences(document: &str) -> Vec<String> {
    let written = codes_of(document);
    let mut found = Vec::new();
    for code in ErrorCode::ALL {
        match written.get(code.name()) {
            None => found.push(format!(
                "{} is not in docs/reference/errors.md",
                code.name()
            )),
            Some(statuses) if !statuses.contains(&code.status()) => {
                found.push(format!("{} has the status {}", code.name(), code.status()));
            }
            Some(_) => {}
        }
    }
    for name in written.keys() {
        if !ErrorCode::ALL.iter().any(|code| code.name() == name) {
            found.push(format!(
                "docs/reference/errors.md tells of {name}, and nothing answers it"
            ));
        }
    }
    found
}

/// Rows without a cause or without a remedy.
fn unexplained(document: &str) -> Vec<String> {
    let is_explained = |row: &&str| {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        cells.len() == 4 && cells.iter().all(|cell| !cell.trim().is_empty())
    };
    rows_of(document)
        .filter(|row| !is_explained(row))
        .map(|row| format!("a row needs status, code, cause and remedy: {row}"))
        .collect()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/reference/errors.md")).expect("the page is there")
}

#[test]
fn error_reference_lists_exactly_the_error_codes() {
    none(&differences(&document()));
    let page = document();
    assert!(!differences(&page.replace("`nonce_replayed`", "")).is_empty());
    assert!(!differences(&page.replace("`nonce_replayed`", "`nonce_reused`")).is_empty());
    assert!(!differences(&page.replace("| 410 |", "| 411 |")).is_empty());
}

#[test]
fn every_error_code_has_a_cause_and_a_remedy() {
    none(&unexplained(&document()));
    for row in [
        "| 401 | `a_code` | A cause. | |",
        "| 401 | `a_code` | A cause. |",
    ] {
        assert!(!unexplained(&["\n## Codes\n", row].concat()).is_empty());
    }
}

#[test]
fn checked_in_openapi_file_matches_the_server() {
    let path = root().join("docs/openapi.json");
    let checked_in = fs::read_to_string(path).expect("docs/openapi.json is there");
    let made = openapi::document().expect("the contract is JSON");
    let first = checked_in
        .lines()
        .zip(made.lines())
        .position(|(one, two)| one != two);
    assert!(
        checked_in == made,
        "docs/openapi.json differs from line {:?} on; write it with \
         `cargo run -p sealpay-verifier-server -- openapi > docs/openapi.json`",
        first.map(|line| line + 1)
    );
}
