//! Installs the tools that the tests need under `target/tools`, away from the rest of the machine.

use std::fs;
use std::path::Path;

use crate::console;
use crate::environment::{self, Stopwatch};
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// Which tests the tools are for. The widget and the servers are built without any: what shoppers
/// download is built only from the versions in `Cargo.lock`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Test,
    /// Also the tests that take too long for everyday use.
    LongTest,
}

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The newest version in its registry at the time of writing; supports Firefox 128 and later.
const GECKODRIVER: &str = "0.37.1";

/// A program that `cargo install` builds.
struct Tool {
    package: &'static str,
    /// Each of these must be installed and report its version.
    programs: &'static [&'static str],
    version: String,
    /// Whether to use the lock file inside the package. Newer dependencies break trunk and
    /// wasm-pack from time to time; the lock file of wasm-bindgen-cli lists yanked versions.
    locked: bool,
}

impl Tool {
    /// In the order in which they are installed. The version of wasm-bindgen must match the library's.
    fn needed_for(purpose: Purpose, wasm_bindgen: String) -> Vec<Self> {
        let mut tools = vec![
            Self {
                package: "wasm-bindgen-cli",
                programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
                version: wasm_bindgen,
                locked: false,
            },
            Self {
                package: "wasm-pack",
                programs: &["wasm-pack"],
                version: String::from("0.15.1"),
                locked: true,
            },
            Self {
                package: "geckodriver",
                programs: &["geckodriver"],
                version: String::from(GECKODRIVER),
                locked: true,
            },
        ];
        if purpose == Purpose::LongTest {
            tools.push(Self {
                package: "trunk",
                programs: &["trunk"],
                // The last one that builds with this project's Rust: 0.22 requires 1.96.
                version: String::from("0.21.14"),
                locked: true,
            });
            tools.push(Self {
                package: "cargo-fuzz",
                programs: &["cargo-fuzz"],
                version: String::from("0.13.1"),
                locked: true,
            });
        }
        tools
    }

    /// Whether this version of each program is on the PATH or among the installed tools.
    fn is_there(&self, workspace: &Workspace) -> bool {
        self.programs.iter().all(|program| {
            let mut question = workspace.command(program);
            question.arg("--version");
            process::answer("Asking for a version", question)
                .is_ok_and(|said| said.split_whitespace().any(|word| word == self.version))
        })
    }
}

/// Installs what is missing.
///
/// # Errors
/// When the WebAssembly target or a tool can be neither found nor installed.
pub(crate) fn install(workspace: &Workspace, purpose: Purpose) -> Outcome {
    install_target(workspace)?;
    let tools = Tool::needed_for(purpose, locked_wasm_bindgen(workspace)?);
    let missing: Vec<&Tool> = tools
        .iter()
        .filter(|tool| !tool.is_there(workspace))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    console::heading(&format!(
        "Installing {} (once; a few minutes)",
        names.join(", ")
    ));
    for tool in missing {
        let watch = Stopwatch::start();
        install_tool(workspace, tool)?;
        console::note(&format!(
            "{} {} installed in {}",
            tool.package,
            tool.version,
            environment::in_words(watch.elapsed())
        ));
    }
    Ok(())
}

/// Built quickly rather than well: they run for seconds. Without default features they cannot download
/// other programs by themselves, which is not wanted anyway, and need no TLS.
fn install_tool(workspace: &Workspace, tool: &Tool) -> Outcome {
    let mut command = workspace.cargo(&["install", tool.package, "--version", &tool.version]);
    command
        .args(["--no-default-features", "--root"])
        .arg(workspace.target().join("tools"))
        .env("CARGO_TARGET_DIR", workspace.target().join("tools-build"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "4")
        .env_remove("RUSTFLAGS");
    if tool.locked {
        command.arg("--locked");
    }
    process::run(tool.package, command)
}

/// Makes sure that Rust can build for the browser.
///
/// # Errors
/// When the target can be neither found nor installed.
pub(crate) fn install_target(workspace: &Workspace) -> Outcome {
    let mut question = workspace.command("rustc");
    question.args(["--print", "target-libdir", "--target", WASM_TARGET]);
    let library = process::answer("Asking rustc for its libraries", question)?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    if environment::find_program("rustup").is_none() {
        return Err(Failure::new(format!(
            "Rust's library for {WASM_TARGET} is missing, and there is no rustup to add it. Install rustup, or \
             the package of your system that holds it (on Debian `libstd-rust-dev-wasm32`)."
        )));
    }
    console::heading(&format!("Adding the target {WASM_TARGET}"));
    let mut command = workspace.command("rustup");
    command.args(["target", "add", WASM_TARGET]);
    process::run("rustup", command)
}

fn locked_wasm_bindgen(workspace: &Workspace) -> Result<String, Failure> {
    let lock = workspace.root().join("Cargo.lock");
    let text = fs::read_to_string(&lock)
        .map_err(|error| Failure::because(format!("{} cannot be read", lock.display()), error))?;
    locked_version(&text, "wasm-bindgen")
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure::new("Cargo.lock does not name wasm-bindgen, which the widget needs.")
        })
}

/// The version of a package in a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_named_package_alone() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
        assert_eq!(locked_version("", "wasm-bindgen"), None);
    }

    #[test]
    fn only_the_long_form_of_the_tests_waits_for_trunk_and_cargo_fuzz() {
        let packages = |purpose| -> Vec<&str> {
            Tool::needed_for(purpose, String::from("0.2.130"))
                .iter()
                .map(|tool| tool.package)
                .collect()
        };
        let most = ["wasm-bindgen-cli", "wasm-pack", "geckodriver"];
        assert_eq!(packages(Purpose::Test), most);
        assert_eq!(
            packages(Purpose::LongTest),
            [most.as_slice(), &["trunk", "cargo-fuzz"]].concat()
        );
    }
}
