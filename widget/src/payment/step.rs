//! The transitions, one event at a time.

mod action;
mod opening;
mod paying;
mod polling;
mod removing;
mod responding;

use super::action::PendingRequest;
use super::attempt::Poll;
use super::effect::Effect;
use super::event::{PaymentEvent, ProblemDetails};
use super::message::HostMessage;
use super::state::{EndReason, Phase, State};
use sealpay_protocol::api::Method;

/// What to do about a problem.
enum ProblemKind {
    /// The browser's clock was wrong or the signature was seen before: sign again and send.
    SignAgain,
    /// The verifier is busy and did nothing: retry later.
    RetryLater,
    /// The verifier failed at an unknown point: retry later, with the same attempt.
    ServerFailed,
    /// The same attempt, or another one of this order, is under way.
    InProgress,
    /// The order is already paid, perhaps from another page: poll the outcome.
    AlreadyPaid,
    /// The verifier's sealing key has changed.
    SealingKeyChanged,
    /// The saved card was removed, perhaps in another tab.
    InstrumentRemoved,
    /// The session or the order is too old.
    Expired,
    /// No attempts are left.
    Exhausted,
    /// The order does not offer this payment method.
    NotOffered,
    /// Another tab has opened the order since, with its own key.
    Superseded,
    /// The challenge is over.
    ChallengeClosed,
    /// Another code was requested too early or too often.
    ResendTooEarly,
    /// Anything else: a retry would not help.
    Final,
}

impl ProblemKind {
    fn from_code(code: &str) -> Self {
        match code {
            "signature_expired" | "signature_from_the_future" | "nonce_replayed" => Self::SignAgain,
            "rate_limited" | "request_timeout" | "overloaded" | "shutting_down"
            | "world_restoring" => Self::RetryLater,
            "internal" => Self::ServerFailed,
            "attempt_in_progress" => Self::InProgress,
            // Our signatures verify as long as the session has our key.
            "signature_invalid" => Self::Superseded,
            "session_complete" => Self::AlreadyPaid,
            "sealed_card_refused" => Self::SealingKeyChanged,
            "instrument_unavailable" => Self::InstrumentRemoved,
            "session_expired" | "order_expired" | "unknown_session" => Self::Expired,
            "too_many_attempts" => Self::Exhausted,
            "method_not_offered" => Self::NotOffered,
            "challenge_closed" => Self::ChallengeClosed,
            "resend_not_allowed" => Self::ResendTooEarly,
            _ => Self::Final,
        }
    }
}

impl State {
    /// Handles one event and returns the side effects it requires.
    pub fn step(&mut self, event: PaymentEvent) -> Vec<Effect> {
        match event {
            PaymentEvent::Start if matches!(self.phase, Phase::Waiting) => self.open(None),
            PaymentEvent::OrderReplaced if self.accepts_order() => self.restart(),
            PaymentEvent::OrderRejected(code) => self.end(EndReason::Fatal(code.into())),
            PaymentEvent::Opened {
                generation,
                now,
                response,
            } if generation == self.generation => self.opened(now, response),
            PaymentEvent::Submitted(submission) => self.submitted(submission),
            PaymentEvent::Sealed { generation, body } if generation == self.generation => {
                self.sealed(body)
            }
            PaymentEvent::Paid {
                generation,
                now,
                response,
            } if generation == self.generation => self.payment_response(now, response),
            PaymentEvent::Retry => self.retry(),
            PaymentEvent::Action { id, now, action } => self.act(id, now, action),
            PaymentEvent::CodeEdited => self.code_edited(),
            PaymentEvent::Passkey {
                generation,
                id,
                credential,
            } if generation == self.generation => self.passkey(id, credential.as_deref()),
            PaymentEvent::Authenticated {
                generation,
                now,
                response,
            } if generation == self.generation => self.authenticated(now, response),
            PaymentEvent::Resumed => self.resumed(),
            PaymentEvent::TimerFired { generation, timer } if generation == self.generation => {
                self.timer_fired(timer)
            }
            PaymentEvent::SessionExpired => self.session_expired(),
            // An event of an older generation, or a second start.
            _ => Vec::new(),
        }
    }

    /// The response to a status request is here.
    fn status_received(&mut self) {
        if matches!(self.pending, PendingRequest::Status) {
            self.pending = PendingRequest::None;
        }
    }

    /// Starts over with another order. The fields belong to `form` and keep their contents.
    fn restart(&mut self) -> Vec<Effect> {
        let generation = self.generation;
        *self = Self {
            generation,
            ..Self::default()
        };
        self.open(None)
    }

    const fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Waiting)
    }

    fn session_expired(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Form { .. } | Phase::Unreachable => self.end(EndReason::Expired),
            // A request is under way: the verifier's response decides.
            _ => Vec::new(),
        }
    }

    fn may_be_paid(&self) -> bool {
        match &self.phase {
            Phase::Paying { attempt, .. }
            | Phase::Interrupted { attempt }
            | Phase::Polling {
                poll: Poll::Attempt(attempt),
                ..
            } => attempt.may_be_paid,
            Phase::Polling { .. } | Phase::Cancelling { .. } | Phase::OpenElsewhere => true,
            // A card is only charged by sending it again; the other methods may be paid at any
            // time.
            Phase::ActionRequired(required) => match &required.poll {
                Poll::Attempt(attempt) => {
                    attempt.may_be_paid || required.payment.method != Method::Card
                }
                Poll::Session => true,
            },
            _ => false,
        }
    }

    /// Ends with this reason, or with an unresolved outcome when an attempt may have been paid.
    fn end_unless_paid(&mut self, reason: EndReason) -> Vec<Effect> {
        if self.awaits_transfer() {
            // The money may arrive whether this page can poll or not.
            return Vec::new();
        }
        let reason = if self.may_be_paid() {
            EndReason::Unresolved
        } else {
            reason
        };
        self.end(reason)
    }

    fn end(&mut self, reason: EndReason) -> Vec<Effect> {
        let error = notify_error(reason.code());
        let is_renewable = reason.is_renewable();
        self.phase = Phase::Ended(reason);
        // With another order of the host page the shopper continues with the fields as they are.
        if is_renewable {
            let code = match &self.phase {
                Phase::Ended(EndReason::Expired) => "session_expired",
                Phase::Ended(EndReason::Exhausted) => "too_many_attempts",
                _ => "order_reused",
            };
            let expired = Effect::NotifyHost(HostMessage::Expired { code });
            vec![Effect::ClearFormUnlessRenewable, error, expired]
        } else {
            vec![Effect::ClearForm, error]
        }
    }

    /// Stores the verifier's clock and, for developers, the problem itself.
    fn record_problem(&mut self, now: u64, problem: &ProblemDetails) {
        self.record_clock_offset(now, problem.server_time);
        self.last_problem = Some(problem.clone());
    }

    /// Stores the offset of the verifier's clock from the browser's, which may be wrong.
    fn record_clock_offset(&mut self, now: u64, server_time: u64) {
        let offset = i128::from(server_time) - i128::from(now);
        self.clock_offset_seconds = i64::try_from(offset).unwrap_or(0);
    }
}

fn notify_error(code: &str) -> Effect {
    Effect::NotifyHost(HostMessage::Error { code: code.into() })
}

fn milliseconds_until(expires_at: u64, server_time: u64) -> u32 {
    let seconds = expires_at.saturating_sub(server_time);
    u32::try_from(seconds.saturating_mul(1000)).unwrap_or(u32::MAX)
}
