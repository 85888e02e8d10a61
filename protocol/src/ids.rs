//! Identifiers: a prefix that names the type, and 128 bits that sort by time.
//!
//! 48 bits of milliseconds and 80 random bits, written in lowercase Crockford base32. Identifiers
//! are ordered by time because inserting rows in key order keeps large tables fast.

use core::fmt::{self, Write as _};
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_CHARACTERS: usize = 26;
const PREFIX_CHARACTERS: usize = 3;

/// A text that is not an identifier of the expected type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdError {
    expected_prefix: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected ")?;
        f.write_str(self.expected_prefix)?;
        f.write_str("_ and 26 characters of lowercase Crockford base32")
    }
}

impl core::error::Error for IdError {}

const fn assemble(unix_ms: u64, random: [u8; 10]) -> [u8; 16] {
    let [_, _, a, b, c, d, e, f] = unix_ms.to_be_bytes();
    let [g, h, i, j, k, l, m, n, o, p] = random;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

fn write_text(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for place in (0..TEXT_CHARACTERS).rev() {
        let digit = usize::try_from((value >> (place * 5)) & 31).unwrap_or(0);
        f.write_char(char::from(ALPHABET[digit]))?;
    }
    Ok(())
}

fn parse_text(text: &[u8]) -> Option<u128> {
    if text.len() != TEXT_CHARACTERS || text[0] > b'7' {
        return None;
    }
    text.iter().try_fold(0_u128, |value, character| {
        let digit = ALPHABET.iter().position(|letter| letter == character)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })
}

/// The order of identifiers.
pub trait Identifier: Copy + Ord + fmt::Display {
    /// Sorts before every other identifier.
    const MIN: Self;
    /// Sorts after every other identifier; its time is never reached.
    const MAX: Self;
    /// The part before the underscore.
    const PREFIX: &'static str;

    /// The first identifier of a time, milliseconds since 1970; [`MAX`](Self::MAX) if the time does
    /// not fit in an identifier.
    fn first_of(unix_ms: u64) -> Self;
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Makes an identifier from a time in milliseconds since 1970 and ten random bytes.
            #[must_use]
            pub const fn new(unix_ms: u64, random: [u8; 10]) -> Self {
                Self(u128::from_be_bytes(assemble(unix_ms, random)))
            }

            /// The identifier that sorts right after this one.
            #[must_use]
            pub const fn following(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// The 128 bits, in network order.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The identifier with these 128 bits.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }

            /// When it was made, milliseconds since 1970.
            #[must_use]
            pub fn unix_ms(self) -> u64 {
                u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
            }
        }

        impl Identifier for $name {
            const MIN: Self = Self(0);
            const MAX: Self = Self(u128::MAX);
            const PREFIX: &'static str = $prefix;

            fn first_of(unix_ms: u64) -> Self {
                if unix_ms >> 48 == 0 {
                    Self::new(unix_ms, [0; 10])
                } else {
                    Self::MAX
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                write_text(self.0, f)
            }
        }

        /// Logs show the form that clients see.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = IdError { expected_prefix: $prefix };
                let bytes = text.as_bytes();
                if bytes.len() != PREFIX_CHARACTERS + 1 + TEXT_CHARACTERS
                    || !text.starts_with(concat!($prefix, "_"))
                {
                    return Err(refused);
                }
                parse_text(&bytes[PREFIX_CHARACTERS + 1..]).map(Self).ok_or(refused)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// Calls a macro with the table of identifiers: the only place that lists them.
#[macro_export]
macro_rules! for_each_id {
    ($callback:ident) => {
        $callback! {
            /// A merchant.
            MerchantId = "mer";
            /// A checkout session: one order in one browser.
            SessionId = "chk";
            /// An attempt to pay; also the `Idempotency-Key`. The widget makes it before it sends.
            AttemptId = "att";
            /// A payment: the result of one attempt.
            PaymentId = "pay";
            /// An event, and the `webhook-id` of all its deliveries.
            EventId = "evt";
            /// A webhook endpoint of a merchant.
            EndpointId = "whe";
            /// An API key (the name of the key, not the key).
            ApiKeyId = "key";
            /// An HTTP request, in logs and errors.
            RequestId = "req";
            /// A capture, void or refund of a payment.
            ModificationId = "mod";
            /// A dispute: the shopper's bank takes money back.
            DisputeId = "dis";
            /// A transfer between two accounts of the ledger.
            LedgerTransferId = "led";
            /// A balance transaction: one line of a settlement.
            TransactionId = "txn";
            /// A settlement: a merchant's lines of one currency that are paid out together.
            SettlementId = "set";
            /// A payout of a settlement to the merchant's bank account.
            PayoutId = "pyo";
            /// A customer of a merchant.
            CustomerId = "cus";
            /// A saved payment instrument of a customer.
            InstrumentId = "ins";
            /// An agreement that permits later payments.
            AgreementId = "agr";
            /// A price of a recurring charge.
            PriceId = "pri";
            /// A subscription.
            SubscriptionId = "sub";
            /// An invoice.
            InvoiceId = "inv";
            /// A credit note, which corrects an invoice.
            CreditNoteId = "crn";
        }
    };
}

for_each_id!(identifiers);

#[cfg(test)]
mod tests {
    use super::{AttemptId, Identifier, PaymentId};
    use proptest::prelude::*;

    #[test]
    fn the_text_form_is_fixed_length_base32() {
        let rows = [
            (0, [0; 10], "pay_00000000000000000000000000"),
            (1, [0; 10], "pay_00000000010000000000000000"),
            ((1 << 48) - 1, [255; 10], "pay_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        ];
        for (unix_ms, random, text) in rows {
            let id = PaymentId::new(unix_ms, random);
            assert_eq!(id.to_string(), text);
            assert_eq!(format!("{id:?}"), text, "in logs");
            assert_eq!(text.parse::<PaymentId>().unwrap().unix_ms(), unix_ms);
        }
    }

    #[test]
    fn identifiers_sort_between_min_and_max() {
        let last_ms = (1 << 48) - 1;
        let made = PaymentId::new(last_ms, [254; 10]);
        assert!(PaymentId::MIN < PaymentId::first_of(1));
        assert!(PaymentId::first_of(last_ms) < made && made < PaymentId::MAX);
        assert_eq!(PaymentId::first_of(last_ms + 1), PaymentId::MAX);
        assert_eq!(PaymentId::MAX.to_string(), "pay_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn malformed_identifiers_are_rejected() {
        let rows = [
            "",
            "pay_",
            "pay_0000000000000000000000000",
            "pay_000000000000000000000000000",
            "pay_80000000000000000000000000",
            "pay_0000000000000000000000000u",
            "pay_0000000000000000000000000A",
            "att_00000000000000000000000000",
            "PAY_00000000000000000000000000",
            "pay-00000000000000000000000000",
            "pay_0000000000000000000000000é",
        ];
        for text in rows {
            assert!(text.parse::<PaymentId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn identifiers_round_trip(ms in 0_u64..1 << 48, random: [u8; 10]) {
            let id = AttemptId::new(ms, random);
            prop_assert_eq!(id.to_string().parse::<AttemptId>().unwrap(), id);
            prop_assert_eq!(id.unix_ms(), ms);
        }

        #[test]
        fn texts_sort_like_identifiers(a in 0_u64..1 << 48, b in 0_u64..1 << 48, r: [u8; 10]) {
            let (a, b) = (AttemptId::new(a, r), AttemptId::new(b, r));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
