//! Parses the configuration file.

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

/// The position of an error, and the expected value. Neither the value nor the line is shown:
/// either may contain a password.
fn position(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let number = before.map(|before| before.matches('\n').count());
    let line = number.and_then(|number| text.lines().nth(number));
    let number = number.map_or_else(String::new, |number| format!(", line {}", number + 1));
    format!(
        "{number}: {}",
        wanted(error, line.unwrap_or_default(), text)
    )
}

/// Describes the expected value. Messages of the parser itself contain no values, those of the
/// types do.
fn wanted(error: &toml::de::Error, line: &str, text: &str) -> String {
    let message = error.message();
    if let Err(unparsed) = toml::de::DeTable::parse(text) {
        return unparsed.message().to_owned();
    }
    if message.starts_with("missing field") {
        return message.to_owned();
    }
    let expected = message.rsplit_once(", expected ");
    let expected = expected.map_or("another value", |(_, expected)| expected);
    if let Some(unknown) = message.strip_prefix("unknown field `") {
        let name = unknown.split('`').next().unwrap_or_default();
        let name = if is_name(name) { name } else { "…" };
        return format!("there is no setting {name}, expected {expected}");
    }
    let setting = line.split('=').next().unwrap_or_default().trim();
    if is_name(setting) {
        format!("{setting}: expected {expected}")
    } else {
        format!("expected {expected}")
    }
}

/// Whether a text looks like the name of a setting; most misplaced values do not.
fn is_name(text: &str) -> bool {
    let usual = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'.');
    (1..=40).contains(&text.len()) && text.bytes().all(usual)
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::fs;

    #[test]
    fn errors_name_the_line_without_showing_it() {
        let path = std::env::temp_dir().join(format!("sealpay-config-{}", std::process::id()));
        for (lines, expected) in [
            (
                "database = \"postgres://u:horse@db/x",
                ", line 2: invalid basic string, expected `\"`",
            ),
            (
                "database = [\"postgres://u:horse@db/x\"]",
                ", line 2: database: expected a string",
            ),
            (
                "drain_ms = \"postgres://u:horse@db/x\"",
                ", line 2: drain_ms: expected u64",
            ),
            (
                "drain_ms = \"horse, expected horse\"",
                ", line 2: drain_ms: expected u64",
            ),
            (
                "test_mode_in_public = \"horse\"",
                ", line 2: test_mode_in_public: expected a boolean",
            ),
            ("log = \"horse\"", ", line 2: log: expected "),
            (
                "[webhooks]\nallow = [\n\"10.0.0.0/8\", 12345]",
                ", line 4: expected a string",
            ),
            (
                "lissten = \"horse\"",
                ", line 2: there is no setting lissten, expected one of ",
            ),
            (
                "\"u:horse@db\" = 1",
                ", line 2: there is no setting …, expected one of ",
            ),
        ] {
            fs::write(&path, format!("test_mode = true\n{lines}\n")).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.contains(expected), "{error}");
            for value in ["horse", "12345"] {
                assert!(!error.contains(value), "{error}");
            }
        }
        fs::remove_file(&path).unwrap();
    }
}
