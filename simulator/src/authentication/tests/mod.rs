//! The issuer's access control on a bank of its own, with a clock that is moved.

mod codes;
mod decisions;
mod passkeys;
mod phone;

use super::SimulatedAuthenticator;
use crate::account::Account;
use crate::outcome::Directive;
use crate::phone::{Message, Phone, SentMessage};
use crate::world::World;
use crate::world::tests::{NOON_MS, TestFolder, database};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use sealpay_protocol::money::Money;
use sealpay_protocol::secret::Secret;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus};
use sealpay_provider::authentication::{
    AuthenticationRequest, CodeChallenge, PasskeyChallenge, Progress, Step, Stepped,
};
use sealpay_system::{Clock, Rng};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const ORIGIN: &str = "http://localhost:8787";
const PARENT: &str = "http://localhost:4242";

struct Stage {
    world: Arc<World>,
    now: Arc<AtomicU64>,
    issuer: SimulatedAuthenticator,
    _folder: TestFolder,
}

/// A source of bytes that counts, so that one test is like the other.
fn counting() -> Rng {
    let drawn = AtomicU64::new(0);
    Rng::new(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let next = drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&next[8 - length..]);
        }
    })
}

async fn stage_at(origin: &str, name: &str) -> Stage {
    let folder = TestFolder::new(&format!("authentication-{name}"));
    let now = Arc::new(AtomicU64::new(NOON_MS));
    let clock = Arc::clone(&now);
    let world = Arc::new(World::new(
        database(&folder).await,
        Secret::new([9; 32]),
        origin.parse().unwrap(),
        Clock::new(move || clock.load(Ordering::Relaxed)),
        counting(),
    ));
    Stage {
        issuer: SimulatedAuthenticator::new(Arc::clone(&world), None),
        world,
        now,
        _folder: folder,
    }
}

async fn stage(name: &str) -> Stage {
    stage_at(ORIGIN, name).await
}

fn payment(number: u8) -> PaymentId {
    PaymentId::new(NOON_MS, [number; 10])
}

fn step_id(number: u8) -> AttemptId {
    AttemptId::new(NOON_MS, [number; 10])
}

fn card(number: &str) -> Card {
    let number = CardNumber::parse(number).unwrap();
    let today = YearMonth::new(2026, 6).unwrap();
    Card {
        expiry: Expiry::parse("12 / 30", today).unwrap(),
        security_code: SecurityCode::parse("123", number.brand()).unwrap(),
        number,
        holder: None,
    }
}

/// No persona's card: its account asks for codes.
const CODE_CARD: &str = "4111111111111111";

impl Stage {
    fn pass(&self, milliseconds: u64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.now.load(Ordering::Relaxed)).unwrap()
    }

    async fn begin_with(&self, number: u8, amount: i64, simulate: Option<&str>) -> Progress {
        let card = card(CODE_CARD);
        let request = AuthenticationRequest {
            reference: payment(number),
            money: Money::new(amount, "EUR".parse().unwrap()),
            card: &card,
            payee: "Paper Lantern",
            wants_challenge: false,
            parent_origin: PARENT,
            order_origins: &[],
            reasons: vec!["amount".into()],
        };
        let directive = simulate.and_then(Directive::of);
        let issuer = SimulatedAuthenticator::new(Arc::clone(&self.world), directive);
        issuer.authenticate(request).await.unwrap()
    }

    /// Begins a payment of 49.00 EUR.
    async fn begin(&self, number: u8) -> Progress {
        self.begin_with(number, 4900, None).await
    }

    async fn begin_code(&self, number: u8) -> CodeChallenge {
        match self.begin(number).await {
            Progress::Code(code) => code,
            other => panic!("{other:?}"),
        }
    }

    async fn begin_passkey(&self, number: u8) -> PasskeyChallenge {
        match self.begin(number).await {
            Progress::Passkey(passkey) => passkey,
            other => panic!("{other:?}"),
        }
    }

    async fn step(&self, number: u8, id: u8, step: Step) -> Stepped {
        let stepped = self.issuer.step(payment(number), step_id(id), step);
        stepped.await.unwrap()
    }

    async fn code(&self, number: u8, id: u8, code: &str) -> Stepped {
        self.step(number, id, Step::Code(code.into())).await
    }

    async fn sent(&self) -> Vec<SentMessage> {
        Phone::new(&self.world).messages(100).await.unwrap()
    }

    async fn messages(&self) -> Vec<Message> {
        let sent = self.sent().await.into_iter();
        sent.map(|sent| sent.message).collect()
    }

    /// The newest code on the phone.
    async fn newest_code(&self) -> String {
        let messages = self.messages().await.into_iter();
        let mut codes = messages.filter_map(|message| message.code);
        codes.next().unwrap()
    }

    async fn account(&self) -> Account {
        let number = CardNumber::parse(CODE_CARD).unwrap();
        self.world.account_of(&number).await.unwrap()
    }

    /// Proves with the newest code.
    async fn prove(&self, number: u8) -> Authentication {
        let code = self.newest_code().await;
        done(self.code(number, 200, &code).await)
    }
}

/// A code that is none of those on the phone.
fn another(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[track_caller]
fn done(stepped: Stepped) -> Authentication {
    match stepped {
        Stepped::Progress(Progress::Done(authentication)) => authentication,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn still_code(stepped: Stepped) -> CodeChallenge {
    match stepped {
        Stepped::Progress(Progress::Code(code)) => code,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn still_passkey(stepped: Stepped) -> PasskeyChallenge {
    match stepped {
        Stepped::Progress(Progress::Passkey(passkey)) => passkey,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_failed(stepped: Stepped) {
    assert_eq!(done(stepped).status, AuthenticationStatus::NotAuthenticated);
}
