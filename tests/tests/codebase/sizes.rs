//! Limits on the length of files, functions and lines, and what must not remain in them.

use super::sources::{Source, rust_files};
use super::{holds, none};

const FILE_LINES: usize = 450;
const FUNCTION_LINES: usize = 80;
/// A function of a test may hold a table: what is altered and what is answered, row by row.
const TABLE_LINES: usize = 210;
const LINE_CHARACTERS: usize = 180;

fn long_files(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines <= FILE_LINES {
        return Vec::new();
    }
    vec![format!(
        "{}: {lines} lines, at most {FILE_LINES}",
        source.path
    )]
}

#[test]
fn files_are_short() {
    holds(
        long_files,
        &rust_files(),
        &[("src/a.rs", &"\n".repeat(451))],
        &[("src/a.rs", &"\n".repeat(450))],
    );
}

/// Name and length of every function, from its signature to the brace under its first letter.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (begin, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let Some((before, after)) = bare.split_once("fn ") else {
            continue;
        };
        let qualifier = |word: &str| {
            matches!(word, "pub" | "const" | "async" | "unsafe" | "extern")
                || word.starts_with("pub(")
        };
        if !before.split_whitespace().all(qualifier) {
            continue;
        }
        let name = after
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default();
        let indent = &line[..line.len() - bare.len()];
        let close = [indent, "}"].concat();
        let end = lines[begin..].iter().position(|line| *line == close);
        let without_body = lines[begin..].iter().position(|line| {
            line.ends_with(';') && line.len() - line.trim_start().len() == indent.len()
        });
        match (end, without_body) {
            (Some(end), Some(without)) if without < end => {}
            (Some(end), _) => found.push((name.to_owned(), end + 1)),
            _ => {}
        }
    }
    found
}

fn long_functions(source: &Source) -> Vec<String> {
    let most = if source.is_test() {
        TABLE_LINES
    } else {
        FUNCTION_LINES
    };
    let functions = functions(&source.text).into_iter();
    let long = functions.filter(|(_, lines)| *lines > most);
    long.map(|(name, lines)| format!("{}: {name} has {lines} lines", source.path))
        .collect()
}

#[test]
fn functions_are_short() {
    let long = format!(
        "impl A {{\n    pub(crate) async fn f() {{\n{}    }}\n}}\n",
        "        g();\n".repeat(79)
    );
    let short = long.replacen("        g();\n", "", 1);
    let longest = long.replace("        g();\n", &"        g();\n".repeat(3));
    #[rustfmt::skip]
    let good = [("src/a.rs", short.as_str()), ("protocol/tests/a.rs", &long), ("src/a.rs", "trait T {\n    fn f(&self);\n}\n")];
    holds(
        long_functions,
        &rust_files(),
        &[("src/a.rs", &long), ("protocol/tests/a.rs", &longest)],
        &good,
    );
}

fn wide_lines(source: &Source) -> Vec<String> {
    let wide = source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > LINE_CHARACTERS && !line.contains('"'));
    wide.map(|(place, _)| format!("{}:{}: a wide line", source.path, place + 1))
        .collect()
}

#[test]
fn lines_have_a_maximum_width() {
    holds(
        wide_lines,
        &rust_files(),
        &[("src/a.rs", &"x".repeat(181))],
        &[],
    );
}

/// What is never finished, and what silences without a reason.
const NEVER: [&str; 8] = [
    "todo!(",
    "unimplemented!(",
    "dbg!(",
    "#[allow(",
    "#![allow(",
    "unreachable!()",
    "FIXME",
    "XXX:",
];

fn unfinished(source: &Source) -> Vec<String> {
    // The rules themselves spell out what they look for.
    if source.is_in("tests/tests/codebase") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (place, line) in source.text.lines().enumerate() {
        for never in NEVER.iter().filter(|never| line.contains(**never)) {
            found.push(format!("{}:{}: {never}", source.path, place + 1));
        }
    }
    found
}

#[test]
fn no_unfinished_code_and_no_bare_allow() {
    holds(
        unfinished,
        &rust_files(),
        &[
            ("src/a.rs", "fn f() { todo!() }"),
            ("src/a.rs", "#[allow(dead_code)]"),
            ("src/a.rs", "#![allow(clippy::all)]"),
            ("src/a.rs", "dbg!(x);"),
        ],
        &[("src/a.rs", "#[expect(dead_code, reason = \"soon used\")]")],
    );
}

/// Names of modules that say nothing of what is in them.
const NAMES_OF_NOTHING: [&str; 7] = [
    "utils", "util", "helpers", "helper", "common", "manager", "types",
];

#[test]
fn module_names_are_specific() {
    let files = rust_files();
    let said_nothing: Vec<_> = files
        .iter()
        .filter(|source| {
            let mut parts = source.path.split(['/', '.']);
            parts.any(|part| NAMES_OF_NOTHING.contains(&part))
        })
        .map(|source| source.path.clone())
        .collect();
    none(&said_nothing);
}
