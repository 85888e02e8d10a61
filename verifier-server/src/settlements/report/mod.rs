//! Reports of a settlement: CSV, JSON and ISO 20022 camt.053.
//!
//! All three tell the same facts: each line with what was charged, what the lines add up to, what
//! was brought and carried forward, and what was paid. `Σ net + brought forward = payout + carried forward` in each.
//! They tell nothing that changes later, such as whether the payout came back, so the same
//! settlement gives the same bytes forever. Each ends with a SHA-256 of every byte before it.

pub mod camt053;
pub mod csv;
pub mod json;

use super::model::Settlement;
use crate::balance::model::BalanceTransaction;
use crate::payouts::model::Payout;
use jiff::Timestamp;
use sealpay_protocol::encoding::hex;
use sha2::{Digest, Sha256};

/// What a report tells.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Whether real money moves.
    pub livemode: bool,
    /// The settlement.
    pub settlement: &'a Settlement,
    /// Its payout, where something is paid out.
    pub payout: Option<&'a Payout>,
    /// Every line of it, in any order.
    pub lines: &'a [BalanceTransaction],
    /// The merchant's name.
    pub merchant_name: &'a str,
    /// Where the merchant is paid (ISO 13616); a payout's own account comes before it.
    pub account: &'a str,
}

impl<'a> Statement<'a> {
    /// The lines by their names, which is the order in which they were written.
    fn lines(&self) -> Vec<&'a BalanceTransaction> {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|line| line.id);
        lines
    }

    fn account(&self) -> &'a str {
        self.payout.map_or(self.account, |payout| &payout.account)
    }
}

/// SHA-256 in hexadecimal.
fn checksum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// A moment in RFC 3339, in UTC.
fn moment(at_ms: i64) -> String {
    let bound = if at_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(at_ms)
        .unwrap_or(bound)
        .to_string()
}

#[cfg(test)]
mod tests;
