//! The bank of a test, and what its parts share.

use super::Simulation;
use crate::SimulatedBank;
use crate::journal::Journal;
use sealpay_protocol::card::{Brand, Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{ModificationId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_protocol::secret::Secret;
use sealpay_provider::modification::ModificationKind;
use sealpay_provider::{ModificationRequest, ProviderDecision, ProviderError, ProviderFuture};
use sealpay_storage::{Database, Durability, Options};
use sealpay_system::{Clock, Rng};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Noon of the first of June 2026.
pub(crate) const NOON_MS: u64 = 1_780_315_200_000;
pub(crate) const NOON: i64 = NOON_MS.cast_signed();

/// A folder that is removed with the test.
pub(crate) struct TestFolder(PathBuf);

impl TestFolder {
    fn new(name: &str) -> Self {
        let name = format!("sealpay-bank-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> String {
        self.0.join("bank.sqlite").to_str().unwrap().to_owned()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Randomness that counts up.
pub(crate) fn counting() -> Rng {
    let drawn = AtomicU64::new(0);
    Rng::new(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let next = drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&next[8 - length..]);
        }
    })
}

/// A journal without a bank.
pub(crate) async fn journal(name: &str) -> (Arc<Journal>, TestFolder) {
    let folder = TestFolder::new(name);
    let (path, options) = (folder.path(), Options::beside_another());
    let opening = Database::open(&path, &crate::MIGRATIONS, Durability::Relaxed, &options);
    let database = opening.await.unwrap();
    (Arc::new(Journal { database }), folder)
}

/// A bank whose clock stands still until the test advances it.
pub(crate) struct TestBank {
    pub(crate) bank: Arc<SimulatedBank>,
    pub(crate) simulation: Arc<Simulation>,
    now: Arc<AtomicU64>,
    folder: TestFolder,
}

impl TestBank {
    pub(crate) async fn new(name: &str) -> Self {
        Self::at("http://127.0.0.1:8787", name, counting()).await
    }

    pub(crate) async fn at(origin: &str, name: &str, rng: Rng) -> Self {
        let folder = TestFolder::new(name);
        let now = Arc::new(AtomicU64::new(NOON_MS));
        let clock = Arc::clone(&now);
        let path = folder.path();
        let bank = SimulatedBank::open(
            &path,
            Secret::new([9; 32]),
            origin.parse().unwrap(),
            Clock::new(move || clock.load(Ordering::Relaxed)),
            rng,
            true,
        );
        let bank = bank.await.unwrap();
        Self {
            simulation: Arc::clone(&bank.simulation),
            bank,
            now,
            folder,
        }
    }

    pub(crate) fn advance(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now.load(Ordering::Relaxed).cast_signed()
    }

    /// The files of the bank's database.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(&self.folder.0).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    pub(crate) async fn add_fault(&self, json: &str) -> crate::fault::Fault {
        let request = serde_json::from_str(json).unwrap();
        self.bank.add_fault(request).await.unwrap()
    }
}

pub(crate) fn payment(number: u8) -> PaymentId {
    PaymentId::new(NOON_MS, [number; 10])
}

pub(crate) fn money(amount_minor: i64, currency: &str) -> Money {
    Money::new(amount_minor, currency.parse().unwrap())
}

pub(crate) fn euros(amount_minor: i64) -> Money {
    money(amount_minor, "EUR")
}

pub(crate) const APPROVED: ProviderDecision = ProviderDecision::approved();

pub(crate) fn declined(reason: &str) -> ProviderDecision {
    ProviderDecision::declined(reason)
}

/// The decision without the codes of an approval, and without advice.
pub(crate) fn without_codes(decision: ProviderDecision) -> ProviderDecision {
    match decision {
        ProviderDecision::Approved(_) => APPROVED,
        ProviderDecision::Declined(rejection) => ProviderDecision::declined(rejection.reason),
    }
}

/// Waits for a response, but not forever.
pub(crate) async fn response<T>(future: ProviderFuture<'_, T>) -> Result<T, ProviderError> {
    let waiting = tokio::time::timeout(Duration::from_secs(1), future).await;
    waiting.unwrap_or_else(|_| Err(ProviderError::OutcomeUnknown("too late".into())))
}

/// A modification that is not final.
pub(crate) fn modification(
    number: u64,
    payment: PaymentId,
    kind: ModificationKind,
    money: Money,
) -> ModificationRequest {
    ModificationRequest {
        modification: ModificationId::new(number, [1; 10]),
        payment,
        kind,
        money,
        is_final: false,
    }
}

pub(crate) fn card(number: &str) -> Card {
    let number = CardNumber::parse(number).unwrap();
    let today = YearMonth::new(2026, 6).unwrap();
    let digits = number.brand().map_or(3, Brand::security_code_length);
    Card {
        expiry: Expiry::parse("12 / 30", today).unwrap(),
        security_code: SecurityCode::parse(&"1234"[..digits.into()], number.brand()).unwrap(),
        holder: None,
        number,
    }
}

#[tokio::test]
async fn a_card_has_one_account_under_one_key() {
    let TestBank { simulation, .. } = &TestBank::new("one-account").await;
    let number = CardNumber::parse("4111111111111111").unwrap();
    let account = simulation.account_of(&number).await.unwrap();
    assert_eq!(simulation.account_of(&number).await.unwrap(), account);
    let found = simulation.account(&account.id).await.unwrap();
    assert_eq!(found, Some(account));
    let persona = CardNumber::parse("4242424242424242").unwrap();
    let account = simulation.account_of(&persona).await.unwrap();
    assert_eq!(account.id, "persona:ada_approved");
    let other = simulation.account("persona:mia_approved").await.unwrap();
    assert_eq!(other.unwrap().holder, "Mia Approved");
    for unknown in ["persona:nobody", "card:aaaa", ""] {
        let found = simulation.account(unknown).await.unwrap();
        assert_eq!(found, None, "{unknown}");
    }
}

#[tokio::test]
async fn a_label_is_separated_from_its_bytes() {
    let TestBank { simulation, .. } = &TestBank::new("keyed").await;
    assert_eq!(simulation.keyed("a", b"b"), simulation.keyed("a", b"b"));
    assert_ne!(simulation.keyed("ab", b""), simulation.keyed("a", b"b"));
    assert_ne!(simulation.keyed("a", b"b"), simulation.keyed("b", b"b"));
}
