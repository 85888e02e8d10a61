//! Runs the steps, goes on after a failure, and tells in the end what ran.

use std::process::ExitCode;
use std::time::Duration;

use crate::console;
use crate::environment::{self, Stopwatch};
use crate::failure::Failure;
use crate::steps::{Ended, Form, STEPS, Step};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// What may be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Options {
    /// Name the steps.
    List,
    /// Run the steps of a form.
    Run { form: Form },
    /// Run these.
    Only(Vec<String>),
}

impl Options {
    /// Reads the arguments of `test`.
    ///
    /// # Errors
    /// When there is one that it does not know.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut only = Vec::new();
        let mut form = Form::Full;
        let mut is_naming = false;
        for argument in arguments {
            match argument.as_str() {
                "--list" => return Ok(Self::List),
                "--quick" => form = Form::Quick,
                "--long" => form = Form::Long,
                "--only" => is_naming = true,
                name if is_naming && STEPS.iter().any(|step| step.name == name) => {
                    only.push(name.to_owned());
                }
                other => {
                    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
                    return Err(Failure::new(format!(
                        "`test` does not know {other:?}. It takes --quick, --long, --list, or --only \
                         and names of steps: {}.",
                        names.join(", ")
                    )));
                }
            }
        }
        match (is_naming, only.is_empty(), form) {
            (false, _, form) => Ok(Self::Run { form }),
            (true, false, Form::Full) => Ok(Self::Only(only)),
            (true, true, _) => Err(Failure::new(
                "--only needs the name of a step; --list names them.",
            )),
            (true, false, _) => Err(Failure::new(
                "--only chooses steps by name, --quick and --long by their form: give one of them.",
            )),
        }
    }

    fn includes(&self, step: &Step) -> bool {
        match self {
            Self::List => false,
            Self::Run { form } => step.form <= *form,
            Self::Only(names) => names.iter().any(|name| name == step.name),
        }
    }
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

struct Report {
    name: &'static str,
    verdict: Verdict,
    time: Duration,
    tally: Tally,
}

/// Runs the steps; ends with a table and a line that counts the tests.
///
/// # Errors
/// Never by itself: a failed step is in the table, and in the exit code.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode, Failure> {
    if *options == Options::List {
        for step in STEPS {
            let form = match step.form {
                Form::Quick => "quick",
                Form::Full => "",
                Form::Long => "long",
            };
            println!("{:<12} {form:<6} {}", step.name, step.title);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let watch = Stopwatch::start();
    let mut reports: Vec<Report> = Vec::new();
    for step in STEPS {
        if options.includes(step) {
            let report = run_step(workspace, step, &reports);
            reports.push(report);
        }
    }
    for line in summary(&reports, watch.elapsed()) {
        println!("{line}");
    }
    let has_failed = reports
        .iter()
        .any(|report| matches!(report.verdict, Verdict::Failed(_)));
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn run_step(workspace: &Workspace, step: &Step, before: &[Report]) -> Report {
    console::heading(&format!("{}: {}", step.name, step.title));
    let watch = Stopwatch::start();
    let mut tally = Tally::default();
    let verdict = match missing_need(step, before) {
        Some(need) => Verdict::Skipped(format!("It needs the step {need}, which did not pass.")),
        None => match (step.run)(workspace, &mut tally) {
            Ok(()) => Verdict::Passed,
            Err(Ended::Failed(failure)) => Verdict::Failed(failure.to_string()),
            Err(Ended::Skipped(reason)) => Verdict::Skipped(reason),
        },
    };
    let time = watch.elapsed();
    match &verdict {
        Verdict::Passed => console::note(&format!("passed in {}", environment::in_words(time))),
        Verdict::Failed(why) => console::loud(&format!("FAILED: {why}")),
        Verdict::Skipped(why) => console::loud(&format!("SKIPPED: {why}")),
    }
    Report {
        name: step.name,
        verdict,
        time,
        tally,
    }
}

fn missing_need(step: &Step, before: &[Report]) -> Option<&'static str> {
    step.needs.iter().copied().find(|need| {
        before
            .iter()
            .any(|report| report.name == *need && report.verdict != Verdict::Passed)
    })
}

/// The table of what ran, the reasons, and the closing line.
fn summary(reports: &[Report], time: Duration) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut reasons = Vec::new();
    let mut total = Tally::default();
    for report in reports {
        let word = match &report.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed(why) => {
                reasons.push(format!("{} FAILED: {why}", report.name));
                reasons.extend(
                    report
                        .tally
                        .failures
                        .iter()
                        .map(|name| format!("    {name}")),
                );
                "FAILED"
            }
            Verdict::Skipped(why) => {
                reasons.push(format!("{} SKIPPED: {why}", report.name));
                "SKIPPED"
            }
        };
        let tests = if report.tally.is_empty() {
            String::new()
        } else {
            format!(
                "{} passed, {} failed, {} ignored",
                report.tally.passed, report.tally.failed, report.tally.skipped
            )
        };
        let time = environment::in_words(report.time);
        let line = format!("{:<12} {word:<8} {time:>12}   {tests}", report.name);
        lines.push(line.trim_end().to_owned());
        total.add(counted(report));
    }
    lines.push(format!(
        "{:<21} {:>12}",
        "together",
        environment::in_words(time)
    ));
    lines.push(String::new());
    if !reasons.is_empty() {
        lines.extend(reasons);
        lines.push(String::new());
    }
    lines.push(format!(
        "{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.skipped
    ));
    lines
}

