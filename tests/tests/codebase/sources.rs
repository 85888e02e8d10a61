//! The source files, and as much of Rust's grammar as the rules need.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what was made, or what is nobody's to read.
const NOT_SOURCES: [&str; 8] = [
    ".git",
    "target",
    "dist",
    "node_modules",
    "data-demo",
    ".cargo",
    ".ci",
    ".demo",
];

/// A file of the tree.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the tree, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file whose name ends so, under a folder of the tree.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), &root().join(folder), endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} has no {endings:?}");
    found
}

fn collect(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder)
        .expect("the folder can be read")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_SOURCES.contains(&name.as_str()) {
                collect(root, &path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root).expect("it is in the tree");
            let path = path.to_string_lossy().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

/// Every Rust file of the tree.
pub(crate) fn rust_files() -> Vec<Source> {
    let folders = [
        "protocol",
        "widget",
        "system",
        "storage",
        "provider",
        "simulator",
        "verifier-server",
        "examples",
        "tests",
        "xtask",
    ];
    folders
        .iter()
        .flat_map(|folder| files(folder, &[".rs"]))
        .collect()
}

impl Source {
    pub(crate) fn of_snippet(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    pub(crate) fn is_in(&self, folder: &str) -> bool {
        let rest = self.path.strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
    }

    /// Whether all of it is compiled for tests only.
    pub(crate) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        parts.any(|part| {
            ["tests", "tests.rs"].contains(&part)
                || part.ends_with("_tests")
                || part.ends_with("_tests.rs")
        })
    }

    /// The text without comments, and without what is compiled for tests only.
    pub(crate) fn code(&self) -> String {
        let tests = self
            .text
            .find("#[cfg(test)]\nmod ")
            .unwrap_or(self.text.len());
        let lines = self.text[..tests].lines();
        let code = lines.map(|line| line.split("//").next().unwrap_or_default());
        code.collect::<Vec<_>>().join("\n")
    }

    /// Every path that the code names: those of `use` written out, and those in between.
    pub(crate) fn paths(&self) -> Vec<String> {
        let code = self.code();
        let mut paths = Vec::new();
        let mut rest = String::new();
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let bare = line.trim_start();
            let bare = bare.strip_prefix("pub").map_or(bare, |after| {
                let after = after.strip_prefix("(super)").unwrap_or(after);
                after.strip_prefix("(crate)").unwrap_or(after).trim_start()
            });
            if let Some(first) = bare.strip_prefix("use ") {
                let mut tree = first.to_owned();
                while !tree.contains(';') {
                    let Some(next) = lines.next() else { break };
                    tree.push_str(next.trim());
                }
                write_out("", tree.split(';').next().unwrap_or_default(), &mut paths);
            } else {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        let part_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let in_between = rest.split(|c| !part_of_path(c));
        paths.extend(
            in_between
                .filter(|word| !word.is_empty())
                .map(str::to_owned),
        );
        paths
    }

    /// Whether the code names this path or something in it.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.paths().iter().any(|named| is_or_is_in(named, path))
    }
}

/// `a::b` is `a::b` or in `a`, and not in `aa`.
pub(crate) fn is_or_is_in(named: &str, path: &str) -> bool {
    let rest = named.trim_start_matches("::").strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Writes `a::{b, c::{d, e}}` out as `a::b`, `a::c::d`, `a::c::e`.
fn write_out(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((before, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        let path = path.strip_suffix("::self").unwrap_or(path);
        if !path.is_empty() {
            let path = if path == "self" { "" } else { path };
            paths.push([prefix, path].concat().trim_end_matches("::").to_owned());
        }
        return;
    };
    let prefix = [prefix, before].concat();
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let mut depth = 0_usize;
    let mut begin = 0;
    for (place, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                write_out(&prefix, &inner[begin..place], paths);
                begin = place + 1;
            }
            _ => {}
        }
    }
    write_out(&prefix, &inner[begin..], paths);
}

#[test]
fn use_trees_are_expanded() {
    let text = "use crate::{\n    store::{self, Store as S},\n    flow,\n};\npub(crate) use axum::http::header;\n// use crate::comment;\nfn f() { super::other::g::<crate::domain::A>() }\n#[cfg(test)]\nmod tests { use crate::tested; }\n";
    let paths = Source::of_snippet("a.rs", text).paths();
    for path in [
        "crate::store",
        "crate::store::Store",
        "crate::flow",
        "axum::http::header",
        "super::other::g::",
        "crate::domain::A",
    ] {
        assert!(
            paths.iter().any(|named| named == path),
            "{path} in {paths:?}"
        );
    }
    assert!(
        !paths
            .iter()
            .any(|path| path.contains("comment") || path.contains("tested"))
    );
}
