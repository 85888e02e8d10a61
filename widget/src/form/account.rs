//! The IBAN of a direct debit: whether it is valid, or may become so.

use super::FieldErrorCode;
use sealpay_protocol::card::Progress;
use sealpay_protocol::iban::{self, IbanError};

/// Checks an IBAN, or the beginning of one.
///
/// # Errors
/// The code of the error; for a beginning, of one that more typing cannot fix.
pub(super) fn check(text: &str, is_whole: bool) -> Result<Progress, FieldErrorCode> {
    let length = text.bytes().filter(|byte| *byte != b' ').count();
    let country = text.get(..2).unwrap_or_default();
    let code = match iban::parse(text) {
        Ok(_) if iban::is_in_sepa(country) => return Ok(Progress::Complete),
        _ if length == 0 => "iban_missing",
        Err(IbanError::Characters) => "iban_characters",
        Ok(_) => "iban_country",
        Err(IbanError::Country) if length < 2 && !is_whole => return Ok(Progress::Incomplete),
        Err(IbanError::Country) => "iban_country",
        Err(IbanError::Length(expected)) if length < expected && !is_whole => {
            return Ok(Progress::Incomplete);
        }
        Err(IbanError::Length(_)) => "iban_length",
        Err(IbanError::CheckDigits) => "iban_check_digits",
    };
    if is_whole || length > 0 {
        Err(code)
    } else {
        Ok(Progress::Incomplete)
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use sealpay_protocol::card::Progress::{Complete, Incomplete};

    #[test]
    fn beginnings_are_no_errors_until_nothing_can_fix_them() {
        let rows = [
            ("", Ok(Incomplete), Err("iban_missing")),
            ("D", Ok(Incomplete), Err("iban_country")),
            ("DE89 37", Ok(Incomplete), Err("iban_length")),
            ("DE89 3704 0044 0532 0130 00", Ok(Complete), Ok(Complete)),
            (
                "DE89 3704 0044 0532 0130 000",
                Err("iban_length"),
                Err("iban_length"),
            ),
            (
                "DE88 3704 0044 0532 0130 00",
                Err("iban_check_digits"),
                Err("iban_check_digits"),
            ),
            ("XX", Err("iban_country"), Err("iban_country")),
            (
                "TR33 0006 1005 1978 6457 8413 26",
                Err("iban_country"),
                Err("iban_country"),
            ),
            ("DE_", Err("iban_characters"), Err("iban_characters")),
        ];
        for (text, beginning, whole) in rows {
            assert_eq!(check(text, false), beginning, "{text}");
            assert_eq!(check(text, true), whole, "{text}");
        }
    }
}
