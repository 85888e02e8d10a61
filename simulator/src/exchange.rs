//! Amounts in another currency. The rates are fixed, so that tests in other currencies have the same
//! results each year.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Millionths of a euro for one unit (not minor unit) of a currency.
static RATES: LazyLock<BTreeMap<String, u64>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; an empty table never ships.
    serde_json::from_str(include_str!("../data/exchange_rates.json")).unwrap_or_default()
});

/// The amount in minor units of another currency, rounded up as banks do.
/// None where there is no rate, or on overflow.
pub(crate) fn exchange(money: Money, to: Currency) -> Option<i64> {
    let from = money.currency();
    if from == to {
        return Some(money.amount_minor());
    }
    let rate = |currency: Currency| RATES.get(currency.code()).copied().map(i128::from);
    let scale = |currency: Currency| 10_i128.pow(currency.exponent().into());
    let value = i128::from(money.amount_minor())
        .checked_mul(rate(from)?)?
        .checked_mul(scale(to))?;
    divide_up(value, rate(to)?.checked_mul(scale(from))?)
}

/// The share of an amount that a part of a payment has, rounded up.
pub(crate) fn share(amount_minor: i64, part_minor: i64, whole_minor: i64) -> Option<i64> {
    let product = i128::from(amount_minor).checked_mul(i128::from(part_minor))?;
    divide_up(product, i128::from(whole_minor))
}

fn divide_up(dividend: i128, divisor: i128) -> Option<i64> {
    if divisor <= 0 || dividend < 0 {
        return None;
    }
    let quotient = dividend.checked_add(divisor - 1)? / divisor;
    i64::try_from(quotient).ok()
}

#[cfg(test)]
mod tests {
    use super::{RATES, exchange, share};
    use sealpay_protocol::currency::Currency;
    use sealpay_protocol::limits;
    use sealpay_protocol::money::Money;

    fn exchanged(amount_minor: i64, from: &str, to: &str) -> Option<i64> {
        let money = Money::new(amount_minor, from.parse().unwrap());
        exchange(money, to.parse().unwrap())
    }

    #[test]
    fn every_rate_is_of_a_currency_that_exists() {
        assert!(RATES.len() > 40, "{}", RATES.len());
        for (code, rate) in RATES.iter() {
            assert!(code.parse::<Currency>().is_ok(), "{code}");
            assert!(*rate > 0, "{code}");
        }
        assert_eq!(RATES["EUR"], 1_000_000);
    }

    #[test]
    fn amounts_are_exchanged_by_the_unit_and_rounded_up() {
        let rows = [
            (10_000, "EUR", "EUR", Some(10_000)),
            // 100.00 USD are 86.00 EUR; 100.00 EUR are 116.2790… USD.
            (10_000, "USD", "EUR", Some(8_600)),
            (10_000, "EUR", "USD", Some(11_628)),
            (1, "EUR", "USD", Some(2)),
            // A yen has no minor unit and a dinar a thousand.
            (1_000, "JPY", "EUR", Some(550)),
            (1, "EUR", "JPY", Some(2)),
            (1_000, "KWD", "EUR", Some(280)),
            (280, "EUR", "KWD", Some(1_000)),
            (0, "EUR", "USD", Some(0)),
            // No rate for one of them, though a currency is always worth itself.
            (1, "BTN", "EUR", None),
            (1, "EUR", "BTN", None),
            (7, "BTN", "BTN", Some(7)),
            (-1, "EUR", "USD", None),
            (i64::MAX, "KWD", "IDR", None),
        ];
        for (amount, from, to, expected) in rows {
            assert_eq!(
                exchanged(amount, from, to),
                expected,
                "{amount} {from} in {to}"
            );
        }
    }

    #[test]
    fn the_largest_payment_does_not_overflow_in_any_currency() {
        for from in RATES.keys() {
            for to in RATES.keys() {
                let amount = exchanged(limits::AMOUNT_MINOR, from, to);
                assert!(amount.is_some_and(|amount| amount > 0), "{from} in {to}");
            }
        }
    }

    #[test]
    fn a_part_is_rounded_up_and_never_more_than_the_whole() {
        let rows = [
            (100, 1, 3, Some(34)),
            (100, 3, 3, Some(100)),
            (100, 0, 3, Some(0)),
            (0, 2, 3, Some(0)),
            (100, 1, 0, None),
        ];
        for (amount, part, whole, expected) in rows {
            assert_eq!(share(amount, part, whole), expected, "{part} of {whole}");
        }
    }
}
