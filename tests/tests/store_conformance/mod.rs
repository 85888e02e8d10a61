//! One suite for SQLite and Postgres: what the store promises, it promises on both.
//!
//! A test is an `async fn(&Place)` and is named once in [`on_both_databases!`]. The last test reads
//! the store's sources and fails when a public method does not occur here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod activity;
mod api_keys;
mod audit;
mod claims;
mod deliveries;
mod disputes;
mod endpoint_changes;
mod endpoints;
mod events;
mod keys;
mod ledger;
mod limits;
mod listing;
mod merchants;
mod modifications;
mod neighbours;
mod opening;
mod payouts;
mod place;
mod postgres_failover;
mod postgres_pooler;
mod postgres_tls;
mod races;
mod reversals;
mod robustness;
mod running;
mod sessions;
mod settlements;
mod settling;
mod simulation;
mod transactions;
mod verification;
mod widget_builds;
mod world;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Makes a test of each function on each database.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let place = $crate::store_conformance::place::Place::sqlite();
                    super::$name(&place).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let place = $crate::store_conformance::place::Place::postgres().await;
                    match place {
                        Some(place) => super::$name(&place).await,
                        None => eprintln!("skipped without Postgres: {}", stringify!($name)),
                    }
                }
            )*
        }
    };
}

use on_both_databases;

/// Every source below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// The public methods of `impl …Store` blocks, each as it is called: `.payments.claim(`.
fn methods_of_repositories(server: &str) -> Vec<String> {
    let fields = server.lines().filter_map(|line| {
        let (field, name) = line.strip_prefix("    pub ")?.split_once(": ")?;
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
fn every_public_method_of_the_store_is_exercised() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = sources(&root.join("../verifier-server/src"));
    let suite = sources(&root.join("tests/store_conformance"));
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
