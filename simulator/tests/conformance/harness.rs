//! The simulated bank in the conformance suite. The tests on Postgres share this file.

use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{MerchantId, PaymentId, PayoutId};
use sealpay_protocol::money::Money;
use sealpay_protocol::secret::Secret;
use sealpay_provider::CredentialReference;
use sealpay_provider::conformance::{
    Balance, CHECKS, Capability, CardKind, CardNews, DebtorKind, HarnessFuture, Payer,
    ProviderHarness, ProviderUnderTest, Transmission, card,
};
use sealpay_provider::transfer::CollectionAccount;
use sealpay_simulator::credential::CardUpdate;
use sealpay_simulator::direct_debit::{self, debtor};
use sealpay_simulator::payout::ReturnReason;
use sealpay_simulator::{AuthorizationState, SimulatedBank, persona, transfer, wallet};
use sealpay_system::{Clock, Rng};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Noon of the first of June 2026.
const NOON_MS: i64 = 1_780_315_200_000;

/// Longer than the bank takes for a request that it has received, on a busy machine.
const PROCESSING: Duration = Duration::from_secs(1);

/// Longer than the bank takes for any request.
const LATE_MS: u32 = 2_000;

/// How often the harness checks whether a fault has applied.
const POLL_EVERY: Duration = Duration::from_millis(20);

/// An account with limits, which counts authorized and captured amounts.
const PAYER: &str = "ben_balance";

/// The card that the account updater has news about; not a persona's.
const UPDATED: &str = "4111111111111111";

/// More than the suite pays in all, minor units.
const BALANCE_MINOR: i64 = 100_000_000;

/// Maximum number of the bank's authorizations that are added up.
const AUTHORIZATIONS: u32 = 200;

/// How many checks the bank passes: it sends no notifications.
pub(super) fn its_checks() -> usize {
    let checks = CHECKS.iter();
    checks
        .filter(|check| check.capability != Capability::Notifications)
        .count()
}

/// A simulated bank under the suite.
pub(super) struct BankHarness {
    url_or_path: String,
    acquirer: &'static str,
    /// Whether only cards are checked.
    only_cards: bool,
    clock: Arc<AtomicI64>,
    drawn: Arc<AtomicU64>,
    bank: Mutex<Option<Arc<SimulatedBank>>>,
}

fn number_of(name: &str) -> &'static str {
    let persona = persona::all().iter().find(|persona| persona.name == name);
    &persona.expect("there is such a persona").number
}

impl BankHarness {
    pub(super) fn new(url_or_path: &str, acquirer: &'static str) -> Self {
        Self {
            url_or_path: url_or_path.into(),
            acquirer,
            only_cards: false,
            clock: Arc::new(AtomicI64::new(NOON_MS)),
            drawn: Arc::default(),
            bank: Mutex::default(),
        }
    }

    /// The same for cards alone.
    pub(super) fn of_cards(self) -> Self {
        Self {
            only_cards: true,
            ..self
        }
    }

    fn bank(&self) -> Arc<SimulatedBank> {
        let bank = self.bank.lock().unwrap();
        Arc::clone(bank.as_ref().expect("the bank is open"))
    }

    async fn reopen(&self) -> Arc<SimulatedBank> {
        let before = self.bank.lock().unwrap().take();
        let is_first = before.is_none();
        if let Some(before) = before {
            before.close().await;
        }
        let (clock, drawn) = (Arc::clone(&self.clock), Arc::clone(&self.drawn));
        let bank = SimulatedBank::open(
            &self.url_or_path,
            Secret::new([9; 32]),
            "http://127.0.0.1:8787".parse().unwrap(),
            Clock::new(move || clock.load(Ordering::SeqCst).cast_unsigned()),
            Rng::new(move |bytes| {
                for chunk in bytes.chunks_mut(8) {
                    let next = drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                    let length = chunk.len();
                    chunk.copy_from_slice(&next[8 - length..]);
                }
            }),
            true,
        );
        let bank = bank.await.expect("the bank opens");
        if is_first {
            let rich = format!(r#"{{"balance_minor":{BALANCE_MINOR}}}"#);
            let changed = bank.change_account(PAYER, serde_json::from_str(&rich).unwrap());
            changed.await.expect("the account is changed");
        }
        *self.bank.lock().unwrap() = Some(Arc::clone(&bank));
        bank
    }

    fn target(&self, capability: Capability) -> &'static str {
        match capability {
            Capability::Acquirer | Capability::Credentials => self.acquirer,
            Capability::Wallet => wallet::NAME,
            Capability::Transfers => transfer::NAME,
            Capability::DirectDebits => direct_debit::NAME,
            Capability::Payouts => "payouts",
            Capability::Authenticator | Capability::Notifications => {
                panic!("no such message is lost")
            }
        }
    }

