//! Fixtures of the tests of the state machine.

mod action;
mod opening;
mod passkey_offer;
mod paying;
mod phases;
mod retrying;
mod saved_cards;
mod waiting;

use super::{
    ActionRequired, ApiResponse, Effect, EndReason, HostMessage, PaymentData, PaymentEvent, Phase,
    ProblemDetails, ShopperAction, State, Submission, Timer,
};
use sealpay_protocol::api::{
    ActionView, Advice, AuthenticationRequest, CardView, CodeView, DeclineCategory, DeclineView,
    MerchantView, Method, OrderView, PasskeyView, PaymentView, SealingKeyView, SessionState,
    SessionView, ShopperState, TransferView, WalletView,
};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::ids::{AttemptId, InstrumentId, MerchantId, PaymentId, SessionId};
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
            creditor: None,
        },
        order: OrderView {
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            description: None,
            items: None,
        },
        agreement: None,
        instruments: Vec::new(),
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
    let decline = (state == ShopperState::Declined).then_some(DeclineView {
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
        debit: None,
        action: None,
        enrolment: None,
        decline,
        attempts_left: 9,
    }
}

/// Every kind of required action.
fn actions() -> [ActionView; 4] {
    [code_challenge(5), passkey(), wallet(), transfer()]
}

fn code_challenge(attempts_left: u32) -> ActionView {
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

fn refused(code: &str) -> ProblemDetails {
    ProblemDetails {
        code: code.into(),
        server_time: NOW,
        ..ProblemDetails::default()
    }
}

pub(super) fn attempt(number: u8) -> AttemptId {
    AttemptId::new(1, [number; 10])
}

pub(super) fn instrument(number: u8) -> InstrumentId {
    InstrumentId::new(1, [number; 10])
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
        data: PaymentData::Card(Box::new(card())),
        consent: None,
    }
}

fn body() -> Rc<[u8]> {
    b"sealed".as_slice().into()
}

/// The state machine and its last effects.
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
        run.step(PaymentEvent::Start);
        run
    }

    fn step(&mut self, event: PaymentEvent) {
        self.effects = self.state.step(event);
    }

    fn generation(&self) -> u32 {
        self.state.generation
    }

    fn opened(&mut self, response: ApiResponse<Box<SessionView>>) {
        self.step(PaymentEvent::Opened {
            generation: self.generation(),
            now: NOW,
            response,
        });
    }

    fn paid(&mut self, response: ApiResponse<Box<PaymentView>>) {
        self.step(PaymentEvent::Paid {
            generation: self.generation(),
            now: NOW,
            response,
        });
    }

    fn outcome(&mut self, state: ShopperState) {
        self.paid(ApiResponse::Success(Box::new(payment(state))));
    }

    fn refused(&mut self, code: &str) {
        self.paid(ApiResponse::Problem(refused(code)));
    }

    fn fires(&mut self, timer: Timer) {
        self.step(PaymentEvent::TimerFired {
            generation: self.generation(),
            timer,
        });
    }

    /// With an open form.
    fn open() -> Self {
        let mut run = Self::new();
        run.opened(ApiResponse::Success(Box::new(session())));
        run
    }

    /// With an attempt under way.
    fn paying() -> Self {
        let mut run = Self::open();
        run.step(PaymentEvent::Submitted(submission(1)));
        run.step(PaymentEvent::Sealed {
            generation: run.generation(),
            body: Some(body()),
        });
        run
    }

    /// With a required action.
    fn with_action(action: ActionView) -> Self {
        let mut run = if matches!(action, ActionView::Wallet(_) | ActionView::Transfer(_)) {
            let mut run = Self::open();
            let data = match action {
                ActionView::Wallet(_) => PaymentData::Wallet,
                _ => PaymentData::BankTransfer,
            };
            run.step(PaymentEvent::Submitted(Submission {
                attempt: attempt(1),
                data,
                consent: None,
            }));
            run
        } else {
            Self::paying()
        };
        run.answered_with(action);
        run
    }

    fn answered_with(&mut self, action: ActionView) {
        self.paid(ApiResponse::Success(Box::new(waiting_for(action))));
    }

    fn acts(&mut self, number: u8, action: ShopperAction) {
        self.acts_at(NOW, number, action);
    }

    fn acts_at(&mut self, now: u64, number: u8, action: ShopperAction) {
        let id = attempt(number);
        self.step(PaymentEvent::Action { id, now, action });
    }

    fn enters_code(&mut self, number: u8, code: &str) {
        self.acts(number, ShopperAction::EnterCode(code.to_owned().into()));
    }

    fn authenticated(&mut self, response: ApiResponse<Box<PaymentView>>) {
        self.step(PaymentEvent::Authenticated {
            generation: self.generation(),
            now: NOW,
            response,
        });
    }

    fn authenticated_as(&mut self, payment: PaymentView) {
        self.authenticated(ApiResponse::Success(Box::new(payment)));
    }

    fn passkey(&mut self, number: u8, credential: Option<&str>) {
        self.step(PaymentEvent::Passkey {
            generation: self.generation(),
            id: attempt(number),
            credential: credential.map(str::to_owned),
        });
    }

    fn required(&self) -> &ActionRequired {
        match self.state.phase() {
            Phase::ActionRequired(required) => required,
            phase => panic!("nothing to do: {phase:?}"),
        }
    }

    /// The challenge response that was sent: its id and its body.
    fn responded(&self) -> Option<(AttemptId, AuthenticationRequest)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Authenticate { id, body, .. } => {
                Some((*id, serde_json::from_slice(body).unwrap()))
            }
            _ => None,
        })
    }

    fn clears_code(&self) -> bool {
        let asks = |effect: &Effect| matches!(effect, Effect::ClearCode);
        self.effects.iter().any(asks)
    }

    fn sent(&self) -> Option<(AttemptId, Rc<[u8]>)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Send { attempt, .. } => Some((attempt.id, attempt.body.clone())),
            _ => None,
        })
    }

    fn wait_ms(&self) -> Option<u32> {
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

    fn clears_security_code_only(&self) -> bool {
        let clears = |effect: &Effect| matches!(effect, Effect::ClearSecurityCode);
        let forgets = |effect: &Effect| matches!(effect, Effect::ClearForm);
        self.effects.iter().any(clears) && !self.effects.iter().any(forgets)
    }

    fn clears_form(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::ClearForm | Effect::ClearFormUnlessRenewable))
    }

    fn messages(&self) -> Vec<&HostMessage> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::NotifyHost(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    fn error_code(&self) -> Option<&str> {
        self.messages()
            .into_iter()
            .find_map(|message| match message {
                HostMessage::Error { code } => Some(code.as_str()),
                _ => None,
            })
    }

    fn end_reason(&self) -> &EndReason {
        match self.state.phase() {
            Phase::Ended(reason) => reason,
            phase => panic!("not ended: {phase:?}"),
        }
    }
}
