//! The provider contract as a conformance suite that a provider's own tests run (feature
//! `conformance`).
//!
//! A provider's tests implement [`ProviderHarness`] and call [`check_all`] in any executor. A check
//! is plain `async` code: on failure it panics with a sentence that begins with the capability and
//! the check's name. `docs/reference/provider.md` lists the checks and shows a harness.

mod account_updates;
mod authentication;
mod authorizations;
mod checks;
mod codes;
mod collections;
mod credentials;
mod direct_debits;
mod notifications;
mod operations;
mod payouts;
mod run;
mod source;
mod terms;
mod transfers;
mod wallets;

pub use checks::{CHECKS, Check};
pub use run::CheckRun;

use crate::transfer::CollectionAccount;
use crate::{
    Authenticator, CredentialReference, DirectDebitProvider, NotificationReader, PaymentProvider,
    PayoutProvider, ProviderError, TransferProvider, WalletProvider,
};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{MerchantId, PaymentId, PayoutId};
use sealpay_protocol::money::Money;
use std::pin::Pin;
use std::sync::Arc;

/// A future returned by a harness.
pub type HarnessFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The capabilities of a provider. The suite skips the missing ones.
#[derive(Clone, Default)]
pub struct ProviderUnderTest {
    /// Authorizes cards.
    pub acquirer: Option<Arc<dyn PaymentProvider>>,
    /// Authenticates shoppers.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// Offers wallets.
    pub wallet: Option<Arc<dyn WalletProvider>>,
    /// Offers accounts for incoming transfers.
    pub transfers: Option<Arc<dyn TransferProvider>>,
    /// Collects direct debits.
    pub direct_debits: Option<Arc<dyn DirectDebitProvider>>,
    /// Sends payouts to merchants.
    pub payouts: Option<Arc<dyn PayoutProvider>>,
    /// Sends notifications.
    pub notifications: Option<Arc<dyn NotificationReader>>,
}

/// An optional part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// [`PaymentProvider`].
    Acquirer,
    /// [`CredentialVault`](crate::CredentialVault) of the acquirer.
    Credentials,
    /// [`Authenticator`].
    Authenticator,
    /// [`WalletProvider`].
    Wallet,
    /// [`TransferProvider`].
    Transfers,
    /// [`DirectDebitProvider`].
    DirectDebits,
    /// [`PayoutProvider`].
    Payouts,
    /// [`NotificationReader`].
    Notifications,
}

sealpay_protocol::names! {
    Capability {
        Acquirer = "acquirer",
        Credentials = "credentials",
        Authenticator = "authenticator",
        Wallet = "wallet",
        Transfers = "transfers",
        DirectDebits = "direct_debits",
        Payouts = "payouts",
        Notifications = "notifications",
    }
}

/// How the next message to a provider is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmission {
    /// The request is lost: the provider never receives it, and the caller gets no response.
    RequestLost,
    /// The provider processes the request, and its response is lost.
    ResponseLost,
    /// The request reaches the provider only after [`ProviderHarness::give_up`] has completed once.
    Late,
}

/// A card that the suite pays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardKind {
    /// Every payment of this suite is approved, in the currency of [`ProviderHarness::currency`].
    Approved,
    /// Every payment is declined.
    Declined,
    /// The payment that stores the card is approved, and every payment that the merchant initiates
    /// is declined.
    DeclinedLater,
    /// The issuer asks for a one-time code.
    Challenged,
    /// Another card whose payments are approved; the account updater has news about it.
    Updated,
}

/// News of the account updater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardNews {
    /// The card has a new number and a new expiry.
    Replaced,
    /// The issuer wants the cardholder to be asked.
    ContactCardholder,
    /// The account is closed; every later payment is declined.
    Closed,
}

/// A debtor of direct debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebtorKind {
    /// Every collection of this suite is settled, and nothing follows.
    Settled,
    /// Every collection is declined when it is submitted.
    Declined,
    /// Every collection is rejected before its settlement.
    Rejected,
    /// The debtor's bank returns every collection within two weeks of its settlement.
    Returned,
    /// The debtor has every collection refunded within eight weeks of its settlement.
    Refunded,
}

/// The owner of the account that pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// The holder of the approved card, who types it.
    Card,
    /// The same holder, whose stored card the merchant charges.
    Credential,
    /// The shopper who confirms on the wallet's page.
    Wallet,
}

/// The balance of a payer's account, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Authorized, and neither captured nor voided.
    pub authorized_minor: i64,
    /// Captured, minus refunds.
    pub captured_minor: i64,
}

/// Supplied by a provider's tests: the provider, and control over its environment.
///
/// Methods without a default concern every provider. The others belong to one capability and panic
/// until they are implemented.
pub trait ProviderHarness: Send + Sync {
    /// Opens the provider with the data of this harness. Each further call is a restart: it closes
    /// the previous provider and keeps the data.
    fn open(&self) -> HarnessFuture<'_, ProviderUnderTest>;

    /// The provider's clock, milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Advances the provider's clock.
    fn advance_clock(&self, by_ms: i64);

    /// Completes when the caller's timeout for a lost or late response has passed. By then the
    /// provider must have processed the request.
    fn give_up(&self) -> HarnessFuture<'_, ()>;

    /// Sets how the next authorization, operation or payout of a capability is delivered.
    fn next_message(
        &self,
        capability: Capability,
        transmission: Transmission,
    ) -> HarnessFuture<'_, ()>;

    /// The currency of the suite's payments (ISO 4217).
    fn currency(&self) -> &str {
        "EUR"
    }

