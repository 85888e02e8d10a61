//! Chromium and its driver.

use std::path::PathBuf;

use crate::apt;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

const PACKAGES: &[&str] = &["chromium", "chromium-driver"];
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

/// Installs a browser if there is none and that is possible.
///
/// # Errors
/// With the names of the packages, when it is not.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    if Browser::find().is_some() {
        return Ok(());
    }
    if !apt::is_usable() {
        return Err(apt::please_install("Chromium with its driver", PACKAGES));
    }
    apt::install(workspace, PACKAGES)?;
    Browser::find().map(|_| ()).ok_or_else(|| {
        Failure::new(
            "Chromium was installed, but `chromium` and `chromedriver` are not on the PATH.",
        )
    })
}