/// A step that failed without a failed test, or was skipped, counts as one: nobody should read
/// `0 failed` after a failure.
fn counted(report: &Report) -> Tally {
    let mut tally = report.tally.clone();
    match report.verdict {
        Verdict::Failed(_) if tally.failed == 0 => tally.failed = 1,
        Verdict::Skipped(_) => tally.skipped += 1,
        _ => {}
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Options, String> {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments).map_err(|failure| failure.to_string())
    }

    fn report(name: &'static str, verdict: Verdict, counts: (u64, u64, u64)) -> Report {
        let (passed, failed, skipped) = counts;
        Report {
            name,
            verdict,
            time: Duration::from_secs(3),
            tally: Tally {
                passed,
                failed,
                skipped,
                failures: Vec::new(),
            },
        }
    }

    fn last_line(reports: &[Report]) -> String {
        let mut lines = summary(reports, Duration::from_secs(9));
        lines.pop().expect("a closing line")
    }

    #[test]
    fn steps_are_chosen_by_name() {
        let only =
            |names: &[&str]| Options::Only(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(parse(""), Ok(Options::Run { form: Form::Full }));
        assert_eq!(parse("--quick"), Ok(Options::Run { form: Form::Quick }));
        assert_eq!(parse("--long"), Ok(Options::Run { form: Form::Long }));
        assert_eq!(parse("--only lint"), Ok(only(&["lint"])));
        assert_eq!(
            parse("--only lint docs --only unit"),
            Ok(only(&["lint", "docs", "unit"]))
        );
        assert_eq!(parse("--list"), Ok(Options::List));
        for wrong in [
            "lint",
            "--only",
            "--only nonsense",
            "--all",
            "--quick --only lint",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_closing_line_counts_every_test_and_hides_no_failure() {
        let passed = || report("unit", Verdict::Passed, (7, 0, 1));
        assert_eq!(last_line(&[passed()]), "7 passed, 0 failed, 1 skipped");

        let failed = report(
            "system",
            Verdict::Failed(String::from("a reason")),
            (5, 2, 0),
        );
        assert_eq!(
            last_line(&[passed(), failed]),
            "12 passed, 2 failed, 1 skipped"
        );

        let without_tests = report(
            "format",
            Verdict::Failed(String::from("a reason")),
            (0, 0, 0),
        );
        assert_eq!(
            last_line(&[passed(), without_tests]),
            "7 passed, 1 failed, 1 skipped"
        );

        let skipped = report(
            "browser",
            Verdict::Skipped(String::from("a reason")),
            (0, 0, 0),
        );
        assert_eq!(
            last_line(&[passed(), skipped]),
            "7 passed, 0 failed, 2 skipped"
        );
    }

    #[test]
    fn every_reason_stands_in_the_summary() {
        let why = String::from("cargo test failed");
        let mut broken = report("unit", Verdict::Failed(why), (1, 1, 0));
        broken.tally.failures.push(String::from("money::adds_up"));
        let reports = [
            broken,
            report(
                "format",
                Verdict::Failed(String::from("not formatted")),
                (0, 0, 0),
            ),
            report(
                "browser",
                Verdict::Skipped(String::from("not installed")),
                (0, 0, 0),
            ),
        ];
        let text = summary(&reports, Duration::ZERO).join("\n");
        assert!(
            text.contains("cargo test failed\n    money::adds_up"),
            "{text}"
        );
        assert!(text.contains("format FAILED: not formatted"), "{text}");
        assert!(text.contains("browser SKIPPED: not installed"), "{text}");
    }

    #[test]
    fn a_step_whose_need_failed_is_not_tried_but_one_that_was_left_out_is_no_obstacle() {
        let system = STEPS
            .iter()
            .find(|step| step.name == "system")
            .expect("a step");
        let built = report("build", Verdict::Passed, (0, 0, 0));
        let broken = report(
            "build",
            Verdict::Failed(String::from("a reason")),
            (0, 0, 0),
        );
        assert_eq!(missing_need(system, &[]), None);
        assert_eq!(missing_need(system, &[built]), None);
        assert_eq!(missing_need(system, &[broken]), Some("build"));
    }
}
