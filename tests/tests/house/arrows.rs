//! What may not know what.

use super::sources::{Source, files, is_or_is_in};
use super::{each_is_found, none, none_is_found};

/// What a folder of the server may name of the server; itself it always may.
const OF_THE_SERVER: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("error", &[]),
    ("keys", &["domain", "system"]),
    ("auth", &["domain", "error", "keys", "system"]),
    ("fair", &[]),
    ("store", &["domain"]),
    ("provider", &["domain", "system"]),
    ("outbox", &["domain", "fair", "store", "system"]),
    ("listener", &["metrics", "outbox", "system"]),
    (
        "http",
        &[
            "auth", "domain", "error", "flow", "keys", "listener", "metrics",
        ],
    ),
];

/// The flow knows every part that it puts together, and none that is put together around it.
const NOT_OF_THE_FLOW: [&str; 5] = ["http", "outbox", "serve", "config", "cli"];

/// What a domain has nothing to do with.
const NOT_OF_A_DOMAIN: [&str; 10] = [
    "axum",
    "http",
    "hyper",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio_postgres",
    "std::time",
    "std::net",
    "std::fs",
];

const SERVER: &str = "verifier-server/src/";

/// The folder of the server that a source is in.
fn part_of_the_server(source: &Source) -> Option<&str> {
    let rest = source.path.strip_prefix(SERVER)?;
    rest.split(['/', '.']).next()
}

fn arrows_of_the_server(source: &Source) -> Vec<String> {
    let Some(part) = part_of_the_server(source) else {
        return Vec::new();
    };
    let named: Vec<_> = source
        .paths()
        .into_iter()
        .filter_map(|path| path.strip_prefix("crate::").map(str::to_owned))
        .filter_map(|path| path.split("::").next().map(str::to_owned))
        .collect();
    let allowed = OF_THE_SERVER.iter().find(|(name, _)| *name == part);
    let refused = |name: &&String| match allowed {
        Some((_, allowed)) => name.as_str() != part && !allowed.contains(&name.as_str()),
        None => part == "flow" && NOT_OF_THE_FLOW.contains(&name.as_str()),
    };
    let refused = named.iter().filter(refused);
    refused
        .map(|name| format!("{}: names crate::{name}", source.path))
        .collect()
}

#[test]
fn the_parts_of_the_server_know_what_they_may() {
    let found: Vec<_> = files("verifier-server/src", &[".rs"])
        .iter()
        .flat_map(arrows_of_the_server)
        .collect();
    none(&found);
    each_is_found(
        arrows_of_the_server,
        &[
            ("verifier-server/src/fair.rs", "use crate::store::Store;"),
            (
                "verifier-server/src/store/mod.rs",
                "use crate::provider::ProviderDecision;",
            ),
            (
                "verifier-server/src/store/mod.rs",
                "use crate::{domain, flow::Gateway};",
            ),
            (
                "verifier-server/src/provider/mod.rs",
                "use crate::store::Store;",
            ),
            (
                "verifier-server/src/http/v1/mod.rs",
                "fn f(s: &crate::store::Store) {}",
            ),
            (
                "verifier-server/src/http/mod.rs",
                "use crate::provider::simulated;",
            ),
            (
                "verifier-server/src/domain/state.rs",
                "use crate::error::ErrorCode;",
            ),
            (
                "verifier-server/src/outbox/mod.rs",
                "use crate::flow::Gateway;",
            ),
            (
                "verifier-server/src/auth/mod.rs",
                "use crate::store::Store;",
            ),
            (
                "verifier-server/src/flow/mod.rs",
                "use crate::http::AppState;",
            ),
            (
                "verifier-server/src/flow/mod.rs",
                "use crate::outbox::Outbox;",
            ),
        ],
    );
    none_is_found(
        arrows_of_the_server,
        &[
            (
                "verifier-server/src/flow/mod.rs",
                "use crate::{auth, provider, store};",
            ),
            (
                "verifier-server/src/outbox/mod.rs",
                "use crate::store::Store;",
            ),
            ("verifier-server/src/store/mod.rs", "use crate::domain;"),
            (
                "verifier-server/src/provider/simulated/book.rs",
                "use crate::system::Clock;",
            ),
            (
                "verifier-server/src/keys/mod.rs",
                "use crate::domain::merchant;\nuse sealpay_protocol::ids::PaymentId;",
            ),
            ("verifier-server/src/serve.rs", "use crate::http::app;"),
        ],
    );
}

