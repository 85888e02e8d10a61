//! Money that is expected by bank transfer, and what came of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transfer that is expected, and what has come so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Expected {
    /// Whose account it is.
    pub holder: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The bank (ISO 9362).
    pub bic: String,
    /// What has to stand on the transfer (ISO 11649).
    pub reference: String,
    /// What has come, minor units.
    pub received_minor: i64,
    /// The bank's names for what has come, so that nothing is counted twice.
    pub arrivals: Vec<String>,
}

/// What has come, against what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// So much is still to come, minor units.
    Short(i64),
    /// Exactly what was due.
    Exact,
    /// So much more than was due, minor units: the merchant has to send it back.
    Over(i64),
}

impl Expected {
    /// Compares what has come with what is due.
    #[must_use]
    pub const fn sum(&self, due_minor: i64) -> Sum {
        match due_minor.saturating_sub(self.received_minor) {
            0 => Sum::Exact,
            short @ 1.. => Sum::Short(short),
            over => Sum::Over(over.saturating_neg()),
        }
    }

    /// Whether a sender's reference means this transfer. People leave spaces out and type in
    /// small letters (ISO 11649 allows both groups and none).
    #[must_use]
    pub fn is_meant_by(&self, written: &str) -> bool {
        plain(written) == plain(&self.reference)
    }
}

/// A reference as it is compared and looked up: letters and digits, in capitals.
#[must_use]
pub fn plain(reference: &str) -> String {
    let kept = reference.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Expected, Sum};

    fn expected(received_minor: i64) -> Expected {
        Expected {
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
            (0, Sum::Short(2490)),
            (2489, Sum::Short(1)),
            (2490, Sum::Exact),
            (2491, Sum::Over(1)),
            (i64::MAX, Sum::Over(i64::MAX - 2490)),
        ];
        for (received, sum) in rows {
            assert_eq!(expected(received).sum(2490), sum, "{received}");
        }
    }

    #[test]
    fn a_reference_may_be_written_in_many_ways() {
        for written in ["RF18 5390 0754", "rf1853900754", " RF18-5390-0754 "] {
            assert!(expected(0).is_meant_by(written), "{written}");
        }
        for written in ["RF18 5390 0755", "", "RF18 5390 075", "RF18 5390 0754 1"] {
            assert!(!expected(0).is_meant_by(written), "{written}");
        }
    }
}
