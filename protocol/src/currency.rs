//! ISO 4217 currencies for payments, with their minor units.
//!
//! The list is of November 2026, without funds codes, metals and test codes. The minor unit is the
//! number of decimal places: an amount of 500 is 5.00 in EUR, 500 in JPY and 0.500 in KWD.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Currencies whose minor unit is the unit itself.
const WITHOUT_DECIMALS: &str = "\
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";

/// Currencies with cents.
const WITH_TWO_DECIMALS: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN \
    BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB \
    EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR \
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT \
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP \
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST \
    XCD XCG YER ZAR ZMW ZWG";

/// Currencies divided into a thousand.
const WITH_THREE_DECIMALS: &str = "\
    BHD IQD JOD KWD LYD OMR TND";

/// Every list, with its number of decimals.
const LISTS: [(&str, u8); 3] = [
    (WITHOUT_DECIMALS, 0),
    (WITH_TWO_DECIMALS, 2),
    (WITH_THREE_DECIMALS, 3),
];

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

/// A text that is not a currency code for payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyError;

impl fmt::Display for CurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The currency must be the uppercase ISO 4217 code of a currency in which payments can be made.")
    }
}

impl core::error::Error for CurrencyError {}

impl Currency {
    /// The three capitals, such as `EUR`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Decimal places between the minor unit and the unit: 0, 2 or 3.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Every currency, by number of decimals and then by code.
    pub fn all() -> impl Iterator<Item = Self> {
        LISTS.into_iter().flat_map(|(list, exponent)| {
            let codes = list.split(' ');
            codes.map(move |code| Self { code, exponent })
        })
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let in_list = |(list, exponent): (&'static str, u8)| {
            let code = list.split(' ').find(|code| *code == text)?;
            Some(Self { code, exponent })
        };
        LISTS.into_iter().find_map(in_list).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Currency;

    #[test]
    fn minor_units_follow_iso_4217() {
        for (code, exponent) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLP", 0), ("TND", 3)] {
            assert_eq!(
                code.parse::<Currency>().unwrap().exponent(),
                exponent,
                "{code}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_currency_are_rejected() {
        for text in [
            "", "eur", "EURO", "EU", "XXX", "XTS", "XAU", " EUR", "BT C", "US ",
        ] {
            assert!(text.parse::<Currency>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Currency::all()
            .map(|currency| currency.to_string())
            .collect();
        let count = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!((codes.len(), count), (155, 155));
    }
}
