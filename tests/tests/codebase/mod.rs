//! The conventions of the code, checked by reading the sources. Each rule is a pure function, and a
//! test shows that it can fail.

mod ambient;
mod contract;
mod crates;
mod cycles;
mod dependencies;
mod documents;
mod payment_methods;
mod secrets;
mod sizes;
mod sources;
mod third_party;
mod words;

use sources::Source;

/// Nothing was found, or everything that was is said.
#[track_caller]
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// The rule finds something in each of these snippets.
#[track_caller]
fn each_is_found(rule: impl Fn(&Source) -> Vec<String>, snippets: &[(&str, &str)]) {
    for (path, text) in snippets {
        let source = Source::of_snippet(path, text);
        assert!(!rule(&source).is_empty(), "not found in {path}: {text}");
    }
}

/// The rule finds nothing in these.
#[track_caller]
fn none_is_found(rule: impl Fn(&Source) -> Vec<String>, snippets: &[(&str, &str)]) {
    for (path, text) in snippets {
        none(&rule(&Source::of_snippet(path, text)));
    }
}
