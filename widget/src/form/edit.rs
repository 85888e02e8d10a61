//! Formats the text of a field after an edit and keeps the caret where the shopper left it.
//!
//! Offsets are those of the browser: UTF-16 code units.

use sealpay_protocol::card::{YearMonth, brand, expiry, number};
use zeroize::Zeroizing;

/// Maximum digits kept in the number field: one more than any number has, so that a number that is
/// too long is reported and not cut to a different one.
const NUMBER_DIGITS: usize = 20;

/// Maximum characters kept in the name field: far more than are valid, but bounded.
const HOLDER_CHARACTERS: usize = 200;

/// Maximum characters kept of an IBAN: one more than any has (ISO 13616).
const IBAN_CHARACTERS: usize = 35;

/// A field as the browser has it after an edit.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// The text.
    pub text: &'a str,
    /// The position of the caret.
    pub caret: usize,
    /// Whether something was deleted.
    pub deletion: Option<Deletion>,
}

/// Which way a deletion went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The character before the caret, as Backspace does.
    Backward,
    /// The character after the caret, as Delete does.
    Forward,
}

/// A text and a caret.
pub(super) struct Shown {
    pub(super) text: Zeroizing<String>,
    pub(super) caret: usize,
}

impl Edit<'_> {
    fn before_caret(&self) -> &str {
        let mut units = 0;
        let end = self.text.char_indices().find_map(|(at, character)| {
            let here = units;
            units += character.len_utf16();
            (here >= self.caret).then_some(at)
        });
        end.and_then(|end| self.text.get(..end))
            .unwrap_or(self.text)
    }

    fn is_at_end(&self) -> bool {
        self.before_caret().len() == self.text.len()
    }
}

/// Groups the digits as the brand prints them. `shown` is what the field had before.
pub(super) fn number(shown: &str, edit: &Edit<'_>) -> Shown {
    let mut digits = Zeroizing::new(number::digits_of(edit.text));
    let mut before = number::digits_of(edit.before_caret()).len();
    // Only the space between two groups was deleted: the shopper meant the digit beyond it.
    if *digits == number::digits_of(shown) {
        match edit.deletion {
            Some(Deletion::Backward) if before > 0 => {
                before -= 1;
                remove_digit(&mut digits, before);
            }
            Some(Deletion::Forward) if before < digits.len() => {
                remove_digit(&mut digits, before);
            }
            _ => {}
        }
    }
    digits.truncate(NUMBER_DIGITS);
    let text = Zeroizing::new(number::format(&digits, brand::candidates(&digits).only()));
    let caret = if before >= digits.len() {
        text.len()
    } else {
        after_digits(&text, before)
    };
    Shown { text, caret }
}

/// In place, so that no copy of the digits is left behind.
fn remove_digit(digits: &mut String, at: usize) {
    let mut position = 0;
    digits.retain(|_| {
        position += 1;
        position != at + 1
    });
}

/// The offset after `count` digits. The text is ASCII, so bytes are code units.
fn after_digits(text: &str, count: usize) -> usize {
    let mut seen = 0;
    for (at, byte) in text.bytes().enumerate() {
        if seen == count {
            return at;
        }
        seen += usize::from(byte.is_ascii_digit());
    }
    text.len()
}

/// Inserts the separator of `MM / YY`; while deleting in the middle of a text, nothing moves.
pub(super) fn expiry(edit: &Edit<'_>, today: YearMonth) -> Shown {
    if edit.deletion.is_some() && !edit.is_at_end() {
        return Shown {
            text: Zeroizing::new(edit.text.into()),
            caret: edit.caret,
        };
    }
    let text = Zeroizing::new(expiry::format_typing(edit.text, today));
    let caret = if edit.is_at_end() {
        text.len()
    } else {
        let added = number::digits_of(&text).len();
        let added = added.saturating_sub(number::digits_of(edit.text).len());
        after_digits(&text, number::digits_of(edit.before_caret()).len() + added)
    };
    Shown { text, caret }
}

/// The expiry date as it is shown after the field lost focus.
pub(super) fn tidy_expiry(text: &str, today: YearMonth) -> String {
    expiry::format_typing(text, today)
        .trim_end_matches([' ', '/'])
        .into()
}

/// Takes no more digits than the code has.
pub(super) fn security_code(edit: &Edit<'_>, longest: u8) -> Shown {
    let mut text = Zeroizing::new(number::digits_of(edit.text));
    text.truncate(usize::from(longest));
    let caret = number::digits_of(edit.before_caret()).len().min(text.len());
    Shown { text, caret }
}

/// Groups an IBAN by four, in capitals. Other characters stay, to be reported.
pub(super) fn iban(edit: &Edit<'_>) -> Shown {
    let written = |text: &str| text.chars().filter(|character| *character != ' ').count();
    let plain = edit.text.chars().filter(|character| *character != ' ');
    let mut text = Zeroizing::new(String::new());
    for (place, character) in plain.take(IBAN_CHARACTERS).enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push(' ');
        }
        text.push(character.to_ascii_uppercase());
    }
    let before = written(edit.before_caret());
    let caret = if before >= written(&text) {
        text.encode_utf16().count()
    } else {
        // After a group, the caret stays before the gap.
        before + before.saturating_sub(1) / 4
    };
    Shown { text, caret }
}

/// A pasted tab or line break becomes a space: a shopper could not see it to correct it.
pub(super) fn holder(edit: &Edit<'_>) -> Shown {
    let spaced = |character| match character {
        '\t' | '\n' | '\r' => ' ',
        character => character,
    };
    let allowed = edit.text.chars().take(HOLDER_CHARACTERS);
    let text = Zeroizing::new(allowed.map(spaced).collect::<String>());
    Shown {
        text,
        caret: edit.caret,
    }
}
