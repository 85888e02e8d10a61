//! Validation of one-line texts for people: names and descriptions of orders, merchants and
//! endpoints.
//!
//! Visible characters of every script are accepted. Invisible characters that change what is seen
//! are rejected: a text must not imitate another or turn the direction of the text beside it.
//! Characters that editors and spreadsheets add are harmless and accepted: line breaks and tabs are
//! shown as spaces, and direction marks affect only their own position.

use crate::limits::REFERENCE_CHARACTERS;
use core::fmt;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

/// Maximum combining marks on one letter. Hebrew with points and accents, Burmese and Tibetan need
/// four or five.
const MARKS_ON_A_LETTER: usize = 6;

/// The flags of England, Scotland and Wales are the only emoji written with tags (Unicode Technical
/// Standard 51, annex C).
const TAGGED_FLAGS: [&str; 3] = [
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
];

/// Why a text is rejected, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// No visible character.
    Empty,
    /// Too many characters.
    TooLong {
        /// Its number of characters.
        found: usize,
        /// The maximum.
        most: usize,
    },
    /// An invisible character, or one that turns the writing direction.
    Hidden(char),
    /// More combining marks on one letter than any script needs.
    TooManyMarks,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("has nothing to read in it"),
            Self::TooLong { found, most } => {
                write!(f, "has {found} characters; at most {most} are accepted")
            }
            Self::Hidden(character) => {
                let value = u32::from(*character);
                write!(
                    f,
                    "has a character that nobody sees or that changes the direction of writing, \
                     U+{value:04X}; leave it out"
                )
            }
            Self::TooManyMarks => write!(
                f,
                "has more than {MARKS_ON_A_LETTER} combining marks on one letter"
            ),
        }
    }
}

/// Whether a text is a merchant's reference: printable ASCII, because it is copied into headers,
/// files and statements of other systems.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    (1..=REFERENCE_CHARACTERS).contains(&text.len())
        && text.bytes().all(|c| (b' '..=b'~').contains(&c))
}

/// Checks that a text of at most `most` characters can be shown to people.
///
/// # Errors
/// The first [`TextFault`].
pub fn check(text: &str, most: usize) -> Result<(), TextFault> {
    let found = text.chars().count();
    if text.is_empty() || !text.chars().any(is_seen) {
        return Err(TextFault::Empty);
    }
    if found > most {
        return Err(TextFault::TooLong { found, most });
    }
    let mut marks = 0;
    let mut before = None;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(flag) = TAGGED_FLAGS.iter().find(|flag| rest.starts_with(**flag)) {
            rest = &rest[flag.len()..];
            before = Some('\u{1F3F4}');
            continue;
        }
        rest = &rest[character.len_utf8()..];
        marks = if is_mark(character) { marks + 1 } else { 0 };
        if marks > MARKS_ON_A_LETTER {
            return Err(TextFault::TooManyMarks);
        }
        let joins = is_joiner(character) && before.is_some_and(may_be_joined);
        if !joins && !is_harmless(character) {
            return Err(TextFault::Hidden(character));
        }
        before = Some(character);
    }
    Ok(())
}

/// Replaces every line break and tab with a space.
#[must_use]
pub fn on_one_line(text: &str) -> String {
    let text = text.replace("\r\n", " ");
    text.chars()
        .map(|c| if is_break(c) { ' ' } else { c })
        .collect()
}

/// Tabs and line breaks (Unicode Standard, section 5.8).
const fn is_break(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Marks that set the direction at their own position, and the soft hyphen.
const fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{61C}' | '\u{200E}' | '\u{200F}')
}

const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}')
}

fn is_mark(character: char) -> bool {
    matches!(
        character.general_category(),
        Category::NonspacingMark | Category::EnclosingMark
    )
}

/// Letters without a visible shape: Hangul and Khmer fillers, the empty Braille cell.
const fn is_filler(character: char) -> bool {
    matches!(
        character,
        '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
    )
}

