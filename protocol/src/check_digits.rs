//! Check digits of account numbers and creditor references. ISO 13616 (IBAN) and ISO 11649 (RF)
//! both use ISO 7064 MOD 97-10 over the text with its first four characters moved to the end.

/// The remainder modulo 97 of a text of digits and capitals, where A is 10 and Z is 35.
fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |remainder, character| {
        let value = character.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((remainder * shift + value) % 97)
    })
}

/// Inserts the two check digits between a prefix of two letters and the rest (capitals and digits).
#[must_use]
pub fn with_check_digits(prefix: &str, rest: &str) -> String {
    let check = 98 - remainder(&format!("{rest}{prefix}00")).unwrap_or(0);
    format!("{prefix}{check:02}{rest}")
}

/// Whether a text of capitals and digits has valid check digits after its prefix.
#[must_use]
pub fn are_right(text: &str) -> bool {
    let Some((front, rest)) = text.split_at_checked(4) else {
        return false;
    };
    front.bytes().skip(2).all(|byte| byte.is_ascii_digit())
        && remainder(&format!("{rest}{front}")) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::{are_right, remainder, with_check_digits};

    #[test]
    fn examples_of_the_standards_have_valid_check_digits() {
        let rows = [
            ("DE", "370400440532013000", "DE89370400440532013000"),
            ("GB", "WEST12345698765432", "GB82WEST12345698765432"),
            ("RF", "539007547034", "RF18539007547034"),
        ];
        for (prefix, rest, expected) in rows {
            let text = with_check_digits(prefix, rest);
            assert_eq!(text, expected);
            assert!(are_right(&text), "{text}");
        }
        for wrong in [
            "RF18539007547035",
            "RF81539007547034",
            "RFA8539007547034",
            "RF1",
            "",
            "RFÄ8",
        ] {
            assert!(!are_right(wrong), "{wrong}");
        }
        assert_eq!(remainder("A B"), None);
    }
}