    /// A test card. Without a challenged card, the checks of one-time codes are skipped.
    fn card(&self, kind: CardKind) -> Option<Card> {
        missing(&format!("card({kind:?})"))
    }

    /// How many cards the acquirer has stored, revoked ones included; none if it cannot be read.
    fn stored_cards(&self) -> HarnessFuture<'_, Option<usize>> {
        Box::pin(async { None })
    }

    /// The issuer of a stored card changes it now.
    fn update_card<'a>(
        &'a self,
        credential: &'a CredentialReference,
        news: CardNews,
    ) -> HarnessFuture<'a, ()> {
        missing(&format!("update_card({credential}, {news:?})"))
    }

    /// The payer's balance; none if it cannot be read, as in another company's sandbox. The checks
    /// then rely on responses alone.
    fn balance(&self, payer: Payer) -> HarnessFuture<'_, Option<Balance>> {
        let _ = payer;
        Box::pin(async { None })
    }

    /// The last one-time code that was sent to the shopper.
    fn one_time_code(&self, reference: PaymentId) -> HarnessFuture<'_, String> {
        missing(&format!("one_time_code({reference})"))
    }

    /// The shopper tries to confirm on the wallet's page. The checks query the outcome afterwards.
    fn confirm<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        missing(&format!("confirm({page})"))
    }

    /// The shopper cancels on the wallet's page.
    fn refuse<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        missing(&format!("refuse({page})"))
    }

    /// A shopper sends money, which arrives immediately.
    fn send_credit<'a>(&'a self, to: &'a CollectionAccount, money: Money) -> HarnessFuture<'a, ()> {
        missing(&format!("send_credit({to:?}, {money})"))
    }

    /// The account (ISO 13616) of a debtor, without spaces.
    fn debtor(&self, kind: DebtorKind) -> &str {
        missing(&format!("debtor({kind:?})"))
    }

    /// The merchant's bank returns a payout immediately.
    fn return_payout(&self, payout: PayoutId) -> HarnessFuture<'_, ()> {
        missing(&format!("return_payout({payout})"))
    }

    /// An account (ISO 13616) that accepts payouts.
    fn payout_account(&self) -> &str {
        "DE89370400440532013000"
    }

    /// The notification that the provider sends when a payment has an outcome: headers, with
    /// lowercase names, and body.
    fn notification(&self, reference: PaymentId) -> (Vec<(String, String)>, Vec<u8>) {
        missing(&format!("notification({reference})"))
    }

    /// The total of a merchant's payouts, minor units; none if it cannot be read.
    fn paid_out_minor(&self, merchant: MerchantId) -> HarnessFuture<'_, Option<i64>> {
        let _ = merchant;
        Box::pin(async { None })
    }
}

fn missing<T>(method: &str) -> T {
    panic!("the harness has the capability and must implement {method}")
}

/// A test card with this number that expires in three years.
///
/// # Panics
/// If the number is not valid.
#[must_use]
pub fn card(number: &str, now_ms: i64) -> Card {
    let seconds = u64::try_from(now_ms / 1000).unwrap_or(0);
    let today = YearMonth::from_unix_seconds(seconds);
    let expiry = format!("12 / {:02}", (today.year() + 3) % 100);
    let parsed = CardNumber::parse(number).ok().and_then(|number| {
        let brand = number.brand();
        let length = brand.map_or(3, |brand| usize::from(brand.security_code_length()));
        Some(Card {
            security_code: SecurityCode::parse(&"7373"[..length.min(4)], brand).ok()?,
            expiry: Expiry::parse(&expiry, today).ok()?,
            holder: None,
            number,
        })
    });
    parsed.unwrap_or_else(|| panic!("{number} is not the number of a card"))
}

/// Runs every check of every capability that the provider has; returns their number.
///
/// # Panics
/// At the first check that fails.
pub async fn check_all(harness: &dyn ProviderHarness) -> usize {
    let passed = check_part(harness, 0, 1).await;
    assert!(passed > 0, "the provider has no capability");
    passed
}

/// Runs one of `parts` parts of the suite, counted from 0. Several harnesses can run the parts in
/// parallel: most of the time is spent waiting for lost messages.
///
/// # Panics
/// At the first check that fails.
pub async fn check_part(harness: &dyn ProviderHarness, part: usize, parts: usize) -> usize {
    let provider = harness.open().await;
    let has = Capability::ALL.map(|capability| provider.has(capability));
    drop(provider);
    let mut passed = 0;
    for check in CHECKS.iter().skip(part).step_by(parts) {
        let mut capabilities = Capability::ALL.into_iter().zip(has);
        if capabilities.any(|one| one == (check.capability, true)) {
            check.run(harness).await;
            passed += 1;
        }
    }
    passed
}

impl ProviderUnderTest {
    /// Whether the provider has a capability.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Acquirer => self.acquirer.is_some(),
            Capability::Credentials => {
                let acquirer = self.acquirer.as_ref();
                acquirer.is_some_and(|acquirer| acquirer.credentials().is_some())
            }
            Capability::Authenticator => self.authenticator.is_some(),
            Capability::Wallet => self.wallet.is_some(),
            Capability::Transfers => self.transfers.is_some(),
            Capability::DirectDebits => self.direct_debits.is_some(),
            Capability::Payouts => self.payouts.is_some(),
            Capability::Notifications => self.notifications.is_some(),
        }
    }
}

/// Describes a missing response for a failure message.
fn describe(error: &ProviderError) -> String {
    match error {
        ProviderError::NotSent(text) => format!("not sent ({text})"),
        ProviderError::OutcomeUnknown(text) => format!("no answer ({text})"),
    }
}