    /// The sum of the wallet's payments, because its account counts nothing.
    async fn of_wallet(&self) -> Balance {
        let authorizations = self.bank().authorizations(AUTHORIZATIONS).await.unwrap();
        assert!(
            authorizations.len() < 200,
            "more authorizations than are added up"
        );
        let mut balance = Balance::default();
        for authorization in authorizations
            .iter()
            .filter(|authorization| authorization.provider == wallet::NAME)
        {
            balance.captured_minor += authorization.booked_minor - authorization.refunded_minor;
            if authorization.state == AuthorizationState::Authorized {
                balance.authorized_minor += authorization.amount_minor - authorization.booked_minor;
            }
        }
        balance
    }

    fn token<'a>(&self, page: &'a str) -> &'a str {
        let token = page.strip_prefix("/test/wallet/");
        token.expect("the page is the wallet's")
    }
}

impl ProviderHarness for BankHarness {
    fn open(&self) -> HarnessFuture<'_, ProviderUnderTest> {
        Box::pin(async move {
            let bank = self.reopen().await;
            let capabilities = bank.capabilities();
            let mut acquirers = capabilities.acquirers.into_iter();
            let acquirer = acquirers.find(|acquirer| acquirer.name() == self.acquirer);
            if self.only_cards {
                return ProviderUnderTest {
                    acquirer,
                    ..ProviderUnderTest::default()
                };
            }
            ProviderUnderTest {
                acquirer,
                authenticator: capabilities.authenticator,
                wallet: capabilities.wallet,
                transfers: capabilities.transfers,
                direct_debits: capabilities.direct_debits,
                payouts: capabilities.payouts,
                notifications: capabilities.notifications,
            }
        })
    }

    fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn advance_clock(&self, by_ms: i64) {
        self.clock.fetch_add(by_ms, Ordering::SeqCst);
    }

    fn give_up(&self) -> HarnessFuture<'_, ()> {
        Box::pin(async move {
            let bank = self.bank();
            while bank.faults().await.is_ok_and(|faults| !faults.is_empty()) {
                tokio::time::sleep(POLL_EVERY).await;
            }
            tokio::time::sleep(PROCESSING).await;
        })
    }

    fn next_message(
        &self,
        capability: Capability,
        transmission: Transmission,
    ) -> HarnessFuture<'_, ()> {
        let mut fault = serde_json::json!({
            "target": self.target(capability),
            "kind": match transmission {
                Transmission::RequestLost => "request_lost",
                Transmission::ResponseLost => "response_lost",
                Transmission::Late => "latency",
            },
            "next": 1,
        });
        if transmission == Transmission::Late {
            fault["min_ms"] = LATE_MS.into();
        }
        Box::pin(async move {
            let request = serde_json::from_value(fault).unwrap();
            let added = self.bank().add_fault(request).await;
            added.expect("the fault is in force");
        })
    }

    fn card(&self, kind: CardKind) -> Option<Card> {
        let name = match kind {
            CardKind::Approved => PAYER,
            CardKind::Declined => "edda_do_not_honor",
            CardKind::Challenged => "cody_challenge_code",
            CardKind::DeclinedLater => "renewal_closed",
            CardKind::Updated => return Some(card(UPDATED, self.now_ms())),
        };
        Some(card(number_of(name), self.now_ms()))
    }

    fn debtor(&self, kind: DebtorKind) -> &str {
        let name = match kind {
            DebtorKind::Settled => "settles",
            DebtorKind::Declined => "closed",
            DebtorKind::Rejected => "rejected",
            DebtorKind::Returned => "unfunded",
            DebtorKind::Refunded => "refunded",
        };
        let debtor = debtor::all().iter().find(|debtor| debtor.name == name);
        &debtor.expect("there is such a debtor").iban
    }

    fn stored_cards(&self) -> HarnessFuture<'_, Option<usize>> {
        Box::pin(async move {
            let accounts = self.bank().accounts(AUTHORIZATIONS).await.unwrap();
            let stored = accounts.iter().map(|account| account.credentials.len());
            Some(stored.sum())
        })
    }

    fn update_card<'a>(
        &'a self,
        credential: &'a CredentialReference,
        news: CardNews,
    ) -> HarnessFuture<'a, ()> {
        Box::pin(async move {
            let accounts = self.bank().accounts(AUTHORIZATIONS).await.unwrap();
            let mut accounts = accounts.into_iter();
            let account = accounts.find(|account| {
                let mut stored = account.credentials.iter();
                stored.any(|stored| stored.reference == credential.as_str())
            });
            let update = match news {
                CardNews::Replaced => CardUpdate::Replaced,
                CardNews::ContactCardholder => CardUpdate::ContactCardholder,
                CardNews::Closed => CardUpdate::Closed,
            };
            let id = account.expect("the card is stored").id;
            let updated = self.bank().update_card(&id, update).await;
            updated.map(drop).expect("the card is updated");
        })
    }

    fn balance(&self, payer: Payer) -> HarnessFuture<'_, Option<Balance>> {
        Box::pin(async move {
            if self.bank.lock().unwrap().is_none() {
                self.reopen().await;
            }
            if payer == Payer::Wallet {
                return Some(self.of_wallet().await);
            }
            let account = self.bank().account(PAYER).await.unwrap();
            Some(Balance {
                authorized_minor: account.held_minor,
                captured_minor: BALANCE_MINOR - account.balance_minor,
            })
        })
    }

    fn one_time_code(&self, reference: PaymentId) -> HarnessFuture<'_, String> {
        Box::pin(async move {
            let messages = self.bank().messages(10).await.unwrap();
            let mut messages = messages.into_iter().map(|sent| sent.message);
            let sent = messages.find(|message| message.reference == Some(reference));
            sent.and_then(|message| message.code)
                .expect("a code was sent")
        })
    }

    fn confirm<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        Box::pin(async move {
            let wallet = self.bank().wallet();
            let confirmed = wallet.confirm(self.token(page), "wallet:everyday").await;
            confirmed.map(drop).expect("the wallet responds");
        })
    }

    fn refuse<'a>(&'a self, page: &'a str) -> HarnessFuture<'a, ()> {
        Box::pin(async move {
            let refused = self.bank().wallet().refuse(self.token(page)).await;
            refused.map(drop).expect("the wallet responds");
        })
    }

    fn send_credit<'a>(&'a self, to: &'a CollectionAccount, money: Money) -> HarnessFuture<'a, ()> {
        Box::pin(async move {
            // With other text, in lower case.
            let written = format!("Order 1042 {}", to.reference.to_lowercase());
            let transfers = self.bank().transfers();
            let sent = transfers.send(&written, money, self.now_ms()).await;
            assert!(sent.unwrap().is_some(), "the bank takes the transfer");
        })
    }

    fn return_payout(&self, payout: PayoutId) -> HarnessFuture<'_, ()> {
        Box::pin(async move {
            let bank = self.bank();
            let returned = bank
                .return_payout(payout, ReturnReason::AccountClosed)
                .await;
            returned.map(drop).expect("the payout was sent");
        })
    }

    fn paid_out_minor(&self, merchant: MerchantId) -> HarnessFuture<'_, Option<i64>> {
        Box::pin(async move {
            let sent = self.bank().sent_payouts(AUTHORIZATIONS).await.unwrap();
            let of_merchant = sent.iter().filter(|payout| payout.merchant == merchant);
            let amounts = of_merchant.map(|payout| payout.money.amount_minor());
            Some(amounts.sum())
        })
    }
}
