//! What every repository promises on SQLite and on Postgres.
//!
//! A test is an `async fn(&TestDatabase)` and is named once in `on_both_databases!`. Tests of one feature's
//! repository stand in its folder as `store`. The last test reads the sources of the repositories and
//! fails when a public method does not occur in any of them.

pub(crate) mod background;
pub(crate) mod fixtures;
mod opening;
mod postgres_failover;
mod postgres_pooler;
mod postgres_tls;
mod races;
mod robustness;
mod running_servers;
mod shared_database;
pub(crate) mod test_database;
mod time_limit;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Every source below a folder whose path is chosen.
fn sources(folder: &Path, is_chosen: &dyn Fn(&Path) -> bool) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path, is_chosen));
        } else if path.extension().is_some_and(|extension| extension == "rs") && is_chosen(&path) {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// Whether a file belongs to this suite: it is in `storage`, or it is the `store` of a feature.
fn is_of_the_suite(path: &Path) -> bool {
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut parts = path.iter().filter_map(|part| part.to_str());
    parts.any(|part| ["storage", "store", "store.rs"].contains(&part))
}

/// The public methods of `impl …Store` blocks, each as it is called: `.payments.claim(`.
fn methods_of_repositories(server: &str) -> Vec<String> {
    let fields = server.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let (field, name) = line.strip_prefix("pub ").unwrap_or(line).split_once(": ")?;
        let name = name
            .strip_suffix("Store,")
            .filter(|name| !name.is_empty())?;
        Some((name, field))
    });
    let fields: HashMap<_, _> = fields.collect();
    let mut found = Vec::new();
    for block in server.split("\nimpl ").skip(1) {
        let Some((name, rest)) = block.split_once("Store {\n") else {
            continue;
        };
        if !name.chars().all(char::is_alphanumeric) {
            continue;
        }
        let body = rest.split("\n}\n").next().unwrap_or(rest);
        let lines = body.lines();
        let methods = lines.filter_map(|line| line.strip_prefix("    pub async fn "));
        let methods = methods.filter_map(|rest| rest.split(['(', '<']).next());
        found.extend(methods.map(|method| match fields.get(name) {
            Some(field) => format!(".{field}.{method}("),
            None => format!("{method}("),
        }));
    }
    found
}

#[test]
fn every_public_repository_method_is_exercised() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = sources(&root.join("../verifier-server/src"), &|_| true);
    let suite = sources(&root.join("tests"), &is_of_the_suite);
    let suite: String = suite.split_whitespace().collect();
    let methods = methods_of_repositories(&server);
    assert!(
        methods.len() > 80,
        "the public methods were found: {methods:?}"
    );
    for method in methods {
        assert!(suite.contains(&method), "{method} is not exercised");
    }
}
