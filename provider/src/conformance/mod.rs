//! The provider contract as a conformance suite that a provider's own tests run (feature
//! `conformance`).
//!
//! A provider's tests implement [`ProviderHarness`] and call [`check_all`] in any executor. A check
//! is plain `async` code: on failure it panics with a sentence that begins with the capability and
//! the check's name. `docs/reference/provider.md` lists the checks and shows a harness.

mod authentication;
mod authorizations;
mod codes;
mod notifications;
mod operations;
mod payouts;
mod run;
mod source;
mod terms;
mod transfers;
mod wallets;

pub use run::CheckRun;

use crate::transfer::CollectionAccount;
use crate::{
    Authenticator, NotificationReader, PaymentProvider, PayoutProvider, ProviderError,
    TransferProvider, WalletProvider,
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
    /// [`Authenticator`].
    Authenticator,
    /// [`WalletProvider`].
    Wallet,
    /// [`TransferProvider`].
    Transfers,
    /// [`PayoutProvider`].
    Payouts,
    /// [`NotificationReader`].
    Notifications,
}

sealpay_protocol::names! {
    Capability {
        Acquirer = "acquirer",
        Authenticator = "authenticator",
        Wallet = "wallet",
        Transfers = "transfers",
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

/// One check of the suite.
#[derive(Clone, Copy)]
pub struct Check {
    /// A sentence about a provider that passes.
    pub name: &'static str,
    /// The capability that it checks.
    pub capability: Capability,
    body: for<'a> fn(&'a CheckRun<'a>) -> HarnessFuture<'a, ()>,
}

impl Check {
    /// Runs the check.
    ///
    /// # Panics
    /// If it fails, with a sentence about what the provider did instead.
    pub async fn run(&self, harness: &dyn ProviderHarness) {
        let run = CheckRun::new(harness, self.capability, self.name);
        (self.body)(&run).await;
    }
}

macro_rules! checks {
    ($($capability:ident { $($module:ident::$name:ident $(($payer:ident))?,)* })*) => {
        &[$($(Check {
            name: stringify!($name),
            capability: Capability::$capability,
            body: |run| Box::pin($module::$name(run $(, Payer::$payer)?)),
        },)*)*]
    };
}

/// Every check, in the order of execution.
pub const CHECKS: &[Check] = checks! {
    Acquirer {
        terms::terms_are_well_formed,
        terms::what_the_terms_exclude_is_not_approved,
        authorizations::repeated_authorization_reserves_once(Card),
        authorizations::concurrent_duplicates_reserve_once(Card),
        authorizations::another_amount_under_the_same_reference_reserves_nothing(Card),
        authorizations::repeated_authorization_after_a_void_reserves_nothing(Card),
        authorizations::inquiry_gives_the_decision(Card),
        authorizations::unknown_reference_is_tombstoned_by_an_inquiry(Card),
        authorizations::lost_request_was_never_received(Card),
        authorizations::lost_response_is_found_by_an_inquiry(Card),
        authorizations::late_request_finds_the_tombstone(Card),
        authorizations::late_answer_is_the_one_that_an_inquiry_gives(Card),
        authorizations::overtaken_request_reserves_nothing_more(Card),
        authorizations::decisions_survive_a_restart(Card),
        operations::partial_captures_and_a_final_one_release_the_rest(Card),
        operations::capture_above_the_authorized_amount_is_declined(Card),
        operations::void_keeps_what_was_captured(Card),
        operations::void_releases_an_authorization_once(Card),
        operations::void_of_an_unknown_payment_is_a_tombstone(Card),
        operations::refunds_end_at_the_captured_amount(Card),
        operations::refund_releases_what_is_still_authorized(Card),
        operations::repeated_operation_is_done_once(Card),
        operations::concurrent_duplicate_operations_are_done_once(Card),
        operations::declined_operation_stays_declined(Card),
        operations::lost_operation_is_done_when_it_is_repeated(Card),
        operations::overtaken_operation_does_nothing_more(Card),
        operations::operations_survive_a_restart(Card),
    }
    Authenticator {
        authentication::repeated_request_keeps_its_progress,
        authentication::unknown_reference_has_no_challenge,
        authentication::right_code_authenticates,
        authentication::wrong_code_is_counted_once,
        authentication::cancelled_challenge_permits_no_authorization,
    }
    Wallet {
        wallets::repeated_start_gives_the_same_page,
        wallets::confirmation_before_the_start_was_recorded_counts_once,
        wallets::refused_request_is_declined,
        wallets::request_expires,
        wallets::withdrawn_request_cannot_be_confirmed,
        wallets::withdrawal_and_confirmation_at_once_agree,
        wallets::unknown_reference_is_tombstoned,
        operations::partial_captures_and_a_final_one_release_the_rest(Wallet),
        operations::capture_above_the_authorized_amount_is_declined(Wallet),
        operations::void_keeps_what_was_captured(Wallet),
        operations::void_releases_an_authorization_once(Wallet),
        operations::refunds_end_at_the_captured_amount(Wallet),
        operations::refund_releases_what_is_still_authorized(Wallet),
        operations::repeated_operation_is_done_once(Wallet),
        operations::concurrent_duplicate_operations_are_done_once(Wallet),
        operations::declined_operation_stays_declined(Wallet),
        operations::lost_operation_is_done_when_it_is_repeated(Wallet),
        operations::overtaken_operation_does_nothing_more(Wallet),
        operations::operations_survive_a_restart(Wallet),
    }
    Transfers {
        transfers::repeated_start_gives_the_same_instructions,
        transfers::credit_before_the_start_was_recorded_arrives_once,
        transfers::arrivals_come_oldest_first_and_in_time,
        transfers::returned_credit_cannot_be_refunded,
        transfers::refunds_end_at_what_arrived,
        transfers::lost_refund_is_done_when_it_is_repeated,
    }
    Payouts {
        payouts::default_account_is_valid_and_stays_the_same,
        payouts::repeated_payout_is_sent_once,
        payouts::concurrent_duplicate_payouts_are_sent_once,
        payouts::another_amount_under_the_same_payout_sends_nothing,
        payouts::payout_that_cannot_be_made_is_declined,
        payouts::lost_payout_is_sent_once,
        payouts::overtaken_payout_sends_nothing_more,
        payouts::returned_payout_is_reported_until_it_is_acknowledged,
    }
    Notifications {
        notifications::notification_names_its_payment_however_often_it_is_read,
        notifications::altered_notification_is_refused,
        notifications::notification_without_its_headers_is_refused,
    }
};

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
            Capability::Authenticator => self.authenticator.is_some(),
            Capability::Wallet => self.wallet.is_some(),
            Capability::Transfers => self.transfers.is_some(),
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
