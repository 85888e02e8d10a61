//! The suite passes for a provider that shares no code with the simulated bank, and detects every
//! defect that is injected into it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on may panic"
)]

mod bank;
mod credentials;
mod direct_debits;
mod journal;
mod notifications;
mod payouts;
mod transfers;
mod wallet;

use bank::{DECLINED, FileBank};
use credentials::DECLINED_LATER;
use direct_debits::Debits;
use journal::{Event, Mutant};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{MerchantId, PaymentId, PayoutId};
use sealpay_protocol::money::Money;
use sealpay_provider::conformance::{
    self, Balance, CHECKS, Capability, CardKind, CardNews, DebtorKind, HarnessFuture, Payer,
    ProviderHarness, ProviderUnderTest, Transmission, card,
};
use sealpay_provider::transfer::CollectionAccount;
use sealpay_provider::{
    CredentialReference, DirectDebitProvider, NotificationReader, PaymentProvider, PayoutProvider,
    TransferProvider, WalletProvider,
};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use transfers::Collections;

/// 2026-06-01T12:00:00Z.
const NOON_MS: i64 = 1_780_315_200_000;

/// Number of polls before the caller times out: fewer than a late response needs.
const PATIENCE_POLLS: u32 = bank::LATE_POLLS / 2;

/// A busy-polling executor; nothing in these tests has to be waited for.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

struct FileHarness {
    path: PathBuf,
    mutant: Mutant,
    clock: Arc<AtomicI64>,
    next: Arc<Mutex<Option<Transmission>>>,
    bank: Mutex<Option<Arc<FileBank>>>,
}

impl FileHarness {
    fn new(mutant: Mutant) -> Self {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let name = format!("sealpay-file-bank-{}-{number}.jsonl", std::process::id());
        Self {
            path: std::env::temp_dir().join(name),
            mutant,
            clock: Arc::new(AtomicI64::new(NOON_MS)),
            next: Arc::default(),
            bank: Mutex::default(),
        }
    }

    fn bank(&self) -> Arc<FileBank> {
        let bank = self.bank.lock().unwrap();
        Arc::clone(bank.as_ref().expect("the bank is open"))
    }
}

impl Drop for FileHarness {
    fn drop(&mut self) {
        // Temporary files that cannot be removed are left to the operating system.
        drop(std::fs::remove_file(&self.path));
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> HarnessFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl ProviderHarness for FileHarness {
    fn open(&self) -> HarnessFuture<'_, ProviderUnderTest> {
        let (clock, next) = (Arc::clone(&self.clock), Arc::clone(&self.next));
        let bank = Arc::new(FileBank::open(&self.path, clock, next, self.mutant));
        *self.bank.lock().unwrap() = Some(Arc::clone(&bank));
        let acquirer: Arc<dyn PaymentProvider> = Arc::<FileBank>::clone(&bank);
        let wallet: Arc<dyn WalletProvider> = Arc::<FileBank>::clone(&bank);
        let payouts: Arc<dyn PayoutProvider> = Arc::<FileBank>::clone(&bank);
        let notifications: Arc<dyn NotificationReader> = Arc::<FileBank>::clone(&bank);
        let direct_debits: Arc<dyn DirectDebitProvider> =
            Arc::new(Debits(Arc::<FileBank>::clone(&bank)));
        let transfers: Arc<dyn TransferProvider> = Arc::new(Collections(bank));
        ready(ProviderUnderTest {
            acquirer: Some(acquirer),
            authenticator: None,
            wallet: Some(wallet),
            transfers: Some(transfers),
            direct_debits: Some(direct_debits),
            payouts: Some(payouts),
            notifications: Some(notifications),
        })
    }

    fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn advance_clock(&self, by_ms: i64) {
        self.clock.fetch_add(by_ms, Ordering::SeqCst);
    }

    fn give_up(&self) -> HarnessFuture<'_, ()> {
        let mut polls = 0;
        Box::pin(poll_fn(move |_| {
            polls += 1;
            match polls > PATIENCE_POLLS {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }

    fn next_message(&self, _: Capability, transmission: Transmission) -> HarnessFuture<'_, ()> {
        *self.next.lock().unwrap() = Some(transmission);
        ready(())
    }

    fn card(&self, kind: CardKind) -> Option<Card> {
        match kind {
            CardKind::Approved => Some(card("4242424242424242", self.now_ms())),
            CardKind::Declined => Some(card(DECLINED, self.now_ms())),
            CardKind::DeclinedLater => Some(card(DECLINED_LATER, self.now_ms())),
            CardKind::Updated => Some(card("4111111111111111", self.now_ms())),
            CardKind::Challenged => None,
        }
    }

    fn debtor(&self, kind: DebtorKind) -> &str {
        direct_debits::debtor(kind)
    }

    fn stored_cards(&self) -> HarnessFuture<'_, Option<usize>> {
        ready(Some(self.bank().count_cards()))
    }

    fn update_card<'a>(
        &'a self,
        credential: &'a CredentialReference,
        news: CardNews,
    ) -> HarnessFuture<'a, ()> {
        self.bank().report(credential, news);
        ready(())
    }

