//! Bank transfers: the shopper gets an account and a reference, and money arrives later.

use crate::{PaymentOperations, ProviderFuture};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

/// What a bank is asked.
#[derive(Debug)]
pub struct TransferRequest<'a> {
    /// Our name for the payment; the same again gives the same account and reference.
    pub reference: PaymentId,
    /// How much is expected.
    pub money: Money,
    /// The outcome that the order asked for.
    pub simulate: Option<&'a str>,
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
    fn name(&self) -> &'static str;

    /// Says where the money has to go.
    fn start<'a>(&'a self, request: TransferRequest<'a>) -> ProviderFuture<'a, CollectionAccount>;

    /// Money that has arrived by a moment and was not acknowledged, oldest first.
    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>>;

    /// Says that an arrival was dealt with, and how: it will not be told again. `returned` sends
    /// the money back, for nobody expects it, or not any more.
    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()>;
}
