//! One event at a time.

mod acting;
mod checking;
mod opening;
mod paying;
mod proving;

use super::acting::Errand;
use super::effect::Effect;
use super::event::{Event, Refused};
use super::message::Message;
use super::state::{Ending, Phase, Poll, State};
use sealpay_protocol::api::Method;

/// What a refusal means for what to do next.
enum Refusal {
    /// The browser's clock was wrong or the signature was seen before: sign again and send.
    SignAgain,
    /// The verifier is busy and did nothing: later.
    Later,
    /// The verifier failed on the way, nobody knows where: later, with the same attempt.
    Failed,
    /// The same attempt, or another one of this order, is under way.
    UnderWay,
    /// The order was paid already, maybe from another page: ask what became of it.
    AlreadyPaid,
    /// The key to seal to has changed.
    SealAgain,
    /// The session or the order is too old.
    TooOld,
    /// No attempts are left.
    Exhausted,
    /// The order may not be paid in this way.
    NotOffered,
    /// Another tab has opened the order since, with a key of its own.
    Superseded,
    /// The challenge is over.
    Closed,
    /// Another code was asked for too early or too often.
    TooEarly,
    /// Anything else cannot get better by itself.
    Final,
}

fn meaning_of(code: &str) -> Refusal {
    match code {
        "signature_expired" | "signature_from_the_future" | "nonce_replayed" => Refusal::SignAgain,
        "rate_limited" | "request_timeout" | "overloaded" | "shutting_down" => Refusal::Later,
        "internal" => Refusal::Failed,
        "attempt_in_progress" => Refusal::UnderWay,
        // Ours fit as long as the session has our key.
        "signature_invalid" => Refusal::Superseded,
        "session_complete" => Refusal::AlreadyPaid,
        "sealed_card_refused" => Refusal::SealAgain,
        "session_expired" | "order_expired" | "unknown_session" => Refusal::TooOld,
        "too_many_attempts" => Refusal::Exhausted,
        "method_not_offered" => Refusal::NotOffered,
        "challenge_closed" => Refusal::Closed,
        "resend_not_allowed" => Refusal::TooEarly,
        _ => Refusal::Final,
    }
}

impl State {
    /// Takes one event and says what is to be done because of it.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Start if matches!(self.phase, Phase::Waiting) => self.open(None),
            Event::Renewed if self.accepts_order() => self.renewed(),
            Event::NotAdmitted(code) => self.end(Ending::Fatal(code.into())),
            Event::Opened { turn, now, answer } if turn == self.turn => self.opened(now, answer),
            Event::Submitted(submission) => self.submitted(submission),
            Event::Sealed { turn, body } if turn == self.turn => self.sealed(body),
            Event::Paid { turn, now, answer } if turn == self.turn => self.answered(now, answer),
            Event::Retried => self.retried(),
            Event::Did { id, now, deed } => self.did(id, now, deed),
            Event::CodeTyped => self.code_typed(),
            Event::Passkey {
                turn,
                id,
                credential,
            } if turn == self.turn => self.passkey(id, credential.as_deref()),
            Event::Authenticated { turn, now, answer } if turn == self.turn => {
                self.authenticated(now, answer)
            }
            Event::CameBack => self.came_back(),
            Event::Woke { turn, wake } if turn == self.turn => self.woke(wake),
            Event::SessionTimeUp => self.time_up(),
            // An answer of an older turn, or a second start.
            _ => Vec::new(),
        }
    }

    /// The answer to a question about the payment is here.
    fn asked(&mut self) {
        if matches!(self.errand, Errand::Asking) {
            self.errand = Errand::None;
        }
    }

    /// From the beginning with another order; what was typed is not ours and stays.
    fn renewed(&mut self) -> Vec<Effect> {
        let turn = self.turn;
        *self = Self {
            turn,
            ..Self::default()
        };
        self.open(None)
    }

    const fn next_turn(&mut self) -> u32 {
        self.turn = self.turn.wrapping_add(1);
        self.turn
    }

    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Waiting)
    }

    fn time_up(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Form { .. } | Phase::Unreachable => self.end(Ending::Expired),
            // Something is on its way: the verifier's answer decides.
            _ => Vec::new(),
        }
    }

    fn may_be_paid(&self) -> bool {
        match &self.phase {
            Phase::Paying { attempt, .. }
            | Phase::Interrupted { attempt }
            | Phase::Checking {
                poll: Poll::Attempt(attempt),
                ..
            } => attempt.may_be_paid,
            Phase::Checking { .. } | Phase::Abandoning { .. } | Phase::Elsewhere => true,
            // A card is paid by sending it once more; the others may be paid at any time.
            Phase::Acting(acting) => match &acting.poll {
                Poll::Attempt(attempt) => {
                    attempt.may_be_paid || acting.payment.method != Method::Card
                }
                Poll::Session => true,
            },
            _ => false,
        }
    }

    /// Ends, unless an attempt may have been paid: then the end is that we do not know.
    fn end_or_admit(&mut self, ending: Ending) -> Vec<Effect> {
        if self.awaits_transfer() {
            // The money comes whether this page can ask for it or not.
            return Vec::new();
        }
        let ending = if self.may_be_paid() {
            Ending::Unresolved
        } else {
            ending
        };
        self.end(ending)
    }

    fn end(&mut self, ending: Ending) -> Vec<Effect> {
        let told = tell_error(ending.code());
        let is_renewable = ending.is_renewable();
        self.phase = Phase::Ended(ending);
        // With another order of the page the shopper goes on with what was typed.
        if is_renewable {
            let code = match &self.phase {
                Phase::Ended(Ending::Expired) => "session_expired",
                Phase::Ended(Ending::Exhausted) => "too_many_attempts",
                _ => "order_reused",
            };
            let expired = Effect::Tell(Message::Expired { code });
            vec![Effect::KeepForRenewal, told, expired]
        } else {
            vec![Effect::ForgetCard, told]
        }
    }

    /// What a refusal says besides its code.
    fn learn_refusal(&mut self, now: u64, refused: &Refused) {
        self.learn_time(now, refused.server_time);
        self.refused = Some(refused.clone());
    }

    /// Keeps the difference between the verifier's clock and the browser's, which may be wrong.
    fn learn_time(&mut self, now: u64, server_time: u64) {
        let offset = i128::from(server_time) - i128::from(now);
        self.clock_offset_seconds = i64::try_from(offset).unwrap_or(0);
    }
}

fn tell_error(code: &str) -> Effect {
    Effect::Tell(Message::Error { code: code.into() })
}

fn milliseconds_until(expires_at: u64, server_time: u64) -> u32 {
    let seconds = expires_at.saturating_sub(server_time);
    u32::try_from(seconds.saturating_mul(1000)).unwrap_or(u32::MAX)
}
