//! What the shop sells, and how it writes a price.

use sealpay_protocol::money::Money;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A product, stored by its id.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    price_minor: i64,
    currency: &'static str,
    /// Whether it is sold as a subscription, for a price each month.
    pub(crate) is_monthly: bool,
    /// The most pieces in an order, or each month: this is a small workshop.
    pub(crate) most_pieces: u32,
    /// A drawing, as the markup of an SVG.
    pub(crate) art: &'static str,
}

/// The most bottles of oil a month.
pub(crate) const MOST_BOTTLES: u32 = 6;

/// Prices in three currencies with two, no and three decimals, so that each kind is seen to work.
pub(crate) const PRODUCTS: [Product; 4] = [
    Product {
        id: "moon-lantern",
        name: "Moon lantern",
        description: "Washi paper over split bamboo, 35 cm. Folds flat, opens like a breath.",
        price_minor: 2_490,
        currency: "EUR",
        is_monthly: false,
        most_pieces: 9,
        art: include_str!("../assets/art/moon-lantern.svg"),
    },
    Product {
        id: "stitched-notebook",
        name: "Stitched notebook",
        description: "Ninety-six pages of mulberry paper, bound by hand with four holes.",
        price_minor: 3_200,
        currency: "JPY",
        is_monthly: false,
        most_pieces: 9,
        art: include_str!("../assets/art/stitched-notebook.svg"),
    },
    Product {
        id: "folded-lamp",
        name: "Folded lamp",
        description: "A pleated paper shade on a beech stem. Warm light for a late chapter.",
        price_minor: 7_500,
        currency: "KWD",
        is_monthly: false,
        most_pieces: 9,
        art: include_str!("../assets/art/folded-lamp.svg"),
    },
    Product {
        id: "lantern-oil",
        name: "Lantern oil",
        description: "A bottle each month: half a litre of clear oil that burns without smoke. \
                      Change, pause or cancel any time.",
        price_minor: 900,
        currency: "EUR",
        is_monthly: true,
        most_pieces: MOST_BOTTLES,
        art: include_str!("../assets/art/lantern-oil.svg"),
    },
];

/// The product of that name.
pub(crate) fn find(id: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.id == id)
}

impl Serialize for Product {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

impl<'de> Deserialize<'de> for &'static Product {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        find(&id).ok_or_else(|| D::Error::custom(format!("there is no product {id}")))
    }
}

impl Product {
    /// The price of so many pieces; `None` outside of 1 to `most_pieces`.
    pub(crate) fn total(&self, pieces: u32) -> Option<Money> {
        if !(1..=self.most_pieces).contains(&pieces) {
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

#[cfg(test)]
mod tests {
    use super::price_text;
    use sealpay_protocol::money::Money;

    #[test]
    fn price_has_the_decimals_of_its_currency() {
        let rows = [
            (2_490, "EUR", "€24.90"),
            (123_456_789, "EUR", "€1,234,567.89"),
            (3_200, "JPY", "¥3,200"),
            (999, "JPY", "¥999"),
            (7_500, "KWD", "KWD\u{a0}7.500"),
            (5, "KWD", "KWD\u{a0}0.005"),
        ];
        for (amount, currency, text) in rows {
            let price = Money::new(amount, currency.parse().unwrap());
            assert_eq!(price_text(price), text);
        }
    }
}
