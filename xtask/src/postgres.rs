//! A Postgres for the tests of the store: one that runs already, or programs with which they start their own.

use std::fs;
use std::path::Path;

use crate::apt;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// PgBouncer stands before the server in some tests, which are left out without it.
const PACKAGES: &[&str] = &["postgresql", "pgbouncer"];
const POOLER: &str = "pgbouncer";
/// Where Debian puts servers, off an ordinary user's PATH.
const POOLER_FOLDER: &str = "/usr/sbin";
/// Debian keeps each version's programs in a folder of its own, off the PATH; tests look there too.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// The variable in which a running server is named.
const URL: &str = "SEALPAY_TEST_POSTGRES_URL";
/// The variable in which the folder of the programs is named.
const PROGRAM_FOLDER: &str = "SEALPAY_TEST_POSTGRES_BIN";

/// Whether the tests will find one.
pub(crate) fn is_there() -> bool {
    let versions = fs::read_dir(DEBIAN_FOLDER).into_iter().flatten().flatten();
    environment::variable(URL)
        .or_else(|| environment::variable(PROGRAM_FOLDER))
        .is_some()
        || environment::find_program("initdb").is_some()
        || versions
            .map(|version| version.path().join("bin/initdb"))
            .any(|program| environment::is_executable(&program))
}

/// Installs Postgres if there is none and that is possible.
///
/// # Errors
/// With the name of the package, when it is not.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    if is_there() {
        if !has_pooler() && apt::is_usable() {
            apt::install(workspace, &[POOLER])?;
        }
        return Ok(());
    }
    if !apt::is_usable() {
        let sentence = apt::please_install("Postgres", PACKAGES);
        return Err(Failure::new(format!(
            "{sentence} Or name a running one in {URL}."
        )));
    }
    apt::install(workspace, PACKAGES)
}

fn has_pooler() -> bool {
    environment::find_program(POOLER).is_some() || Path::new(POOLER_FOLDER).join(POOLER).is_file()
}
