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

/// The rule finds nothing in the sources, something in each of the bad snippets, and nothing in the
/// good ones.
#[track_caller]
fn holds<'a>(
    rule: impl Fn(&Source) -> Vec<String>,
    sources: impl IntoIterator<Item = &'a Source>,
    bad: &[(&str, &str)],
    good: &[(&str, &str)],
) {
    none(&sources.into_iter().flat_map(&rule).collect::<Vec<_>>());
    for (path, text) in bad {
        let found = rule(&Source::of_snippet(path, text));
        assert!(!found.is_empty(), "not found in {path}: {text}");
    }
    for (path, text) in good {
        none(&rule(&Source::of_snippet(path, text)));
    }
}
