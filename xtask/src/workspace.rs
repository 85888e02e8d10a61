//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment;
use crate::failure::Failure;

/// The folders of the project.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the project around this program's own source.
    pub(crate) fn locate() -> Result<Self, Failure> {
        let own_folder = environment::variable("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own_folder.parent().map(Path::to_path_buf).ok_or_else(|| {
            Failure::new("The project's folder was not found. Run this as `cargo xtask`.")
        })?;
        let target = environment::variable("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Self { root, target })
    }

    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where the finished widget is.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Where the installed tools are.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools").join("bin")
    }

    /// A program of the development build.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// A command that runs in the project's folder, with the installed tools first on its `PATH`.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("PATH", environment::search_path_with(&[&self.tools()]));
        // `cargo run` describes the package it runs in variables. Some build scripts look at them, and would
        // run again whenever the same build is started with and without this program in between.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let describes_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_"]
                .iter()
                .any(|prefix| text.starts_with(prefix));
            if describes_this_package {
                command.env_remove(&name);
            }
        }
        command
    }

    /// A cargo command in the project's folder.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command =
            self.command(environment::variable("CARGO").unwrap_or_else(|| String::from("cargo")));
        // Its lines are read here, and no terminal is behind them.
        command.args(arguments).env("CARGO_TERM_COLOR", "never");
        command
    }
}
