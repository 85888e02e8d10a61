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
    /// Whether the money is taken at once or only held.
    pub capture: Capture,
    /// Who is paid, as the shopper knows them.
    pub payee: &'a str,
    /// Until when the shopper may confirm, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The outcome that the order asked for.
    pub simulate: Option<&'a str>,
}

/// Someone who has wallets.
pub trait WalletProvider: PaymentOperations {
    /// The name that stands on payments.
    fn name(&self) -> &'static str;

    /// Opens a request; gives the address of the page where the shopper confirms it.
    fn start<'a>(&'a self, request: WalletRequest<'a>) -> ProviderFuture<'a, String>;

    /// The address again; none when the reference is unknown.
    fn page(&self, reference: PaymentId) -> ProviderFuture<'_, Option<String>>;

    /// Asks what became of a reference.
    fn inquire(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;

    /// Takes the request back, so that it cannot be confirmed any more; says what stands, because
    /// the shopper may have been quicker.
    fn withdraw(&self, reference: PaymentId) -> ProviderFuture<'_, Inquiry>;
}
