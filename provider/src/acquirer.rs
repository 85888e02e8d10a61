//! What an acquirer declares of itself.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use serde::Deserialize;

/// The slug of a brand that is not known.
pub const UNKNOWN_BRAND: &str = "unknown";

/// What an acquirer takes and what it costs. It stays the same while the provider is open; what it
/// excludes is declined or [`NotSent`](crate::ProviderError::NotSent), never approved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerTerms {
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
    pub fee: AcquirerFee,
}

/// What an acquirer takes for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerFee {
    /// Hundredths of a percent of the amount.
    pub basis_points: u32,
    /// Minor units of the payment's currency, on top.
    pub fixed_minor: u32,
}

impl AcquirerTerms {
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
#[must_use]
pub fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed == "*" || listed == name)
}
