//! A Postgres for the tests of the store: one that runs already, or programs with which they start their own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::apt;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// PgBouncer stands before the server in some tests, which are left out without it.
const PACKAGES: &[&str] = &["postgresql", "pgbouncer"];
const POOLER: &str = "pgbouncer";
/// Where Debian puts servers, off an ordinary user's PATH.
const POOLER_FOLDER: &str = "/usr/sbin";
const PROGRAMS: &[&str] = &["initdb", "pg_ctl", "postgres"];
/// Debian keeps each version's programs in a folder of its own, off the PATH.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// The variable in which a running server is named.
pub(crate) const URL: &str = "SEALPAY_TEST_POSTGRES_URL";
/// The variable in which the folder of the programs is named.
pub(crate) const PROGRAM_FOLDER: &str = "SEALPAY_TEST_POSTGRES_BIN";

/// Where tests find Postgres.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Postgres {
    /// Somebody runs one; its address is in the environment already.
    Running,
    /// These programs can start one.
    Programs(PathBuf),
}

impl Postgres {
    /// The Postgres of this machine, if it has one.
    pub(crate) fn find() -> Option<Self> {
        if environment::variable(URL).is_some() {
            return Some(Self::Running);
        }
        environment::variable(PROGRAM_FOLDER)
            .map(PathBuf::from)
            .into_iter()
            .chain(folder_on_the_path())
            .chain(newest_first(Path::new(DEBIAN_FOLDER)))
            .find(|folder| is_complete(folder))
            .map(Self::Programs)
    }
}

/// Installs Postgres if there is none and that is possible.
///
/// # Errors
/// With the name of the package, when it is not.
pub(crate) fn install(workspace: &Workspace) -> Outcome {
    if Postgres::find().is_some() {
        if !has_pooler() && apt::is_usable() {
            apt::install(workspace, &[POOLER])?;
        }
        return Ok(());
    }
    if !apt::is_usable() {
        let mut sentence = apt::please_install("Postgres", PACKAGES).to_string();
        sentence.push_str(&format!(" Or name a running one in {URL}."));
        return Err(Failure::new(sentence));
    }
    apt::install(workspace, PACKAGES)?;
    Postgres::find().map(|_| ()).ok_or_else(|| {
        Failure::new(format!(
            "Postgres was installed, but its programs are not in {DEBIAN_FOLDER}/*/bin."
        ))
    })
}

fn has_pooler() -> bool {
    environment::find_program(POOLER).is_some() || Path::new(POOLER_FOLDER).join(POOLER).is_file()
}

/// The folder of the real program: what is on the PATH may be a link to it, without its neighbours.
fn folder_on_the_path() -> Option<PathBuf> {
    let program = fs::canonicalize(environment::find_program("initdb")?).ok()?;
    program.parent().map(Path::to_path_buf)
}

fn newest_first(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path).collect()
}

fn is_complete(folder: &Path) -> bool {
    PROGRAMS
        .iter()
        .all(|program| environment::is_executable(&folder.join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let folder = std::env::temp_dir().join(format!("xtask-postgres-{}", std::process::id()));
        for name in ["9", "15", "17", "contrib"] {
            fs::create_dir_all(folder.join(name)).expect("a temporary folder");
        }
        let expected: Vec<PathBuf> = ["17", "15", "9"]
            .iter()
            .map(|name| folder.join(name).join("bin"))
            .collect();
        assert_eq!(newest_first(&folder), expected);
        assert!(newest_first(&folder.join("missing")).is_empty());
        assert!(!is_complete(&folder));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
