//! What there is to check, step by step, in the order in which a mistake is found soonest.

use std::process::Command;

use serde_json::Value;

use crate::browser::{self, Browser};
use crate::console;
use crate::environment;
use crate::failure::Failure;
use crate::fuzz;
use crate::memory;
use crate::postgres;
use crate::process;
use crate::tally::Tally;
use crate::tools::{self, Purpose};
use crate::widget;
use crate::workspace::Workspace;

/// The tests that need the finished widget and the programs.
const OF_THE_WHOLE: &str = "all";

/// Why a step did not pass.
#[derive(Debug)]
pub(crate) enum Ended {
    Failed(Failure),
    /// Something is missing that this machine need not have.
    Skipped(String),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

type Run = fn(&Workspace, &mut Tally) -> Result<(), Ended>;

/// How much is checked. Each form has the steps of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// What a change breaks most often, while somebody waits.
    Quick,
    /// Everything that a change has to pass.
    Full,
    /// Also what takes long, or longer tools to install, and seldom breaks.
    Long,
}

/// One thing to check.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The shortest form that it belongs to.
    pub(crate) form: Form,
    /// Without these, if they were tried, it cannot work.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: Run,
}

/// Every step. All that build choose the whole workspace: another choice of packages is another choice
/// of features, and everything would be compiled twice.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "browser",
        title: "The browsers for the tests",
        form: Form::Full,
        needs: &[],
        run: browser,
    },
    Step {
        name: "postgres",
        title: "A Postgres for the tests",
        form: Form::Full,
        needs: &[],
        run: postgres,
    },
    Step {
        name: "tools",
        title: "The tools that the tests need",
        form: Form::Full,
        needs: &[],
        run: tools,
    },
    Step {
        name: "format",
        title: "The code is formatted",
        form: Form::Quick,
        needs: &[],
        run: format_check,
    },
    Step {
        name: "lint",
        title: "Clippy has no warnings",
        form: Form::Quick,
        needs: &[],
        run: lint,
    },
    Step {
        name: "lint-wasm",
        title: "Clippy has no warnings about what runs in the browser",
        form: Form::Full,
        needs: &[],
        run: lint_wasm,
    },
    Step {
        name: "docs",
        title: "The documentation of the code has no warnings",
        form: Form::Full,
        needs: &[],
        run: docs,
    },
    Step {
        name: "widget",
        title: "The widget is built",
        form: Form::Full,
        needs: &[],
        run: widget,
    },
    Step {
        name: "build",
        title: "The programs and the tests are built",
        form: Form::Full,
        needs: &[],
        run: build,
    },
    Step {
        name: "unit",
        title: "Unit and integration tests",
        form: Form::Quick,
        needs: &["build"],
        run: unit,
    },
    Step {
        name: "examples",
        title: "The examples in the documentation",
        form: Form::Full,
        needs: &["build"],
        run: examples,
    },
    Step {
        name: "in-browser",
        title: "The widget's own tests, in a browser",
        form: Form::Full,
        needs: &["tools"],
        run: in_browser,
    },
    Step {
        name: "system",
        title: "Tests of the whole: store, servers, browser",
        form: Form::Full,
        needs: &["build", "widget"],
        run: system,
    },
    Step {
        name: "trunk",
        title: "Trunk builds the same widget",
        form: Form::Long,
        needs: &["widget"],
        run: trunk,
    },
    Step {
        name: "endurance",
        title: "100 kills, a thousand histories, 200,000 payments, every picture",
        form: Form::Long,
        needs: &["build", "widget"],
        run: endurance,
    },
    Step {
        name: "no-simulator",
        title: "The server without the simulated bank",
        form: Form::Long,
        needs: &[],
        run: no_simulator,
    },
    Step {
        name: "release",
        title: "Optimized builds compile",
        form: Form::Long,
        needs: &[],
        run: release,
    },
    Step {
        name: "fuzz",
        title: "Parsers that meet strangers, each fuzzed for a minute",
        form: Form::Long,
        needs: &[],
        run: fuzz,
    },
];

fn browser(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    browser::install(workspace).map_err(|failure| {
        if environment::is_continuous_integration() {
            Ended::Failed(failure)
        } else {
            Ended::Skipped(format!("{failure} Until then no test runs in it."))
        }
    })
}

fn postgres(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    postgres::install(workspace).map_err(|failure| {
        Ended::Skipped(format!(
            "{failure} Until then the store is tested on SQLite only."
        ))
    })
}

fn tools(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    tools::install_target(workspace)?;
    Ok(tools::install(workspace, Purpose::Test)?)
}

fn format_check(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    let command = workspace.cargo(&["fmt", "--all", "--", "--check", "--files-with-diff"]);
    process::run("cargo fmt", command).map_err(|failure| {
        let advice = "`cargo fmt --all` formats the files that it names.";
        Ended::Failed(Failure::new(format!("{failure} {advice}")))
    })
}

fn lint(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let all = &[
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ];
    cargo(workspace, tally, all)
}

/// The protocol is a part of the widget here, so it is checked as well, with the features that it has there.
fn lint_wasm(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let arguments = &[
        "clippy",
        "--package",
        "sealpay-widget",
        "--all-targets",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "-D",
        "warnings",
    ];
    cargo(workspace, tally, arguments)
}

fn docs(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    Ok(process::run("cargo doc", command)?)
}

fn widget(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    widget::build(workspace)?;
    Ok(widget::require_lightness(workspace)?)
}

/// `trunk build` and `trunk serve` have to keep working.
fn trunk(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    tools::install(workspace, Purpose::LongTest)?;
    Ok(widget::compare_with_trunk(workspace)?)
}

