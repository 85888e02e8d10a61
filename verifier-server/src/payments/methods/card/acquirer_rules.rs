//! Routing: the order of acquirers and its reason. The rules are data.

use sealpay_protocol::money::Money;
use sealpay_provider::AcquirerTerms;
use sealpay_provider::acquirer::names;
use serde::Deserialize;
use std::sync::LazyLock;

/// A routing preference: if it matches, its acquirers come first.
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

/// The payment to route.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The brand's slug, or `unknown`.
    pub brand: &'a str,
    /// The amount.
    pub money: Money,
    /// The issuer's country (ISO 3166-1 alpha-2), if known.
    pub country: Option<&'a str>,
}

/// Acquirers in the order in which they are tried, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Acquirer names; at least one.
    pub acquirers: Vec<String>,
    /// Key of the rule, or `cheapest`.
    pub reason: String,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../data/routes.json")).unwrap_or_default()
});

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

/// Finds the route; none if no acquirer accepts the payment. The first matching rule decides who
/// comes first; the others are ordered by fee, and by name if fees are equal.
#[must_use]
pub fn find<'a>(
    acquirers: impl IntoIterator<Item = &'a AcquirerTerms>,
    query: &Query<'_>,
) -> Option<Route> {
    let mut able: Vec<&AcquirerTerms> = acquirers
        .into_iter()
        .filter(|a| a.takes(query.brand, query.money.currency()))
        .collect();
    let fitting = |rule: &&Rule| {
        rule.fits(query)
            && able
                .iter()
                .any(|acquirer| rule.prefer.contains(&acquirer.name))
    };
    let rule = RULES.iter().find(fitting);
    let preference = |acquirer: &AcquirerTerms| {
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
    use super::{Query, RULES, find};
    use sealpay_protocol::money::Money;
    use sealpay_provider::AcquirerTerms;
    use std::collections::HashSet;

    fn acquirers() -> Vec<AcquirerTerms> {
        let text = include_str!("../../../../../simulator/data/acquirers.json");
        serde_json::from_str(text).unwrap()
    }

    fn route(brand: &str, amount: i64, currency: &str, country: Option<&str>) -> String {
        let money = Money::new(amount, currency.parse().unwrap());
        let query = Query {
            brand,
            money,
            country,
        };
        let acquirers = acquirers();
        let route = find(&acquirers, &query);
        route.map_or_else(String::new, |route| {
            format!("{} by {}", route.acquirers.join(" then "), route.reason)
        })
    }

    #[test]
    fn routes_follow_the_table() {
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
            // 1.10 % plus 8 costs more than 1.65 % plus 2 for small amounts only.
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
    fn rules_name_existing_acquirers_and_keys_are_unique() {
        let acquirers = acquirers();
        let names: HashSet<_> = acquirers.iter().map(|acquirer| &acquirer.name).collect();
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
