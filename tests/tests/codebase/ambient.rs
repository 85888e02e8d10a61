//! Time, randomness and environment variables are read in a few listed files and passed as
//! arguments everywhere else.

use super::holds;
use super::sources::{Source, rust_files};

/// What asks the machine. The last of several names is enough, because of `use`.
const AMBIENT: [&str; 14] = [
    "SystemTime::now",
    "Instant::now",
    "Date::now",
    "Date::new_0",
    "Math::random",
    "getrandom::fill",
    "getrandom::getrandom",
    "SysRng",
    "OsRng",
    "thread_rng",
    "rand::rng",
    "rand::random",
    "env::var",
    "env::var_os",
];

/// The edges: here it may be asked.
const EDGES: [&str; 7] = [
    "system/src",
    "examples/shop/src/system.rs",
    "examples/receivers/rust/src/edge.rs",
    "widget/src/browser",
    "protocol/examples",
    "tests",
    "xtask",
];

/// Where it may be asked outside the edges, and why.
const EXCEPTIONS: [(&str, &str, &str); 10] = [
    (
        "verifier-server/src/fair/payment_waiters.rs",
        "Instant::now",
        "how long a request waits for another one: moved time must not end it",
    ),
    (
        "verifier-server/src/config/database.rs",
        "env::var",
        "every Postgres client reads PGPASSFILE, and here it is read once at the start",
    ),
    (
        "storage/src/time_limit.rs",
        "Instant::now",
        "how long SQLite may look is a limit on the machine: moved time must not end it",
    ),
    (
        "verifier-server/src/auth/audit/appender.rs",
        "Instant::now",
        "how long a row is tried again is a limit on the machine: moved time must not give it up",
    ),
    (
        "verifier-server/src/http/in_flight.rs",
        "Instant::now",
        "how fast a body arrives ends the request and decides nothing else",
    ),
    (
        "verifier-server/src/http/observe.rs",
        "Instant::now",
        "how long an answer took is told to operators and decides nothing",
    ),
    (
        "verifier-server/src/http/probes.rs",
        "Instant::now",
        "how long an answer to probes is remembered spares the store: moved time must not age it",
    ),
    (
        "verifier-server/src/listener/activity.rs",
        "Instant::now",
        "how long a connection has been idle ends the connection and decides nothing else",
    ),
    (
        "verifier-server/src/app/master_key_file.rs",
        "env::var",
        "the master key may come from the environment, and is read once at the start",
    ),
    (
        "verifier-server/src/app/master_key_file.rs",
        "env::var_os",
        "a command that replaces the master key has to know that it cannot replace this one",
    ),
];

fn asks_the_machine(source: &Source) -> Vec<String> {
    if source.is_test() || EDGES.iter().any(|edge| source.is_in(edge)) {
        return Vec::new();
    }
    let paths = source.paths();
    let excepted = |ambient: &&&str| {
        EXCEPTIONS
            .iter()
            .any(|(path, what, _)| *path == source.path && what == *ambient)
    };
    let named = |ambient: &&&str| {
        let behind = ["::", **ambient].concat();
        paths
            .iter()
            .any(|path| path == **ambient || path.ends_with(&behind))
    };
    let found = AMBIENT
        .iter()
        .filter(named)
        .filter(|ambient| !excepted(ambient));
    found
        .map(|ambient| format!("{}: asks {ambient}", source.path))
        .collect()
}

#[test]
fn only_listed_files_read_time_randomness_or_environment() {
    let path = "verifier-server/src/payments/authorize.rs";
    #[rustfmt::skip]
    let good =
        [("system/src/clock.rs", "SystemTime::now()"), (path, "// SystemTime::now() is the edge's\nclock.now()")];
    holds(
        asks_the_machine,
        &rust_files(),
        &[
            (path, "let now = SystemTime::now();"),
            (path, "let now = std::time::Instant::now();"),
            (path, "let now = tokio::time::Instant::now();"),
            (path, "use std::env::var;"),
            (path, "getrandom::fill(&mut bytes)?;"),
            ("widget/src/payment/step.rs", "js_sys::Date::now()"),
            ("widget/src/view/panel.rs", "let x = Math::random();"),
            ("protocol/src/seal.rs", "let mut rng = rand_core::OsRng;"),
            ("verifier-server/src/http/observe.rs", "SystemTime::now()"),
        ],
        &good,
    );
}

#[test]
fn every_exception_is_still_needed() {
    for (path, what, why) in EXCEPTIONS {
        let files = rust_files();
        let source = files.iter().find(|source| source.path == path);
        let source = source.unwrap_or_else(|| panic!("{path} is gone"));
        assert!(
            source.text.contains(what),
            "{path} does not need {what} any more ({why})"
        );
    }
}
