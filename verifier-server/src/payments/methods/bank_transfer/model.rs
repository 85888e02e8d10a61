//! An expected bank transfer and its credits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The instructions of a transfer, and the credits that arrived so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferInstructions {
    /// The account holder.
    pub holder: String,
    /// The IBAN (ISO 13616).
    pub iban: String,
    /// The BIC (ISO 9362).
    pub bic: String,
    /// The creditor reference of the transfer (ISO 11649).
    pub reference: String,
    /// The received amount, minor units.
    pub received_minor: i64,
    /// The bank's ids of the credits, so that none is counted twice.
    pub arrivals: Vec<String>,
}

/// The received amount compared with the amount due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountMatch {
    /// The remaining amount, minor units.
    Short(i64),
    /// Exactly the amount due.
    Exact,
    /// The excess, minor units: the merchant has to return it.
    Over(i64),
}

impl TransferInstructions {
    /// Compares the received amount with the amount due.
    #[must_use]
    pub const fn sum(&self, due_minor: i64) -> AmountMatch {
        match due_minor.saturating_sub(self.received_minor) {
            0 => AmountMatch::Exact,
            short @ 1.. => AmountMatch::Short(short),
            over => AmountMatch::Over(over.saturating_neg()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AmountMatch, TransferInstructions};

    fn expected(received_minor: i64) -> TransferInstructions {
        TransferInstructions {
            holder: "Paper Lantern".into(),
            iban: "DE00".into(),
            bic: "SEALDEFF".into(),
            reference: "RF18 5390 0754".into(),
            received_minor,
            arrivals: Vec::new(),
        }
    }

    #[test]
    fn sums_are_short_exact_or_over() {
        let rows = [
            (0, AmountMatch::Short(2490)),
            (2489, AmountMatch::Short(1)),
            (2490, AmountMatch::Exact),
            (2491, AmountMatch::Over(1)),
            (i64::MAX, AmountMatch::Over(i64::MAX - 2490)),
        ];
        for (received, sum) in rows {
            assert_eq!(expected(received).sum(2490), sum, "{received}");
        }
    }
}
