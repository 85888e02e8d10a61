//! Licences and sources of the dependencies that are shipped.

use super::none;
use super::sources::root;
use serde_json::Value;
use std::process::Command;

/// Licences that a product under the MIT licence may carry: they ask for their text to be kept, and for
/// nothing of what is built with them. Another one is looked at by a person, and then stands here.
const LICENCES: [&str; 8] = [
    "Apache-2.0",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
];

/// The one place that packages come from: it keeps every version forever, and each has a checksum in
/// `Cargo.lock`.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether an expression (SPDX annex D) leaves a way that the list allows. A slash is an old `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let spaced = spaced.replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) == Some(true) && rest.is_empty()
}

/// Nothing where this is no expression: half of one allows nothing, whatever the other half says.
fn any_of(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = all_of(rest)?;
    while let Some((&"OR", after)) = rest.split_first() {
        *rest = after;
        allowed |= all_of(rest)?;
    }
    Some(allowed)
}

fn all_of(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = one(rest)?;
    while let Some((&"AND", after)) = rest.split_first() {
        *rest = after;
        allowed &= one(rest)?;
    }
    Some(allowed)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    let (&name, after) = rest.split_first()?;
    *rest = after;
    if name == "(" {
        let allowed = any_of(rest)?;
        return match rest.split_first() {
            Some((&")", after)) => {
                *rest = after;
                Some(allowed)
            }
            _ => None,
        };
    }
    // An exception gives more freedom and asks for nothing.
    if let ["WITH", _, after @ ..] = *rest {
        *rest = after;
    }
    Some(LICENCES.contains(&name))
}

fn faults(packages: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        let licence = text("license");
        if !is_allowed(licence) {
            found.push(format!(
                "{name} has the licence {licence:?}, which nobody has looked at: see LICENCES"
            ));
        }
        if !matches!(text("source"), "" | REGISTRY) {
            let source = text("source");
            found.push(format!(
                "{name} comes from {source}, and not from crates.io"
            ));
        }
        if text("source").is_empty() && !package["publish"].is_array() {
            found.push(format!("{name} is ours and could be published by mistake"));
        }
    }
    found
}

#[test]
fn every_dependency_has_an_approved_licence_and_source() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers with JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    assert!(packages.len() > 100, "{}", packages.len());
    none(&faults(packages));
}

#[test]
fn unapproved_licence_or_source_is_detected() {
    let package = |license: &str, source: &str| serde_json::json!({"name": "a", "version": "1", "license": license, "source": source});
    assert_eq!(faults(&[package("MIT OR Apache-2.0", REGISTRY)]), [""; 0]);
    for license in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT",
        "MIT OR",
        "MIT MIT",
        "",
    ] {
        assert_eq!(faults(&[package(license, REGISTRY)]).len(), 1, "{license}");
    }
    for license in [
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR GPL-3.0-only) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert_eq!(faults(&[package(license, REGISTRY)]), [""; 0], "{license}");
    }
    let git = "git+https://example.org/a#1";
    assert_eq!(faults(&[package("MIT", git)]).len(), 1);
}

/// A sum that wraps around in a release would be believed.
#[test]
fn release_builds_check_arithmetic_overflow() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("it is there");
    let profile = |name: &str| {
        let section = manifest.split(&format!("[profile.{name}]\n")).nth(1);
        let section = section.and_then(|rest| rest.split("\n[").next());
        section.unwrap_or_default().to_owned()
    };
    assert!(profile("release").contains("overflow-checks = true"));
    // The widget's numbers are checked by the types and by the verifier; bytes count there.
    assert!(profile("widget").contains("overflow-checks = false"));
}
