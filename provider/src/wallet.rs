//! Wallets: the shopper confirms on the wallet's own page.

use crate::{Inquiry, PaymentOperations, ProviderFuture};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// A request to open a wallet page.
#[derive(Debug)]
pub struct WalletRequest<'a> {
    /// Our id of the payment; repeating it returns the same page.
    pub reference: PaymentId,
    /// The amount.
    pub money: Money,
    /// Whether the money is captured immediately or only authorized.
    pub capture: Capture,
    /// The payee's name as the shopper knows it.
    pub payee: &'a str,
    /// When the page expires, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Offers wallet payments.
pub trait WalletProvider: PaymentOperations {
    /// The name used on payments.
    fn name(&self) -> &str;

    /// Opens a request; returns the URL of the page where the shopper confirms it.
    ///
    /// Repeating a reference returns the same page and changes nothing, also if the shopper decided
    /// before the caller recorded the first response. A confirmation counts once, and only before
    /// `expires_at_ms`. A tombstoned reference is rejected or gets a page where nothing can be
    /// confirmed.
    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String>;

    /// The URL of the page; none if the reference is unknown or tombstoned.
    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>>;

    /// Queries the decision on a reference.
    ///
    /// [`Inquiry::Waiting`] while the shopper can still confirm; then the decision, which is a
    /// decline if the shopper cancelled, did nothing in time, or the request was withdrawn.
    /// [`Inquiry::NeverReceived`] tombstones an unknown reference, as for cards.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;

    /// Withdraws the request, so that it can no longer be confirmed. Returns the decision, because
    /// the shopper may have confirmed first; a later inquiry returns the same. Tombstones an
    /// unknown reference.
    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;
}
