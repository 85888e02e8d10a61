//! Card numbers, ISO/IEC 7812-1.

use core::fmt;

use super::Progress;
use super::brand::{self, Brand};
use super::digits::{self, Digits};
use super::luhn;
use crate::secret::Secret;

/// Minimum digits of a number of an unknown brand; no known brand has fewer.
pub const FEWEST_DIGITS: u8 = 12;

/// Maximum digits of any number (ISO/IEC 7812-1 section 4.1).
pub const MOST_DIGITS: u8 = 19;

/// The printed groups of a number of an unknown brand.
const COMMON_GAPS: [u8; 3] = [4, 8, 12];

/// A valid card number: the length is valid for its brand, and the check digit is correct if the
/// brand requires one. Wiped from memory on drop.
pub struct CardNumber {
    // On the heap, because moving an array would leave copies that are not wiped.
    digits: Secret<String>,
    brand: Option<Brand>,
}

/// Why a text is not a card number, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardNumberError {
    /// A character that is not a digit, space or dash.
    NotDigits,
    /// No digits.
    Missing,
    /// More digits than any number of the brand.
    TooLong,
    /// Fewer digits than the brand's numbers.
    Incomplete,
    /// The length is valid, the check digit is not.
    FailedLuhn,
}

impl CardNumberError {
    /// The stable name for machines.
    pub fn code(self) -> &'static str {
        match self {
            CardNumberError::NotDigits => "number_not_digits",
            CardNumberError::Missing => "number_missing",
            CardNumberError::TooLong => "number_too_long",
            CardNumberError::Incomplete => "number_incomplete",
            CardNumberError::FailedLuhn => "number_failed_luhn",
        }
    }
}

impl fmt::Display for CardNumberError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            CardNumberError::NotDigits => {
                "the card number has something else than digits, spaces and dashes"
            }
            CardNumberError::Missing => "the card number has no digit",
            CardNumberError::TooLong => "the card number has more digits than its brand allows",
            CardNumberError::Incomplete => "the card number lacks digits for its brand",
            CardNumberError::FailedLuhn => {
                "the card number fails its check digit, so a digit is wrong or two are swapped"
            }
        })
    }
}

impl core::error::Error for CardNumberError {}

impl CardNumber {
    /// Parses a complete number, with or without spaces and dashes.
    ///
    /// # Errors
    ///
    /// The first [`CardNumberError`] that applies.
    pub fn parse(text: &str) -> Result<CardNumber, CardNumberError> {
        let (digits, brand) = read(text)?;
        match judge(digits.as_str(), brand) {
            Judgement::Good => Ok(CardNumber {
                digits: Secret::new(String::from(digits.as_str())),
                brand,
            }),
            Judgement::Short => Err(CardNumberError::Incomplete),
            Judgement::BadCheckDigit { .. } => Err(CardNumberError::FailedLuhn),
        }
    }

    /// Checks whether the typed text is a complete number or the beginning of one.
    ///
    /// # Errors
    ///
    /// The [`CardNumberError`] that more typing cannot fix.
    pub fn check(text: &str) -> Result<Progress, CardNumberError> {
        let (digits, brand) = match read(text) {
            Err(CardNumberError::Missing) => return Ok(Progress::Incomplete),
            read => read?,
        };
        match judge(digits.as_str(), brand) {
            Judgement::Good => Ok(Progress::Complete),
            Judgement::Short | Judgement::BadCheckDigit { may_grow: true } => {
                Ok(Progress::Incomplete)
            }
            Judgement::BadCheckDigit { may_grow: false } => Err(CardNumberError::FailedLuhn),
        }
    }

    /// All digits, in ASCII. Secret: only for sealing and for the provider.
    pub fn digits(&self) -> &str {
        self.digits.expose()
    }

    /// The brand, if it is known.
    pub fn brand(&self) -> Option<Brand> {
        self.brand
    }

    /// The last four digits, which may be shown and stored.
    pub fn last_four(&self) -> &str {
        let digits = self.digits();
        digits
            .get(digits.len().saturating_sub(4)..)
            .unwrap_or_default()
    }

    /// The number as it may be shown: `•••• 4242`.
    pub fn masked(&self) -> String {
        let mut masked = String::from("•••• ");
        masked.push_str(self.last_four());
        masked
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CardNumber(redacted)")
    }
}

/// The digits of a text, in ASCII; drops all other characters.
pub fn digits_of(text: &str) -> String {
    text.chars()
        .filter_map(digits::value_of)
        .map(|value| char::from(b'0' + value))
        .collect()
}

/// The digits of a text, in ASCII; none if it has other characters than digits and separators.
pub fn ascii_digits(text: &str) -> Option<String> {
    let is_clean =
        |character: char| digits::value_of(character).is_some() || digits::is_separator(character);
    text.chars().all(is_clean).then(|| digits_of(text))
}

/// Groups digits as printed on cards of the brand: `4242 4242 4242 4242`. No trailing space.
pub fn format(digits: &str, brand: Option<Brand>) -> String {
    let gaps = brand.map_or(&COMMON_GAPS[..], Brand::gaps);
    // A number has four gaps at most.
    let mut grouped = String::with_capacity(digits.len() + 4);
    let mut position = 0_u8;
    for character in digits.chars() {
        // Brands that group by four do so in the longest numbers as well: 4 4 4 4 3.
        let is_gap = gaps.contains(&position) || (position == 16 && gaps.contains(&12));
        if is_gap {
            grouped.push(' ');
        }
        grouped.push(character);
        position = position.saturating_add(1);
    }
    grouped
}

/// Extracts the digits, and the brand if only one is possible.
fn read(text: &str) -> Result<(Digits, Option<Brand>), CardNumberError> {
    let digits = Digits::read(text).map_err(|_| CardNumberError::NotDigits)?;
    if digits.as_str().is_empty() {
        return Err(CardNumberError::Missing);
    }
    let brand = brand::candidates(digits.as_str()).only();
    if digits.is_overfull() || digits.as_str().len() > usize::from(longest(brand)) {
        return Err(CardNumberError::TooLong);
    }
    Ok((digits, brand))
}

fn longest(brand: Option<Brand>) -> u8 {
    brand
        .and_then(|brand| brand.lengths().last().copied())
        .unwrap_or(MOST_DIGITS)
}

enum Judgement {
    Good,
    Short,
    BadCheckDigit { may_grow: bool },
}

/// Validates digits that are within the maximum length.
fn judge(digits: &str, brand: Option<Brand>) -> Judgement {
    let length = u8::try_from(digits.len()).unwrap_or(u8::MAX);
    let is_a_length = match brand {
        Some(brand) => brand.lengths().contains(&length),
        None => length >= FEWEST_DIGITS,
    };
    if !is_a_length {
        Judgement::Short
    } else if !brand.is_none_or(Brand::requires_luhn) || luhn::passes(digits) {
        Judgement::Good
    } else {
        Judgement::BadCheckDigit {
            may_grow: length < longest(brand),
        }
    }
}
