//! Creditor references (ISO 11649) in the reference text of a bank transfer.

use sealpay_protocol::check_digits;

/// Longest and shortest creditor reference (ISO 11649): `RF`, two check digits, and the rest.
const LONGEST: usize = 25;
const SHORTEST: usize = 5;

/// Maximum number of candidates in one text.
const MOST: usize = 24;

/// Normalizes a reference for comparison and lookup: letters and digits, in capitals.
#[must_use]
pub fn plain(reference: &str) -> String {
    let compact = reference
        .chars()
        .map(narrow)
        .filter(char::is_ascii_alphanumeric);
    compact.map(|c| c.to_ascii_uppercase()).collect()
}

/// East Asian keyboards also produce letters and digits in full width (Unicode, U+FF01 to U+FF5E).
fn narrow(character: char) -> char {
    let code = u32::from(character);
    match code {
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

/// The references that a sender's text can mean, normalized: the whole text, and every part with
/// valid check digits, also after correcting O to 0, and I or L to 1. One of 97 wrong candidates
/// passes the check digits by chance, so callers accept a candidate only if a payment expects it.
#[must_use]
pub fn meant_by(written: &str) -> Vec<String> {
    let whole = plain(written);
    let mut found = vec![whole.clone()];
    let mended = mended(&whole);
    for text in [&whole, &mended] {
        for (start, _) in text.match_indices("RF") {
            let rest = &text[start..];
            let lengths = (SHORTEST..=LONGEST.min(rest.len())).rev();
            for candidate in lengths.map(|length| &rest[..length]) {
                if found.len() < MOST
                    && check_digits::are_right(candidate)
                    && !found.iter().any(|known| known == candidate)
                {
                    found.push(candidate.to_owned());
                }
            }
        }
    }
    found
}

fn mended(plain: &str) -> String {
    let mend = |character| match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    plain.chars().map(mend).collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST, meant_by};

    /// A reference with valid check digits, and with a 0 and a 1 that can be misread.
    const REFERENCE: &str = "RF18539007547034";

    #[test]
    fn references_are_found_in_every_spelling() {
        for written in [
            "RF18 5390 0754 7034",
            "rf18539007547034",
            " RF18-5390-0754-7034 ",
            "Order 1042, RF18 5390 0754 7034",
            "RF18539007547034 thanks",
            "Ref.: RF RF18 5390 0754 7034/1042",
            "RF18 539O O754 7O34",
            "rfi8 5390 0754 7034",
            "Invoice O1: RFl8 539o0754 7034, many thanks!",
            "ＲＦ１８ ５３９０ ０７５４ ７０３４",
            "Rechnung Ä-7: RF18.5390.0754.7034",
        ] {
            let found = meant_by(written);
            assert!(
                found.iter().any(|found| found == REFERENCE),
                "{written}: {found:?}"
            );
        }
        for written in [
            "RF18 5390 0754 7035",
            "RF18 5390 0754 703",
            "RF81 5390 0754 7034",
            "5390 0754 7034",
            "",
            "RF",
            "Order RF-1042",
        ] {
            let found = meant_by(written);
            assert!(
                !found.iter().any(|found| found == REFERENCE),
                "{written}: {found:?}"
            );
        }
    }

    #[test]
    fn texts_full_of_reference_prefixes_parse_quickly() {
        let found = meant_by(&"RF18".repeat(35));
        assert!(found.len() <= MOST, "{}", found.len());
    }
}