fn is_harmless(character: char) -> bool {
    if is_break(character) || is_direction_mark(character) {
        return true;
    }
    let hidden = matches!(
        character.general_category(),
        Category::Control
            | Category::Format
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::Surrogate
    );
    // The range that Unicode reserves for ignorable characters, except the ideographic variation
    // selectors, which occur in people's names.
    let ignored = matches!(character, '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}');
    // U+034F joins letters invisibly.
    !hidden && !ignored && character != '\u{34F}'
}

fn is_seen(character: char) -> bool {
    let category = character.general_category();
    let unseen = is_mark(character) || category == Category::SpaceSeparator;
    !unseen
        && is_harmless(character)
        && !is_break(character)
        && !is_direction_mark(character)
        && !is_filler(character)
}

/// Whether a joiner may follow: in Persian, Indic scripts and emoji.
fn may_be_joined(character: char) -> bool {
    use Category as C;
    !character.is_ascii()
        && matches!(
            character.general_category(),
            C::OtherLetter
                | C::NonspacingMark
                | C::SpacingMark
                | C::OtherSymbol
                | C::ModifierSymbol
        )
}

#[cfg(test)]
mod tests {
    use super::{TextFault, check, on_one_line};

    #[test]
    fn visible_text_of_every_script_is_accepted() {
        let good = [
            "Tea",
            "Grüße, 3 × 24,90 €",
            "Lamp\nred",
            "Lamp\tred\r\n",
            "\u{A0}Lamp",
            // Hebrew and Arabic with the marks that editors add.
            "חולצה \u{200E}(XL)\u{200E}",
            "قميص\u{200F} 2\u{61C}",
            "נִקּוּד בְּרֵאשִׁ֖ית",
            // Persian and Malayalam are written with joiners.
            "می\u{200C}خواهم",
            "ന്\u{200D}",
            "က္ကျွှိုး",
            "བསྒྲུབས",
            "葛\u{E0100}飾区",
            "👩\u{200D}👩\u{200D}👧\u{200D}👦 👍🏽 ❤\u{FE0F}\u{200D}🔥 1\u{FE0F}\u{20E3} 🇫🇷",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} mug",
            "Donau\u{AD}dampf\u{AD}schiff",
            "é\u{301}\u{302}",
            "\u{F8FF}",
        ];
        for text in good {
            assert_eq!(check(text, 80), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn invisible_characters_that_change_the_text_are_rejected() {
        let hidden = [
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{180E}',
            '\u{200B}',
            '\u{200C}',
            '\u{200D}',
            '\u{202A}',
            '\u{202B}',
            '\u{202C}',
            '\u{202D}',
            '\u{202E}',
            '\u{2060}',
            '\u{2063}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{206A}',
            '\u{FEFF}',
            '\u{FFF9}',
            '\u{E0001}',
            '\u{E0041}',
            '\u{E007F}',
            '\u{E0FFF}',
            '\u{34F}',
        ];
        for character in hidden {
            let text = format!("Te{character}a");
            assert_eq!(
                check(&text, 80),
                Err(TextFault::Hidden(character)),
                "{text:?}"
            );
        }
        // A joiner that joins nothing, and a doubled one.
        for text in [
            "T\u{200C}ea",
            "\u{200C}می",
            "می\u{200C}\u{200C}خواهم",
            "🏴\u{E0067}",
        ] {
            assert!(
                matches!(check(text, 80), Err(TextFault::Hidden(_))),
                "{text:?}"
            );
        }
        let pile = format!("Z{}a", "\u{301}".repeat(7));
        assert_eq!(check(&pile, 80), Err(TextFault::TooManyMarks));
        for text in [
            "",
            " ",
            "\n\t",
            "\u{A0}\u{3000}",
            "\u{200E}",
            "\u{3164}\u{2800}",
            "\u{301}",
        ] {
            assert_eq!(check(text, 80), Err(TextFault::Empty), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert_eq!(check(&"😀".repeat(80), 80), Ok(()));
        let (found, most) = (81, 80);
        assert_eq!(
            check(&"a".repeat(81), 80),
            Err(TextFault::TooLong { found, most })
        );
    }

    #[test]
    fn line_breaks_and_tabs_become_spaces() {
        assert_eq!(on_one_line("Lamp\r\nred\tbig\u{2028}x"), "Lamp red big x");
    }
}
