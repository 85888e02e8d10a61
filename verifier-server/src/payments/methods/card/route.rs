//! Routing: which acquirer is asked first, which next, and why. The rules are data.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use serde::Deserialize;
use std::sync::LazyLock;

/// The slug of a brand that is not known.
pub const UNKNOWN_BRAND: &str = "unknown";

/// What an acquirer takes and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acquirer {
    /// The stable name, which stands on payments and in the routes.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// Where it is (ISO 3166-1 alpha-2).
    pub country: String,
    /// Slugs of the brands that it takes, or `*`.
    pub brands: Vec<String>,
    /// The currencies that it takes (ISO 4217), or `*`.
    pub currencies: Vec<String>,
    /// What it takes for a payment.
    pub fee: Fee,
}

/// What an acquirer takes for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Hundredths of a percent of the amount.
    pub basis_points: u32,
    /// Minor units of the payment's currency, on top.
    pub fixed_minor: u32,
}

/// A preference: where it fits, its acquirers come first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    key: String,
    #[serde(default)]
    brands: Vec<String>,
    #[serde(default)]
    currencies: Vec<String>,
    #[serde(default)]
    countries: Vec<String>,
    prefer: Vec<String>,
}

/// What is routed.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The brand's slug, or `unknown`.
    pub brand: &'a str,
    /// How much.
    pub money: Money,
    /// The issuer's country (ISO 3166-1 alpha-2), where it is known.
    pub country: Option<&'a str>,
}

/// Acquirers in the order in which they are asked, and why in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Their names; at least one.
    pub acquirers: Vec<String>,
    /// Key of the rule, or `cheapest`.
    pub reason: String,
}

static ACQUIRERS: LazyLock<Vec<Acquirer>> = LazyLock::new(|| {
    // The files are part of the program and tests read them; empty lists never ship.
    serde_json::from_str(include_str!("../../../../data/acquirers.json")).unwrap_or_default()
});

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../data/routes.json")).unwrap_or_default()
});

/// Every acquirer.
#[must_use]
pub fn acquirers() -> &'static [Acquirer] {
    &ACQUIRERS
}

impl Acquirer {
    /// Whether it takes cards of a brand, by its slug, in a currency.
    #[must_use]
    pub fn takes(&self, brand: &str, currency: Currency) -> bool {
        names(&self.brands, brand) && names(&self.currencies, currency.code())
    }

    /// What a payment costs there, minor units, rounded up.
    #[must_use]
    pub fn fee_minor(&self, money: Money) -> i64 {
        let share = i128::from(money.amount_minor()) * i128::from(self.fee.basis_points);
        let share = (share + 9_999).div_euclid(10_000);
        i64::try_from(share)
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(self.fee.fixed_minor))
    }
}

/// Whether a list names something, or everything.
fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed == "*" || listed == name)
}

impl Rule {
    fn fits(&self, query: &Query<'_>) -> bool {
        let fits = |list: &[String], name: &str| list.is_empty() || names(list, name);
        fits(&self.brands, query.brand)
            && fits(&self.currencies, query.money.currency().code())
            && (self.countries.is_empty()
                || query
                    .country
                    .is_some_and(|country| names(&self.countries, country)))
    }
}

/// Finds the route; none when no acquirer takes such a payment. The first rule that fits decides
/// who comes first; what it leaves open is decided by the fee, and by the name where fees agree.
#[must_use]
pub fn find(query: &Query<'_>) -> Option<Route> {
    let mut able: Vec<&Acquirer> = acquirers()
        .iter()
        .filter(|a| a.takes(query.brand, query.money.currency()))
        .collect();
    let fitting = |rule: &&Rule| {
        rule.fits(query)
            && able
                .iter()
                .any(|acquirer| rule.prefer.contains(&acquirer.name))
    };
    let rule = RULES.iter().find(fitting);
    let preference = |acquirer: &Acquirer| {
        let place = |rule: &Rule| rule.prefer.iter().position(|name| *name == acquirer.name);
        rule.and_then(place).unwrap_or(usize::MAX)
    };
    able.sort_by_key(|acquirer| {
        (
            preference(acquirer),
            acquirer.fee_minor(query.money),
            acquirer.name.clone(),
        )
    });
    let acquirers: Vec<String> = able.iter().map(|acquirer| acquirer.name.clone()).collect();
    let reason = rule.map_or("cheapest", |rule| &rule.key).to_owned();
    (!acquirers.is_empty()).then_some(Route { acquirers, reason })
}

