//! Which crates of the workspace each crate may use.

use super::holds;
use super::sources::{Source, files};

/// What the crates below the server may name of the workspace; the protocol every one of them may.
const OF_CRATES: [(&str, &[&str]); 5] = [
    ("protocol", &[]),
    ("provider", &[]),
    (
        "simulator",
        &["sealpay_provider", "sealpay_storage", "sealpay_system"],
    ),
    ("storage", &[]),
    ("system", &[]),
];

/// Crates of the workspace that somebody names who may not, and the simulator where it is named by
/// more than what puts the server together and what controls the simulation.
fn arrows_of_crates(source: &Source) -> Vec<String> {
    let paths = source.paths();
    let named = paths
        .iter()
        .filter_map(|path| path.split("::").next())
        .filter(|name| name.starts_with("sealpay_") || *name == "verifier_server");
    let of_crates = OF_CRATES
        .iter()
        .find(|(name, _)| source.is_in(&format!("{name}/src")));
    let is_refused = |name: &&str| match of_crates {
        Some((_, allowed)) => *name != "sealpay_protocol" && !allowed.contains(name),
        None => {
            *name == "sealpay_simulator"
                && source.is_in("verifier-server/src")
                && !source.is_in("verifier-server/src/simulation")
                && source.path != "verifier-server/src/app/providers.rs"
        }
    };
    named
        .filter(is_refused)
        .map(|name| format!("{}: names {name}", source.path))
        .collect()
}

#[test]
fn crates_use_only_allowed_crates() {
    let folders = [
        "protocol/src",
        "provider/src",
        "simulator/src",
        "storage/src",
        "system/src",
        "verifier-server/src",
    ];
    let sources: Vec<_> = folders
        .iter()
        .flat_map(|folder| files(folder, &[".rs"]))
        .collect();
    #[rustfmt::skip]
    let bad = [
        ("provider/src/lib.rs", "use sealpay_storage::Database;"),
        ("simulator/src/world.rs", "use verifier_server::store::Store;"),
        ("verifier-server/src/gateway.rs", "use sealpay_simulator::SimulatedBank;"),
        ("verifier-server/src/payments/plan.rs", "fn f(b: &sealpay_simulator::SimulatedBank) {}"),
    ];
    #[rustfmt::skip]
    let good = [
        ("verifier-server/src/simulation/mod.rs", "use sealpay_simulator::SimulatedBank;"),
        ("simulator/src/world.rs", "use sealpay_system::Clock;"),
    ];
    holds(arrows_of_crates, &sources, &bad, &good);
}
