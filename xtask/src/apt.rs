//! Installs packages of the system where that is possible without asking anybody.

use std::process::Command;

use crate::console;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// Whether `apt-get` is there and may be used.
pub(crate) fn is_usable() -> bool {
    environment::find_program("apt-get").is_some() && is_root()
}

/// Installs packages; the lists of packages are brought up to date before.
///
/// # Errors
/// When `apt-get` fails.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Outcome {
    console::note(&format!("Installing {}", packages.join(", ")));
    let mut update = apt_get(workspace);
    update.arg("update");
    if let Err(failure) = process::run("apt-get update", update) {
        // The lists that are there may do.
        console::note(&failure.to_string());
    }
    let mut install = apt_get(workspace);
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages);
    process::run("apt-get install", install)
}

/// The sentence for somebody who has to install packages by hand.
pub(crate) fn please_install(what: &str, packages: &[&str]) -> Failure {
    Failure::new(format!(
        "{what} is not installed. Install it, on Debian with `apt-get install {}` as root.",
        packages.join(" ")
    ))
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = workspace.command("apt-get");
    command
        .arg("--quiet=2")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    let mut command = Command::new("id");
    command.arg("-u");
    process::answer("Asking who we are", command).is_ok_and(|user| user.trim() == "0")
}
