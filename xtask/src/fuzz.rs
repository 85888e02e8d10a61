//! Runs the fuzz targets of `fuzz/`, each for a while, from seeds that are the vectors of the protocol.
//!
//! Ten targets for a minute each are a step of `cargo xtask test --long`; for hours they run by hand.

use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::console;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::tools::{self, Purpose};
use crate::workspace::Workspace;

/// How long each target runs where nothing is said.
const SECONDS: u64 = 60;

const TARGETS: [&str; 10] = [
    "order",
    "request_signature",
    "merchant_signature",
    "sealed_plaintext",
    "webauthn",
    "client_data",
    "origin",
    "query",
    "json",
    "card_form",
];

/// What is to be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    targets: Vec<String>,
}

impl Options {
    /// Every target, for as long as nothing else is said.
    pub(crate) fn all() -> Self {
        Self {
            seconds: SECONDS,
            targets: TARGETS.map(str::to_owned).to_vec(),
        }
    }

    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            targets: Vec::new(),
            ..Self::all()
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--seconds" {
                let seconds = arguments.next().and_then(|text| text.parse().ok());
                let missing = || Failure::new("--seconds needs a whole number.".to_owned());
                options.seconds = seconds.filter(|seconds| *seconds > 0).ok_or_else(missing)?;
            } else if TARGETS.contains(&argument.as_str()) {
                options.targets.push(argument.clone());
            } else {
                let known = TARGETS.join(", ");
                return Err(Failure::new(format!(
                    "There is no fuzz target {argument:?}; there are {known}."
                )));
            }
        }
        if options.targets.is_empty() {
            options.targets = Self::all().targets;
        }
        Ok(options)
    }
}

/// Runs the targets one after the other.
///
/// # Errors
/// When cargo-fuzz can be neither found nor installed, or a target finds something or does not build.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    tools::install(workspace, Purpose::LongTest)?;
    let root = workspace.root();
    for target in &options.targets {
        let corpus = workspace.target().join("fuzz/corpus").join(target);
        write_seeds(root, target, &corpus)?;
        console::heading(&format!("Fuzzing {target} for {} s", options.seconds));
        let mut command = workspace.command("cargo-fuzz");
        // libFuzzer needs flags that only a nightly compiler takes; the code itself needs none.
        command.env("RUSTC_BOOTSTRAP", "1");
        command.args(["run", "--target-dir"]);
        command.arg(workspace.target().join("fuzz/build"));
        command.arg(target).arg(&corpus).arg("--");
        command.arg(format!("-max_total_time={}", options.seconds));
        command.args(["-timeout=10", "-rss_limit_mb=2048"]);
        command.args(["-verbosity=0", "-print_final_stats=1"]);
        process::run(target, command)?;
    }
    Ok(())
}

fn write_seeds(root: &Path, target: &str, corpus: &Path) -> Outcome {
    let unwritten = |error| Failure::because(format!("The seeds of {target}"), error);
    fs::create_dir_all(corpus).map_err(unwritten)?;
    for (place, seed) in seeds(root, target).into_iter().enumerate() {
        fs::write(corpus.join(format!("seed-{place}")), seed).map_err(unwritten)?;
    }
    Ok(())
}

fn vectors(root: &Path, file: &str) -> Value {
    let path = root.join("protocol/vectors").join(file);
    let text = fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Inputs that lead deep into a target.
fn seeds(root: &Path, target: &str) -> Vec<Vec<u8>> {
    let sealpay = vectors(root, "sealpay-v1.json");
    let merchant = vectors(root, "sealpay-merchant-v1.json");
    let rows = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or_default().to_owned();
    let of = |list: &Value, member: &str| -> Vec<Vec<u8>> {
        rows(list)
            .iter()
            .map(|row| text(row, member).into_bytes())
            .collect()
    };
    let headers = |row: &Value| {
        let names = ["content_digest", "signature_input", "signature"];
        names.map(|name| text(row, name)).join("\n").into_bytes()
    };
    let written = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match target {
        "order" => [
            of(&sealpay["orders"], "order"),
            of(&sealpay["orders"], "payload"),
        ]
        .concat(),
        "request_signature" => rows(&sealpay["requests"]).iter().map(headers).collect(),
        "merchant_signature" => rows(&merchant["merchant_requests"])
            .iter()
            .map(headers)
            .collect(),
        "sealed_plaintext" => rows(&sealpay["sealed_cards"])
            .iter()
            .map(|row| bytes_of_hex(&text(row, "plaintext")))
            .collect(),
        "json" => [
            of(&sealpay["orders"], "payload"),
            of(&sealpay["requests"], "body"),
        ]
        .concat(),
        "origin" => written(&[
            "https://pay.example",
            "http://[::1]:8787",
            "http://127.0.0.1:1",
        ]),
        "query" => written(&["limit=20&after=pay_01&type=x", "limit=1&limit=%C3%A9"]),
        "card_form" => written(&[
            "4242 4242 4242 4242",
            "12 / 30",
            "Mar 2027",
            "202703",
            "\u{202b}Ada Example\u{202c}",
            "علی\u{200c}رضا",
        ]),
        "client_data" => written(&[
            r#"{"type":"webauthn.create","challenge":"Y2hhbGxlbmdl","origin":"https://pay.example"}"#,
            r#"{"rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}"#,
        ]),
        _ => vec![bytes_of_hex(
            "45000000010000000000000000000000000000000000001041a5010203262001215820",
        )],
    }
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_fuzzed_is_told_by_arguments() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Options::parse(&words)
        };
        assert_eq!(
            parse(&[]).map(|options| options.targets.len()),
            Ok(TARGETS.len())
        );
        let one = parse(&["--seconds", "5", "order"]);
        assert_eq!(
            one.map(|options| (options.seconds, options.targets)),
            Ok((5, vec!["order".to_owned()]))
        );
        for wrong in [&["--seconds"][..], &["--seconds", "0"], &["everything"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_target_has_a_file_and_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        for target in TARGETS {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
            let seeds = seeds(&root, target);
            assert!(seeds.iter().any(|seed| !seed.is_empty()), "{target}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
