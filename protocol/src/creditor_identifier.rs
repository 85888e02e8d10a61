//! SEPA creditor identifiers (European Payments Council, EPC262-08): a country, two check digits, a
//! business code of three characters that the creditor chooses, and the national identifier.

use crate::{check_digits, iban};
use core::fmt;

/// The shortest and the longest identifier, characters.
const LENGTHS: core::ops::RangeInclusive<usize> = 8..=35;

/// Characters before the business code, and with it.
const HEAD: usize = 4;
const BUSINESS_CODE: usize = HEAD + 3;

/// Countries whose national identifiers have one length: that of the whole identifier.
const FIXED: [(&str, usize); 4] = [("AT", 18), ("DE", 18), ("FR", 13), ("NL", 19)];

/// Why a text is not a creditor identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditorIdentifierError {
    /// A character that is not a letter, digit or space.
    Characters,
    /// The country is not in SEPA.
    Country,
    /// It is too short or too long, for its country if that has one length.
    Length,
    /// The check digits do not match: a typo.
    CheckDigits,
}

impl fmt::Display for CreditorIdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "a creditor identifier has only letters and digits",
            Self::Country => "a creditor identifier begins with the two letters of a SEPA country",
            Self::Length => "a creditor identifier of this country has another length",
            Self::CheckDigits => "the check digits of the creditor identifier are wrong",
        })
    }
}

/// Parses a creditor identifier with spaces and in any case; returns it in capitals without spaces.
/// The check digits (ISO 7064 MOD 97-10) do not cover the business code.
///
/// # Errors
/// [`CreditorIdentifierError`].
pub fn parse(text: &str) -> Result<String, CreditorIdentifierError> {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    if !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(CreditorIdentifierError::Characters);
    }
    let plain = plain.to_ascii_uppercase();
    let country = plain.get(..2).unwrap_or_default();
    if !iban::is_in_sepa(country) {
        return Err(CreditorIdentifierError::Country);
    }
    let fixed = FIXED.iter().find(|(code, _)| *code == country);
    let fits = fixed.map_or(LENGTHS, |(_, length)| *length..=*length);
    if !fits.contains(&plain.len()) {
        return Err(CreditorIdentifierError::Length);
    }
    let checked = [&plain[..HEAD], &plain[BUSINESS_CODE..]].concat();
    if !check_digits::are_right(&checked) {
        return Err(CreditorIdentifierError::CheckDigits);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::CreditorIdentifierError::{Characters, CheckDigits, Country, Length};
    use super::parse;

    /// The examples come from EPC262-08 and from the national banks that assign them.
    #[test]
    fn identifiers_are_checked_without_their_business_code() {
        let rows = [
            ("DE98ZZZ09999999999", Ok("DE98ZZZ09999999999")),
            ("de98 abc0 9999 9999 99", Ok("DE98ABC09999999999")),
            ("AT61ZZZ01234567890", Ok("AT61ZZZ01234567890")),
            ("NL79ZZZ999999990000", Ok("NL79ZZZ999999990000")),
            ("FR72ZZZ123456", Ok("FR72ZZZ123456")),
            ("BE69ZZZ050D000000008", Ok("BE69ZZZ050D000000008")),
            ("", Err(Country)),
            ("D", Err(Country)),
            ("US98ZZZ09999999999", Err(Country)),
            ("DE98ZZZ0999999999", Err(Length)),
            ("DE98ZZZ099999999990", Err(Length)),
            ("LU98ZZZ", Err(Length)),
            ("DE98ZZZ09999999998", Err(CheckDigits)),
            ("DE89ZZZ09999999999", Err(CheckDigits)),
            ("DEA8ZZZ09999999999", Err(CheckDigits)),
            ("DE98-ZZZ09999999999", Err(Characters)),
            ("DE98ZZZ0999999999\u{660}", Err(Characters)),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text), expected.map(str::to_owned), "{text:?}");
        }
    }
}
