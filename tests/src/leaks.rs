//! Looks for what must never be kept or told: digits of test cards, and security codes.

use sealpay_simulator::persona;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// So many digits of a card number in a row are a leak: more than first six and last four.
const TELLING_DIGITS: usize = 12;

/// Names of the field, as programs and logs write it.
const NAMES_OF_THE_CODE: [&str; 6] = [
    "security_code",
    "security-code",
    "securitycode",
    "cvc",
    "cvv",
    "csc",
];
/// How far behind its name a code may stand: quotes, a colon, an equals sign, spaces.
const BEHIND_THE_NAME: usize = 8;

/// What a test typed besides the numbers of the personas.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The security code.
    pub security_code: &'a str,
    /// Year and month, `YYYYMM`, as it is sealed next to the code.
    pub expiry: &'a str,
}

/// Every run of digits of a persona's card that is long enough to tell, and the whole numbers. Runs
/// that are little but zeros tell nothing, and stand in every rounded number.
static RUNS: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| {
    let numbers = persona::all()
        .iter()
        .map(|persona| persona.number.as_bytes());
    let tells = |run: &&[u8]| run.iter().filter(|digit| **digit != b'0').count() > 2;
    numbers
        .flat_map(|number| number.windows(TELLING_DIGITS).filter(tells).chain([number]))
        .collect()
});

/// What of a card stands in these bytes, grouped or not; `None` when nothing does. Fractions such as
/// that of `0.4000000000000001` are left out.
///
/// Every byte of every test's folder comes through here, unoptimized: hence plain loops.
#[must_use]
pub fn card_digits_in(bytes: &[u8]) -> Option<String> {
    let mut run: Vec<u8> = Vec::new();
    let (mut is_fraction, mut before) = (false, 0_u8);
    for &byte in bytes {
        if byte.is_ascii_digit() {
            if !is_fraction {
                run.push(byte);
                if let Some(found) = telling_end(&run) {
                    return Some(String::from_utf8_lossy(found).into_owned());
                }
            }
        } else {
            is_fraction = byte == b'.' && before.is_ascii_digit();
            let is_separator = byte == b' ' || byte == b'-';
            if !is_separator && !run.is_empty() {
                run.clear();
            }
        }
        before = byte;
    }
    None
}

/// The digits at the end of a run that tell something.
fn telling_end(run: &[u8]) -> Option<&[u8]> {
    for length in [TELLING_DIGITS, 15, 16] {
        if run.len() >= length {
            let end = &run[run.len() - length..];
            if RUNS.contains(end) {
                return Some(end);
            }
        }
    }
    None
}

/// Whether the code stands behind its name, or behind the expiry as in the sealed plaintext.
#[must_use]
pub fn security_code_in(bytes: &[u8], typed: Typed<'_>) -> bool {
    let code = typed.security_code.as_bytes();
    let names = NAMES_OF_THE_CODE.into_iter().chain([typed.expiry]);
    let names: Vec<&[u8]> = names.map(str::as_bytes).collect();
    places_of(bytes, code).any(|place| {
        let (before, rest) = (&bytes[..place], &bytes[place + code.len()..]);
        // Within longer words there is only chance, which keys in base64url have enough of.
        if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
        let words = without_end(before, BEHIND_THE_NAME);
        names.iter().any(|name| {
            let Some(start) = words.len().checked_sub(name.len()) else {
                return false;
            };
            let is_inner = start > 0 && words[start - 1].is_ascii_alphanumeric();
            !is_inner && words[start..].eq_ignore_ascii_case(name)
        })
    })
}

/// These bytes without up to `most` at their end that belong to no word.
fn without_end(bytes: &[u8], most: usize) -> &[u8] {
    let end = bytes.iter().rev().take(most);
    let other = end.take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    &bytes[..bytes.len() - other]
}

/// Everything under a folder that must not be there, one sentence each.
#[must_use]
pub fn in_folder(folder: &Path, typed: &[Typed<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(in_folder(&path, typed));
        } else if let Ok(bytes) = fs::read(&path) {
            found.extend(in_text(&path.display().to_string(), &bytes, typed));
        }
    }
    found
}

/// The same for any text that has a name.
#[must_use]
pub fn in_text(name: &str, bytes: &[u8], typed: &[Typed<'_>]) -> Vec<String> {
    let digits = card_digits_in(bytes).map(|digits| format!("{name} holds the digits {digits}"));
    let codes = typed
        .iter()
        .filter(|typed| security_code_in(bytes, **typed));
    let codes = codes.map(|typed| format!("{name} holds the code {}", typed.security_code));
    digits.into_iter().chain(codes).collect()
}

/// Where a text begins in these bytes.
pub(crate) fn places_of<'a>(bytes: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut place = 0;
    std::iter::from_fn(move || {
        while place < bytes.len() {
            place += 1;
            if bytes[place - 1] == text[0] && bytes[place - 1..].starts_with(text) {
                return Some(place - 1);
            }
        }
        None
    })
}

/// Whether a text is in these bytes.
pub(crate) fn contains(bytes: &[u8], text: &[u8]) -> bool {
    places_of(bytes, text).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::{Typed, card_digits_in, in_folder, security_code_in};

    const TYPED: Typed<'_> = Typed {
        security_code: "417",
        expiry: "203412",
    };

    #[test]
    fn digits_of_a_persona_are_found_however_they_are_written() {
        let rows: [(&str, bool); 13] = [
            ("IBAN DE82999999990119263481", false),
            ("seconds_sum 0.4000000000000002", false),
            ("a block of 400000000000 bytes", false),
            ("number 4000000000000002", true),
            ("card=4242424242424242 ok", true),
            ("4242 4242 4242 4242", true),
            ("5555-5555-5555-4444", true),
            ("\u{0}242424242424\u{1}", true),
            ("first six 424242, last four 4242", false),
            ("1763800000 1763800060 pay_01jd", false),
            ("took 0.25 4242424242424242", true),
            ("took 12 ms: 4242 4242-42424242", true),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(
                card_digits_in(text.as_bytes()).is_some(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_security_code_is_found_behind_its_name_and_in_the_sealed_layout() {
        let rows: [(&[u8], bool); 8] = [
            (b"xCsC417", false),
            (b"-csc-417y", false),
            (br#"{"security_code":"417"}"#, true),
            (b"CVC = 417", true),
            (b"\x06203412\x03417\x00", true),
            (b"took 417 ms", false),
            (b"cvv2_mismatch after 417 ms", false),
            (b"security_code_missing", false),
        ];
        for (text, expected) in rows {
            assert_eq!(security_code_in(text, TYPED), expected, "{text:?}");
        }
    }

    #[test]
    fn files_in_folders_of_the_folder_are_looked_at() {
        let folder = crate::folder::Folder::new("leaks");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(folder.path().join("harmless"), "pay_1 visa 4242").unwrap();
        assert_eq!(in_folder(folder.path(), &[TYPED]), Vec::<String>::new());
        std::fs::write(inner.join("store.sqlite-wal"), b"..\x004000000000000002..").unwrap();
        let found = in_folder(folder.path(), &[TYPED]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with("sqlite-wal holds the digits 4000000000000002"),
            "{found:?}"
        );
    }
}
