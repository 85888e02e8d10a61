//! The verifier's commands; `verifier-server --help` lists them.

use clap::Parser;
use std::process::ExitCode;
use verifier_server::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("verifier-server: {sentence}");
            ExitCode::FAILURE
        }
    }
}
