//! The decision of a provider, with the codes that its systems gave to the transaction.

use crate::credential::CredentialReference;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The decision of a provider.
///
/// The first decision stands as a whole: a repeated request and an inquiry return the same codes and
/// the same credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderDecision {
    /// The money is authorized, captured, released, refunded or sent.
    Approved(Approval),
    /// Declined.
    Declined(Rejection),
}

/// The codes of an approval. A provider that has no such code leaves it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The issuer's authorization code: six letters and digits (ISO 8583, data element 38).
    pub authorization_code: Option<String>,
    /// The acquirer reference number: 23 digits, the last a check digit (ISO/IEC 7812-1). Only of
    /// captured money; refunds and disputes quote it.
    pub acquirer_reference: Option<String>,
    /// The scheme's id of the transaction, which later payments of a series quote. Only of cards.
    pub network_transaction_id: Option<String>,
    /// The stored credential, if the request asked to store one.
    pub credential: Option<CredentialReference>,
    /// When a direct debit is collected. Only of direct debits.
    #[serde(default)]
    pub collection_date: Option<Date>,
}

/// Why a request was declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The key of the reason in the decline table.
    pub reason: String,
    /// The merchant advice code, two digits: whether and when the same card may be tried again.
    pub advice_code: Option<String>,
}

impl Approval {
    /// An approval without codes.
    pub const NONE: Self = Self {
        authorization_code: None,
        acquirer_reference: None,
        network_transaction_id: None,
        credential: None,
        collection_date: None,
    };
}

impl Rejection {
    /// A decline for the reason with this key, without advice.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            advice_code: None,
        }
    }
}

impl ProviderDecision {
    /// Approved, without codes.
    #[must_use]
    pub const fn approved() -> Self {
        Self::Approved(Approval::NONE)
    }

    /// Declined for the reason with this key, without advice.
    #[must_use]
    pub fn declined(reason: impl Into<String>) -> Self {
        Self::Declined(Rejection::new(reason))
    }

    /// Whether it is an approval.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        matches!(self, Self::Approved(_))
    }

    /// The key of the reason of a decline.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Approved(_) => None,
            Self::Declined(rejection) => Some(&rejection.reason),
        }
    }
}
