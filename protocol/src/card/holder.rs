//! The cardholder name.

use core::fmt;

use super::Progress;
use super::digits;
use crate::secret::Secret;
use zeroize::Zeroizing;

/// Longest name, bytes of UTF-8: the rest of the envelope. Printed names have at most 26
/// characters; this fits seventy characters of three bytes each.
pub const MOST_BYTES: usize = 222;

/// A text with this many digits is a card number, not a name.
const DIGITS_OF_A_CARD_NUMBER: usize = 12;

/// A cardholder name in any script, without invisible characters. Wiped from memory on drop.
pub struct Holder(Secret<String>);

/// Why a text is not a name, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HolderError {
    /// Only white space.
    Missing,
    /// More than [`MOST_BYTES`] bytes.
    TooLong,
    /// Has control characters, which could make the name look like another.
    ControlCharacter,
    /// Only digits and separators, or as many digits as a card number.
    IsANumber,
    /// No letters.
    NoLetter,
}

impl HolderError {
    /// The stable name for machines.
    pub fn code(self) -> &'static str {
        match self {
            HolderError::Missing => "holder_missing",
            HolderError::TooLong => "holder_too_long",
            HolderError::ControlCharacter => "holder_control_character",
            HolderError::IsANumber => "holder_is_a_number",
            HolderError::NoLetter => "holder_no_letter",
        }
    }
}

impl fmt::Display for HolderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            HolderError::Missing => "the name on the card is empty",
            HolderError::TooLong => "the name on the card has more than 222 bytes",
            HolderError::ControlCharacter => "the name on the card has control characters",
            HolderError::IsANumber => {
                "the name on the card is a number, perhaps the card number in the wrong field"
            }
            HolderError::NoLetter => "the name on the card has no letter",
        })
    }
}

impl core::error::Error for HolderError {}

impl Holder {
    /// Parses a name. Removes invisible marks and turns tabs and line breaks into spaces, because
    /// programs add them to copied names.
    ///
    /// # Errors
    ///
    /// The first [`HolderError`] that applies.
    pub fn parse(text: &str) -> Result<Holder, HolderError> {
        let name = Zeroizing::new(seen(text));
        match judge(&name) {
            None => Ok(Holder(Secret::new(name.to_string()))),
            Some(error) => Err(error),
        }
    }

    /// Checks whether the typed text is a name or the beginning of one.
    ///
    /// # Errors
    ///
    /// The [`HolderError`] that more typing cannot fix, and [`HolderError::IsANumber`]: a shopper
    /// who types a number is in the wrong field.
    pub fn check(text: &str) -> Result<Progress, HolderError> {
        match judge(&Zeroizing::new(seen(text))) {
            None => Ok(Progress::Complete),
            Some(HolderError::Missing | HolderError::NoLetter) => Ok(Progress::Incomplete),
            Some(error) => Err(error),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Holder(redacted)")
    }
}

/// The name as people see it: no invisible marks, one plain space for every tab, line break and
/// other space, trimmed. Joiners stay, because Persian and Indic scripts need them between letters.
fn seen(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut joiner = None;
    for character in text.chars() {
        if is_joiner(character) {
            joiner = Some(character);
        } else if character.is_whitespace() {
            joiner = None;
            if !name.is_empty() {
                name.push(' ');
            }
        } else if !is_unseen(character) {
            let before = name.chars().next_back().is_some_and(may_be_joined);
            name.extend(joiner.take().filter(|_| before && may_be_joined(character)));
            name.push(character);
        }
    }
    name.truncate(name.trim_end().len());
    name
}

const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}')
}

fn is_unseen(character: char) -> bool {
    digits::is_invisible(character) || character == '\u{61C}'
}

fn may_be_joined(character: char) -> bool {
    !character.is_ascii() && is_letter(character)
}

/// Returns the first error of the name.
fn judge(name: &str) -> Option<HolderError> {
    if name.is_empty() {
        return Some(HolderError::Missing);
    }
    if name.len() > MOST_BYTES {
        return Some(HolderError::TooLong);
    }
    let mut digit_count = 0;
    let mut has_letter = false;
    let mut is_digits_and_separators = true;
    for character in name.chars() {
        if is_control(character) {
            return Some(HolderError::ControlCharacter);
        } else if digits::value_of(character).is_some() {
            digit_count += 1;
        } else if !is_separator(character) {
            is_digits_and_separators = false;
            has_letter |= is_letter(character);
        }
    }
    let is_a_number = is_digits_and_separators && digit_count > 0;
    if is_a_number || digit_count >= DIGITS_OF_A_CARD_NUMBER {
        Some(HolderError::IsANumber)
    } else if !has_letter {
        Some(HolderError::NoLetter)
    } else {
        None
    }
}

/// Whether a character is a letter, in any script.
///
/// True unless Unicode has punctuation, symbols, emoji, private use or marks in its range. An exact
/// answer needs a 2 KB table in the widget's download, and a false positive is harmless.
pub(super) fn is_letter(character: char) -> bool {
    match character {
        '\u{00}'..='\u{7F}' => character.is_ascii_alphabetic(),
        '\u{80}'..='\u{A9}' | '\u{AB}'..='\u{B4}' | '\u{B6}'..='\u{B9}' => false,
        '\u{BB}'..='\u{BF}' | '\u{D7}' | '\u{F7}' => false,
        '\u{2000}'..='\u{2BFF}' | '\u{3000}'..='\u{3004}' | '\u{3007}'..='\u{3030}' => false,
        '\u{E000}'..='\u{F8FF}' | '\u{FE00}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF20}' => false,
        '\u{FFE0}'..='\u{FFFF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{E0000}'.. => false,
        _ => true,
    }
}

/// Control characters other than those that programs add to copied names.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{E0000}'..='\u{E00FF}')
}

/// Whether a character separates the digits of a card number or a date.
fn is_separator(character: char) -> bool {
    digits::is_separator(character) || matches!(character, '.' | ',' | '/' | '_')
}
