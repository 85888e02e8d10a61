//! One event at a time.

use super::backoff;
use super::effect::{Effect, Wake};
use super::event::{Answer, Event, Refused, Submission};
use super::message::Message;
use super::state::{Attempt, Ending, Notice, Phase, Poll, State};
use sealpay_protocol::api::{
    Advice, DeclineView, PaymentView, SessionState, SessionView, ShopperState,
};
use std::rc::Rc;

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
    /// Anything else cannot get better by itself.
    Final,
}

fn meaning_of(code: &str) -> Refusal {
    match code {
        "signature_expired" | "signature_from_the_future" | "nonce_replayed" => Refusal::SignAgain,
        "rate_limited" | "overloaded" | "shutting_down" => Refusal::Later,
        "internal" => Refusal::Failed,
        "attempt_in_progress" => Refusal::UnderWay,
        "session_complete" => Refusal::AlreadyPaid,
        "sealed_card_refused" => Refusal::SealAgain,
        "session_expired" | "order_expired" | "unknown_session" => Refusal::TooOld,
        "too_many_attempts" => Refusal::Exhausted,
        _ => Refusal::Final,
    }
}

impl State {
    /// Takes one event and says what is to be done because of it.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Start if matches!(self.phase, Phase::Waiting) => self.open(None),
            Event::NotAdmitted(code) => self.end(Ending::Fatal(code.into())),
            Event::Opened { turn, now, answer } if turn == self.turn => self.opened(now, answer),
            Event::Submitted(submission) => self.submitted(submission),
            Event::Sealed { turn, body } if turn == self.turn => self.sealed(body),
            Event::Paid { turn, now, answer } if turn == self.turn => self.answered(now, answer),
            Event::Retried => self.retried(),
            Event::Woke { turn, wake } if turn == self.turn => self.woke(wake),
            Event::SessionTimeUp => self.time_up(),
            // An answer of an older turn, or a second start.
            _ => Vec::new(),
        }
    }

    const fn next_turn(&mut self) -> u32 {
        self.turn = self.turn.wrapping_add(1);
        self.turn
    }

    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Waiting)
    }

    // ---- Opening the session ----

    fn open(&mut self, notice: Option<Notice>) -> Vec<Effect> {
        self.phase = Phase::Opening {
            held: None,
            resends: 0,
            notice,
        };
        vec![Effect::OpenSession {
            turn: self.next_turn(),
        }]
    }

    fn opened(&mut self, now: u64, answer: Answer<Box<SessionView>>) -> Vec<Effect> {
        match answer {
            Answer::Good(session) => self.take_session(now, session),
            Answer::Refused(refused) => self.open_refused(now, &refused),
            Answer::None => self.open_later(),
        }
    }

    fn take_session(&mut self, now: u64, session: Box<SessionView>) -> Vec<Effect> {
        self.learn_time(now, session.server_time);
        let state = session.state;
        let payment = session.payment.clone();
        let attempts_left = session.attempts_left;
        let milliseconds = milliseconds_until(session.expires_at, session.server_time);
        self.session = Some(session);
        let mut effects = vec![Effect::WatchExpiry { milliseconds }];
        effects.extend(self.tell_ready());
        effects.extend(match (state, payment) {
            (SessionState::Complete, Some(payment)) => self.paid(Box::new(payment)),
            (SessionState::Complete, None) => self.end(Ending::Unresolved),
            (SessionState::Processing, _) => self.check_session(),
            (SessionState::Open, _) if attempts_left == 0 => self.end(Ending::Exhausted),
            (SessionState::Open, payment) => self.show_form(payment),
        });
        effects
    }

    /// Opens the form, or goes straight on with what the shopper submitted before it was open.
    fn show_form(&mut self, payment: Option<PaymentView>) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Opening {
                held: Some(submission),
                ..
            } => self.seal(submission),
            Phase::Checking { .. } => match payment.and_then(|payment| payment.decline) {
                Some(decline) => self.ask_again(declined_notice(decline)),
                None => self.ask_again(Notice::Code("nothing_was_paid")),
            },
            Phase::Opening {
                notice: Some(notice),
                ..
            } => self.ask_again(notice),
            _ => {
                self.phase = Phase::Form { notice: None };
                Vec::new()
            }
        }
    }

    fn open_refused(&mut self, now: u64, refused: &Refused) -> Vec<Effect> {
        self.learn_time(now, refused.server_time);
        match meaning_of(&refused.code) {
            Refusal::SignAgain => self.open_again(),
            Refusal::Later | Refusal::Failed => self.open_later(),
            Refusal::UnderWay => {
                let mut effects = self.tell_ready();
                effects.extend(self.check_session());
                effects
            }
            Refusal::TooOld => self.end_or_admit(Ending::Expired),
            Refusal::Exhausted => self.end_or_admit(Ending::Exhausted),
            Refusal::AlreadyPaid | Refusal::SealAgain | Refusal::Final => {
                self.end_or_admit(Ending::Fatal(refused.code.clone()))
            }
        }
    }

    /// At once, because only the signature was wrong; but not for ever.
    fn open_again(&mut self) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Opening { resends, .. } if backoff::resend_ms(*resends).is_some() => {
                *resends += 1;
                vec![Effect::OpenSession {
                    turn: self.next_turn(),
                }]
            }
            _ => self.open_later(),
        }
    }

    /// The page hears once that there is something to see.
    fn tell_ready(&mut self) -> Vec<Effect> {
        let is_first = !core::mem::replace(&mut self.told_ready, true);
        if is_first {
            vec![Effect::Tell(Message::Ready)]
        } else {
            Vec::new()
        }
    }

    fn open_later(&mut self) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Opening { resends, .. } => match backoff::resend_ms(*resends) {
                Some(milliseconds) => {
                    *resends += 1;
                    self.wait(milliseconds, Wake::Open)
                }
                None => {
                    self.phase = Phase::Unreachable;
                    vec![tell_error("unreachable")]
                }
            },
            Phase::Checking { .. } => self.check_again(),
            _ => Vec::new(),
        }
    }

    // ---- Paying ----

    fn submitted(&mut self, submission: Submission) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Form { .. } => self.seal(submission),
            Phase::Opening {
                held: held @ None, ..
            } => {
                *held = Some(submission);
                Vec::new()
            }
            // A payment is under way, or there is nothing to pay: a second one cannot start.
            _ => Vec::new(),
        }
    }

    fn seal(&mut self, submission: Submission) -> Vec<Effect> {
        self.phase = Phase::Sealing {
            attempt: submission.attempt,
        };
        vec![Effect::Seal {
            turn: self.next_turn(),
            submission,
        }]
    }

    fn sealed(&mut self, body: Option<Rc<[u8]>>) -> Vec<Effect> {
        let Phase::Sealing { attempt } = self.phase else {
            return Vec::new();
        };
        match body {
            Some(body) => self.send(
                Attempt {
                    id: attempt,
                    body,
                    may_be_paid: false,
                },
                0,
            ),
            None => self.end(Ending::Fatal("sealing_key_unusable".into())),
        }
    }

    fn send(&mut self, attempt: Attempt, resends: u32) -> Vec<Effect> {
        self.phase = Phase::Paying {
            attempt: attempt.clone(),
            resends,
        };
        vec![Effect::Send {
            turn: self.next_turn(),
            attempt,
        }]
    }

    fn answered(&mut self, now: u64, answer: Answer<Box<PaymentView>>) -> Vec<Effect> {
        match answer {
            Answer::Good(payment) => self.outcome(payment),
            Answer::Refused(refused) => self.pay_refused(now, &refused),
            Answer::None => self.unanswered(),
        }
    }

    fn outcome(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        if let Some(session) = &mut self.session {
            session.attempts_left = payment.attempts_left;
        }
        match payment.state {
            ShopperState::Authorized | ShopperState::Captured => self.paid(payment),
            ShopperState::Declined => self.declined(*payment),
            ShopperState::Processing | ShopperState::Unknown => match self.take_phase() {
                Phase::Paying { attempt, .. } => self.check(Poll::Attempt(attempt), 0),
                Phase::Checking { poll, polls } => self.check(poll, polls),
                phase => {
                    self.phase = phase;
                    Vec::new()
                }
            },
        }
    }

    fn paid(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        let message = Message::Complete {
            payment: payment.payment,
            order_ref: payment.order_ref.clone(),
            state: payment.state,
        };
        self.phase = Phase::Paid { payment };
        vec![Effect::ForgetCard, Effect::Tell(message)]
    }

    fn declined(&mut self, payment: PaymentView) -> Vec<Effect> {
        let attempts_left = payment.attempts_left;
        let decline = payment.decline.unwrap_or_else(|| DeclineView {
            message: String::new(),
            advice: Advice::None,
        });
        let message = Message::Decline {
            payment: payment.payment,
            advice: decline.advice,
        };
        let mut effects = vec![Effect::Tell(message)];
        effects.extend(if attempts_left == 0 {
            self.end(Ending::Exhausted)
        } else {
            self.ask_again(declined_notice(decline))
        });
        effects
    }

    /// Back to the form: everything stays as it was typed, except the security code.
    fn ask_again(&mut self, notice: Notice) -> Vec<Effect> {
        self.phase = Phase::Form {
            notice: Some(notice),
        };
        vec![Effect::AskSecurityCodeAgain]
    }

    fn pay_refused(&mut self, now: u64, refused: &Refused) -> Vec<Effect> {
        self.learn_time(now, refused.server_time);
        match meaning_of(&refused.code) {
            Refusal::SignAgain => self.resend_now(),
            Refusal::Later => self.resend_later(false),
            Refusal::Failed => self.resend_later(true),
            Refusal::UnderWay => match self.take_phase() {
                Phase::Paying { attempt, .. } => self.check(Poll::Attempt(attempt), 0),
                Phase::Checking { poll, polls } => self.check(poll, polls),
                _ => self.check(Poll::Session, 0),
            },
            Refusal::AlreadyPaid => {
                self.phase = Phase::Checking {
                    poll: Poll::Session,
                    polls: 0,
                };
                vec![Effect::OpenSession {
                    turn: self.next_turn(),
                }]
            }
            Refusal::SealAgain => self.seal_again(),
            Refusal::TooOld => self.end_or_admit(Ending::Expired),
            Refusal::Exhausted => self.end_or_admit(Ending::Exhausted),
            Refusal::Final => self.end_or_admit(Ending::Fatal(refused.code.clone())),
        }
    }

    /// The verifier cannot open the seal, most likely because its key is newer than the session.
    /// A refused seal was not charged; but an earlier sending of it may have been.
    fn seal_again(&mut self) -> Vec<Effect> {
        if self.may_be_paid() {
            return self.end(Ending::Unresolved);
        }
        self.open(Some(Notice::Code("sealed_card_refused")))
    }

    /// At once, because only the signature was wrong; but not for ever.
    fn resend_now(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { attempt, resends } if backoff::resend_ms(resends).is_some() => {
                self.send(attempt, resends + 1)
            }
            phase => {
                self.phase = phase;
                self.resend_later(false)
            }
        }
    }

    fn resend_later(&mut self, may_be_paid: bool) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying {
                mut attempt,
                resends,
            } => {
                attempt.may_be_paid |= may_be_paid;
                let Some(milliseconds) = backoff::resend_ms(resends) else {
                    return self.interrupt(attempt);
                };
                self.phase = Phase::Paying {
                    attempt,
                    resends: resends + 1,
                };
                self.wait(milliseconds, Wake::Send)
            }
            Phase::Checking { poll, polls } => self.check(poll, polls),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    fn unanswered(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { mut attempt, .. } => {
                attempt.may_be_paid = true;
                self.interrupt(attempt)
            }
            Phase::Checking { poll, polls } => self.check(poll, polls),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    fn interrupt(&mut self, attempt: Attempt) -> Vec<Effect> {
        self.phase = Phase::Interrupted { attempt };
        vec![tell_error("interrupted")]
    }

    // ---- Finding out ----

    fn check_session(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Checking { poll, polls } => self.check(poll, polls),
            _ => self.check(Poll::Session, 0),
        }
    }

    fn check_again(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Checking { poll, polls } => self.check(poll, polls),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    /// Waits and then asks, longer every time.
    fn check(&mut self, mut poll: Poll, polls: u32) -> Vec<Effect> {
        let wake = match &mut poll {
            Poll::Attempt(attempt) => {
                attempt.may_be_paid = true;
                Wake::Send
            }
            Poll::Session => Wake::Open,
        };
        self.phase = Phase::Checking {
            poll,
            polls: polls.saturating_add(1),
        };
        self.wait(backoff::checking_ms(polls), wake)
    }

    fn wait(&mut self, milliseconds: u32, wake: Wake) -> Vec<Effect> {
        vec![Effect::Wait {
            turn: self.next_turn(),
            milliseconds,
            wake,
        }]
    }

    fn woke(&mut self, wake: Wake) -> Vec<Effect> {
        let attempt = match &self.phase {
            Phase::Paying { attempt, .. } => Some(attempt.clone()),
            Phase::Checking {
                poll: Poll::Attempt(attempt),
                ..
            } => Some(attempt.clone()),
            _ => None,
        };
        let turn = self.next_turn();
        match (wake, attempt) {
            (Wake::Open, _) => vec![Effect::OpenSession { turn }],
            (Wake::Send, Some(attempt)) => vec![Effect::Send { turn, attempt }],
            (Wake::Send, None) => Vec::new(),
        }
    }

    fn retried(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Unreachable => self.open(None),
            Phase::Interrupted { attempt } => self.send(attempt, 0),
            phase => {
                self.phase = phase;
                Vec::new()
            }
        }
    }

    // ---- Endings ----

    fn time_up(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Form { .. } | Phase::Unreachable => self.end(Ending::Expired),
            // Something is on its way: the verifier's answer decides.
            _ => Vec::new(),
        }
    }

    fn may_be_paid(&self) -> bool {
        match &self.phase {
            Phase::Paying { attempt, .. } | Phase::Interrupted { attempt } => attempt.may_be_paid,
            Phase::Checking { .. } => true,
            _ => false,
        }
    }

    /// Ends, unless an attempt may have been paid: then the end is that we do not know.
    fn end_or_admit(&mut self, ending: Ending) -> Vec<Effect> {
        let ending = if self.may_be_paid() {
            Ending::Unresolved
        } else {
            ending
        };
        self.end(ending)
    }

    fn end(&mut self, ending: Ending) -> Vec<Effect> {
        let told = tell_error(ending.code());
        self.phase = Phase::Ended(ending);
        vec![Effect::ForgetCard, told]
    }

    /// Keeps the difference between the verifier's clock and the browser's, which may be wrong.
    fn learn_time(&mut self, now: u64, server_time: u64) {
        let offset = i128::from(server_time) - i128::from(now);
        self.clock_offset_seconds = i64::try_from(offset).unwrap_or(0);
    }
}

fn declined_notice(decline: DeclineView) -> Notice {
    Notice::Declined {
        message: decline.message,
        advice: decline.advice,
    }
}

fn tell_error(code: &str) -> Effect {
    Effect::Tell(Message::Error { code: code.into() })
}

fn milliseconds_until(expires_at: u64, server_time: u64) -> u32 {
    let seconds = expires_at.saturating_sub(server_time);
    u32::try_from(seconds.saturating_mul(1000)).unwrap_or(u32::MAX)
}
