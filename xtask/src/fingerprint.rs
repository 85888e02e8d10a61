//! Tells whether files have changed, by what is in them: times change when a branch is switched.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Folders that do not go into what is built.
const BESIDE_THE_BUILD: &[&str] = &[
    "examples",
    "node_modules",
    "pkg",
    "target",
    "tests",
    "vectors",
];

/// One text for the names and contents of all these files and folders, and for the remarks beside them.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn of(root: &Path, inputs: &[&str], remarks: &[&str]) -> Result<String, Failure> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new();
    for remark in remarks {
        feed(&mut digest, remark.as_bytes());
    }
    for file in files {
        let content = fs::read(&file).map_err(|error| {
            Failure::because(format!("{} cannot be read", file.display()), error)
        })?;
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
        feed(&mut digest, name.as_bytes());
        feed(&mut digest, &content);
    }
    Ok(HEXLOWER.encode(&digest.finalize()))
}

/// The length stands before the bytes, so that two fields never read as one.
fn feed(digest: &mut Sha256, bytes: &[u8]) {
    digest.update(bytes.len().to_string());
    digest.update([0]);
    digest.update(bytes);
}

/// What does not exist yields nothing: it is seen when it appears.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    let unreadable = |error| {
        Failure::because(
            format!("The folder {} cannot be read", path.display()),
            error,
        )
    };
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let is_input = !BESIDE_THE_BUILD.iter().any(|other| name == *other)
            && !name.to_string_lossy().starts_with('.');
        if is_input {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_changes_with_names_contents_and_remarks_and_with_nothing_else() {
        let root = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(root.join("src/tests")).expect("a temporary folder");
        let write = |name: &str, content: &str| {
            fs::write(root.join(name), content).expect("a temporary file");
        };
        let now = |remarks: &[&str]| of(&root, &["src", "missing"], remarks).expect("readable");

        write("src/a.rs", "one");
        let first = now(&["1.95"]);
        write("src/a.rs", "one");
        write("src/tests/b.rs", "a test is not built into the widget");
        write("src/.hidden", "an editor's file");
        assert_eq!(now(&["1.95"]), first);
        assert_ne!(now(&["1.96"]), first);

        write("src/a.rs", "two");
        let second = now(&["1.95"]);
        assert_ne!(second, first);
        fs::rename(root.join("src/a.rs"), root.join("src/c.rs")).expect("renamed");
        assert_ne!(now(&["1.95"]), second);
        fs::remove_dir_all(&root).expect("removed");
    }
}
