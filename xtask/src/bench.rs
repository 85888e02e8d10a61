//! Measures, and hands on the one JSON object that comes out.

use std::process::Stdio;

use serde_json::Value;

use crate::console;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::steps;
use crate::tools;
use crate::widget;
use crate::workspace::Workspace;

/// Builds as a merchant would run it, and measures. Only the JSON object goes to standard output.
///
/// # Errors
/// When something does not build, or the measurements do not come to their end.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    tools::install_target(workspace)?;
    widget::build(workspace)?;
    console::heading("Building for release");
    let build = workspace.cargo(&[
        "build",
        "--release",
        "--workspace",
        "--bin",
        "verifier-server",
        "--bin",
        "bench",
    ]);
    process::run("release", build)?;

    console::heading("Measuring");
    let programs = workspace.target().join("release");
    let mut bench = workspace.command(programs.join("bench"));
    bench
        .env("SEALPAY_BIN_DIR", &programs)
        .env("SEALPAY_WIDGET_DIR", workspace.dist())
        .stderr(Stdio::inherit());
    steps::find_help(&mut bench);
    let said = process::answer("The measurement", bench)?;
    println!("{}", one_object(&said)?);
    Ok(())
}

/// What was printed, if it is what a program that reads it expects.
fn one_object(said: &str) -> Result<&str, Failure> {
    match serde_json::from_str::<Value>(said) {
        Ok(Value::Object(_)) => Ok(said.trim()),
        _ => Err(Failure::new(format!(
            "The measurement should have printed one JSON object, but printed: {said:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_one_object_is_refused() {
        assert_eq!(one_object("{\"a\": 1}\n"), Ok("{\"a\": 1}"));
        for wrong in ["", "[]", "1", "{} {}", "starting\n{}"] {
            assert!(one_object(wrong).is_err(), "{wrong:?}");
        }
    }
}
