//! Direct debits in the widget's API.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// The account of a direct debit.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DebitAccount {
    /// The IBAN (ISO 13616), with or without spaces.
    pub iban: String,
    /// The account holder: 1 to 70 characters.
    pub holder: String,
}

/// The account is not for logs.
impl core::fmt::Debug for DebitAccount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DebitAccount")
    }
}

/// A direct debit, as its debtor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DebitView {
    /// The last four characters of the IBAN.
    pub last4: String,
    /// The reference of the mandate.
    pub mandate: String,
    /// The creditor identifier (EPC262-08).
    pub creditor: String,
    /// When it is collected, `YYYY-MM-DD`; none until the bank has accepted it.
    pub collection_date: Option<String>,
}
