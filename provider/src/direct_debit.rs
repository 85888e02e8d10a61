//! SEPA direct debits: the merchant collects money under a mandate, the collection settles days
//! later, and the debtor's bank may take it back for months.
//!
//! The European Payments Council's rulebooks are the source: EPC016-06 (Core) and EPC222-07 (B2B).

mod reason;

pub use reason::{Ends, Reason, ReasonCode, ReasonKind};

use crate::{CredentialReference, Inquiry, PaymentOperations, ProviderDecision, ProviderFuture};
use jiff::civil::Date;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use serde::Serialize;
use std::fmt;

/// The longest mandate reference, characters.
pub const MANDATE_REFERENCE_CHARACTERS: usize = 35;

/// A scheme of SEPA direct debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Core: for every debtor. A refund without a reason within eight weeks.
    Core,
    /// Business-to-Business: no refund of an authorized collection.
    B2b,
}

sealpay_protocol::names! {
    Scheme {
        Core = "core",
        B2b = "b2b",
    }
}

sealpay_protocol::read_by_name!(Scheme);

impl Scheme {
    /// The local instrument (ISO 20022 `LclInstrm`).
    #[must_use]
    pub const fn local_instrument(self) -> &'static str {
        match self {
            Self::Core => "CORE",
            Self::B2b => "B2B",
        }
    }
}

/// The place of a collection in the series of its mandate (ISO 20022 `SeqTp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SequenceType {
    /// The only one.
    Ooff,
    /// The first of several.
    Frst,
    /// One of several.
    Rcur,
    /// The last of several.
    Fnal,
}

sealpay_protocol::names! {
    SequenceType {
        Ooff = "OOFF",
        Frst = "FRST",
        Rcur = "RCUR",
        Fnal = "FNAL",
    }
}

sealpay_protocol::read_by_name!(SequenceType);

/// Whether a text is a mandate reference: 1 to 35 characters of the SEPA character set, not
/// starting with a space or `//`, which would read as a separator.
#[must_use]
pub fn is_mandate_reference(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b":?/+(),.- ".contains(&c);
    (1..=MANDATE_REFERENCE_CHARACTERS).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with("//")
        && text.trim() == text
}

/// What the debtor signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mandate<'a> {
    /// The creditor identifier (EPC262-08).
    pub creditor: &'a str,
    /// The creditor's unique reference of the mandate ([`is_mandate_reference`]).
    pub reference: &'a str,
    /// When it was signed.
    pub signed_on: Date,
    /// The scheme.
    pub scheme: Scheme,
}

/// The account of a debtor, for one call only.
#[derive(Clone, Copy)]
pub struct DebtorAccount<'a> {
    /// The account (ISO 13616), without spaces.
    pub iban: &'a str,
    /// Its holder.
    pub holder: &'a str,
}

/// The account is not for logs.
impl fmt::Debug for DebtorAccount<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DebtorAccount")
    }
}

/// Whose money is collected.
#[derive(Debug, Clone, Copy)]
pub enum Debtor<'a> {
    /// An account that was typed.
    Account(DebtorAccount<'a>),
    /// An account that the same provider has stored, with the holder's name.
    Credential(&'a CredentialReference),
}

/// A request to collect money. The text of its reference is the end-to-end id (ISO 20022
/// `EndToEndId`, at most 35 characters).
#[derive(Debug, Clone, Copy)]
pub struct CollectionRequest<'a> {
    /// Our id of the payment; a provider never collects the same reference twice.
    pub reference: PaymentId,
    /// The amount, in euros.
    pub money: Money,
    /// The mandate.
    pub mandate: Mandate<'a>,
    /// The place in the series.
    pub sequence: SequenceType,
    /// Whose money is collected.
    pub debtor: Debtor<'a>,
    /// The requested collection date.
    pub collect_on: Date,
}

/// What became of an accepted collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionStatus {
    /// It is settled: the creditor has the money.
    Settled,
    /// It was rejected before its settlement: no money moved.
    Rejected(ReasonCode),
    /// The debtor's bank returned the whole amount after the settlement.
    Returned(ReasonCode),
    /// The debtor had the whole amount refunded after the settlement.
    Refunded(ReasonCode),
}

