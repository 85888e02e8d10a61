//! IBANs (ISO 13616), with the lengths of the SWIFT IBAN registry.

use crate::check_digits;
use std::fmt;

/// Countries (ISO 3166-1 alpha-2) and the length of their IBANs.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// Countries of the SEPA schemes (European Payments Council, EPC409-09).
const SEPA: &str = "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC \
                    MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA";

/// Every country with IBANs (ISO 3166-1 alpha-2), and the length of its IBANs.
pub fn lengths() -> impl Iterator<Item = (&'static str, usize)> {
    LENGTHS.iter().copied()
}

/// Whether accounts of a country (ISO 3166-1 alpha-2) take part in the SEPA schemes.
#[must_use]
pub fn is_in_sepa(country: &str) -> bool {
    SEPA.split(' ').any(|listed| listed == country)
}

/// Why a text is not an IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IbanError {
    /// A character that is not a letter, digit or space.
    Characters,
    /// The country does not use IBANs.
    Country,
    /// The length differs from the one of its country, which is given.
    Length(usize),
    /// The check digits do not match: a typo.
    CheckDigits,
}

impl fmt::Display for IbanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Characters => f.write_str("an IBAN has only letters and digits"),
            Self::Country => {
                f.write_str("an IBAN begins with the two letters of a country that has IBANs")
            }
            Self::Length(length) => write!(f, "an IBAN of this country has {length} characters"),
            Self::CheckDigits => f.write_str("the check digits of the IBAN are wrong"),
        }
    }
}

/// Parses an IBAN with spaces and in any case; returns it in capitals without spaces.
///
/// # Errors
/// [`IbanError`].
pub fn parse(text: &str) -> Result<String, IbanError> {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    if !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(IbanError::Characters);
    }
    let plain = plain.to_ascii_uppercase();
    let country = plain.get(..2).ok_or(IbanError::Country)?;
    let known = LENGTHS.iter().find(|(code, _)| *code == country);
    let (_, length) = known.ok_or(IbanError::Country)?;
    if plain.len() != *length {
        return Err(IbanError::Length(*length));
    }
    if !check_digits::are_right(&plain) {
        return Err(IbanError::CheckDigits);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::{IbanError, LENGTHS, SEPA, is_in_sepa, parse};

    /// The examples come from the registry and the countries' central banks.
    #[test]
    fn ibans_parse_with_spaces_and_in_any_case() {
        let rows = [
            ("DE89 3704 0044 0532 0130 00", Ok("DE89370400440532013000")),
            ("gb82west12345698765432", Ok("GB82WEST12345698765432")),
            ("NO93 8601 1117 947", Ok("NO9386011117947")),
            (
                "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
                Ok("MT84MALT011000012345MTLCAST001S"),
            ),
            ("", Err(IbanError::Country)),
            ("D", Err(IbanError::Country)),
            ("US64SVBKUS6S3300958879", Err(IbanError::Country)),
            ("DE8937040044053201300", Err(IbanError::Length(22))),
            ("DE893704004405320130000", Err(IbanError::Length(22))),
            ("DE89370400440532013001", Err(IbanError::CheckDigits)),
            ("DE98370400440532013000", Err(IbanError::CheckDigits)),
            ("DE89-3704-0044-0532-0130-00", Err(IbanError::Characters)),
            ("DE89370400440532013\u{660}00", Err(IbanError::Characters)),
        ];
        for (text, expected) in rows {
            let found = parse(text);
            assert_eq!(found, expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn sepa_countries_have_ibans() {
        for country in SEPA.split(' ') {
            assert!(
                LENGTHS.iter().any(|(code, _)| *code == country),
                "{country}"
            );
        }
        for (country, expected) in [("DE", true), ("GB", true), ("TR", false), ("", false)] {
            assert_eq!(is_in_sepa(country), expected, "{country}");
        }
    }

    #[test]
    fn countries_are_sorted_and_unique() {
        assert!(LENGTHS.is_sorted_by(|one, next| one.0 < next.0));
        assert!(LENGTHS.iter().all(|(_, length)| (15..=34).contains(length)));
    }
}
