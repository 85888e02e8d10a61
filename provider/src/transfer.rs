//! Bank transfers: the shopper gets an account and a reference, and money arrives later.

use crate::{PaymentOperations, ProviderFuture};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

/// What a bank is asked.
#[derive(Debug)]
pub struct TransferRequest {
    /// Our name for the payment; the same again gives the same account and reference.
    pub reference: PaymentId,
    /// How much is expected.
    pub money: Money,
}

/// Where the money has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionAccount {
    /// Whose account it is.
    pub holder: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The bank (ISO 9362).
    pub bic: String,
    /// What has to stand on the transfer (ISO 11649 creditor reference).
    pub reference: String,
}

/// Money that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCredit {
    /// The bank's name for it, unique.
    pub id: String,
    /// What the sender wrote as reference, spaces and case as sent.
    pub reference: String,
    /// How much.
    pub money: Money,
    /// When, milliseconds since 1970.
    pub arrived_at_ms: i64,
}

/// Someone with accounts that money can be sent to.
pub trait TransferProvider: PaymentOperations {
    /// The name that stands on payments.
    fn name(&self) -> &str;

    /// Says where the money has to go. The same reference again gives the same instructions, also
    /// after money came; two payments never have one creditor reference (ISO 11649).
    fn start(&self, request: TransferRequest) -> ProviderFuture<'_, CollectionAccount>;

    /// Credits that have arrived by a moment, milliseconds since 1970, oldest first, at most so many.
    /// Each is reported once in an answer, under the same id, and in every answer until it is
    /// acknowledged. It may arrive before the caller has recorded the answer to `start`.
    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>>;

    /// Says that a credit was dealt with, and how: it is not reported again. `returned` sends the
    /// money back, because nobody expects it, or not any more; it cannot be refunded then. Repeating
    /// it, and naming an unknown credit, changes nothing and is no error.
    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()>;
}
