//! What the shop sells, and how it writes a price.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;

/// One thing on the shelf.
pub(crate) struct Product {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    price_minor: i64,
    currency: &'static str,
    /// A drawing, as the markup of an SVG.
    pub(crate) art: &'static str,
}

/// The most pieces of one product in an order: this is a small workshop.
pub(crate) const MOST_PIECES: u32 = 9;

/// Prices in three currencies with two, no and three decimals, so that each kind is seen to work.
pub(crate) const PRODUCTS: [Product; 3] = [
    Product {
        id: "moon-lantern",
        name: "Moon lantern",
        description: "Washi paper over split bamboo, 35 cm. Folds flat, opens like a breath.",
        price_minor: 2_490,
        currency: "EUR",
        art: include_str!("../assets/art/moon-lantern.svg"),
    },
    Product {
        id: "stitched-notebook",
        name: "Stitched notebook",
        description: "Ninety-six pages of mulberry paper, bound by hand with four holes.",
        price_minor: 3_200,
        currency: "JPY",
        art: include_str!("../assets/art/stitched-notebook.svg"),
    },
    Product {
        id: "folded-lamp",
        name: "Folded lamp",
        description: "A pleated paper shade on a beech stem. Warm light for a late chapter.",
        price_minor: 7_500,
        currency: "KWD",
        art: include_str!("../assets/art/folded-lamp.svg"),
    },
];

/// The product of that name.
pub(crate) fn find(id: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.id == id)
}

impl Product {
    /// The price of so many pieces; `None` outside of 1 to [`MOST_PIECES`].
    pub(crate) fn total(&self, pieces: u32) -> Option<Money> {
        if !(1..=MOST_PIECES).contains(&pieces) {
            return None;
        }
        let amount_minor = self.price_minor.checked_mul(i64::from(pieces))?;
        Money::charge(amount_minor, self.currency.parse().ok()?).ok()
    }
}

/// An amount as a shopper reads it: `€24.90`, `¥3,200`, `KWD 7.500`.
pub(crate) fn price_text(price: Money) -> String {
    let decimal = price.decimal();
    let (whole, fraction) = match decimal.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (decimal.as_str(), None),
    };
    let mut text = match price.currency().code() {
        "EUR" => "€".to_owned(),
        "JPY" => "¥".to_owned(),
        code => format!("{code}\u{a0}"),
    };
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// An amount as somebody types it: `24`, `24.9`, `24,90`. None for anything else.
pub(crate) fn typed_price(text: &str, currency: Currency) -> Option<Money> {
    let text = text.trim();
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let exponent = usize::from(currency.exponent());
    let is_plain = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) || fraction.len() > exponent {
        return None;
    }
    let minor = format!("{whole}{fraction:0<exponent$}").parse().ok()?;
    Money::charge(minor, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::{PRODUCTS, find, price_text, typed_price};
    use sealpay_protocol::money::Money;

    #[test]
    fn every_product_has_a_price_for_every_allowed_number_of_pieces() {
        for product in &PRODUCTS {
            for (pieces, sold) in [(0, false), (1, true), (9, true), (10, false)] {
                assert_eq!(
                    product.total(pieces).is_some(),
                    sold,
                    "{pieces} {}",
                    product.name
                );
            }
        }
    }

    #[test]
    fn a_price_is_written_with_the_decimals_of_its_currency() {
        let rows = [
            (2_490, "EUR", "€24.90"),
            (123_456_789, "EUR", "€1,234,567.89"),
            (3_200, "JPY", "¥3,200"),
            (999, "JPY", "¥999"),
            (7_500, "KWD", "KWD\u{a0}7.500"),
            (5, "KWD", "KWD\u{a0}0.005"),
        ];
        for (amount, currency, text) in rows {
            assert_eq!(
                price_text(Money::new(amount, currency.parse().unwrap())),
                text
            );
        }
    }

    #[test]
    fn an_amount_is_read_as_it_is_typed_or_not_at_all() {
        let rows = [
            ("24", "EUR", Some(2_400)),
            (" 24.9 ", "EUR", Some(2_490)),
            ("24,90", "EUR", Some(2_490)),
            ("0.01", "EUR", Some(1)),
            ("3200", "JPY", Some(3_200)),
            ("7.5", "KWD", Some(7_500)),
            ("", "EUR", None),
            ("0", "EUR", None),
            (".5", "EUR", None),
            ("-1", "EUR", None),
            ("+1", "EUR", None),
            ("1e3", "EUR", None),
            ("24.905", "EUR", None),
            ("1.0", "JPY", None),
            ("1,000.00", "EUR", None),
            ("99999999999999999999", "EUR", None),
        ];
        for (text, currency, minor) in rows {
            let typed = typed_price(text, currency.parse().unwrap());
            assert_eq!(typed.map(Money::amount_minor), minor, "{text} {currency}");
        }
    }

    #[test]
    fn products_are_found_by_their_id_only() {
        assert_eq!(
            find("moon-lantern")
                .unwrap()
                .total(3)
                .unwrap()
                .amount_minor(),
            7_470
        );
        assert!(find("Moon lantern").is_none());
    }
}
