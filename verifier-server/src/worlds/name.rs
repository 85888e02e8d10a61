//! Names of worlds, which become names of folders and schemas.

use std::fmt;
use std::str::FromStr;

/// Longest name, characters: with its prefix it fits into the 63 bytes of a Postgres name.
const MOST_CHARACTERS: usize = 40;

/// A valid name: no path, no option, and the same in every file system and database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorldName(String);

impl WorldName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorldName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let fits = (1..=MOST_CHARACTERS).contains(&text.len())
            && text.bytes().all(is_plain)
            && !text.starts_with('-');
        fits.then(|| Self(text.to_owned())).ok_or(
            "name must have 1 to 40 lowercase letters, digits and hyphens, and not begin with a \
             hyphen.",
        )
    }
}

impl fmt::Display for WorldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::WorldName;

    #[test]
    fn names_are_neither_paths_nor_options() {
        let longest = "a".repeat(40);
        for good in ["a", "0", "before-refund", "a--b-", &longest] {
            assert_eq!(good.parse::<WorldName>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(41);
        #[rustfmt::skip]
        let bad = [
            "", ".", "..", "../a", "a/b", "/etc", "a\\b", ".a", "a.b", "-a", "--to", "A", "a b", "a\0", "a\n", "ä",
            "a_b", "a\"; DROP SCHEMA public; --", "%2e%2e", "~", "*", &too_long,
        ];
        for bad in bad {
            assert!(bad.parse::<WorldName>().is_err(), "{bad:?}");
        }
    }
}
