//! Reading the configuration file.

use super::{Config, database};
use crate::keys::secret_file;
use std::fs::File;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Config, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("configuration file {}: {error}", path.display()))?;
    let config: Config = toml::from_str(&text)
        .map_err(|error| format!("{}{}", path.display(), position(&error, &text)))?;
    if database::has_password(&config.database) {
        let checked = File::open(path).map_err(|error| format!("{}: {error}", path.display()));
        checked
            .and_then(|file| secret_file::check(path, &file))
            .map_err(|error| {
                format!(
                    "the configuration holds the database's password, and {error}; or name a file \
                     for it with database_file"
                )
            })?;
    }
    Ok(config)
}

/// Where a file is wrong, and why. The line itself is not shown: it may hold a password.
fn position(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
    format!("{line}: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::fs;

    #[test]
    fn an_error_in_the_file_names_the_line_and_does_not_show_it() {
        let path = std::env::temp_dir().join(format!("sealpay-config-{}", std::process::id()));
        for (line, expected) in [
            ("database = \"postgres://u:horse@db/x", "line 2"),
            (
                "database = [\"postgres://u:horse@db/x\"]",
                "line 2: invalid type",
            ),
        ] {
            fs::write(&path, format!("test_mode = true\n{line}\n")).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("horse"), "{error}");
        }
        fs::remove_file(&path).unwrap();
    }
}