/// News about a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionNews {
    /// The provider's unique id of the news.
    pub id: String,
    /// The payment.
    pub reference: PaymentId,
    /// What became of the collection.
    pub status: CollectionStatus,
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
}

/// Collects SEPA direct debits.
///
/// - An accepted collection is settled or rejected on its collection date, and may be returned or
///   refunded afterwards, once and as a whole. It is never settled after a rejection.
/// - Its approval names the collection date: the requested one, or the first possible date after
///   it, by the lead time of the scheme and the business days of the T2 system.
/// - An accepted collection of the type [`SequenceType::Frst`] stores the account that it names, and
///   its approval names the credential. No other does, nor does a declined one.
/// - A refund by the merchant ([`ModificationKind::Refund`]) needs a settled collection. After one,
///   no R-transaction follows; after an R-transaction, no refund is possible. A void before the
///   settlement cancels the collection, and is declined after it. There is nothing to capture.
///
/// [`ModificationKind::Refund`]: crate::modification::ModificationKind::Refund
pub trait DirectDebitProvider: PaymentOperations {
    /// The name used on payments.
    fn name(&self) -> &str;

    /// Submits a collection. An approval means that it was accepted, not that it is settled.
    ///
    /// - Repeating a reference, also concurrently or after a restart, returns the same decision and
    ///   collects once. A repetition with another amount may be declined instead; it collects
    ///   nothing more.
    /// - Another currency than the euro, an amount that is not positive, an account that is no IBAN
    ///   or not of SEPA, a malformed mandate, and an unknown or revoked credential are declined.
    /// - A reference that was unknown to an inquiry, or that was voided before it arrived, is
    ///   declined.
    fn collect<'a>(
        &'a self,
        request: CollectionRequest<'a>,
    ) -> ProviderFuture<'a, ProviderDecision>;

    /// Queries the decision on a reference.
    ///
    /// - Returns the decision, also when its response was lost; what became of the collection later
    ///   does not change it. Never [`Inquiry::Waiting`].
    /// - Returns [`Inquiry::NeverReceived`] for an unknown reference. From then on the reference is
    ///   tombstoned: this response stays, and the request is declined if it arrives later.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;

    /// News up to `by_ms`, milliseconds since 1970, oldest first, at most `limit`. Each is reported
    /// once in a response, under the same id, and in every response until it is acknowledged. It may
    /// arrive before the caller has recorded the response to [`collect`](Self::collect).
    fn news(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<CollectionNews>>;

    /// Acknowledges news; it is not reported again. Repeating the acknowledgement, or naming unknown
    /// news, changes nothing and is no error.
    fn acknowledge<'a>(&'a self, id: &'a str) -> ProviderFuture<'a, ()>;

    /// Revokes a credential: from the response on every collection of it is declined. Accepted
    /// collections go on. Revoking again, or naming an unknown credential, changes nothing and is no
    /// error.
    fn revoke<'a>(&'a self, credential: &'a CredentialReference) -> ProviderFuture<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::{DebtorAccount, is_mandate_reference};

    #[test]
    fn mandate_references_are_of_the_sepa_character_set() {
        for (text, expected) in [
            ("A", true),
            ("M-2026/10:42 (b), c.+?", true),
            ("/A", true),
            (&"a".repeat(35), true),
            ("", false),
            (&"a".repeat(36), false),
            ("//A", false),
            (" A", false),
            ("A ", false),
            ("A_B", false),
            ("A\n", false),
            ("Ä", false),
            ("A&B", false),
        ] {
            assert_eq!(is_mandate_reference(text), expected, "{text:?}");
        }
    }

    #[test]
    fn debug_texts_of_accounts_hide_them() {
        let account = DebtorAccount {
            iban: "DE89370400440532013000",
            holder: "Ada",
        };
        assert_eq!(format!("{account:?}"), "DebtorAccount");
    }
}
