//! Money that is expected by bank transfer, and what came of it.

use crate::system::check_digits;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transfer that is expected, and what has come so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferInstructions {
    /// Whose account it is.
    pub holder: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The bank (ISO 9362).
    pub bic: String,
    /// What has to stand on the transfer (ISO 11649).
    pub reference: String,
    /// What has come, minor units.
    pub received_minor: i64,
    /// The bank's names for what has come, so that nothing is counted twice.
    pub arrivals: Vec<String>,
}

/// What has come, against what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountMatch {
    /// So much is still to come, minor units.
    Short(i64),
    /// Exactly what was due.
    Exact,
    /// So much more than was due, minor units: the merchant has to send it back.
    Over(i64),
}

impl TransferInstructions {
    /// Compares what has come with what is due.
    #[must_use]
    pub const fn sum(&self, due_minor: i64) -> AmountMatch {
        match due_minor.saturating_sub(self.received_minor) {
            0 => AmountMatch::Exact,
            short @ 1.. => AmountMatch::Short(short),
            over => AmountMatch::Over(over.saturating_neg()),
        }
    }
}

/// Longest creditor reference, and shortest (ISO 11649): `RF`, two check digits, and the rest.
const LONGEST: usize = 25;
const SHORTEST: usize = 5;

/// Most references that are looked for in one text.
const MOST: usize = 24;

/// A reference as it is compared and looked up: letters and digits, in capitals.
#[must_use]
pub fn plain(reference: &str) -> String {
    let kept = reference
        .chars()
        .map(narrow)
        .filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// Keyboards of East Asia also write letters and digits in full width (Unicode, U+FF01 to U+FF5E).
fn narrow(character: char) -> char {
    let code = u32::from(character);
    match code {
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

/// The references that a sender's text can mean, each plain: the text as a whole, and what stands
/// in it with right check digits, also where somebody read O for 0, or I or L for 1. Check digits
/// leave one of 97 by chance, so a candidate counts only when somebody waits for it.
#[must_use]
pub fn meant_by(written: &str) -> Vec<String> {
    let whole = plain(written);
    let mut found = vec![whole.clone()];
    let mended = mended(&whole);
    for text in [&whole, &mended] {
        for (start, _) in text.match_indices("RF") {
            let rest = &text[start..];
            let lengths = (SHORTEST..=LONGEST.min(rest.len())).rev();
            for candidate in lengths.map(|length| &rest[..length]) {
                if found.len() < MOST
                    && check_digits::are_right(candidate)
                    && !found.iter().any(|known| known == candidate)
                {
                    found.push(candidate.to_owned());
                }
            }
        }
    }
    found
}

fn mended(plain: &str) -> String {
    let mend = |character| match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    plain.chars().map(mend).collect()
}

#[cfg(test)]
mod tests {
    use super::{AmountMatch, TransferInstructions};

    fn expected(received_minor: i64) -> TransferInstructions {
        TransferInstructions {
            holder: "Paper Lantern".into(),
            iban: "DE00".into(),
            bic: "SEALDEFF".into(),
            reference: "RF18 5390 0754".into(),
            received_minor,
            arrivals: Vec::new(),
        }
    }

    #[test]
    fn sums_are_short_exact_or_over() {
        let rows = [
            (0, AmountMatch::Short(2490)),
            (2489, AmountMatch::Short(1)),
            (2490, AmountMatch::Exact),
            (2491, AmountMatch::Over(1)),
            (i64::MAX, AmountMatch::Over(i64::MAX - 2490)),
        ];
        for (received, sum) in rows {
            assert_eq!(expected(received).sum(2490), sum, "{received}");
        }
    }

    /// Its check digits are right, and it has a 0 and a 1 that can be misread.
    const REFERENCE: &str = "RF18539007547034";

    #[test]
    fn a_reference_may_be_written_in_many_ways() {
        for written in [
            "RF18 5390 0754 7034",
            "rf18539007547034",
            " RF18-5390-0754-7034 ",
            "Order 1042, RF18 5390 0754 7034",
            "RF18539007547034 thanks",
            "Ref.: RF RF18 5390 0754 7034/1042",
            "RF18 539O O754 7O34",
            "rfi8 5390 0754 7034",
            "Invoice O1: RFl8 539o0754 7034, many thanks!",
            "ＲＦ１８ ５３９０ ０７５４ ７０３４",
            "Rechnung Ä-7: RF18.5390.0754.7034",
        ] {
            let found = super::meant_by(written);
            assert!(
                found.iter().any(|found| found == REFERENCE),
                "{written}: {found:?}"
            );
        }
        for written in [
            "RF18 5390 0754 7035",
            "RF18 5390 0754 703",
            "RF81 5390 0754 7034",
            "5390 0754 7034",
            "",
            "RF",
            "Order RF-1042",
        ] {
            let found = super::meant_by(written);
            assert!(
                !found.iter().any(|found| found == REFERENCE),
                "{written}: {found:?}"
            );
        }
    }

    #[test]
    fn a_text_of_nothing_but_beginnings_of_references_is_soon_read() {
        let found = super::meant_by(&"RF18".repeat(35));
        assert!(found.len() <= super::MOST, "{}", found.len());
    }
}
