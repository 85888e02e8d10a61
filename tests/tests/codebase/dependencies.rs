//! Which modules each module may use.

use super::sources::{Source, files, is_or_is_in};
use super::{holds, none};

/// What every feature may use.
const SHARED: [&str; 12] = [
    "auth",
    "error",
    "fair",
    "gateway",
    "http",
    "idempotency",
    "keys",
    "ledger",
    "merchants",
    "store",
    "webhooks",
    "worker",
];

/// The features, each with the other features that it may use.
const FEATURES: [(&str, &[&str]); 18] = [
    ("agreements", &["customers", "instruments"]),
    ("balance", &["settlements"]),
    // Erasing a customer ends what is charged again.
    ("customers", &["agreements", "instruments", "subscriptions"]),
    ("disputes", &["payments"]),
    ("dunning", &["payments", "subscriptions"]),
    // Detaching an instrument revokes its agreements.
    ("instruments", &["agreements"]),
    (
        "invoices",
        &[
            "customers",
            "dunning",
            "instruments",
            "payments",
            "subscriptions",
        ],
    ),
    ("merchants", &[]),
    ("modifications", &["payments"]),
    ("notifications", &["payments", "payouts"]),
    // The event of a payment shows what was done to it.
    (
        "payments",
        &[
            "agreements",
            "customers",
            "disputes",
            "dunning",
            "instruments",
            "invoices",
            "modifications",
            "sessions",
        ],
    ),
    ("payouts", &["balance"]),
    ("prices", &["sessions", "subscriptions"]),
    ("sessions", &["agreements", "instruments", "payments"]),
    ("settlements", &["balance", "payments", "payouts"]),
    (
        "subscriptions",
        &[
            "agreements",
            "customers",
            "dunning",
            "invoices",
            "payments",
            "prices",
        ],
    ),
    ("webhooks", &["payments"]),
    ("widget_builds", &[]),
];

/// What the parts that features stand on may use of the server.
#[rustfmt::skip]
const PARTS: [(&str, &[&str]); 10] = [
    ("attention", &["gateway", "modifications", "payments", "store"]),
    ("auth", &["error", "gateway", "http", "keys", "merchants", "store", "webhooks"]),
    ("error", &[]),
    ("fair", &["error"]),
    ("gateway", &["auth", "error", "fair", "keys", "ledger", "store"]),
    ("idempotency", &["error", "gateway", "store", "webhooks"]),
    ("keys", &["auth", "error", "gateway", "http", "maintain", "merchants", "store", "webhooks"]),
    ("ledger", &["balance", "disputes", "payments", "payouts", "settlements", "store"]),
    ("listener", &["metrics", "webhooks"]),
    ("worlds", &["error", "keys", "store"]),
];

/// Who puts the server together: nothing else knows them.
const AROUND: [&str; 5] = ["app", "cli", "config", "serve", "simulation"];

/// Files without I/O, wherever they stand in a feature.
const PURE: [&str; 24] = [
    "acquirer_rules",
    "anchor",
    "calendar",
    "decide",
    "decline",
    "draft",
    "faults",
    "fees",
    "history",
    "interval",
    "model",
    "period",
    "policy",
    "posting",
    "principal",
    "proration",
    "report",
    "risk",
    "schedule",
    "scheme_limits",
    "scope",
    "skipped_days",
    "state",
    "step",
];

/// What models and rules have nothing to do with.
const NOT_OF_A_MODEL: [&str; 10] = [
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
    let of = |table: &[(&str, &'static [&'static str])]| {
        let found = table.iter().find(|(name, _)| *name == part);
        found.map(|(_, allowed)| *allowed)
    };
    let is_refused = |name: &&String| {
        let name = name.as_str();
        let is_named = |allowed: &[&str]| name == part || allowed.contains(&name);
        match (of(&FEATURES), of(&PARTS)) {
            (Some(others), _) => !is_named(others) && !SHARED.contains(&name),
            (None, Some(allowed)) => !is_named(allowed),
            // The router knows every feature, and the simulation's routes.
            (None, None) if part == "http" => AROUND[..4].contains(&name),
            (None, None) => !AROUND.contains(&part) && AROUND.contains(&name),
        }
    };
    let refused = named.iter().filter(is_refused);
    refused
        .map(|name| format!("{}: names crate::{name}", source.path))
        .collect()
}

