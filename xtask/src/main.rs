//! `cargo xtask demo | test | bench | fuzz | widget | tools`: everything a newcomer runs, and what it needs installed.
//!
//! This is an edge of the project: it reads the environment and the clock and starts other programs.
//! Progress goes to standard error; what was asked for (addresses, results, JSON) goes to standard output.
#![expect(
    clippy::print_stdout,
    reason = "what was asked for is printed to standard output"
)]

mod apt;
mod bench;
mod browser;
mod compress;
mod console;
mod demo;
mod environment;
mod failure;
mod fuzz;
mod memory;
mod minify;
mod postgres;
mod process;
mod servers;
mod steps;
mod suite;
mod tally;
mod tools;
mod widget;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Outcome};
use workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo     build everything, start the verifier and the demo shop, print their addresses
             --data DIR            where the data is kept (demo-data)
             --verifier-port PORT  (8787)
             --control-port PORT   test controls and metrics (8788)
             --shop-port PORT      (4242)
             --fresh               throw the data away first
  test     install what tests need and run them all; ends with a summary
             --quick               only what a change breaks most often, in about a minute
             --long                also what takes long: fuzzing, and the build by trunk
             --only STEP           run only this step; may be repeated
             --list                name the steps
  bench    measure, and print one JSON object
  fuzz     run the fuzz targets, each for a minute, or those that are named
             --seconds N           for so long each
  widget   build the widget into dist/; fails when it outgrows its limit
  tools    install wasm-bindgen, wasm-pack, geckodriver and trunk under target/tools
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let command = arguments.remove(0);
    match run(&command, &arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, arguments: &[String]) -> Result<ExitCode, Failure> {
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::locate()?;
    match command {
        "demo" => demo::run(&workspace, &demo::Options::parse(arguments)?)?,
        "test" => return suite::run(&workspace, &suite::Options::parse(arguments)?),
        "fuzz" => fuzz::run(&workspace, &fuzz::Options::parse(arguments)?)?,
        "bench" => {
            no_more(arguments)?;
            bench::run(&workspace)?;
        }
        "widget" => {
            no_more(arguments)?;
            tools::install_target(&workspace)?;
            widget::build(&workspace)?;
            widget::require_lightness(&workspace)?;
        }
        "tools" => {
            no_more(arguments)?;
            tools::install(&workspace, tools::Purpose::LongTest)?;
        }
        "help" | "--help" | "-h" => print!("{USAGE}"),
        other => {
            return Err(Failure::new(format!(
                "There is no command {other:?}.\n\n{USAGE}"
            )));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn no_more(arguments: &[String]) -> Outcome {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => Err(Failure::new(format!(
            "This command takes no arguments, but {argument:?} was given.\n\n{USAGE}"
        ))),
    }
}
