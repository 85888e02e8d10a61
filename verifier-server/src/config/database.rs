//! The database URL and the sources of its password, so that no secret has to be readable by every
//! user of a machine.

use crate::keys::secret_file;
use sealpay_storage::{PostgresUrl, is_postgres};
use std::path::Path;
use url::Url;

/// The URL; if it has no password, the one from the file named by `PGPASSFILE` is added.
///
/// # Errors
/// A sentence that names the settings or the file.
pub(super) fn resolve(database: &str, file: Option<&Path>) -> Result<String, String> {
    let database = match file {
        Some(_) if database != "sqlite" => {
            return Err(
                "database and database_file are both given: leave database out, or write \
                 \"sqlite\""
                    .into(),
            );
        }
        Some(path) => {
            let text = secret_file::read(path).map_err(|error| format!("database_file {error}"))?;
            text.trim().to_owned()
        }
        None => database.to_owned(),
    };
    let Some(passfile) = passfile() else {
        return Ok(database);
    };
    let Some(url) = without_password(&database) else {
        return Ok(database);
    };
    let lines = secret_file::read(Path::new(&passfile));
    let lines = lines.map_err(|error| format!("PGPASSFILE {error}"))?;
    Ok(with_password(url, &lines).unwrap_or(database))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the setting that every Postgres client takes from the environment"
)]
fn passfile() -> Option<String> {
    std::env::var("PGPASSFILE")
        .ok()
        .filter(|path| !path.is_empty())
}

fn postgres_url(database: &str) -> Option<Url> {
    let url = Url::parse(database).ok()?;
    matches!(url.scheme(), "postgres" | "postgresql").then_some(url)
}

/// Validates the form of a database setting.
///
/// # Errors
/// A sentence that does not repeat the value, which may be a malformed URL with a password.
pub(super) fn check_form(database: &str) -> Result<(), String> {
    let is_file = database
        .strip_prefix("sqlite:")
        .is_some_and(|path| !path.is_empty() && !path.contains("://"));
    if database == "sqlite" || is_file || is_postgres(database) {
        return Ok(());
    }
    Err(
        "database is neither \"sqlite\", nor \"sqlite:\" and the path of a file, nor a URL that begins \
         with postgres:// or postgresql://"
            .into(),
    )
}

/// Whether a Postgres URL contains a password for its driver. One that the driver cannot parse may
/// contain one.
pub(super) fn has_password(database: &str) -> bool {
    let read = || PostgresUrl::parse(database);
    is_postgres(database) && !read().is_ok_and(|url| !url.has_password())
}

/// Parses a Postgres URL without a password.
fn without_password(database: &str) -> Option<Url> {
    postgres_url(database).filter(|url| url.password().is_none())
}

/// The URL with the password of the first matching line (PostgreSQL, "The Password File"):
/// `host:port:database:user:password`, where `*` matches everything and a backslash escapes.
fn with_password(mut url: Url, lines: &str) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.unwrap_or("localhost").to_owned();
    let port = url.port().unwrap_or(5432).to_string();
    let user = url.username().to_owned();
    let database = url.path().trim_start_matches('/');
    let database = if database.is_empty() { &user } else { database };
    let wanted = [&host, &port, database, &user];
    let fits = |line: &&str| {
        let fields = fields(line);
        let matches = |(field, wanted): (&String, &&str)| field == "*" || field == wanted;
        fields.len() == 5 && fields.iter().zip(&wanted).all(matches)
    };
    let entries = lines.lines().filter(|line| !line.starts_with('#'));
    let line = entries.into_iter().find(fits)?;
    let password = fields(line).pop()?;
    url.set_password(Some(&password)).ok()?;
    Some(url.into())
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let literal = match c {
            // The password is the rest of the line, including colons.
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        if let Some(field) = fields.last_mut() {
            field.push(literal);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::{check_form, resolve, with_password, without_password};
    use std::path::Path;

    #[test]
    fn the_first_matching_line_of_the_password_file_has_the_password() {
        let file = "# a comment\n\
                    other.example:5432:*:*:wrong\n\
                    db.example:5433:*:*:wrong port\n\
                    db.example:5432:sealpay:app:p\\:a ss@/%\n\
                    *:*:*:*:any\n";
        let rows = [
            (
                "postgres://app@db.example/sealpay",
                Some("postgres://app:p%3Aa%20ss%40%2F%25@db.example/sealpay"),
            ),
            (
                "postgresql://app@db.example:5432/sealpay",
                Some("postgresql://app:p%3Aa%20ss%40%2F%25@db.example:5432/sealpay"),
            ),
            (
                "postgres://somebody@db.example/sealpay",
                Some("postgres://somebody:any@db.example/sealpay"),
            ),
            ("postgres://app:own@db.example/sealpay", None),
            ("sqlite", None),
        ];
        for (url, expected) in rows {
            let found = without_password(url).and_then(|url| with_password(url, file));
            assert_eq!(
                found.as_deref().map(decoded),
                expected.map(decoded),
                "{url}"
            );
        }
        let url = without_password("postgres://app@db.example/sealpay").unwrap();
        assert_eq!(with_password(url, "db.example:5432:other:app:x\n"), None);
    }

    /// The library decides which characters of a password are escaped.
    fn decoded(url: &str) -> (String, Vec<u8>) {
        let url = url::Url::parse(url).unwrap();
        let password = url.password().unwrap_or_default().to_owned();
        let bytes = url::form_urlencoded::parse(format!("p={password}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned().into_bytes());
        let mut rest = url;
        rest.set_password(None).unwrap();
        (rest.into(), bytes.unwrap_or_default())
    }

    /// An invalid value may still contain a password, and is not repeated.
    #[test]
    fn database_settings_have_one_of_three_forms() {
        for database in [
            "sqlite",
            "sqlite:/var/lib/sealpay/sealpay.sqlite",
            "sqlite:sealpay.sqlite",
            "postgres://u@db.example/d",
            "postgresql://u:hidden@db.example/d",
        ] {
            assert_eq!(check_form(database), Ok(()), "{database}");
        }
        for database in [
            "",
            "sealpay.sqlite",
            "host=db.example password=hidden dbname=d",
            "POSTGRES://u:hidden@db.example/d",
            " postgres://u:hidden@db.example/d",
            "postgres:/u:hidden@db.example/d",
            "mysql://u:hidden@db.example/d",
            "sqlite:",
            "sqlite:postgres://u:hidden@db.example/d",
            "SQLITE",
        ] {
            let error = check_form(database).unwrap_err();
            assert!(
                error.contains("postgres://") && !error.contains("hidden"),
                "{error}"
            );
        }
    }

    #[test]
    fn only_one_database_setting_is_permitted() {
        let both = resolve("postgres://db.example/a", Some(Path::new("/nowhere"))).unwrap_err();
        assert!(both.contains("database and database_file"), "{both}");
        let missing = resolve("sqlite", Some(Path::new("/nowhere/at-all"))).unwrap_err();
        assert!(
            missing.contains("database_file /nowhere/at-all"),
            "{missing}"
        );
    }
}
