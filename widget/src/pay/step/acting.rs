//! What the shopper has to do: shown, asked about, and left again.

use super::super::acting::{Acting, Errand, Offer};
use super::super::backoff;
use super::super::effect::{Effect, Wake};
use super::super::message::Message;
use super::super::state::{Attempt, Notice, Phase, Poll, State};
use sealpay_protocol::api::{ActionView, AuthenticationStep, Method, PaymentView};

/// The name of a challenge for the page; `None` for what is none.
const fn kind_of(action: &ActionView) -> Option<&'static str> {
    match action {
        ActionView::Code(_) => Some("code"),
        ActionView::Passkey(_) => Some("passkey"),
        ActionView::Wallet(_) => Some("wallet"),
        ActionView::Transfer(_) | ActionView::Continue => None,
    }
}

/// What there is to say after a step that did not end it.
const fn said_about(action: &ActionView, step: Option<AuthenticationStep>) -> Option<&'static str> {
    match (action, step) {
        (ActionView::Code(_), Some(AuthenticationStep::Resend)) => Some("code_sent"),
        (ActionView::Code(code), _) if code.refused => Some("code_refused"),
        (ActionView::Passkey(passkey), _) if passkey.wrong_page => Some("passkey_wrong_page"),
        (ActionView::Passkey(passkey), _) if passkey.refused => Some("passkey_refused"),
        _ => None,
    }
}

impl State {
    /// The shopper has something to do; `step` is what was done last.
    pub(super) fn requires_action(
        &mut self,
        mut payment: Box<PaymentView>,
        step: Option<AuthenticationStep>,
    ) -> Vec<Effect> {
        let Some(action) = payment.action.take() else {
            return match self.polls_of_a_reload() {
                // How to prove who the shopper is, only the page before this one was told.
                Some(polls) if payment.method == Method::Card => self.abandon(&payment, polls),
                _ => self.still_unknown(),
            };
        };
        let (poll, polls, former) = match self.take_phase() {
            Phase::Paying { attempt, resends } if matches!(action, ActionView::Continue) => {
                self.phase = Phase::Paying { attempt, resends };
                return self.resend_now();
            }
            Phase::Paying { attempt, .. } => (Poll::Attempt(attempt), 0, None),
            Phase::Checking { poll, polls } => (poll, polls, None),
            Phase::Acting(acting) => (acting.poll, acting.polls, Some(acting.action)),
            // It was not given up. Not at once again, or it might go on for ever.
            Phase::Abandoning { polls, .. } => return self.check(Poll::Session, polls),
            _ => (Poll::Session, 0, None),
        };
        match (poll, action) {
            // The card of the page before this one cannot be sent by this one.
            (Poll::Session, _) if payment.method == Method::Card => self.abandon(&payment, polls),
            (Poll::Attempt(attempt), ActionView::Continue) if former.is_some() => {
                self.send(attempt, 0)
            }
            (poll, ActionView::Continue) => self.check(poll, polls),
            (poll, action) => {
                let acting = Acting {
                    payment: *payment,
                    action,
                    poll,
                    polls: if former.is_some() { polls } else { 0 },
                    said: None,
                };
                self.act(acting, former, step)
            }
        }
    }

    /// How often was asked, where this page did not make the attempt.
    const fn polls_of_a_reload(&self) -> Option<u32> {
        match self.phase {
            Phase::Opening { .. } => Some(0),
            Phase::Checking {
                poll: Poll::Session,
                polls,
            } => Some(polls),
            _ => None,
        }
    }

    fn act(
        &mut self,
        mut acting: Acting,
        former: Option<ActionView>,
        step: Option<AuthenticationStep>,
    ) -> Vec<Effect> {
        acting.said = said_about(&acting.action, step);
        let former = former.as_ref();
        let is_new =
            former.map(core::mem::discriminant) != Some(core::mem::discriminant(&acting.action));
        let mut effects = Vec::new();
        if is_new {
            effects.push(Effect::Tell(match kind_of(&acting.action) {
                Some(kind) => Message::Challenge { kind },
                None => Message::Pending {
                    payment: acting.payment.payment,
                    order_ref: acting.payment.order_ref.clone(),
                    method: acting.payment.method,
                },
            }));
            if matches!(acting.action, ActionView::Wallet(_)) {
                effects.push(Effect::OpenWallet);
            }
        } else if matches!(acting.action, ActionView::Code(_)) {
            effects.push(Effect::AskCodeAgain);
        }
        self.errand = Errand::None;
        self.phase = Phase::Acting(Box::new(acting));
        effects.extend(self.ask_later());
        effects
    }

