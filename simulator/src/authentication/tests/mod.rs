//! The issuer's access control server, with a clock that the tests advance.

mod codes;
mod decisions;
mod passkeys;
mod phone;

use super::SimulatedAuthenticator;
use crate::account::Account;
use crate::outcome::Directive;
use crate::phone::{Message, SentMessage};
use crate::simulation::tests::{NOON_MS, TestBank, card, euros, payment};
use sealpay_protocol::card::{Card, CardNumber};
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::money::Money;
use sealpay_provider::authentication::{Authentication, AuthenticationStatus};
use sealpay_provider::authentication::{
    AuthenticationRequest, CodeChallenge, PasskeyChallenge, Progress, Step, Stepped,
};
use sealpay_provider::{Authenticator, CardSource};
use std::sync::Arc;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const ORIGIN: &str = "http://localhost:8787";
const PARENT: &str = "http://localhost:4242";

async fn test_at(origin: &str, name: &str) -> TestBank {
    let name = format!("authentication-{name}");
    TestBank::at(origin, &name, crate::simulation::tests::counting()).await
}

async fn test(name: &str) -> TestBank {
    test_at(ORIGIN, name).await
}

fn step_id(number: u8) -> AttemptId {
    AttemptId::new(NOON_MS, [number; 10])
}

fn request(number: u8, money: Money, card: &Card) -> AuthenticationRequest<'_> {
    AuthenticationRequest {
        reference: payment(number),
        money,
        source: CardSource::Card(card),
        brand: card.number.brand(),
        payee: "Paper Lantern",
        wants_challenge: false,
        parent_origin: PARENT,
        order_origins: &[],
        reasons: vec!["amount".into()],
    }
}

/// Not a persona's card: the enrolment of its account is a code.
const CODE_CARD: &str = "4111111111111111";

impl TestBank {
    fn issuer(&self) -> SimulatedAuthenticator {
        SimulatedAuthenticator::new(Arc::clone(&self.simulation), None)
    }

    async fn begin_with(&self, number: u8, amount: i64, simulate: Option<&str>) -> Progress {
        let card = card(CODE_CARD);
        let directive = simulate.and_then(Directive::from_name);
        let issuer = SimulatedAuthenticator::new(Arc::clone(&self.simulation), directive);
        let request = request(number, euros(amount), &card);
        issuer.authenticate(request).await.unwrap()
    }

    /// Begins a payment of 49.00 EUR.
    async fn begin(&self, number: u8) -> Progress {
        self.begin_with(number, 4900, None).await
    }

    async fn begin_code(&self, number: u8) -> CodeChallenge {
        still_code(Stepped::Progress(self.begin(number).await))
    }

    async fn begin_passkey(&self, number: u8) -> PasskeyChallenge {
        still_passkey(Stepped::Progress(self.begin(number).await))
    }

    async fn step(&self, number: u8, id: u8, step: Step) -> Stepped {
        let stepped = self.issuer().step(payment(number), step_id(id), step).await;
        stepped.unwrap()
    }

    async fn code(&self, number: u8, id: u8, code: &str) -> Stepped {
        self.step(number, id, Step::Code(code.into())).await
    }

    async fn sent(&self) -> Vec<SentMessage> {
        self.bank.messages(100).await.unwrap()
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
        self.simulation.account_of(&number).await.unwrap()
    }

    /// Enters the newest code.
    async fn enter_code(&self, number: u8) -> Authentication {
        let code = self.newest_code().await;
        done(self.code(number, 200, &code).await)
    }
}

/// A code that is none of those on the phone.
fn another(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

macro_rules! progress {
    ($($name:ident: $variant:ident -> $inner:ty,)*) => {$(
        #[track_caller]
        fn $name(stepped: Stepped) -> $inner {
            match stepped {
                Stepped::Progress(Progress::$variant(inner)) => inner,
                other => panic!("{other:?}"),
            }
        }
    )*};
}

progress! {
    done: Done -> Authentication,
    still_code: Code -> CodeChallenge,
    still_passkey: Passkey -> PasskeyChallenge,
}

#[track_caller]
fn assert_failed(stepped: Stepped) {
    assert_eq!(done(stepped).status, AuthenticationStatus::NotAuthenticated);
}
