//! Money: an integer of minor units and its currency, with checked arithmetic only.

use crate::currency::Currency;
use crate::limits;
use core::fmt;
use serde::{Deserialize, Serialize};

/// An amount in minor units of its currency. It may be negative in sums; see [`Money::charge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    #[serde(rename = "amount")]
    amount_minor: i64,
    currency: Currency,
}

/// Why an amount or a sum was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    /// The amount to pay is zero or negative.
    NotPositive,
    /// The amount to pay has more than twelve digits.
    TooLarge,
    /// The sum has two different currencies.
    CurrencyMismatch,
    /// The sum does not fit into 64 bits.
    Overflow,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPositive => "The amount must be at least one minor unit.",
            Self::TooLarge => "The amount must be at most 999999999999 minor units.",
            Self::CurrencyMismatch => "Amounts of different currencies cannot be added.",
            Self::Overflow => "The sum is too large.",
        })
    }
}

impl core::error::Error for MoneyError {}

impl Money {
    /// Any amount, such as a term of a sum.
    #[must_use]
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self {
            amount_minor,
            currency,
        }
    }

    /// An amount to pay: 1 to 999 999 999 999 minor units.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`] or [`MoneyError::TooLarge`].
    pub const fn charge(amount_minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if amount_minor < 1 {
            return Err(MoneyError::NotPositive);
        }
        if amount_minor > limits::AMOUNT_MINOR {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self {
            amount_minor,
            currency,
        })
    }

    /// Minor units.
    #[must_use]
    pub const fn amount_minor(self) -> i64 {
        self.amount_minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(
        self,
        other: Self,
        operation: fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount_minor =
            operation(self.amount_minor, other.amount_minor).ok_or(MoneyError::Overflow)?;
        Ok(Self {
            amount_minor,
            currency: self.currency,
        })
    }

    /// The amount with a decimal point, such as `24.90`, for exact formatting.
    #[must_use]
    pub fn decimal(self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let mut text = self.amount_minor.unsigned_abs().to_string();
        while text.len() <= exponent {
            text.insert(0, '0');
        }
        if exponent > 0 {
            text.insert(text.len() - exponent, '.');
        }
        if self.amount_minor < 0 {
            text.insert(0, '-');
        }
        text
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.decimal())?;
        f.write_str(" ")?;
        f.write_str(self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::{Money, MoneyError};
    use crate::currency::Currency;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let rows = [
            (2490, "EUR", "24.90 EUR"),
            (5, "EUR", "0.05 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (0, "EUR", "0.00 EUR"),
            (500, "JPY", "500 JPY"),
            (1500, "KWD", "1.500 KWD"),
            (i64::MIN, "JPY", "-9223372036854775808 JPY"),
        ];
        for (amount, code, text) in rows {
            assert_eq!(Money::new(amount, currency(code)).to_string(), text);
        }
    }

    #[test]
    fn charge_amounts_are_bounded() {
        let rows = [
            (i64::MIN, Err(MoneyError::NotPositive)),
            (-1, Err(MoneyError::NotPositive)),
            (0, Err(MoneyError::NotPositive)),
            (1, Ok(())),
            (999_999_999_999, Ok(())),
            (1_000_000_000_000, Err(MoneyError::TooLarge)),
            (i64::MAX, Err(MoneyError::TooLarge)),
        ];
        for (amount, expected) in rows {
            let made = Money::charge(amount, currency("EUR"));
            assert_eq!(made.map(|_| ()), expected, "{amount}");
        }
    }

    #[test]
    fn mixed_currencies_and_overflow_are_rejected() {
        let euro = Money::new(i64::MAX, currency("EUR"));
        let yen = Money::new(1, currency("JPY"));
        assert_eq!(euro.checked_add(yen), Err(MoneyError::CurrencyMismatch));
        assert_eq!(
            euro.checked_add(Money::new(1, currency("EUR"))),
            Err(MoneyError::Overflow)
        );
    }

    proptest! {
        #[test]
        fn subtraction_reverses_addition(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let (a, b) = (Money::new(a, currency("EUR")), Money::new(b, currency("EUR")));
            prop_assert_eq!(a.checked_add(b).unwrap().checked_sub(b).unwrap(), a);
        }
    }
}
