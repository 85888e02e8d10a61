//! The server's modules have no import cycles. A module and its submodules count as one.

use super::sources::{Source, files};
use super::{holds, none};
use std::collections::{BTreeMap, BTreeSet};

type Module = Vec<String>;

/// `verifier-server/src/payments/store/claim.rs` is `payments::store::claim`.
fn module_of(source: &Source) -> Option<Module> {
    let rest = source.path.strip_prefix("verifier-server/src/")?;
    let rest = rest.strip_suffix(".rs")?;
    let mut parts: Module = rest.split('/').map(str::to_owned).collect();
    if ["mod", "lib", "main"].contains(&parts.last()?.as_str()) {
        parts.pop();
    }
    Some(parts)
}

/// A path as it is from the crate's root; none for what is another crate's.
fn absolute(path: &str, module: &[String], children: &BTreeSet<Module>) -> Option<Module> {
    let mut parts = path.split("::").filter(|part| !part.is_empty()).peekable();
    let mut base = match *parts.peek()? {
        "crate" => {
            parts.next();
            Module::new()
        }
        "self" | "super" => {
            let mut base = module.to_vec();
            while let Some(up) = parts.next_if(|part| ["self", "super"].contains(part)) {
                if up == "super" {
                    base.pop();
                }
            }
            base
        }
        first => {
            let child = [module, &[first.to_owned()]].concat();
            if !children.contains(&child) {
                return None;
            }
            module.to_vec()
        }
    };
    base.extend(parts.map(str::to_owned));
    Some(base)
}

/// Which module needs which: what stands inside of the other is left out.
fn needs(sources: &[Source]) -> BTreeMap<Module, BTreeSet<Module>> {
    let modules: BTreeSet<Module> = sources.iter().filter_map(module_of).collect();
    let mut needs = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some(module) = module_of(source) else {
            continue;
        };
        let named = source.paths();
        let named = named.iter().filter_map(|path| {
            let path = absolute(path, &module, &modules)?;
            let lengths = (1..=path.len()).rev();
            lengths
                .map(|length| path[..length].to_vec())
                .find(|part| modules.contains(part))
        });
        let apart = |other: &Module| !other.starts_with(&module) && !module.starts_with(other);
        let named: BTreeSet<_> = named.filter(apart).collect();
        needs.insert(module, named);
    }
    needs
}

/// Modules that need themselves by way of others.
fn circles(sources: &[Source]) -> Vec<String> {
    let needs = needs(sources);
    let reached_from = |start: &Module| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start];
        while let Some(module) = waiting.pop() {
            for needed in needs.get(module).into_iter().flatten() {
                if reached.insert(needed) {
                    waiting.push(needed);
                }
            }
        }
        reached
    };
    needs
        .keys()
        .filter(|module| reached_from(module).contains(module))
        .map(|module| format!("{} is in a circle", module.join("::")))
        .collect()
}

#[test]
fn server_files_have_no_import_cycles() {
    let snippet = |first: &str, second: &str| {
        circles(&[
            Source::of_snippet("verifier-server/src/a.rs", first),
            Source::of_snippet("verifier-server/src/b/c.rs", second),
        ])
    };
    let second = "use crate::a::A;";
    let found = |source: &Source| snippet(&source.text, second);
    let path = "verifier-server/src/a.rs";
    let bad = [
        (path, "use crate::b::c;"),
        (path, "fn f() { crate::b::c::g() }"),
        (path, "use super::b::c::{C, D};"),
    ];
    holds(found, &[], &bad, &[(path, "use crate::d::D;")]);
    none(&circles(&files("verifier-server/src", &[".rs"])));
}
