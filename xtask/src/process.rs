//! Runs another program to its end and shows that it is alive.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::console;
use crate::diagnosis;
use crate::environment::{self, Stopwatch};
use crate::failure::{Failure, Outcome};

/// A person wonders after ten seconds without a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often it is looked whether the program has ended although something still holds its output open.
const GLANCE: Duration = Duration::from_millis(500);
/// What is kept of the output to explain a failure.
const KEPT_LINES: usize = 200;
/// What is shown of it when it was not shown before.
const SHOWN_LINES: usize = 40;

/// How much of a program's output is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Everything but cargo's own progress, which becomes a line every ten seconds.
    Output,
    /// Only that it goes on; the end of the output when it fails.
    Progress,
}

/// Runs a command to its end. `on_line` sees every line of both outputs.
///
/// # Errors
/// When the program cannot be started or does not end well; says why where that can be told.
pub(crate) fn run(
    label: &str,
    mut command: Command,
    show: Show,
    on_line: &mut dyn FnMut(&str),
) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::because(format!("{program} could not be started"), error))?;
    let lines = read_outputs(&mut child);
    let mut watch = Watch::new(label, show);
    let status = loop {
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                on_line(&line);
                watch.take(line);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = glance(&mut child, label)? {
                    break status;
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                break child
                    .wait()
                    .map_err(|error| Failure::because(format!("{label} was lost"), error))?;
            }
        }
        watch.beat();
    };
    if status.success() {
        Ok(())
    } else {
        Err(watch.failure(status))
    }
}

/// The standard output of a program that is quick and whose output is its result.
///
/// # Errors
/// When it cannot be started or does not end well; carries what it wrote to standard error.
pub(crate) fn answer(label: &str, mut command: Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::because(format!("{label}: the program did not start"), error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "{label} failed.\n{}",
            said.trim_end()
        )))
    }
}

/// Sends every line of a stream, until it ends or nobody listens.
pub(crate) fn forward(stream: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader
            .read_until(b'\n', &mut bytes)
            .is_ok_and(|count| count > 0)
        {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            if lines.send(line).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

fn read_outputs(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    receiver
}

fn glance(child: &mut Child, label: &str) -> Result<Option<ExitStatus>, Failure> {
    child
        .try_wait()
        .map_err(|error| Failure::because(format!("{label} was lost"), error))
}

/// Follows one program.
struct Watch<'a> {
    label: &'a str,
    show: Show,
    since_start: Stopwatch,
    since_sign: Stopwatch,
    kept: VecDeque<String>,
    crates: u32,
    latest: String,
}

impl<'a> Watch<'a> {
    fn new(label: &'a str, show: Show) -> Self {
        Self {
            label,
            show,
            since_start: Stopwatch::start(),
            since_sign: Stopwatch::start(),
            kept: VecDeque::new(),
            crates: 0,
            latest: String::new(),
        }
    }

    fn take(&mut self, line: String) {
        match cargo_progress(&line) {
            Some((verb, what)) => {
                if verb == "Compiling" || verb == "Checking" {
                    self.crates += 1;
                }
                self.latest = format!("{verb} {what}");
            }
            None if self.show == Show::Output => {
                eprintln!("    {line}");
                self.since_sign = Stopwatch::start();
            }
            None => {}
        }
        if self.kept.len() == KEPT_LINES {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
    }

    fn beat(&mut self) {
        if self.since_sign.elapsed() < HEARTBEAT {
            return;
        }
        self.since_sign = Stopwatch::start();
        let elapsed = environment::in_words(self.since_start.elapsed());
        let mut line = format!("… {}: {elapsed}", self.label);
        if self.crates > 0 {
            line.push_str(&format!(", crates so far: {}", self.crates));
        }
        if !self.latest.is_empty() {
            line.push_str(&format!(", {}", self.latest));
        }
        console::note(&line);
    }

    fn failure(self, status: ExitStatus) -> Failure {
        let lines: Vec<String> = self.kept.into();
        if self.show == Show::Progress {
            let first = lines.len().saturating_sub(SHOWN_LINES);
            for line in lines.iter().skip(first) {
                console::note(line);
            }
        }
        let what = format!("{} failed ({status}).", self.label);
        match diagnosis::explain(&lines) {
            Some(advice) => Failure::with_advice(what, advice),
            None => Failure::new(format!("{what} What it said is shown above.")),
        }
    }
}

/// Cargo's report of one more thing done or waited for, which alone is worth no line.
fn cargo_progress(line: &str) -> Option<(&str, &str)> {
    let (verb, what) = line.trim_start().split_once(' ')?;
    let is_progress = line.starts_with(' ')
        && matches!(
            verb,
            "Adding"
                | "Blocking"
                | "Checking"
                | "Compiling"
                | "Documenting"
                | "Downloaded"
                | "Downloading"
                | "Dirty"
                | "Finished"
                | "Fresh"
                | "Installed"
                | "Installing"
                | "Locking"
                | "Replaced"
                | "Replacing"
                | "Updating"
        );
    is_progress.then_some((verb, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn only_cargos_own_progress_is_folded() {
        let rows = [
            (
                "   Compiling serde v1.0.0",
                Some(("Compiling", "serde v1.0.0")),
            ),
            (
                "    Updating crates.io index",
                Some(("Updating", "crates.io index")),
            ),
            ("     Running unittests src/lib.rs", None),
            (
                "    Blocking waiting for file lock on build directory",
                Some(("Blocking", "waiting for file lock on build directory")),
            ),
            ("Compiling is a word in a sentence", None),
            ("test result: ok. 1 passed; 0 failed", None),
            ("", None),
        ];
        for (line, expected) in rows {
            assert_eq!(cargo_progress(line), expected, "{line:?}");
        }
    }

    #[test]
    fn every_line_of_both_outputs_is_seen() {
        let mut seen = Vec::new();
        let outcome = run(
            "the probe",
            shell("echo one; echo two >&2; printf three"),
            Show::Progress,
            &mut |line| seen.push(line.to_owned()),
        );
        seen.sort();
        assert_eq!(outcome, Ok(()));
        assert_eq!(seen, ["one", "three", "two"]);
    }

    #[test]
    fn a_program_that_fails_or_is_missing_is_a_sentence() {
        let failed = run("the probe", shell("exit 3"), Show::Progress, &mut |_| ());
        let missing = run(
            "the probe",
            Command::new("no-program-has-this-name"),
            Show::Progress,
            &mut |_| (),
        );
        let failed = failed.expect_err("it exits with 3").to_string();
        let missing = missing.expect_err("there is no such program").to_string();
        assert!(
            failed.starts_with("the probe failed (exit status: 3)."),
            "{failed}"
        );
        assert!(missing.contains("could not be started"), "{missing}");
    }

    #[test]
    fn a_grandchild_that_keeps_the_output_open_does_not_hold_us_up() {
        let watch = Stopwatch::start();
        let outcome = run(
            "the probe",
            shell("sleep 20 & echo done"),
            Show::Progress,
            &mut |_| (),
        );
        assert_eq!(outcome, Ok(()));
        assert!(watch.elapsed() < Duration::from_secs(10));
    }
}
