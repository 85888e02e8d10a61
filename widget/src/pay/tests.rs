//! What the tests of the state machine share.

mod opening;
mod paying;

use super::{Answer, Effect, Ending, Event, Message, Phase, Refused, State, Submission, Wake};
use sealpay_protocol::api::{
    Advice, CardView, DeclineView, MerchantView, Method, OrderView, PaymentView, SealingKeyView,
    SessionState, SessionView, ShopperState,
};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{AttemptId, MerchantId, PaymentId, SessionId};
use sealpay_protocol::order::Capture;
use std::rc::Rc;

const NOW: u64 = 1_763_800_000;

pub(super) fn session() -> SessionView {
    SessionView {
        session: SessionId::new(1, [1; 10]),
        state: SessionState::Open,
        expires_at: NOW + 1800,
        server_time: NOW,
        test_mode: true,
        verifier_origin: "https://pay.example".parse().unwrap(),
        merchant: MerchantView {
            id: MerchantId::new(1, [2; 10]),
            name: "Paper Lantern".into(),
        },
        order: OrderView {
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            description: None,
            items: None,
        },
        methods: vec![Method::Card],
        sealing_key: SealingKeyView {
            kid: String::new(),
            public_key: String::new(),
        },
        attempts_left: 10,
        payment: None,
    }
}

fn payment(state: ShopperState) -> PaymentView {
    let decline = (state == ShopperState::Declined).then(|| DeclineView {
        message: "Your bank said no.".into(),
        advice: Advice::TryOtherCard,
    });
    PaymentView {
        payment: PaymentId::new(1, [3; 10]),
        attempt: attempt(1),
        state,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        created_at: NOW,
        card: CardView {
            brand: "visa".into(),
            last4: "4242".into(),
        },
        decline,
        attempts_left: 9,
    }
}

fn refused(code: &str) -> Refused {
    Refused {
        code: code.into(),
        server_time: NOW,
    }
}

fn attempt(number: u8) -> AttemptId {
    AttemptId::new(1, [number; 10])
}

pub(super) fn submission(number: u8) -> Submission {
    let number_on_card = CardNumber::parse("4242424242424242").unwrap();
    let security_code = SecurityCode::parse("123", number_on_card.brand()).unwrap();
    let today = YearMonth::new(2026, 11).unwrap();
    let expiry = Expiry::parse("12/30", today).unwrap();
    let card = Card {
        number: number_on_card,
        expiry,
        security_code,
        holder: None,
    };
    Submission {
        attempt: attempt(number),
        card,
    }
}

fn body() -> Rc<[u8]> {
    b"sealed".as_slice().into()
}

/// The machine and what it asked for last.
struct Run {
    state: State,
    effects: Vec<Effect>,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            state: State::default(),
            effects: Vec::new(),
        };
        run.step(Event::Start);
        run
    }

    fn step(&mut self, event: Event) {
        self.effects = self.state.step(event);
    }

    fn turn(&self) -> u32 {
        self.state.turn
    }

    fn opened(&mut self, answer: Answer<Box<SessionView>>) {
        self.step(Event::Opened {
            turn: self.turn(),
            now: NOW,
            answer,
        });
    }

    fn paid(&mut self, answer: Answer<Box<PaymentView>>) {
        self.step(Event::Paid {
            turn: self.turn(),
            now: NOW,
            answer,
        });
    }

    fn outcome(&mut self, state: ShopperState) {
        self.paid(Answer::Good(Box::new(payment(state))));
    }

    fn refused(&mut self, code: &str) {
        self.paid(Answer::Refused(refused(code)));
    }

    fn woke(&mut self, wake: Wake) {
        self.step(Event::Woke {
            turn: self.turn(),
            wake,
        });
    }

    /// With an open form.
    fn open() -> Self {
        let mut run = Self::new();
        run.opened(Answer::Good(Box::new(session())));
        run
    }

    /// With an attempt on its way.
    fn paying() -> Self {
        let mut run = Self::open();
        run.step(Event::Submitted(submission(1)));
        run.step(Event::Sealed {
            turn: run.turn(),
            body: Some(body()),
        });
        run
    }

    fn sent(&self) -> Option<(AttemptId, Rc<[u8]>)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Send { attempt, .. } => Some((attempt.id, attempt.body.clone())),
            _ => None,
        })
    }

    fn waits_ms(&self) -> Option<u32> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Wait { milliseconds, .. } => Some(*milliseconds),
            _ => None,
        })
    }

    fn opens(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::OpenSession { .. }))
    }

    fn clears_only_the_security_code(&self) -> bool {
        let clears = |effect: &Effect| matches!(effect, Effect::AskSecurityCodeAgain);
        let forgets = |effect: &Effect| matches!(effect, Effect::ForgetCard);
        self.effects.iter().any(clears) && !self.effects.iter().any(forgets)
    }

    fn forgets_the_card(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::ForgetCard))
    }

    fn told(&self) -> Vec<&Message> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Tell(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    fn told_error(&self) -> Option<&str> {
        self.told().into_iter().find_map(|message| match message {
            Message::Error { code } => Some(code.as_str()),
            _ => None,
        })
    }

    fn ending(&self) -> &Ending {
        match self.state.phase() {
            Phase::Ended(ending) => ending,
            phase => panic!("not ended: {phase:?}"),
        }
    }
}
