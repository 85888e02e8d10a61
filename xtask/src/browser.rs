//! The browsers that tests drive: Chromium, Firefox and WebKit.

use std::path::PathBuf;

use crate::apt;
use crate::console;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

const PACKAGES: &[&str] = &["chromium", "chromium-driver"];
/// A Chromium that starts faster; tests take it where it is.
const SHELL: &str = "chromium-headless-shell";
/// Firefox's driver is no package of Debian's: it is among the tools.
const OTHER_PACKAGES: &[&str] = &["firefox-esr", "webkit2gtk-driver", "xvfb"];
/// What these packages bring.
const OTHER_PROGRAMS: &[&str] = &["firefox-esr", "WebKitWebDriver", "Xvfb"];
/// One of these is a browser that the driver finds.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A browser that tests can drive.
pub(crate) struct Browser {
    pub(crate) driver: PathBuf,
    pub(crate) program: PathBuf,
}

impl Browser {
    /// The browser of this machine, if it has one.
    pub(crate) fn find() -> Option<Self> {
        let driver = environment::variable("CHROMEDRIVER")
            .map(PathBuf::from)
            .filter(|path| environment::is_executable(path))
            .or_else(|| environment::find_program("chromedriver"))?;
        let program = BROWSERS
            .iter()
            .find_map(|name| environment::find_program(name))?;
        Some(Self { driver, program })
    }
}

/// Whether Firefox and WebKit are here as well.
pub(crate) fn has_other_engines() -> bool {
    OTHER_PROGRAMS
        .iter()
        .all(|program| environment::find_program(program).is_some())
}

/// Not every distribution has it, and nothing but time is lost without it.
fn install_shell(workspace: &Workspace) {
    if environment::find_program(SHELL).is_none()
        && apt::is_usable()
        && apt::install(workspace, &[SHELL]).is_err()
    {
        console::note(&format!(
            "Without the package {SHELL} browser tests take a third longer."
        ));
    }
}

/// Installs the browsers that are missing, if that is possible.
///
/// # Errors
/// With the names of the packages, when it is not.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    let mut missing = Vec::new();
    if Browser::find().is_none() {
        missing.extend(PACKAGES);
    }
    if !has_other_engines() {
        missing.extend(OTHER_PACKAGES);
    }
    install_shell(workspace);
    if missing.is_empty() {
        return Ok(());
    }
    if !apt::is_usable() {
        return Err(apt::please_install("A browser for the tests", &missing));
    }
    apt::install(workspace, &missing)?;
    if Browser::find().is_none() || !has_other_engines() {
        return Err(Failure::new(format!(
            "{} were installed, but their programs are not on the PATH.",
            missing.join(", ")
        )));
    }
    Ok(())
}
