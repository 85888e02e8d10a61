//! The reasons of R-transactions as data. `data/direct_debit_reasons.json` has each code (ISO 20022
//! external code set, EPC173-14), when it is used, and what it means for later collections.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The reason of an R-transaction. A provider reports other reasons as [`ReasonCode::Ms03`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReasonCode {
    /// The account number is wrong.
    Ac01,
    /// The account is closed.
    Ac04,
    /// The account is blocked.
    Ac06,
    /// The account permits no direct debits.
    Ag01,
    /// Not enough funds.
    Am04,
    /// A duplicate.
    Am05,
    /// No valid mandate, or an unauthorized collection.
    Md01,
    /// The debtor asked for a refund.
    Md06,
    /// The debtor is deceased.
    Md07,
    /// Refused by the debtor.
    Ms02,
    /// The debtor's bank gives no reason.
    Ms03,
}

sealpay_protocol::names! {
    ReasonCode {
        Ac01 = "AC01",
        Ac04 = "AC04",
        Ac06 = "AC06",
        Ag01 = "AG01",
        Am04 = "AM04",
        Am05 = "AM05",
        Md01 = "MD01",
        Md06 = "MD06",
        Md07 = "MD07",
        Ms02 = "MS02",
        Ms03 = "MS03",
    }
}

sealpay_protocol::read_by_name!(ReasonCode);

/// The kind of an R-transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Before the settlement.
    Reject,
    /// After the settlement, by the debtor's bank.
    Return,
    /// After the settlement, asked by the debtor.
    Refund,
}

sealpay_protocol::names! {
    ReasonKind {
        Reject = "reject",
        Return = "return",
        Refund = "refund",
    }
}

sealpay_protocol::read_by_name!(ReasonKind);

/// What a reason ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// The account can no longer be debited.
    Account,
    /// The mandate permits nothing any more.
    Mandate,
}

/// One reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// A sentence for the merchant.
    pub title: String,
    /// The R-transactions that may have it.
    pub kinds: Vec<ReasonKind>,
    /// The key of the decline table for a rejected collection.
    pub decline: String,
    /// What it ends besides the collection.
    pub ends: Option<Ends>,
}

static TABLE: LazyLock<Vec<Reason>> = LazyLock::new(|| {
    // The file is compiled in and a test parses it, so the table is never empty.
    serde_json::from_str(include_str!("../../data/direct_debit_reasons.json")).unwrap_or_default()
});

impl ReasonCode {
    /// Its row in the table; none only if the table had none, which a test excludes.
    #[must_use]
    pub fn row(self) -> Option<&'static Reason> {
        TABLE.iter().find(|reason| reason.code == self)
    }

    /// Whether an R-transaction of this kind may have it.
    #[must_use]
    pub fn is_for(self, kind: ReasonKind) -> bool {
        self.row()
            .is_some_and(|reason| reason.kinds.contains(&kind))
    }

    /// The key of the decline table for a rejected collection.
    #[must_use]
    pub fn decline(self) -> &'static str {
        self.row().map_or("debit_refused", |reason| &reason.decline)
    }
}

#[cfg(test)]
mod tests {
    use super::{ReasonCode, ReasonKind, TABLE};
    use crate::decline;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_one_row_with_a_known_decline() {
        let codes: HashSet<_> = TABLE.iter().map(|reason| reason.code).collect();
        assert_eq!(
            (codes.len(), TABLE.len()),
            (ReasonCode::ALL.len(), codes.len())
        );
        for reason in TABLE.iter() {
            assert!(
                decline::find(&reason.decline).is_some(),
                "{:?}",
                reason.code
            );
            assert!(!reason.kinds.is_empty() && reason.title.ends_with('.'));
        }
        for kind in ReasonKind::ALL {
            assert!(ReasonCode::ALL.into_iter().any(|code| code.is_for(kind)));
        }
    }

    #[test]
    fn codes_are_of_the_kinds_of_the_rulebook() {
        use ReasonKind::{Refund, Reject, Return};
        let rows: [(ReasonCode, &[ReasonKind]); 4] = [
            (ReasonCode::Ac04, &[Reject, Return]),
            (ReasonCode::Md01, &[Return, Refund]),
            (ReasonCode::Md06, &[Refund]),
            (ReasonCode::Ms03, &[Reject, Return, Refund]),
        ];
        for (code, kinds) in rows {
            for kind in ReasonKind::ALL {
                assert_eq!(
                    code.is_for(kind),
                    kinds.contains(&kind),
                    "{code:?} {kind:?}"
                );
            }
        }
    }
}