    fn balance(&self, _: Payer) -> HarnessFuture<'_, Option<Balance>> {
        let Some(bank) = self.bank.lock().unwrap().clone() else {
            return ready(Some(Balance::default()));
        };
        let journal = bank.journal.lock().unwrap();
        let mut balance = Balance {
            authorized_minor: journal.book.doubled_minor,
            captured_minor: 0,
        };
        for payment in journal.book.payments.values() {
            balance.captured_minor += payment.captured_minor - payment.refunded_minor;
            if payment.is_open {
                balance.authorized_minor += payment.amount_minor - payment.captured_minor;
            }
        }
        ready(Some(balance))
    }

    fn confirm<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        self.bank().decide_on_page(page, None);
        ready(())
    }

    fn refuse<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        self.bank().decide_on_page(page, Some("wallet_refused"));
        ready(())
    }

    fn send_credit<'a>(&'a self, to: &'a CollectionAccount, money: Money) -> HarnessFuture<'a, ()> {
        // As a person would write it.
        let written = format!("Order 1042 {}", to.reference.to_lowercase());
        self.bank().credit(&written, money);
        ready(())
    }

    fn return_payout(&self, payout: PayoutId) -> HarnessFuture<'_, ()> {
        let at_ms = self.now_ms();
        let id = payout.to_string();
        let returned = Event::PayoutReturned { id, at_ms };
        self.bank().journal.lock().unwrap().append(returned);
        ready(())
    }

    fn notification(&self, reference: PaymentId) -> (Vec<(String, String)>, Vec<u8>) {
        notifications::notification(reference, self.now_ms())
    }

    fn paid_out_minor(&self, merchant: MerchantId) -> HarnessFuture<'_, Option<i64>> {
        let bank = self.bank();
        let journal = bank.journal.lock().unwrap();
        let of_merchant = merchant.to_string();
        let amounts = journal.book.events.iter().map(|event| match event {
            Event::Payout {
                merchant,
                amount_minor,
                ..
            } if *merchant == of_merchant => *amount_minor,
            _ => 0,
        });
        ready(Some(amounts.sum()))
    }
}

#[test]
fn a_file_backed_provider_passes_the_suite() {
    let harness = FileHarness::new(Mutant::None);
    let passed = block_on(conformance::check_all(&harness));
    let checks = CHECKS.iter();
    let own = checks.filter(|check| check.capability != Capability::Authenticator);
    assert_eq!(passed, own.count());
}

/// The checks that fail with a defect, each with its message.
fn failures(mutant: Mutant) -> Vec<(&'static str, String)> {
    let checks = CHECKS.iter();
    let own = checks.filter(|check| check.capability != Capability::Authenticator);
    let failed = own.filter_map(|check| {
        let harness = FileHarness::new(mutant);
        let checking = AssertUnwindSafe(|| block_on(check.run(&harness)));
        let panic = catch_unwind(checking).err()?;
        let sentence = panic
            .downcast::<String>()
            .map_or_else(|_| String::new(), |text| *text);
        Some((check.name, sentence))
    });
    failed.collect()
}

#[test]
fn every_defect_fails_the_expected_check() {
    for (mutant, name) in [
        (
            Mutant::ForgetsReferences,
            "repeated_authorization_reserves_once",
        ),
        (
            Mutant::ReservesDuplicates,
            "concurrent_duplicates_reserve_once",
        ),
        (Mutant::LooksTooEarly, "concurrent_duplicates_reserve_once"),
        (
            Mutant::IgnoresTombstones,
            "late_request_finds_the_tombstone",
        ),
        (Mutant::ForgetsOnRestart, "decisions_survive_a_restart"),
        (Mutant::RepeatsRefunds, "repeated_operation_is_done_once"),
        (
            Mutant::CapturesTooMuch,
            "capture_above_the_authorized_amount_is_declined",
        ),
        (
            Mutant::IgnoresItsTerms,
            "what_the_terms_exclude_is_not_approved",
        ),
        (
            Mutant::ReportsReturnsOnce,
            "returned_payout_is_reported_until_it_is_acknowledged",
        ),
        (
            Mutant::ForgetsAcknowledgements,
            "credit_before_the_start_was_recorded_arrives_once",
        ),
        (
            Mutant::ConfirmsWithdrawn,
            "withdrawn_request_cannot_be_confirmed",
        ),
        (Mutant::BelievesEveryone, "altered_notification_is_refused"),
        (Mutant::StoresDeclined, "declined_payment_stores_nothing"),
        (
            Mutant::ForgetsCredentials,
            "approved_payment_stores_its_card_once",
        ),
        (Mutant::ChargesRevoked, "revoked_credential_is_not_charged"),
        (
            Mutant::ChargesWithoutSeries,
            "merchant_names_the_series_and_charges_no_typed_card",
        ),
        (
            Mutant::ReportsNewsOnce,
            "news_is_reported_until_it_is_acknowledged",
        ),
        (Mutant::CollectsTwice, "repeated_collection_is_made_once"),
        (
            Mutant::CollectsRevoked,
            "revoked_mandate_is_not_collected_from",
        ),
        (
            Mutant::ReturnsRefunded,
            "refunded_collection_is_not_returned",
        ),
    ] {
        let failures = failures(mutant);
        let found = failures.iter().find(|(failed, _)| *failed == name);
        let Some((_, sentence)) = found else {
            panic!("{mutant:?} passes {name} and fails {failures:?}");
        };
        assert!(sentence.contains(&format!(", {name}: ")), "{sentence}");
    }
}

/// `docs/reference/provider.md` lists exactly the checks of the suite.
#[test]
fn the_reference_lists_every_check() {
    let page = include_str!("../../../docs/reference/provider.md");
    let listed = page.lines().filter_map(|line| line.strip_prefix("- `"));
    let listed: BTreeSet<_> = listed.filter_map(|rest| rest.split('`').next()).collect();
    let checks: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(listed, checks);
}