fn fuzz(workspace: &Workspace, _: &mut Tally) -> Result<(), Ended> {
    Ok(fuzz::run(workspace, &fuzz::Options::all())?)
}

fn no_simulator(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let mut command = workspace.cargo(&["test", "--lib", "--no-default-features"]);
    command.args(["--package", "sealpay-verifier-server"]);
    test(command, "cargo test", tally)
}

fn build(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    cargo(
        workspace,
        tally,
        &["build", "--workspace", "--all-targets", "--keep-going"],
    )
}

/// An optimized build evaluates constants that others do not.
fn release(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let arguments = &["build", "--release", "--package", "sealpay-verifier-server"];
    cargo(workspace, tally, arguments)
}

/// All tests but those of the whole.
fn unit(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let of_one_crate = tests_of_one_crate(workspace)?;
    let mut arguments = vec![
        "test",
        "--workspace",
        "--no-fail-fast",
        "--lib",
        "--bins",
        "--examples",
    ];
    for name in &of_one_crate {
        arguments.extend(["--test", name]);
    }
    cargo(workspace, tally, &arguments)
}

/// The integration tests but those of the whole. Cargo can leave out a package, but with other
/// packages come other features.
fn tests_of_one_crate(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let mut question = workspace.cargo(&["metadata", "--no-deps", "--offline"]);
    question.args(["--format-version", "1"]);
    let metadata = process::json_answer("Asking cargo for the tests", question)?;
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = all(&metadata["packages"]).into_iter();
    let targets = packages.flat_map(|package| all(&package["targets"]));
    let tests = targets.filter(|target| target["kind"][0] == "test");
    let names = tests.filter_map(|target| target["name"].as_str().map(str::to_owned));
    Ok(names.filter(|name| name != OF_THE_WHOLE).collect())
}

fn examples(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    cargo(
        workspace,
        tally,
        &["test", "--workspace", "--doc", "--no-fail-fast"],
    )
}

fn in_browser(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let Some(browser) = Browser::find() else {
        return Err(Ended::Skipped(String::from(
            "There is no browser, so the widget's own tests did not run.",
        )));
    };
    let mut command = workspace.command("wasm-pack");
    command.args(["test", "--headless", "--chrome", "widget"]);
    with_browser(&mut command, &browser);
    // The runner's own limit of 20 s for all tests together is what a busy machine needs to begin.
    command.env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    test(command, "wasm-pack", tally)
}

fn system(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    test(of_the_whole(workspace), "cargo test", tally)
}

/// Those that find more when they are given more time.
fn endurance(workspace: &Workspace, tally: &mut Tally) -> Result<(), Ended> {
    let mut command = of_the_whole(workspace);
    command.args(["--", "crash::", "histories::", "subscriptions::path"]);
    command.args(["fairness::", "interop::contract::", "gallery::"]);
    command
        .env("SEALPAY_LONG", "1")
        .env("SEALPAY_CRASH_KILLS", "100")
        .env("SEALPAY_HISTORIES", "1000")
        .env("SEALPAY_PATHS", "40")
        .env("SEALPAY_LIVES", "25");
    test(command, "cargo test", tally)
}

fn of_the_whole(workspace: &Workspace) -> Command {
    let arguments = [
        "test",
        "--workspace",
        "--no-fail-fast",
        "--test",
        OF_THE_WHOLE,
    ];
    let mut command = workspace.cargo(&arguments);
    // Many of them wait for browsers, leases and retries most of the time.
    let threads = std::thread::available_parallelism().map_or(6, |cores| cores.get() * 3);
    command
        .env("RUST_TEST_THREADS", threads.to_string())
        .env("SEALPAY_BIN_DIR", workspace.target().join("debug"))
        .env("SEALPAY_WIDGET_DIR", workspace.dist());
    if let Some(folder) = memory::folder() {
        command.env("TMPDIR", folder);
    }
    find_help(&mut command);
    command
}

/// Tells tests and measurements where the browser and Postgres are, and says loudly when they are not.
pub(crate) fn find_help(command: &mut Command) {
    match Browser::find() {
        Some(browser) => {
            command.env("SEALPAY_TEST_BROWSER", "1");
            with_browser(command, &browser);
        }
        None => console::loud("There is no Chromium: what needs it does not run."),
    }
    if browser::has_other_engines() {
        command.env("SEALPAY_TEST_ENGINES", "1");
    } else {
        console::loud("There is no Firefox or no WebKit: the main flows run in Chromium only.");
    }
    if !postgres::is_there() {
        console::loud("There is no Postgres: the store is tried on SQLite only.");
    }
}

fn with_browser(command: &mut Command, browser: &Browser) {
    command
        .env("CHROMEDRIVER", &browser.driver)
        .env("CHROMIUM", &browser.program);
}

fn cargo(workspace: &Workspace, tally: &mut Tally, arguments: &[&str]) -> Result<(), Ended> {
    let label = format!("cargo {}", arguments.first().copied().unwrap_or_default());
    test(workspace.cargo(arguments), &label, tally)
}

fn test(command: Command, label: &str, tally: &mut Tally) -> Result<(), Ended> {
    Ok(process::run_watched(label, command, &mut |line| {
        tally.take(line);
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_needs_only_steps_before_it() {
        for (position, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                let found = STEPS
                    .iter()
                    .take(position)
                    .any(|before| before.name == *need);
                assert!(found, "{} needs {need}", step.name);
            }
        }
    }

    #[test]
    fn tests_of_the_whole_are_told_from_those_of_one_crate() {
        let names = tests_of_one_crate(&Workspace::locate().expect("a workspace"));
        let names = names.expect("cargo answers");
        assert!(names.contains(&String::from("conformance")), "{names:?}");
        assert!(!names.contains(&String::from(OF_THE_WHOLE)), "{names:?}");
    }
}
