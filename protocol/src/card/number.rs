//! Card numbers, ISO/IEC 7812-1.

use core::fmt;

use super::Progress;
use super::brand::{self, Brand};
use super::digits::{self, Digits};
use super::luhn;
use crate::secret::Secret;

/// The fewest digits of a number whose brand is not known; no known brand has fewer.
pub const FEWEST_DIGITS: u8 = 12;

/// The most digits of any number (ISO/IEC 7812-1 section 4.1).
pub const MOST_DIGITS: u8 = 19;

/// The printed groups of a number whose brand is not known.
const COMMON_GAPS: [u8; 3] = [4, 8, 12];

/// A card number that can be asked for money: right in length for its brand, and with the check
/// digit that the brand requires. The digits are wiped from memory when it is dropped.
pub struct CardNumber {
    // On the heap, because moving an array would leave copies behind that nobody wipes.
    digits: Secret<String>,
    brand: Option<Brand>,
}

/// Why a text is no card number, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardNumberError {
    /// There is something else than digits, spaces and dashes.
    NotDigits,
    /// There is no digit.
    Missing,
    /// No number of the brand has as many digits.
    TooLong,
    /// Numbers of the brand have more digits.
    Incomplete,
    /// The length is right, and the check digit is wrong.
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
    /// Reads a whole number, with or without spaces and dashes.
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

    /// Whether what is typed is a whole number, or may still become one by typing on.
    ///
    /// # Errors
    ///
    /// The [`CardNumberError`] that typing on cannot mend.
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

    /// All digits, in ASCII. They are secret: only the seal and the provider may see them.
    pub fn digits(&self) -> &str {
        self.digits.expose()
    }

    /// The brand, if it is one that we know.
    pub fn brand(&self) -> Option<Brand> {
        self.brand
    }

    /// The last four digits, which may be shown and kept.
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

/// The digits of a text, in ASCII; everything else is left out.
pub fn digits_of(text: &str) -> String {
    text.chars()
        .filter_map(digits::value_of)
        .map(|value| char::from(b'0' + value))
        .collect()
}

/// The same, where nothing but digits and what people put between them is there.
pub fn ascii_digits(text: &str) -> Option<String> {
    let is_clean =
        |character: char| digits::value_of(character).is_some() || digits::is_separator(character);
    text.chars().all(is_clean).then(|| digits_of(text))
}

/// Digits in the groups that are printed on cards of the brand: `4242 4242 4242 4242`.
/// There is no space at the end.
pub fn format(digits: &str, brand: Option<Brand>) -> String {
    let gaps = brand.map_or(&COMMON_GAPS[..], Brand::gaps);
    // A number has four gaps at most.
    let mut grouped = String::with_capacity(digits.len() + 4);
    let mut position = 0_u8;
    for character in digits.chars() {
        // What groups by four goes on so in the longest numbers: 4 4 4 4 3.
        let is_gap = gaps.contains(&position) || (position == 16 && gaps.contains(&12));
        if is_gap {
            grouped.push(' ');
        }
        grouped.push(character);
        position = position.saturating_add(1);
    }
    grouped
}

/// Takes the digits out of a text, and with them the brand if no other is possible.
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

/// Judges digits that are not too many.
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
