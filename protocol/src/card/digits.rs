//! Digits as people type and paste them: grouped, and in any script.

use zeroize::Zeroize;

/// The zero of each script: every row of ten decimal digits in the Basic Multilingual Plane
/// (general category Nd). Phone keyboards produce these digits.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];

/// The value of a decimal digit.
pub(super) fn value_of(character: char) -> Option<u8> {
    ZEROS.iter().find_map(|zero| {
        let distance = u32::from(character).checked_sub(u32::from(*zero))?;
        u8::try_from(distance).ok().filter(|value| *value < 10)
    })
}

/// Whether a character is an accepted separator between digits: white space, dashes and invisible
/// marks.
pub(super) fn is_separator(character: char) -> bool {
    character.is_whitespace() || is_dash(character) || is_invisible(character)
}

fn is_dash(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Zero-width marks that set the direction or forbid a break.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
    ) || is_direction_control(character)
}

/// Marks that change the writing direction of the text after them.
pub(super) fn is_direction_control(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Capacity in digits: the longest card number.
const ROOM: usize = 19;

/// ASCII digits on the stack, wiped on drop.
pub(super) struct Digits {
    bytes: [u8; ROOM],
    length: usize,
    is_overfull: bool,
}

/// The text has a character that is neither a digit nor a separator.
pub(super) struct NotDigits;

impl Digits {
    /// Collects the digits of a text, without the separators.
    pub(super) fn read(text: &str) -> Result<Self, NotDigits> {
        let mut digits = Digits {
            bytes: [0; ROOM],
            length: 0,
            is_overfull: false,
        };
        for character in text.chars() {
            match value_of(character) {
                Some(value) => digits.push(value),
                None if is_separator(character) => {}
                None => return Err(NotDigits),
            }
        }
        Ok(digits)
    }

    fn push(&mut self, value: u8) {
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = b'0' + value;
                self.length += 1;
            }
            None => self.is_overfull = true,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        let filled = self.bytes.get(..self.length).unwrap_or_default();
        core::str::from_utf8(filled).unwrap_or_default()
    }

    /// Whether the text had more digits than the capacity.
    pub(super) fn is_overfull(&self) -> bool {
        self.is_overfull
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
