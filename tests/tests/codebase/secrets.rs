//! Types that hold secrets cannot be copied, printed or serialized.

use super::holds;
use super::sources::{Source, rust_files};

/// Types whose names say that they hold a secret…
const NAMES: [&str; 6] = [
    "Secret",
    "KeyEncryption",
    "PrivateKey",
    "SecurityCode",
    "CardNumber",
    "MasterKey",
];
/// …and the ends of names that say that they do not.
const HARMLESS: [&str; 4] = ["Error", "View", "Record", "Progress"];
/// What would be a way out that nobody notices.
const WAYS_OUT: [&str; 5] = ["Clone", "Copy", "Serialize", "Display", "ToString"];

fn is_secret(name: &str) -> bool {
    NAMES.iter().any(|part| name.contains(part)) && !HARMLESS.iter().any(|end| name.ends_with(end))
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The derives in the attributes right above a line.
fn derives_above(lines: &[&str], place: usize) -> String {
    let above = lines[..place].iter().rev();
    let attributes = above.take_while(|line| {
        let line = line.trim();
        !line.is_empty() && !line.ends_with(['}', ';'])
    });
    let attributes: Vec<_> = attributes
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    attributes
        .into_iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

fn ways_out(source: &Source) -> Vec<String> {
    let code = source.code();
    let lines: Vec<_> = code.lines().collect();
    let mut found = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        for keyword in ["struct ", "enum "] {
            let Some((before, after)) = line.split_once(keyword) else {
                continue;
            };
            let name = name_at(after);
            let declares = before.trim().is_empty() || before.trim().starts_with("pub");
            if !declares || !is_secret(name) {
                continue;
            }
            let derives = derives_above(&lines, place);
            let words: Vec<_> = derives.split(|c: char| !c.is_alphanumeric()).collect();
            let out = WAYS_OUT.iter().filter(|way| words.contains(way));
            found.extend(out.map(|way| format!("{}: {name} derives {way}", source.path)));
        }
        if let (true, Some((way, of))) = (
            line.trim_start().starts_with("impl"),
            line.split_once(" for "),
        ) {
            let name = name_at(of.trim_start());
            let words: Vec<_> = way.split(|c: char| !c.is_alphanumeric()).collect();
            let out = WAYS_OUT
                .iter()
                .filter(|way| is_secret(name) && words.contains(way));
            found.extend(out.map(|way| format!("{}: {way} for {name}", source.path)));
        }
    }
    found
}

#[test]
fn secrets_cannot_be_copied_printed_or_serialized() {
    let files = rust_files();
    let sources = files
        .iter()
        .filter(|source| !source.is_test() && !source.is_in("tests") && !source.is_in("xtask"));
    #[rustfmt::skip]
    let bad = [
        ("src/a.rs", "/// It.\n#[derive(Debug, Clone)]\npub struct EndpointSecret(String);"),
        ("src/a.rs", "#[derive(Serialize)]\n#[serde(transparent)]\nstruct Secret<T>(T);"),
        ("src/a.rs", "impl<T> Clone for Secret<T> {"),
        ("src/a.rs", "impl fmt::Display for CardNumber {"),
        ("src/a.rs", "impl serde::Serialize for SecurityCode {"),
        ("src/a.rs", "#[derive(\n    Clone,\n)]\npub struct SealingPrivateKey {"),
    ];
    #[rustfmt::skip]
    let good = [
        ("src/a.rs", "#[derive(Clone)]\nstruct A;\n\n#[derive(Debug)]\npub struct Secret<T>(T);"),
        ("src/a.rs", "#[derive(Clone, Copy)]\npub enum SecurityCodeError {"),
        ("src/a.rs", "impl fmt::Debug for CardNumber {"),
    ];
    holds(ways_out, sources, &bad, &good);
}

#[test]
fn every_secret_type_is_checked() {
    let text: String = rust_files().iter().map(Source::code).collect();
    for name in [
        "Secret",
        "EndpointSecret",
        "KeyEncryption",
        "SealingPrivateKey",
        "SecurityCode",
        "CardNumber",
    ] {
        assert!(
            text.contains(&format!("struct {name}")),
            "{name} is gone: what holds it now?"
        );
        assert!(is_secret(name));
    }
}
