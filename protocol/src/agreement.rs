//! Agreements to store a payment instrument and to charge it again.

use crate::json;
use serde::{Deserialize, Serialize};

/// What a stored instrument may be used for. Card networks call a payment that the shopper starts
/// customer-initiated, and one that the merchant starts later merchant-initiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AgreementKind {
    /// The shopper pays again without typing; every payment is the shopper's.
    CardOnFile,
    /// The merchant charges at fixed intervals, until canceled.
    Subscription,
    /// The merchant charges one purchase in parts.
    Instalment,
    /// The merchant charges when something happens, such as a low balance.
    Unscheduled,
    /// A mandate of the SEPA Direct Debit Core scheme.
    SddCore,
    /// A mandate of the SEPA Direct Debit Business-to-Business scheme: the debtor is no consumer.
    SddB2b,
}

crate::names! {
    AgreementKind {
        CardOnFile = "card_on_file",
        Subscription = "subscription",
        Instalment = "instalment",
        Unscheduled = "unscheduled",
        SddCore = "sdd_core",
        SddB2b = "sdd_b2b",
    }
}

crate::read_by_name!(AgreementKind);

impl AgreementKind {
    /// Whether the merchant may start payments. The shopper has then to be authenticated when the
    /// agreement is made (PSD2 RTS article 14), and cannot pay without agreeing.
    #[must_use]
    pub const fn is_merchant_initiated(self) -> bool {
        !matches!(self, Self::CardOnFile)
    }

    /// Whether it is a mandate for direct debits, which no card can be charged under.
    #[must_use]
    pub const fn is_mandate(self) -> bool {
        matches!(self, Self::SddCore | Self::SddB2b)
    }
}

/// The agreement that an order offers or requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgreementTerms {
    /// What the instrument is stored for.
    #[serde(rename = "type")]
    pub kind: AgreementKind,
    /// The largest amount of one later payment, minor units of the order's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_amount: Option<i64>,
}

impl AgreementTerms {
    /// Reads optional terms: an object, and nothing else in its place.
    ///
    /// # Errors
    /// The value is not an object with these members.
    pub(crate) fn optional<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Self>, D::Error> {
        json::optional_object(deserializer)
    }
}
