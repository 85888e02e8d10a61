//! Bank transfers: the shopper gets an account and a reference, and money arrives later.

use crate::{PaymentOperations, ProviderFuture};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

/// A request for transfer instructions.
#[derive(Debug)]
pub struct TransferRequest {
    /// Our id of the payment; repeating it returns the same account and reference.
    pub reference: PaymentId,
    /// The expected amount.
    pub money: Money,
}

/// The destination of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionAccount {
    /// The account holder.
    pub holder: String,
    /// The account (ISO 13616).
    pub iban: String,
    /// The bank (ISO 9362).
    pub bic: String,
    /// The creditor reference of the transfer (ISO 11649).
    pub reference: String,
}

/// An incoming credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCredit {
    /// The bank's unique id of the credit.
    pub id: String,
    /// The sender's reference text, with spaces and case as sent.
    pub reference: String,
    /// The amount.
    pub money: Money,
    /// Arrival time, milliseconds since 1970.
    pub arrived_at_ms: i64,
}

/// Receives bank transfers.
pub trait TransferProvider: PaymentOperations {
    /// The name used on payments.
    fn name(&self) -> &str;

    /// Returns the transfer instructions. Repeating a reference returns the same instructions, also
    /// after money arrived; two payments never share a creditor reference (ISO 11649).
    fn start(&self, request: TransferRequest) -> ProviderFuture<'_, CollectionAccount>;

    /// Credits that arrived by `by_ms`, milliseconds since 1970, oldest first, at most `limit`.
    /// Each is reported once in a response, under the same id, and in every response until it is
    /// acknowledged. A credit may arrive before the caller has recorded the response to `start`.
    fn arrivals(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<IncomingCredit>>;

    /// Acknowledges a credit; it is not reported again. `returned` sends the money back because no
    /// payment expects it, or none expects it any more; it cannot be refunded then. Repeating the
    /// acknowledgement, or naming an unknown credit, changes nothing and is no error.
    fn acknowledge<'a>(&'a self, id: &'a str, returned: bool) -> ProviderFuture<'a, ()>;
}
