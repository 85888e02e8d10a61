//! The check digit of card numbers, ISO/IEC 7812-1 annex B.

/// Twice each digit, the digits of the product added up.
const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];

/// Whether these are ASCII digits, one at least, of which the last is the right check digit.
pub fn passes(digits: &str) -> bool {
    !digits.is_empty() && sum(digits, false).is_some_and(|sum| sum % 10 == 0)
}

/// The digit that makes a Luhn number when it is put behind `payload`, unless `payload` has
/// something else than ASCII digits.
pub fn check_digit(payload: &str) -> Option<char> {
    let excess = sum(payload, true)? % 10;
    char::from_digit((10 - excess) % 10, 10)
}

/// The sum of the digits from the right, every second doubled, beginning with the last or not.
fn sum(digits: &str, mut double: bool) -> Option<u32> {
    let mut sum = 0_u32;
    for byte in digits.bytes().rev() {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        let weighed = if double {
            *DOUBLED.get(usize::from(digit))?
        } else {
            digit
        };
        sum += u32::from(weighed);
        double = !double;
    }
    Some(sum)
}
