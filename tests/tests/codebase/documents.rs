//! Links in documents have targets, and no file contains a path of one machine.

use super::holds;
use super::sources::{Source, files, root};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// A heading as GitHub names it in links.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The targets of links in a page, outside code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part is between backquotes, which may also stand inside a link's text.
        let outside = line.replace("`](", "](");
        for part in outside.split("](").skip(1) {
            if let Some(target) = part.split(')').next() {
                found.push(target.split(' ').next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

fn dead_links(source: &Source) -> Vec<String> {
    let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for target in links(&source.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, fragment) = target.split_once('#').unwrap_or((&target, ""));
        let path = if file.is_empty() {
            root().join(&source.path)
        } else {
            root().join(folder).join(file)
        };
        if !path.exists() && !file.is_empty() {
            found.push(format!("{}: {target} is not there", source.path));
            continue;
        }
        let text = if file.is_empty() {
            source.text.clone()
        } else {
            fs::read_to_string(&path).unwrap_or_default()
        };
        let is_page = file.is_empty() || file.ends_with(".md");
        let anchors: HashSet<_> = text
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(anchor)
            .collect();
        if is_page && !fragment.is_empty() && !anchors.contains(fragment) {
            found.push(format!("{}: {target} has no such heading", source.path));
        }
    }
    found
}

#[test]
fn links_have_targets() {
    #[rustfmt::skip]
    let good = [
        ("docs/A.md", "# Here\n[that](#here) [this](glossary.md#glossary) [one](https://a.example/x)"),
        ("docs/A.md", "```\n[that](NOTHING.md)\n```"),
    ];
    holds(
        dead_links,
        &files("", &[".md"]),
        &[
            ("docs/A.md", "See [that](NOTHING.md)."),
            ("docs/A.md", "See [that](reference/api.md#nothing)."),
            ("docs/A.md", "# Here\nSee [that](#there)."),
        ],
        &good,
    );
}

/// Lines of a page, outside of tables and code.
const LINE_CHARACTERS: usize = 100;

fn wide_lines(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (place, line) in source.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let is_wide = line.chars().count() > LINE_CHARACTERS;
        if is_wide && !in_code && !line.trim_start().starts_with('|') {
            found.push(format!("{}:{}: a wide line", source.path, place + 1));
        }
    }
    found
}

#[test]
fn document_lines_have_at_most_a_hundred_characters() {
    let (wide, fits) = ("x".repeat(101), "x".repeat(100));
    let code = ["```\n", &wide, "\n```"].concat();
    let row = ["| ", &wide, " |"].concat();
    #[rustfmt::skip]
    let good = [("docs/A.md", fits.as_str()), ("docs/A.md", &code), ("docs/A.md", &row)];
    holds(
        wide_lines,
        &files("", &[".md"]),
        &[("docs/A.md", &wide)],
        &good,
    );
}

/// Where people keep their files: a path that begins so is good on one machine only.
const HOMES: [&str; 4] = ["/home/", "/Users/", "/root/", "C:\\"];

fn machine_paths(source: &Source) -> Vec<String> {
    if source.is_in("tests/tests/codebase") {
        return Vec::new();
    }
    let own = fs::canonicalize(root()).expect("the tree is somewhere");
    let own = own.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for (place, line) in source.text.lines().enumerate() {
        let homes = HOMES.iter().map(|home| (*home).to_owned());
        for path in homes
            .chain([own.clone()])
            .filter(|path| line.contains(path))
        {
            found.push(format!("{}:{}: {path}", source.path, place + 1));
        }
    }
    found
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let endings = [
        ".rs", ".toml", ".md", ".json", ".js", ".css", ".html", ".sql", ".yml", ".sh",
    ];
    let own = fs::canonicalize(root()).expect("the tree is somewhere");
    let own = format!("cd {}", own.display());
    #[rustfmt::skip]
    let bad = [("README.md", own.as_str()), ("src/a.rs", "include_str!(\"/home/somebody/a\")")];
    holds(machine_paths, &files("", &endings), &bad, &[]);
}
