//! Runs other programs to their end.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// How often it is looked whether the program has ended although something still holds its output open.
const GLANCE: Duration = Duration::from_millis(500);

/// Runs a command to its end; what it says is shown on standard error.
///
/// # Errors
/// When the program cannot be started or does not end well.
pub(crate) fn run(label: &str, mut command: Command) -> Outcome {
    command.stdin(Stdio::null()).stdout(io::stderr());
    let status = command
        .status()
        .map_err(|error| unstarted(&command, error))?;
    require_success(label, status)
}

/// The same, and `on_line` sees every line of both outputs.
///
/// # Errors
/// When the program cannot be started or does not end well.
pub(crate) fn run_watched(
    label: &str,
    mut command: Command,
    on_line: &mut dyn FnMut(&str),
) -> Outcome {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| unstarted(&command, error))?;
    let (sender, lines) = mpsc::channel();
    if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
        let other = sender.clone();
        for_each_line(stdout, move |line| drop(sender.send(line)));
        for_each_line(stderr, move |line| drop(other.send(line)));
    }
    let lost = |error| Failure::because(format!("{label} was lost"), error);
    let status = loop {
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                eprintln!("    {line}");
                on_line(&line);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait().map_err(lost)? {
                    break status;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break child.wait().map_err(lost)?,
        }
    };
    require_success(label, status)
}

/// The standard output of a program that is quick and whose output is its result.
///
/// # Errors
/// When it cannot be started or does not end well; carries what it wrote to standard error.
pub(crate) fn answer(label: &str, mut command: Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unstarted(&command, error))?;
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

/// The same where the result is JSON.
///
/// # Errors
/// Also when it is not.
pub(crate) fn json_answer(label: &str, command: Command) -> Result<Value, Failure> {
    serde_json::from_str(&answer(label, command)?)
        .map_err(|error| Failure::because(format!("{label}: the answer is not JSON"), error))
}

/// Does something with every line of a stream, beside everything else, until the stream ends.
pub(crate) fn for_each_line(
    stream: impl Read + Send + 'static,
    act: impl Fn(String) + Send + 'static,
) {
    thread::spawn(move || {
        let mut lines = BufReader::new(stream).split(b'\n');
        while let Some(Ok(bytes)) = lines.next() {
            act(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        }
    });
}

fn unstarted(command: &Command, error: io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::because(format!("{program} could not be started"), error)
}

fn require_success(label: &str, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{label} failed ({status}). What it said is shown above."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Stopwatch;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn every_line_of_both_outputs_is_seen() {
        let mut seen = Vec::new();
        let script = shell("echo one; echo two >&2; printf three");
        let outcome = run_watched("the probe", script, &mut |line| seen.push(line.to_owned()));
        seen.sort();
        assert_eq!(outcome, Ok(()));
        assert_eq!(seen, ["one", "three", "two"]);
    }

    #[test]
    fn a_program_that_fails_or_is_missing_is_a_sentence() {
        let missing = || Command::new("no-program-has-this-name");
        for outcome in [
            run("the probe", shell("exit 3")),
            run_watched("the probe", shell("exit 3"), &mut |_| ()),
        ] {
            let failed = outcome.expect_err("it exits with 3").to_string();
            assert!(
                failed.starts_with("the probe failed (exit status: 3)."),
                "{failed}"
            );
        }
        for outcome in [
            run("the probe", missing()),
            run_watched("the probe", missing(), &mut |_| ()),
        ] {
            let missing = outcome.expect_err("there is no such program").to_string();
            assert!(missing.contains("could not be started"), "{missing}");
        }
    }

    #[test]
    fn a_grandchild_that_keeps_the_output_open_does_not_hold_us_up() {
        let watch = Stopwatch::start();
        let script = shell("sleep 20 & echo done");
        assert_eq!(run_watched("the probe", script, &mut |_| ()), Ok(()));
        assert!(watch.elapsed() < Duration::from_secs(10));
    }
}