    /// Asks after a while what became of a payment that goes on elsewhere. Where only the shopper
    /// can go on, nothing is asked.
    pub(super) fn ask_later(&mut self) -> Vec<Effect> {
        match &self.phase {
            Phase::Acting(acting) => {
                let milliseconds = match acting.action {
                    ActionView::Wallet(_) => backoff::wallet_ms(acting.polls),
                    ActionView::Transfer(_) => backoff::transfer_ms(acting.polls),
                    _ => return Vec::new(),
                };
                let wake = match acting.poll {
                    Poll::Attempt(_) => Wake::Send,
                    Poll::Session => Wake::Open,
                };
                self.errand = Errand::None;
                self.wait(milliseconds, wake)
            }
            Phase::Abandoning { polls, .. } => self.check(Poll::Session, *polls),
            _ => self.check_again(),
        }
    }

    /// Asks now, unless something is under way already.
    pub(super) fn came_back(&mut self) -> Vec<Effect> {
        if matches!(self.phase, Phase::Interrupted { .. } | Phase::Unreachable) {
            return self.retry_unseen();
        }
        let waits_elsewhere = matches!(&self.phase, Phase::Acting(acting)
            if matches!(acting.action, ActionView::Wallet(_) | ActionView::Transfer(_)));
        if waits_elsewhere && matches!(self.errand, Errand::None) {
            self.ask_now()
        } else {
            Vec::new()
        }
    }

    /// Asks what became of the payment.
    pub(super) fn ask_now(&mut self) -> Vec<Effect> {
        let poll = match &mut self.phase {
            Phase::Acting(acting) => {
                acting.polls = acting.polls.saturating_add(1);
                acting.poll.clone()
            }
            Phase::Checking { poll, .. } => poll.clone(),
            _ => Poll::Session,
        };
        self.errand = Errand::Asking;
        let turn = self.next_turn();
        vec![match poll {
            Poll::Attempt(attempt) => Effect::Send { turn, attempt },
            Poll::Session => Effect::OpenSession { turn },
        }]
    }

    /// The challenge is over, one way or the other: asks what became of the payment.
    pub(super) fn closed(&mut self) -> Vec<Effect> {
        let (poll, polls) = match self.take_phase() {
            Phase::Acting(acting) => (acting.poll, 0),
            Phase::Checking { poll, polls } => (poll, polls),
            Phase::Abandoning { polls, .. } => return self.check(Poll::Session, polls),
            _ => (Poll::Session, 0),
        };
        let poll = match poll {
            Poll::Attempt(attempt) => Poll::Attempt(Attempt {
                may_be_paid: true,
                ..attempt
            }),
            poll => poll,
        };
        self.phase = Phase::Checking { poll, polls };
        self.ask_now()
    }

    fn abandon(&mut self, payment: &PaymentView, polls: u32) -> Vec<Effect> {
        self.errand = Errand::None;
        self.phase = Phase::Abandoning {
            payment: payment.payment,
            polls,
        };
        vec![Effect::Abandon]
    }

    /// What the shopper gave up is not a decline to be explained.
    pub(super) const fn cancelled(&self) -> Notice {
        Notice::Code(if matches!(self.phase, Phase::Abandoning { .. }) {
            "abandoned"
        } else {
            "cancelled"
        })
    }

    /// Whether money can still come without this page, so that its end is not that of the payment.
    pub(super) fn awaits_transfer(&self) -> bool {
        matches!(&self.phase, Phase::Acting(acting)
            if matches!(acting.action, ActionView::Transfer(_)))
    }

    /// The offer that comes with a payment.
    pub(super) const fn offer_of(payment: &PaymentView) -> Offer {
        if payment.enrolment.is_some() {
            Offer::Made
        } else {
            Offer::None
        }
    }
}
