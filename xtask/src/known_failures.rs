//! Tests that are left out because they are known to fail.

use crate::failure::Failure;
use crate::workspace::Workspace;

/// Names them.
pub(crate) const FILE: &str = "tests/known-failures.txt";

/// The names of tests that are known to fail; nobody should take them for passed.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let file = workspace.root().join(FILE);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Failure::because(format!("{} cannot be read", file.display()), error))?;
    let lines = text.lines().map(str::trim);
    let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(str::to_owned).collect())
}
