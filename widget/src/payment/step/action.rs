//! Required actions: shown, polled, and left again.

use super::super::action::{ActionRequired, PasskeyOffer, PendingRequest};
use super::super::attempt::{Attempt, Poll};
use super::super::backoff;
use super::super::effect::{Effect, Timer};
use super::super::message::HostMessage;
use super::super::state::{Notice, Phase, State};
use sealpay_protocol::api::{ActionView, AuthenticationStep, Method, PaymentView};

/// The kind of a challenge in messages to the host page; `None` for an action that is no challenge.
const fn challenge_kind(action: &ActionView) -> Option<&'static str> {
    match action {
        ActionView::Code(_) => Some("code"),
        ActionView::Passkey(_) => Some("passkey"),
        ActionView::Wallet(_) => Some("wallet"),
        ActionView::Transfer(_) | ActionView::Continue => None,
    }
}

/// The feedback after a step that did not complete the action.
const fn feedback_after(
    action: &ActionView,
    step: Option<AuthenticationStep>,
) -> Option<&'static str> {
    match (action, step) {
        (ActionView::Code(_), Some(AuthenticationStep::Resend)) => Some("code_sent"),
        (ActionView::Code(code), _) if code.refused => Some("code_refused"),
        (ActionView::Passkey(passkey), _) if passkey.wrong_page => Some("passkey_wrong_page"),
        (ActionView::Passkey(passkey), _) if passkey.refused => Some("passkey_refused"),
        _ => None,
    }
}

impl State {
    /// The payment requires an action; `step` is the shopper's last step.
    pub(super) fn requires_action(
        &mut self,
        mut payment: Box<PaymentView>,
        step: Option<AuthenticationStep>,
    ) -> Vec<Effect> {
        let Some(action) = payment.action.take() else {
            return match self.polls_after_reload() {
                // Only the page before this one received the challenge.
                Some(polls) if payment.method == Method::Card => {
                    self.cancel_unfinished(&payment, polls)
                }
                _ => self.outcome_unknown(),
            };
        };
        let (poll, polls, former) = match self.take_phase() {
            Phase::Paying { attempt, resends } if matches!(action, ActionView::Continue) => {
                self.phase = Phase::Paying { attempt, resends };
                return self.resend_now();
            }
            Phase::Paying { attempt, .. } => (Poll::Attempt(attempt), 0, None),
            Phase::Polling { poll, polls } => (poll, polls, None),
            Phase::ActionRequired(required) => {
                (required.poll, required.polls, Some(required.action))
            }
            // The cancellation had no effect. Retried after a wait, so that this cannot loop.
            Phase::Cancelling { polls, .. } => return self.poll(Poll::Session, polls),
            _ => (Poll::Session, 0, None),
        };
        match (poll, action) {
            // This page cannot resend the card of the page before it.
            (Poll::Session, _) if payment.method == Method::Card => {
                self.cancel_unfinished(&payment, polls)
            }
            (Poll::Attempt(attempt), ActionView::Continue) if former.is_some() => {
                self.send(attempt, 0)
            }
            (poll, ActionView::Continue) => self.poll(poll, polls),
            (poll, action) => {
                let required = ActionRequired {
                    payment: *payment,
                    action,
                    poll,
                    polls: if former.is_some() { polls } else { 0 },
                    feedback: None,
                };
                self.show_action(required, former, step)
            }
        }
    }

    /// The number of polls, if this page did not make the attempt.
    const fn polls_after_reload(&self) -> Option<u32> {
        match self.phase {
            Phase::Opening { .. } => Some(0),
            Phase::Polling {
                poll: Poll::Session,
                polls,
            } => Some(polls),
            _ => None,
        }
    }

    fn show_action(
        &mut self,
        mut required: ActionRequired,
        former: Option<ActionView>,
        step: Option<AuthenticationStep>,
    ) -> Vec<Effect> {
        required.feedback = feedback_after(&required.action, step);
        let former = former.as_ref();
        let is_new =
            former.map(core::mem::discriminant) != Some(core::mem::discriminant(&required.action));
        let mut effects = Vec::new();
        if is_new {
            effects.push(Effect::NotifyHost(match challenge_kind(&required.action) {
                Some(kind) => HostMessage::Challenge { kind },
                None => HostMessage::Pending {
                    payment: required.payment.payment,
                    order_ref: required.payment.order_ref.clone(),
                    method: required.payment.method,
                },
            }));
            if matches!(required.action, ActionView::Wallet(_)) {
                effects.push(Effect::OpenWallet);
            }
        } else if matches!(required.action, ActionView::Code(_)) {
            effects.push(Effect::ClearCode);
        }
        self.pending = PendingRequest::None;
        self.phase = Phase::ActionRequired(Box::new(required));
        effects.extend(self.poll_later());
        effects
    }

