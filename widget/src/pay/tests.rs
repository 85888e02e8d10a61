//! What the tests of the state machine share.

mod acting;
mod again;
mod offering;
mod opening;
mod paying;
mod phases;
mod waiting;

use super::{
    Acting, Answer, Deed, Effect, Ending, Event, Means, Message, Phase, Refused, State, Submission,
    Wake,
};
use sealpay_protocol::api::{
    ActionView, Advice, AuthenticationRequest, CardView, CodeView, DeclineCategory, DeclineView,
    MerchantView, Method, OrderView, PasskeyView, PaymentView, SealingKeyView, SessionState,
    SessionView, ShopperState, TransferView, WalletView,
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
        livemode: false,
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

pub(super) fn payment_id() -> PaymentId {
    PaymentId::new(1, [3; 10])
}

fn payment(state: ShopperState) -> PaymentView {
    let decline = (state == ShopperState::Declined).then(|| DeclineView {
        message: "Your bank said no.".into(),
        advice: Advice::TryOtherCard,
        category: DeclineCategory::CardDeclined,
        field: None,
        replace_card: false,
    });
    PaymentView {
        payment: payment_id(),
        attempt: attempt(1),
        state,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        created_at: NOW,
        amount_captured: None,
        amount_refunded: None,
        amount_released: None,
        method: Method::Card,
        card: Some(CardView {
            brand: "visa".into(),
            last4: "4242".into(),
        }),
        action: None,
        enrolment: None,
        decline,
        attempts_left: 9,
    }
}

/// What a shopper may have to do, each once.
fn actions() -> [ActionView; 4] {
    [code_of(5), passkey(), wallet(), transfer()]
}

fn code_of(attempts_left: u32) -> ActionView {
    ActionView::Code(CodeView {
        sent_to: "•• 42".into(),
        refused: attempts_left < 5,
        attempts_left,
        resends_left: 3,
        resend_at: NOW + 30,
        expires_at: NOW + 300,
    })
}

fn passkey() -> ActionView {
    ActionView::Passkey(PasskeyView {
        options: "{\"challenge\":\"AA\"}".into(),
        refused: false,
        wrong_page: false,
        expires_at: NOW + 300,
    })
}

fn wallet() -> ActionView {
    ActionView::Wallet(WalletView {
        url: "/wallet/1".into(),
        expires_at: NOW + 600,
    })
}

fn transfer() -> ActionView {
    ActionView::Transfer(TransferView {
        holder: "Paper Lantern".into(),
        iban: "DE89370400440532013000".into(),
        bic: "COBADEFFXXX".into(),
        reference: "RF18539007547034".into(),
        amount_due: 2490,
        amount_received: 0,
        expires_at: NOW + 604_800,
    })
}

/// A payment that waits for the shopper.
fn waiting_for(action: ActionView) -> PaymentView {
    let method = match action {
        ActionView::Wallet(_) => Method::Wallet,
        ActionView::Transfer(_) => Method::BankTransfer,
        _ => Method::Card,
    };
    PaymentView {
        method,
        action: Some(action),
        ..payment(ShopperState::RequiresAction)
    }
}

fn refused(code: &str) -> Refused {
    Refused {
        code: code.into(),
        server_time: NOW,
        ..Refused::default()
    }
}

pub(super) fn attempt(number: u8) -> AttemptId {
    AttemptId::new(1, [number; 10])
}

pub(super) fn card() -> Card {
    let number_on_card = CardNumber::parse("4242424242424242").unwrap();
    let security_code = SecurityCode::parse("123", number_on_card.brand()).unwrap();
    let today = YearMonth::new(2026, 11).unwrap();
    let expiry = Expiry::parse("12/30", today).unwrap();
    Card {
        number: number_on_card,
        expiry,
        security_code,
        holder: None,
    }
}

pub(super) fn submission(number: u8) -> Submission {
    Submission {
        attempt: attempt(number),
        means: Means::Card(card()),
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

    /// With a payment that waits for the shopper.
    fn acting(action: ActionView) -> Self {
        let mut run = if matches!(action, ActionView::Wallet(_) | ActionView::Transfer(_)) {
            let mut run = Self::open();
            let means = match action {
                ActionView::Wallet(_) => Means::Wallet,
                _ => Means::BankTransfer,
            };
            run.step(Event::Submitted(Submission {
                attempt: attempt(1),
                means,
            }));
            run
        } else {
            Self::paying()
        };
        run.answered_with(action);
        run
    }

    fn answered_with(&mut self, action: ActionView) {
        self.paid(Answer::Good(Box::new(waiting_for(action))));
    }

    fn does(&mut self, number: u8, deed: Deed) {
        self.does_at(NOW, number, deed);
    }

    fn does_at(&mut self, now: u64, number: u8, deed: Deed) {
        let id = attempt(number);
        self.step(Event::Did { id, now, deed });
    }

    fn types(&mut self, number: u8, code: &str) {
        self.does(number, Deed::Code(code.to_owned().into()));
    }

    fn authenticated(&mut self, answer: Answer<Box<PaymentView>>) {
        self.step(Event::Authenticated {
            turn: self.turn(),
            now: NOW,
            answer,
        });
    }

    fn authenticated_as(&mut self, payment: PaymentView) {
        self.authenticated(Answer::Good(Box::new(payment)));
    }

    fn passkey(&mut self, number: u8, credential: Option<&str>) {
        self.step(Event::Passkey {
            turn: self.turn(),
            id: attempt(number),
            credential: credential.map(str::to_owned),
        });
    }

    /// What is shown of what the shopper has to do.
    fn shown(&self) -> &Acting {
        match self.state.phase() {
            Phase::Acting(acting) => acting,
            phase => panic!("nothing to do: {phase:?}"),
        }
    }

    /// What was sent to prove something: its name and its body.
    fn proved(&self) -> Option<(AttemptId, AuthenticationRequest)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Authenticate { id, body, .. } => {
                Some((*id, serde_json::from_slice(body).unwrap()))
            }
            _ => None,
        })
    }

    fn asks_for_code(&self) -> bool {
        let asks = |effect: &Effect| matches!(effect, Effect::AskCodeAgain);
        self.effects.iter().any(asks)
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
            .any(|effect| matches!(effect, Effect::ForgetCard | Effect::KeepForRenewal))
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
