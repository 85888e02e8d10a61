//! The terms of an acquirer.

use sealpay_protocol::currency::Currency;
use sealpay_protocol::money::Money;
use serde::Deserialize;

/// The slug of an unknown brand.
pub const UNKNOWN_BRAND: &str = "unknown";

/// Which payments an acquirer accepts, and its fees. The terms do not change while the provider is
/// open. Excluded payments are declined or [`NotSent`](crate::ProviderError::NotSent), never
/// approved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerTerms {
    /// The stable name, used on payments and in the routes.
    pub name: String,
    /// The display name.
    pub title: String,
    /// The country of the acquirer (ISO 3166-1 alpha-2).
    pub country: String,
    /// Slugs of the accepted brands, or `*`.
    pub brands: Vec<String>,
    /// Accepted currencies (ISO 4217), or `*`.
    pub currencies: Vec<String>,
    /// The fee for a payment.
    pub fee: AcquirerFee,
}

/// The fee for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerFee {
    /// Hundredths of a percent of the amount.
    pub basis_points: u32,
    /// Minor units of the payment's currency, added to the percentage.
    pub fixed_minor: u32,
}

impl AcquirerTerms {
    /// Whether cards of a brand (by slug) are accepted in a currency.
    #[must_use]
    pub fn takes(&self, brand: &str, currency: Currency) -> bool {
        names(&self.brands, brand) && names(&self.currencies, currency.code())
    }

    /// The fee for a payment, minor units, rounded up.
    #[must_use]
    pub fn fee_minor(&self, money: Money) -> i64 {
        let share = i128::from(money.amount_minor()) * i128::from(self.fee.basis_points);
        let share = (share + 9_999).div_euclid(10_000);
        i64::try_from(share)
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(self.fee.fixed_minor))
    }
}

/// Whether a list contains a name or is `*`.
#[must_use]
pub fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed == "*" || listed == name)
}