#[test]
fn server_modules_use_only_allowed_modules() {
    #[rustfmt::skip]
    let bad = [
        ("verifier-server/src/fair.rs", "use crate::store::Store;"),
        ("verifier-server/src/payouts/service.rs", "use crate::disputes::model::Dispute;"),
        ("verifier-server/src/disputes/routes.rs", "use crate::{http, sessions::model::Session};"),
        ("verifier-server/src/payments/authorize.rs", "use crate::simulation::store;"),
        ("verifier-server/src/http/mod.rs", "fn f(c: &crate::config::Config) {}"),
        ("verifier-server/src/metrics.rs", "use crate::app::Server;"),
    ];
    #[rustfmt::skip]
    let good = [
        ("verifier-server/src/disputes/service.rs", "use crate::{auth, payments, webhooks};"),
        ("verifier-server/src/http/openapi.rs", "use crate::{balance, payouts, simulation};"),
        ("simulator/src/book.rs", "use crate::system::Clock;"),
        ("verifier-server/src/serve.rs", "use crate::http::app;"),
    ];
    holds(
        arrows_of_the_server,
        &files("verifier-server/src", &[".rs"]),
        &bad,
        &good,
    );
}

/// Whether a folder or file at the top of the server has a place in the tables above, or is one of
/// those that put everything together.
fn has_a_place(part: &str) -> bool {
    const TOGETHER: [&str; 8] = [
        "core_dump",
        "http",
        "lib",
        "main",
        "maintain",
        "metrics",
        "store",
        "worker",
    ];
    FEATURES.iter().any(|(name, _)| *name == part)
        || PARTS.iter().any(|(name, _)| *name == part)
        || AROUND.contains(&part)
        || TOGETHER.contains(&part)
}

#[test]
fn every_server_folder_is_in_a_dependency_table() {
    let sources = files("verifier-server/src", &[".rs"]);
    let parts = sources.iter().filter_map(part_of_the_server);
    let strangers: Vec<_> = parts
        .filter(|part| !has_a_place(part))
        .map(|part| format!("verifier-server/src/{part} is in no table"))
        .collect();
    none(&strangers);
    assert!(!has_a_place("helpers"));
}

fn pure_models(source: &Source) -> Vec<String> {
    let parts = source.path.split(['/', '.']);
    let elsewhere = ["verifier-server/src/http", "verifier-server/src/simulation"];
    let is_in_a_feature =
        source.is_in("verifier-server/src") && !elsewhere.iter().any(|folder| source.is_in(folder));
    if !is_in_a_feature || !parts.into_iter().any(|part| PURE.contains(&part)) {
        return Vec::new();
    }
    let mut found: Vec<_> = NOT_OF_A_MODEL
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
fn models_use_no_http_sql_clock_or_async() {
    let path = "verifier-server/src/payments/model.rs";
    holds(
        pure_models,
        &files("verifier-server/src", &[".rs"]),
        &[
            (path, "use axum::Json;"),
            (path, "use std::{fmt, time::SystemTime};"),
            (path, "async fn f() {}"),
            (path, "fn f(clock: &Clock) {}"),
            (path, "const Q: &str = \"SELECT id FROM payments\";"),
            (path, "fn f(r: rusqlite::Row) {}"),
        ],
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
fn form_and_payment_use_no_browser_and_only_one_folder_uses_web_sys() {
    #[rustfmt::skip]
    let bad = [
        ("widget/src/form/mod.rs", "use web_sys::window;"),
        ("widget/src/payment/step.rs", "use yew::prelude::*;"),
        ("widget/src/payment/step.rs", "fn f() { js_sys::Date::now(); }"),
        ("widget/src/form/edit.rs", "use gloo_net::http::Request;"),
        ("widget/src/view/mod.rs", "use web_sys::HtmlElement;"),
        ("widget/src/view/mod.rs", "use yew::{html, web_sys::HtmlElement};"),
        ("widget/src/main.rs", "fn main() { web_sys::window(); }"),
    ];
    #[rustfmt::skip]
    let good =
        [("widget/src/browser/mod.rs", "use web_sys::window;"), ("widget/src/view/mod.rs", "use yew::prelude::*;")];
    holds(
        arrows_of_the_widget,
        &files("widget/src", &[".rs"]),
        &bad,
        &good,
    );
}

const NOT_OF_THE_PROTOCOL: [&str; 9] = [
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

fn pure_protocol(source: &Source) -> Vec<String> {
    if !source.is_in("protocol/src") {
        return Vec::new();
    }
    let named = NOT_OF_THE_PROTOCOL.iter().filter(|path| source.names(path));
    named
        .map(|path| format!("{}: names {path}", source.path))
        .collect()
}

#[test]
fn protocol_uses_no_clock_randomness_or_files() {
    holds(
        pure_protocol,
        &files("protocol/src", &[".rs"]),
        &[
            ("protocol/src/seal.rs", "use std::time::SystemTime;"),
            ("protocol/src/seal.rs", "use std::{fmt, fs::File};"),
            ("protocol/src/seal.rs", "fn f() { getrandom::fill(&mut b) }"),
        ],
        &[("protocol/examples/seal.rs", "use std::fs;")],
    );
}
