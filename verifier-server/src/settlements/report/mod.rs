//! Reports of a settlement: CSV, JSON and ISO 20022 camt.053.
//!
//! All three have the same content: each balance transaction with its fees, the totals, the amounts
//! brought and carried forward, and the payout.
//! `Σ net + brought forward = payout + carried forward` in each. They contain nothing that changes
//! later, such as a return of the payout, so the same settlement always has the same bytes. Each
//! ends with a SHA-256 of all bytes before it.

pub mod camt053;
pub mod csv;
pub mod json;

use super::model::Settlement;
use crate::balance::model::BalanceTransaction;
use crate::payouts::model::Payout;
use jiff::Timestamp;
use sealpay_protocol::encoding::hex;
use sha2::{Digest, Sha256};

/// The content of a report.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Whether real money moves.
    pub livemode: bool,
    /// The settlement.
    pub settlement: &'a Settlement,
    /// Its payout, if there is one.
    pub payout: Option<&'a Payout>,
    /// All its balance transactions, in any order.
    pub lines: &'a [BalanceTransaction],
    /// The merchant's name.
    pub merchant_name: &'a str,
    /// The payout account (ISO 13616), unless the payout has its own.
    pub account: &'a str,
}

impl<'a> Statement<'a> {
    /// The balance transactions by id, which is the order of creation.
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

/// A time in RFC 3339, in UTC.
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
