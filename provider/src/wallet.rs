//! Wallets: the shopper confirms on the wallet's own page.

use crate::{Inquiry, PaymentOperations, ProviderFuture};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

/// What a wallet is asked.
#[derive(Debug)]
pub struct WalletRequest<'a> {
    /// Our name for the payment; the same reference again gives the same page.
    pub reference: PaymentId,
    /// How much.
    pub money: Money,
    /// Whether the money is captured at once or only authorized.
    pub capture: Capture,
    /// Who is paid, as the shopper knows them.
    pub payee: &'a str,
    /// Until when the shopper may confirm, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Someone who has wallets.
pub trait WalletProvider: PaymentOperations {
    /// The name that stands on payments.
    fn name(&self) -> &str;

    /// Opens a request; gives the address of the page where the shopper confirms it.
    ///
    /// The same reference again gives the same page and changes nothing, also when the shopper has
    /// decided before the caller recorded the first answer. A confirmation counts once, before
    /// `expires_at_ms` alone. A tombstoned reference is refused or gets a page where nothing can be
    /// confirmed.
    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String>;

    /// The address again; none when the reference is unknown or tombstoned.
    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>>;

    /// Asks what became of a reference.
    ///
    /// [`Inquiry::Waiting`] while the shopper can still confirm; then the decision, which is a decline
    /// when the shopper refused, did nothing in time, or the request was withdrawn.
    /// [`Inquiry::NeverReceived`] tombstones an unknown reference, as for cards.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;

    /// Withdraws the request, so that it cannot be confirmed any more; says what stands, because the
    /// shopper may have been quicker: an inquiry afterwards says the same. Tombstones an unknown
    /// reference.
    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;
}
