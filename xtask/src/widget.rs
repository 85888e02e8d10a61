//! Builds the widget into `dist/`: WebAssembly, its document, and what the document names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::compress::{self, Sizes};
use crate::console;
use crate::environment::{self, Stopwatch};
use crate::failure::{Failure, Outcome};
use crate::minify;
use crate::process;
use crate::workspace::Workspace;

/// The program that makes the bindings.
pub(crate) const BINDGEN: &str = "sealpay-bindgen";
/// What cargo makes, below its target folder.
const COMPILED: &str = "wasm32-unknown-unknown/widget/sealpay-widget.wasm";

const MODULE: &str = "sealpay-widget_bg.wasm";
const SCRIPT: &str = "sealpay-widget.js";

/// The most that a shopper may have to download, brotli, all files together: `docs/explanation/benchmarks.md`
/// quotes it. It only ever goes down, to 125,000. What outgrows it is noticed here, and not on a shopper's phone.
const LIMIT_BYTES: u64 = 143_300;

/// What a browser loads for the form, and the page for the loader. Without one of them nothing works.
const EXPECTED: &[&str] = &[
    "boot.js",
    "checkout.js",
    "index.html",
    SCRIPT,
    MODULE,
    "style.css",
];

/// Builds, unless what is in `dist/` was put together from exactly this.
///
/// # Errors
/// When it does not compile, or a file that is needed does not come out.
pub(crate) fn build(workspace: &Workspace) -> Outcome {
    console::heading("Building the widget");
    let watch = Stopwatch::start();
    compile(workspace)?;
    let fingerprint = fingerprint(workspace)
        .map_err(|error| Failure::because("The parts of the widget cannot be read", error))?;
    if is_built(workspace, &fingerprint) {
        return Ok(());
    }
    assemble(workspace, &workspace.dist())?;
    require_all(workspace)?;
    minify::folder(&workspace.dist())?;
    let files = compress::folder(&workspace.dist())?;
    for line in table(&files) {
        console::note(&line);
    }
    console::note(&format!(
        "The widget was built in {}",
        environment::in_words(watch.elapsed())
    ));
    fs::write(stamp(workspace), fingerprint)
        .map_err(|error| Failure::because("The build of the widget cannot be noted", error))
}

/// Cargo is asked first and by itself: it shows progress, and explains what is wrong.
fn compile(workspace: &Workspace) -> Outcome {
    let mut command = workspace.cargo(&[
        "build",
        "--package",
        "sealpay-widget",
        "--bin",
        "sealpay-widget",
        "--profile",
        "widget",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    neutral_paths(workspace, &mut command);
    process::run("widget", command)?;
    let build = workspace.cargo(&["build", "--workspace", "--bin", BINDGEN]);
    process::run("bindings", build)
}

/// Puts together what `trunk build` would, which takes minutes to install: the bindings, the static
/// files, and the document without the links that are meant for trunk. A test of the long form
/// compares the two.
fn assemble(workspace: &Workspace, dist: &Path) -> Outcome {
    let broken = |error| Failure::because(format!("{} cannot be made", dist.display()), error);
    if dist.exists() {
        fs::remove_dir_all(dist).map_err(broken)?;
    }
    fs::create_dir_all(dist).map_err(broken)?;
    bind(workspace, dist)?;
    for entry in fs::read_dir(workspace.root().join("static")).map_err(broken)? {
        let file = entry.map_err(broken)?;
        fs::copy(file.path(), dist.join(file.file_name())).map_err(broken)?;
    }
    let document = fs::read_to_string(workspace.root().join("index.html")).map_err(broken)?;
    fs::write(dist.join("index.html"), without_trunk_links(&document)).map_err(broken)
}

/// Writes the script beside the module, and the module that goes with it.
fn bind(workspace: &Workspace, dist: &Path) -> Outcome {
    let module = workspace.target().join(COMPILED);
    let mut command = workspace.command(workspace.built(BINDGEN));
    command.arg(module).arg(dist);
    process::run("bindings", command)
}

/// Builds once more by trunk, and compares what it writes with what was put together here, before
/// anything is minified.
///
/// # Errors
/// With the name of the file that differs, or when trunk fails.
pub(crate) fn compare_with_trunk(workspace: &Workspace) -> Outcome {
    let theirs = workspace.target().join("trunk-dist");
    let mut command = workspace.command("trunk");
    command
        .args([
            "build",
            "--offline",
            "--skip-version-check",
            "--color",
            "never",
        ])
        .arg("--dist")
        .arg(&theirs)
        // Trunk takes this convention for its own flag, and fails when it is `1`.
        .env_remove("NO_COLOR");
    neutral_paths(workspace, &mut command);
    process::run("trunk", command)?;
    let ours = workspace.target().join("widget-dist");
    assemble(workspace, &ours)?;
    // Trunk keeps the names of functions in the module, which are taken out here.
    for name in EXPECTED.iter().filter(|name| **name != MODULE) {
        let read = |folder: &Path| {
            fs::read(folder.join(name))
                .map_err(|error| Failure::because(format!("{name} cannot be read"), error))
        };
        // Trunk leaves empty lines where its links were, and adds a line at the end of its script.
        let lines = |bytes: Vec<u8>| -> Vec<Vec<u8>> {
            let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
            lines.filter(|line| !line.is_empty()).collect()
        };
        if lines(read(&ours)?) != lines(read(&theirs)?) {
            return Err(Failure::new(format!(
                "`trunk build` and `cargo xtask widget` put {name} together differently: compare {} and {}.",
                theirs.display(),
                ours.display()
            )));
        }
    }
    Ok(())
}

/// Each of trunk's links stands on a line of its own.
fn without_trunk_links(document: &str) -> String {
    document
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("<link data-trunk "))
        .collect()
}

/// Keeps the folders of this machine out of what every shopper downloads: panics name their source files.
/// Cargo adds these flags to those in `.cargo/config.toml`.
fn neutral_paths(workspace: &Workspace, command: &mut Command) {
    let home = environment::variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&environment::variable("HOME")?).join(".cargo")));
    let registries = home.map(|home| home.join("registry/src"));
    let sources = registries.and_then(|folder| fs::read_dir(folder).ok());
    let flags: Vec<String> = sources
        .into_iter()
        .flatten()
        .flatten()
        .map(|registry| (registry.path(), "crates"))
        .chain([(workspace.root().to_path_buf(), "sealpay")])
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        // The variable separates flags by spaces; a folder with one keeps its name.
        .filter(|flag| !flag.contains(' '))
        .collect();
    command.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        flags.join(" "),
    );
}