#[cfg(test)]
mod tests {
    use super::{Query, RULES, UNKNOWN_BRAND, acquirers, find};
    use sealpay_protocol::card::Brand;
    use sealpay_protocol::currency::Currency;
    use sealpay_protocol::money::Money;
    use std::collections::HashSet;

    fn route(brand: &str, amount: i64, currency: &str, country: Option<&str>) -> String {
        let money = Money::new(amount, currency.parse().unwrap());
        let route = find(&Query {
            brand,
            money,
            country,
        });
        route.map_or_else(String::new, |route| {
            format!("{} by {}", route.acquirers.join(" then "), route.reason)
        })
    }

    #[test]
    fn the_routes_are_as_the_table_says() {
        let rows = [
            (
                ("visa", 2490, "EUR", Some("DE")),
                "harbor then meridian by european_cards",
            ),
            (
                ("visa", 2490, "EUR", None),
                "harbor then meridian by european_cards",
            ),
            (
                ("mastercard", 2490, "USD", Some("US")),
                "meridian by american_cards",
            ),
            (
                ("american-express", 2490, "EUR", Some("DE")),
                "meridian by cheapest",
            ),
            (("jcb", 2490, "JPY", Some("JP")), "meridian by cheapest"),
            (("visa", 2490, "JPY", Some("DE")), "meridian by cheapest"),
            (("unknown", 2490, "EUR", None), "meridian by cheapest"),
            // 1.10 % and 8 is more than 1.65 % and 2 for small amounts only.
            (
                ("visa", 900, "GBP", Some("GB")),
                "meridian then harbor by cheapest",
            ),
            (
                ("visa", 9000, "GBP", Some("GB")),
                "harbor then meridian by cheapest",
            ),
        ];
        for ((brand, amount, currency, country), expected) in rows {
            assert_eq!(
                route(brand, amount, currency, country),
                expected,
                "{brand} {amount} {currency}"
            );
        }
    }

    #[test]
    fn somebody_takes_every_card_in_every_currency() {
        let brands = Brand::ALL.into_iter().map(Brand::slug);
        for brand in brands.chain([UNKNOWN_BRAND]) {
            for currency in Currency::all() {
                let mut acquirers = acquirers().iter();
                assert!(
                    acquirers.any(|one| one.takes(brand, currency)),
                    "{brand} {currency}"
                );
            }
        }
    }

    #[test]
    fn acquirers_take_brands_and_currencies_that_exist() {
        assert_ne!(acquirers()[0].fee, acquirers()[1].fee);
        for acquirer in acquirers() {
            for brand in acquirer.brands.iter().filter(|brand| *brand != "*") {
                assert!(Brand::from_slug(brand).is_some(), "{brand}");
            }
            for code in acquirer.currencies.iter().filter(|code| *code != "*") {
                assert!(code.parse::<Currency>().is_ok(), "{code}");
            }
        }
    }

    #[test]
    fn rules_name_acquirers_that_exist_and_keys_stand_once() {
        let names: HashSet<_> = acquirers().iter().map(|acquirer| &acquirer.name).collect();
        assert!(names.len() >= 2);
        let keys: HashSet<_> = RULES.iter().map(|rule| &rule.key).collect();
        assert_eq!(keys.len(), RULES.len());
        for rule in RULES.iter() {
            assert!(
                rule.prefer.iter().all(|name| names.contains(name)),
                "{}",
                rule.key
            );
        }
    }
}
