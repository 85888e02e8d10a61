//! The name on the card.

use core::fmt;

use super::Progress;
use super::digits;
use crate::secret::Secret;
use zeroize::Zeroizing;

/// The longest name, bytes of UTF-8: what is left of the envelope. Names on cards have 26 characters;
/// seventy characters of scripts that need three bytes for each fit.
pub const MOST_BYTES: usize = 222;

/// A name is never so many digits; a card number is.
const DIGITS_OF_A_CARD_NUMBER: usize = 12;

/// The name on a card, in whatever script, without what nobody sees. It is wiped from memory when it is dropped.
pub struct Holder(Secret<String>);

/// Why a text is no name, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HolderError {
    /// There is nothing but white space.
    Missing,
    /// It has more than [`MOST_BYTES`] bytes.
    TooLong,
    /// It has control characters, which could make it look like something else.
    ControlCharacter,
    /// It has nothing but digits and separators, or as many digits as a card number.
    IsANumber,
    /// It has no letter.
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
    /// Reads a name. Marks that nobody sees are taken out, and tabs and line breaks are spaces: what
    /// programs put around a name that is copied is not a fault of the shopper's.
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

    /// Whether what is typed is a name, or may still become one by typing on.
    ///
    /// # Errors
    ///
    /// The [`HolderError`] that typing on cannot mend, and a number: a name after it is not what
    /// the shopper has in mind.
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

/// The name as it is read by people: without marks that are not seen, with a space for every tab, line
/// break and space of another width, and none at the ends. Persian and the scripts of India need
/// joiners between their letters.
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

/// What is wrong with such a name.
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

/// Whether a character belongs to a word, in any script.
///
/// It is one unless it lies where Unicode has punctuation, symbols, emoji, private use and marks.
/// The exact answer needs a table of 2 KB that every shopper would load, and what slips through
/// here harms nobody.
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

/// What is neither seen nor put around a name by honest programs.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{E0000}'..='\u{E00FF}')
}

/// What stands between the digits of a number, in a card number or a date.
fn is_separator(character: char) -> bool {
    digits::is_separator(character) || matches!(character, '.' | ',' | '/' | '_')
}