fn require_all(workspace: &Workspace) -> Outcome {
    let missing: Vec<&str> = EXPECTED
        .iter()
        .copied()
        .filter(|name| !workspace.dist().join(name).is_file())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "The widget was built, but without {}: each file that the document loads has to be in `static`.",
        missing.join(", ")
    )))
}

/// Fails when what was built is heavier than the limit. The demo starts all the same: another compiler may
/// have built it.
///
/// # Errors
/// With the weight, or when nothing was built.
pub(crate) fn require_lightness(workspace: &Workspace) -> Outcome {
    let unreadable =
        |error: io::Error| Failure::because("The sizes of the widget cannot be read", error);
    let manifest = fs::read(workspace.dist().join(compress::MANIFEST)).map_err(unreadable)?;
    let manifest = serde_json::from_slice(&manifest).map_err(|error| unreadable(error.into()))?;
    let bytes = weight(&manifest);
    if bytes <= LIMIT_BYTES {
        return Ok(());
    }
    Err(Failure::new(format!(
        "The widget weighs {bytes} bytes of brotli. It may weigh {LIMIT_BYTES}: see `LIMIT_BYTES` in \
         xtask/src/widget.rs."
    )))
}

/// The bytes of brotli of all files in the manifest.
fn weight(manifest: &Value) -> u64 {
    let files = manifest["files"].as_object().into_iter().flatten();
    files
        .filter_map(|(_, sizes)| sizes["brotli"].as_u64())
        .sum()
}

fn stamp(workspace: &Workspace) -> PathBuf {
    workspace.target().join("widget-fingerprint")
}

/// A digest of everything that `dist/` is put together from: what cargo made, and the programs too.
fn fingerprint(workspace: &Workspace) -> io::Result<String> {
    let mut parts = vec![
        std::env::current_exe()?,
        workspace.built(BINDGEN),
        workspace.target().join(COMPILED),
        workspace.root().join("index.html"),
    ];
    let mut files: Vec<PathBuf> = fs::read_dir(workspace.root().join("static"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    files.sort();
    parts.extend(files);
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_os_str().as_encoded_bytes());
        digest.update(Sha256::digest(fs::read(part)?));
    }
    Ok(HEXLOWER.encode(&digest.finalize()))
}

fn is_built(workspace: &Workspace, fingerprint: &str) -> bool {
    let dist = workspace.dist();
    dist.join(compress::MANIFEST).is_file()
        && EXPECTED.iter().all(|name| dist.join(name).is_file())
        && fs::read_to_string(stamp(workspace)).is_ok_and(|built| built == fingerprint)
}

/// The sizes as a table.
fn table(files: &[(String, Sizes)]) -> Vec<String> {
    let mut total = Sizes::default();
    let mut lines = vec![format!(
        "{:<24} {:>9} {:>9} {:>9}",
        "file", "raw", "gzip", "brotli"
    )];
    for (name, sizes) in files {
        total.raw += sizes.raw;
        total.gzip += sizes.gzip;
        total.brotli += sizes.brotli;
        lines.push(row(name, *sizes));
    }
    lines.push(row("together", total));
    lines
}

fn row(name: &str, sizes: Sizes) -> String {
    format!(
        "{name:<24} {:>9} {:>9} {:>9}",
        sizes.raw, sizes.gzip, sizes.brotli
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_loses_only_the_links_for_trunk() {
        let document = "<head>\n<link rel=\"stylesheet\" href=\"/a.css\">\n\
                        <link data-trunk rel=\"rust\" href=\"w/Cargo.toml\">\n</head>\n";
        let expected = "<head>\n<link rel=\"stylesheet\" href=\"/a.css\">\n</head>\n";
        assert_eq!(without_trunk_links(document), expected);
    }

    #[test]
    fn the_table_adds_up() {
        let file = |raw, gzip, brotli| Sizes { raw, gzip, brotli };
        let lines = table(&[
            (String::from("a.js"), file(100, 60, 50)),
            (String::from("b.css"), file(10, 6, 5)),
        ]);
        let last = lines.last().expect("a last line");
        let words: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(words, ["together", "110", "66", "55"]);
    }

    #[test]
    fn the_weight_is_the_brotli_of_all_files() {
        let manifest = serde_json::json!({ "files": {
            "a.js": { "raw": 100, "gzip": 60, "brotli": 50 },
            "b.css": { "raw": 10, "gzip": 6, "brotli": 5 },
        } });
        assert_eq!(weight(&manifest), 55);
    }

    #[test]
    fn the_benchmarks_quote_the_limit() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/explanation/benchmarks.md");
        let page = fs::read_to_string(page).expect("the page is there");
        let (thousands, rest) = (LIMIT_BYTES / 1000, LIMIT_BYTES % 1000);
        let limit = format!("{thousands},{rest:03} bytes of brotli");
        assert!(page.contains(&limit), "{limit} is not named");
    }
}
