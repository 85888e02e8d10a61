//! Luhn check digits of card numbers (ISO/IEC 7812-1 annex B).

/// The digit sum of twice each digit.
const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];

/// Whether `digits` is a non-empty text of ASCII digits with a valid check digit at the end.
pub fn passes(digits: &str) -> bool {
    !digits.is_empty() && sum(digits, false).is_some_and(|sum| sum % 10 == 0)
}

/// The check digit to append to `payload`; none if `payload` has other characters than ASCII
/// digits.
pub fn check_digit(payload: &str) -> Option<char> {
    let excess = sum(payload, true)? % 10;
    char::from_digit((10 - excess) % 10, 10)
}

/// Sums the digits from the right, doubling every second one; `double` says whether the last is
/// doubled.
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
