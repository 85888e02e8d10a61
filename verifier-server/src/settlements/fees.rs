//! The merchant's fees for a payment: interchange, scheme fee and processor fee, as data.
//!
//! `data/fees.json` has a row for each method, brand and region; the first match wins. A price is
//! `[basis points, fixed amount]`. Fixed amounts are minor units of the payment's currency: 8 is
//! 0.08 EUR, 8 JPY and 0.008 KWD. Nothing is converted here.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// Fees, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fees {
    /// For the card's issuer.
    pub interchange_minor: i64,
    /// For the card network.
    pub scheme_minor: i64,
    /// For the processor of the payment.
    pub processor_minor: i64,
}

impl Fees {
    /// The total, minor units.
    #[must_use]
    pub const fn total_minor(self) -> i64 {
        self.interchange_minor
            .saturating_add(self.scheme_minor)
            .saturating_add(self.processor_minor)
    }

    fn of_processor(processor_minor: u32) -> Self {
        Self {
            processor_minor: i64::from(processor_minor),
            ..Self::default()
        }
    }
}

/// The input of the fee calculation.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// `card`, `wallet` or `bank_transfer`.
    pub method: &'a str,
    /// The brand's slug, for cards.
    pub brand: Option<&'a str>,
    /// The issuer's country (ISO 3166-1 alpha-2), if known.
    pub issuer_country: Option<&'a str>,
    /// The acquirer's country (ISO 3166-1 alpha-2).
    pub acquirer_country: Option<&'a str>,
}

/// Basis points of the amount, and a fixed amount in minor units.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Price(u16, u32);

impl Price {
    /// The share is rounded half up; the price is never negative.
    fn charge(self, amount_minor: i64) -> i64 {
        let share = i128::from(amount_minor.max(0)) * i128::from(self.0);
        let share = (share + 5_000).div_euclid(10_000);
        let price = share + i128::from(self.1);
        i64::try_from(price).unwrap_or(i64::MAX)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    method: String,
    brand: String,
    region: String,
    interchange: Price,
    scheme: Price,
    processor: Price,
    /// The processor's fee for a refund, minor units.
    refund: u32,
    /// The processor's fee for a dispute, minor units.
    dispute: u32,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../../data/fees.json")).unwrap_or_default()
});

/// The European Economic Area: the European Union with Iceland, Liechtenstein and Norway.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
    "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The issuer's region relative to the acquirer; unknown countries are international.
fn region(query: &Query<'_>) -> &'static str {
    match (query.issuer_country, query.acquirer_country) {
        (Some(issuer), Some(acquirer)) if issuer == acquirer => "domestic",
        (Some(issuer), Some(acquirer)) if EEA.contains(&issuer) && EEA.contains(&acquirer) => "eea",
        _ => "international",
    }
}

fn row(query: &Query<'_>) -> Option<&'static Row> {
    let names = |listed: &str, name: &str| listed == "*" || listed == name;
    let region = region(query);
    ROWS.iter().find(|row| {
        names(&row.method, query.method)
            && names(&row.brand, query.brand.unwrap_or("*"))
            && names(&row.region, region)
    })
}

/// The fees for a capture, and the region that they are based on.
///
/// The region is `domestic`, `eea` or `international`. A capture of zero has no fees.
#[must_use]
pub fn of_capture(query: &Query<'_>, amount_minor: i64) -> (Fees, &'static str) {
    let row = row(query).filter(|_| amount_minor > 0);
    let fees = row.map(|row| Fees {
        interchange_minor: row.interchange.charge(amount_minor),
        scheme_minor: row.scheme.charge(amount_minor),
        processor_minor: row.processor.charge(amount_minor),
    });
    (fees.unwrap_or_default(), region(query))
}

/// The fees for a refund, independent of its amount. The fees of the capture are not returned.
#[must_use]
pub fn of_refund(query: &Query<'_>, _amount_minor: i64) -> Fees {
    row(query)
        .map(|row| Fees::of_processor(row.refund))
        .unwrap_or_default()
}

/// The fees for a dispute, independent of its amount and outcome.
#[must_use]
pub fn of_dispute(query: &Query<'_>, _amount_minor: i64) -> Fees {
    row(query)
        .map(|row| Fees::of_processor(row.dispute))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
