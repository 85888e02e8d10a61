//! Proration: the price of a part of a period.
//!
//! A part is the difference of two amounts accrued since the start of the period. Parts of a period
//! therefore add up to its price, wherever it is cut, and a plan that is changed and changed back at
//! the same instant costs nothing. Credits come from the price of the plan and never from what was
//! charged, which may already contain other credits.

use super::period::Period;
use jiff::Timestamp;
use sealpay_protocol::money::{Money, MoneyError};
use std::error::Error;
use std::fmt;

/// Why an amount cannot be prorated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProrationError {
    /// The instant is before the period or after its end.
    OutsidePeriod,
    /// The part ends before it starts.
    Backwards,
    /// There are no items, so there is no currency.
    NoItems,
    /// A sum is too large, or has two currencies.
    Money(MoneyError),
}

impl fmt::Display for ProrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsidePeriod => f.write_str("The time must be in the period."),
            Self::Backwards => f.write_str("A part must not end before it starts."),
            Self::NoItems => f.write_str("There must be at least one item."),
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl Error for ProrationError {}

impl From<MoneyError> for ProrationError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// The amount for the time from the start of the period to an instant, minor units.
///
/// Price × elapsed ÷ whole in full seconds, rounded half to even: 0 at the start, and the price at
/// the end.
fn accrued_minor(price_minor: i64, period: &Period, at: Timestamp) -> Result<i64, ProrationError> {
    if at < period.start() || at > period.end() {
        return Err(ProrationError::OutsidePeriod);
    }
    if at == period.end() {
        return Ok(price_minor);
    }
    let elapsed = i128::from(at.duration_since(period.start()).as_secs());
    // A period shorter than a second has accrued nothing before its end.
    let whole = i128::from(period.end().duration_since(period.start()).as_secs()).max(1);
    let product = i128::from(price_minor) * elapsed;
    let (quotient, remainder) = (product.div_euclid(whole), product.rem_euclid(whole));
    let is_up = match (remainder * 2).cmp(&whole) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    let rounded = quotient + i128::from(is_up);
    i64::try_from(rounded).map_err(|_| MoneyError::Overflow.into())
}

/// The price of the part of a period from one instant to another.
///
/// # Errors
/// [`ProrationError::OutsidePeriod`] or [`ProrationError::Backwards`].
pub fn part(
    price: Money,
    period: &Period,
    from: Timestamp,
    to: Timestamp,
) -> Result<Money, ProrationError> {
    if to < from {
        return Err(ProrationError::Backwards);
    }
    let accrued = |at| {
        let amount_minor = accrued_minor(price.amount_minor(), period, at)?;
        Ok::<_, ProrationError>(Money::new(amount_minor, price.currency()))
    };
    Ok(accrued(to)?.checked_sub(accrued(from)?)?)
}

/// An item of a subscription, at the price of a whole period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The identifier of the price.
    pub price_id: &'a str,
    /// The price of one unit for a whole period.
    pub unit_price: Money,
    /// How many units.
    pub quantity: u32,
}

impl Item<'_> {
    /// The price of all units for a whole period.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn value(&self) -> Result<Money, MoneyError> {
        let unit_minor = self.unit_price.amount_minor();
        let value_minor = unit_minor.checked_mul(i64::from(self.quantity));
        let value_minor = value_minor.ok_or(MoneyError::Overflow)?;
        Ok(Money::new(value_minor, self.unit_price.currency()))
    }
}

/// Which way the money of a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Unused time of an item that was removed. The amount is negative.
    Credit,
    /// Remaining time of an item that was added.
    Charge,
}

/// A line of a proration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProrationLine<'a> {
    /// Credit or charge.
    pub kind: LineKind,
    /// The item.
    pub item: Item<'a>,
    /// The amount; negative for a credit.
    pub amount: Money,
}

/// The lines of a change, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proration<'a> {
    /// Credits, then charges. Items that did not change have none.
    pub lines: Vec<ProrationLine<'a>>,
    /// The sum of the lines; negative if the customer gets money back.
    pub total: Money,
}

/// The cost of replacing the items of a subscription at an instant of a period.
///
/// The same function is the preview and the invoice, so a customer pays what the preview showed for
/// that instant. A different quantity of one price is a credit for the old one and a charge for the
/// new one.
///
/// # Errors
/// [`ProrationError::OutsidePeriod`], [`ProrationError::NoItems`], or [`ProrationError::Money`] for
/// mixed currencies and sums that are too large.
pub fn change<'a>(
    period: &Period,
    at: Timestamp,
    before: &[Item<'a>],
    after: &[Item<'a>],
) -> Result<Proration<'a>, ProrationError> {
    let first = before.first().or_else(|| after.first());
    let currency = first.ok_or(ProrationError::NoItems)?.unit_price.currency();
    let mut total = Money::new(0, currency);
    // Unchanged items are summed as well, so that a foreign currency among them is an error.
    for item in before.iter().chain(after) {
        total.checked_add(Money::new(0, item.unit_price.currency()))?;
    }
    let mut added = after.to_vec();
    let mut lines = Vec::new();
    for item in before {
        if let Some(same) = added.iter().position(|new| new == item) {
            added.remove(same);
            continue;
        }
        let unused = part(item.value()?, period, at, period.end())?;
        lines.push(ProrationLine {
            kind: LineKind::Credit,
            item: *item,
            amount: Money::new(0, currency).checked_sub(unused)?,
        });
    }
    for item in added {
        lines.push(ProrationLine {
            kind: LineKind::Charge,
            item,
            amount: part(item.value()?, period, at, period.end())?,
        });
    }
    for line in &lines {
        total = total.checked_add(line.amount)?;
    }
    // An instant outside of the period is an error even if nothing changes.
    accrued_minor(0, period, at)?;
    Ok(Proration { lines, total })
}

#[cfg(test)]
mod tests;