fn pure_domain(source: &Source) -> Vec<String> {
    if !source.is_in("verifier-server/src/domain") {
        return Vec::new();
    }
    let mut found: Vec<_> = NOT_OF_A_DOMAIN
        .iter()
        .filter(|path| source.names(path))
        .map(|path| format!("{}: names {path}", source.path))
        .collect();
    let code = source.code();
    let words: Vec<_> = code
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    for word in [
        "async",
        "await",
        "Clock",
        "Rng",
        "Connection",
        "SystemTime",
        "Instant",
    ] {
        if words.contains(&word) {
            found.push(format!("{}: says {word}", source.path));
        }
    }
    for sql in ["SELECT ", "INSERT ", "UPDATE ", "DELETE "] {
        if code.contains(sql) {
            found.push(format!("{}: says {sql}", source.path));
        }
    }
    found
}

#[test]
fn the_domain_knows_no_http_no_sql_no_clock_and_waits_for_nobody() {
    let found: Vec<_> = files("verifier-server/src/domain", &[".rs"])
        .iter()
        .flat_map(pure_domain)
        .collect();
    none(&found);
    let path = "verifier-server/src/domain/payment.rs";
    each_is_found(
        pure_domain,
        &[
            (path, "use axum::Json;"),
            (path, "use std::{fmt, time::SystemTime};"),
            (path, "async fn f() {}"),
            (path, "fn f(clock: &Clock) {}"),
            (path, "const Q: &str = \"SELECT id FROM payments\";"),
            (path, "fn f(r: rusqlite::Row) {}"),
        ],
    );
    none_is_found(
        pure_domain,
        &[(path, "// async SELECT\nuse std::collections::BTreeMap;")],
    );
}

const BROWSER: [&str; 7] = [
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "yew",
    "gloo",
    "gloo_net",
    "wasm_bindgen_futures",
];

fn arrows_of_the_widget(source: &Source) -> Vec<String> {
    let pure = ["widget/src/form", "widget/src/payment"]
        .iter()
        .any(|folder| source.is_in(folder));
    let edge = source.is_in("widget/src/browser");
    let refused: &[&str] = if pure {
        &BROWSER
    } else if source.is_in("widget/src") && !edge {
        &["web_sys"]
    } else {
        &[]
    };
    let named = |path: &&&str| {
        source.paths().iter().any(|named| is_or_is_in(named, path))
            // Through a library that gives it away under its own name.
            || source.paths().iter().any(|named| named.contains(&["::", **path, "::"].concat()))
    };
    let refused = refused.iter().filter(named);
    refused
        .map(|path| format!("{}: names {path}", source.path))
        .collect()
}

#[test]
fn the_form_and_the_payment_know_no_browser_and_one_folder_knows_web_sys() {
    let found: Vec<_> = files("widget/src", &[".rs"])
        .iter()
        .flat_map(arrows_of_the_widget)
        .collect();
    none(&found);
    each_is_found(
        arrows_of_the_widget,
        &[
            ("widget/src/form/mod.rs", "use web_sys::window;"),
            ("widget/src/payment/step.rs", "use yew::prelude::*;"),
            (
                "widget/src/payment/step.rs",
                "fn f() { js_sys::Date::now(); }",
            ),
            ("widget/src/form/edit.rs", "use gloo_net::http::Request;"),
            ("widget/src/view/mod.rs", "use web_sys::HtmlElement;"),
            (
                "widget/src/view/mod.rs",
                "use yew::{html, web_sys::HtmlElement};",
            ),
            ("widget/src/main.rs", "fn main() { web_sys::window(); }"),
        ],
    );
    none_is_found(
        arrows_of_the_widget,
        &[
            ("widget/src/browser/mod.rs", "use web_sys::window;"),
            ("widget/src/view/mod.rs", "use yew::prelude::*;"),
        ],
    );
}

const NOT_OF_THE_TREATY: [&str; 9] = [
    "std::time",
    "std::net",
    "std::fs",
    "std::env",
    "std::thread",
    "getrandom",
    "tokio",
    "web_sys",
    "js_sys",
];

fn pure_treaty(source: &Source) -> Vec<String> {
    if !source.is_in("protocol/src") {
        return Vec::new();
    }
    let named = NOT_OF_THE_TREATY.iter().filter(|path| source.names(path));
    named
        .map(|path| format!("{}: names {path}", source.path))
        .collect()
}

#[test]
fn the_protocol_has_no_clock_no_randomness_and_reads_nothing() {
    let found: Vec<_> = files("protocol/src", &[".rs"])
        .iter()
        .flat_map(pure_treaty)
        .collect();
    none(&found);
    each_is_found(
        pure_treaty,
        &[
            ("protocol/src/seal.rs", "use std::time::SystemTime;"),
            ("protocol/src/seal.rs", "use std::{fmt, fs::File};"),
            ("protocol/src/seal.rs", "fn f() { getrandom::fill(&mut b) }"),
        ],
    );
    none_is_found(
        pure_treaty,
        &[("protocol/examples/seal.rs", "use std::fs;")],
    );
}