    /// Polls, after a wait, a payment that continues elsewhere. A payment that only the shopper can
    /// continue is not polled.
    pub(super) fn poll_later(&mut self) -> Vec<Effect> {
        match &self.phase {
            Phase::ActionRequired(required) => {
                let milliseconds = match required.action {
                    ActionView::Wallet(_) => backoff::wallet_ms(required.polls),
                    ActionView::Transfer(_) => backoff::transfer_ms(required.polls),
                    _ => return Vec::new(),
                };
                let timer = match required.poll {
                    Poll::Attempt(_) => Timer::Send,
                    Poll::Session => Timer::Open,
                };
                self.pending = PendingRequest::None;
                self.wait(milliseconds, timer)
            }
            Phase::Cancelling { polls, .. } => self.poll(Poll::Session, *polls),
            _ => self.poll_again(),
        }
    }

    /// Polls immediately, unless a request is running.
    pub(super) fn resumed(&mut self) -> Vec<Effect> {
        if matches!(self.phase, Phase::Interrupted { .. } | Phase::Unreachable) {
            return self.retry_in_background();
        }
        let waits_elsewhere = matches!(&self.phase, Phase::ActionRequired(required)
            if matches!(required.action, ActionView::Wallet(_) | ActionView::Transfer(_)));
        if waits_elsewhere && matches!(self.pending, PendingRequest::None) {
            self.poll_now()
        } else {
            Vec::new()
        }
    }

    /// Polls immediately.
    pub(super) fn poll_now(&mut self) -> Vec<Effect> {
        let poll = match &mut self.phase {
            Phase::ActionRequired(required) => {
                required.polls = required.polls.saturating_add(1);
                required.poll.clone()
            }
            Phase::Polling { poll, .. } => poll.clone(),
            _ => Poll::Session,
        };
        self.pending = PendingRequest::Status;
        let generation = self.next_generation();
        vec![match poll {
            Poll::Attempt(attempt) => Effect::Send {
                generation,
                attempt,
            },
            Poll::Session => Effect::OpenSession { generation },
        }]
    }

    /// The challenge is over, one way or the other: polls the outcome.
    pub(super) fn challenge_closed(&mut self) -> Vec<Effect> {
        let (poll, polls) = match self.take_phase() {
            Phase::ActionRequired(required) => (required.poll, 0),
            Phase::Polling { poll, polls } => (poll, polls),
            Phase::Cancelling { polls, .. } => return self.poll(Poll::Session, polls),
            _ => (Poll::Session, 0),
        };
        let poll = match poll {
            Poll::Attempt(attempt) => Poll::Attempt(Attempt {
                may_be_paid: true,
                ..attempt
            }),
            poll => poll,
        };
        self.phase = Phase::Polling { poll, polls };
        self.poll_now()
    }

    fn cancel_unfinished(&mut self, payment: &PaymentView, polls: u32) -> Vec<Effect> {
        self.pending = PendingRequest::None;
        self.phase = Phase::Cancelling {
            payment: payment.payment,
            polls,
        };
        vec![Effect::CancelPayment]
    }

    /// A payment that the shopper cancelled is not a decline that needs an explanation.
    pub(super) const fn cancellation_notice(&self) -> Notice {
        Notice::Code(if matches!(self.phase, Phase::Cancelling { .. }) {
            "abandoned"
        } else {
            "cancelled"
        })
    }

    /// Whether money can still arrive without this page, so that the session's end is not the
    /// payment's.
    pub(super) fn awaits_transfer(&self) -> bool {
        matches!(&self.phase, Phase::ActionRequired(required)
            if matches!(required.action, ActionView::Transfer(_)))
    }

    pub(super) const fn offer_for(payment: &PaymentView) -> PasskeyOffer {
        if payment.enrolment.is_some() {
            PasskeyOffer::Available
        } else {
            PasskeyOffer::None
        }
    }
}
