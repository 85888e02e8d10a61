//! The security code (CVV, CVC, CID and other brand names).

use core::fmt;

use super::Progress;
use super::brand::Brand;
use super::digits::Digits;
use crate::secret::Secret;

/// A security code with the length that its brand requires. It must never be stored (PCI DSS
/// 3.3.1). Wiped from memory on drop.
pub struct SecurityCode(
    // On the heap, because moving an array would leave copies that are not wiped.
    Secret<String>,
);

/// Why a text is not a security code, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityCodeError {
    /// A character that is not a digit.
    NotDigits,
    /// No digits.
    Missing,
    /// More digits than the brand's codes.
    TooLong,
    /// Fewer digits than the brand's codes.
    Incomplete,
}

impl SecurityCodeError {
    /// The stable name for machines.
    pub fn code(self) -> &'static str {
        match self {
            SecurityCodeError::NotDigits => "security_code_not_digits",
            SecurityCodeError::Missing => "security_code_missing",
            SecurityCodeError::TooLong => "security_code_too_long",
            SecurityCodeError::Incomplete => "security_code_incomplete",
        }
    }
}

impl fmt::Display for SecurityCodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SecurityCodeError::NotDigits => "the security code has something else than digits",
            SecurityCodeError::Missing => "the security code has no digit",
            SecurityCodeError::TooLong => "the security code has more digits than the brand's",
            SecurityCodeError::Incomplete => "the security code has fewer digits than the brand's",
        })
    }
}

impl core::error::Error for SecurityCodeError {}

impl SecurityCode {
    /// Parses a complete code; three or four digits while the brand is unknown.
    ///
    /// # Errors
    ///
    /// The first [`SecurityCodeError`] that applies.
    pub fn parse(text: &str, brand: Option<Brand>) -> Result<SecurityCode, SecurityCodeError> {
        let digits = read(text, brand)?;
        match progress(&digits, brand) {
            Progress::Complete => Ok(SecurityCode(Secret::new(String::from(digits.as_str())))),
            Progress::Incomplete => Err(SecurityCodeError::Incomplete),
        }
    }

    /// Checks whether the typed text is a complete code or the beginning of one.
    ///
    /// # Errors
    ///
    /// The [`SecurityCodeError`] that more typing cannot fix.
    pub fn check(text: &str, brand: Option<Brand>) -> Result<Progress, SecurityCodeError> {
        match read(text, brand) {
            Err(SecurityCodeError::Missing) => Ok(Progress::Incomplete),
            digits => Ok(progress(&digits?, brand)),
        }
    }

    /// All digits, in ASCII. Secret: only for sealing and for the provider.
    pub fn digits(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for SecurityCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecurityCode(redacted)")
    }
}

fn read(text: &str, brand: Option<Brand>) -> Result<Digits, SecurityCodeError> {
    let digits = Digits::read(text).map_err(|_| SecurityCodeError::NotDigits)?;
    if digits.as_str().is_empty() {
        return Err(SecurityCodeError::Missing);
    }
    let longest = brand.map_or(4, Brand::security_code_length);
    if digits.is_overfull() || digits.as_str().len() > usize::from(longest) {
        return Err(SecurityCodeError::TooLong);
    }
    Ok(digits)
}

/// Validates digits that are within the maximum length.
fn progress(digits: &Digits, brand: Option<Brand>) -> Progress {
    let shortest = brand.map_or(3, Brand::security_code_length);
    if digits.as_str().len() < usize::from(shortest) {
        Progress::Incomplete
    } else {
        Progress::Complete
    }
}
