//! Opening the session, and what it says about the order.

use super::super::backoff;
use super::super::effect::{Effect, Wake};
use super::super::event::{Answer, Refused, Submission};
use super::super::message::Message;
use super::super::state::{Ending, Notice, Phase, Poll, State};
use super::{Refusal, meaning_of, milliseconds_until};
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};

impl State {
    pub(super) fn open(&mut self, notice: Option<Notice>) -> Vec<Effect> {
        self.phase = Phase::Opening {
            held: None,
            resends: 0,
            notice,
        };
        vec![Effect::OpenSession {
            turn: self.next_turn(),
        }]
    }

    pub(super) fn opened(&mut self, now: u64, answer: Answer<Box<SessionView>>) -> Vec<Effect> {
        self.asked();
        if matches!(self.phase, Phase::Unreachable) {
            if matches!(answer, Answer::None) {
                return self.retry_later();
            }
            self.phase = Phase::Opening {
                held: None,
                resends: u32::MAX,
                notice: None,
            };
        }
        match answer {
            Answer::Good(session) => self.take_session(now, session),
            Answer::Refused(refused) => self.open_refused(now, &refused),
            Answer::None => self.open_later(),
        }
    }

    pub(super) fn take_session(&mut self, now: u64, mut session: Box<SessionView>) -> Vec<Effect> {
        self.learn_time(now, session.server_time);
        self.interruptions = 0;
        let state = session.state;
        let payment = session.payment.take();
        let attempts_left = session.attempts_left;
        let milliseconds = milliseconds_until(session.expires_at, session.server_time);
        self.session = Some(session);
        let mut effects = vec![Effect::WatchExpiry { milliseconds }];
        effects.extend(self.tell_ready());
        effects.extend(match (state, payment) {
            (SessionState::Complete, Some(payment)) if payment.state == ShopperState::Declined => {
                self.voided()
            }
            (SessionState::Complete, Some(payment)) => self.paid(Box::new(payment)),
            (SessionState::Complete, None) => self.end(Ending::Unresolved),
            (SessionState::Processing, Some(payment))
                if payment.state == ShopperState::RequiresAction =>
            {
                self.requires_action(Box::new(payment), None)
            }
            (SessionState::Processing, _) => self.still_unknown(),
            (SessionState::Open, _) if attempts_left == 0 => self.end(Ending::Exhausted),
            (SessionState::Open, payment) => self.show_form(payment),
        });
        effects
    }

    /// Opens the form, or goes straight on with what the shopper submitted before it was open.
    pub(super) fn show_form(&mut self, payment: Option<PaymentView>) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Opening {
                held: Some(submission),
                ..
            } => self.seal_if_offered(submission),
            // It was taken back from another tab, where nothing was paid.
            Phase::Checking {
                poll: Poll::Attempt(attempt),
                ..
            } => self.send(attempt, 0),
            Phase::Checking { .. } | Phase::Acting(_) => match payment {
                Some(payment) if payment.decline.is_some() => self.declined(payment, None),
                _ => self.ask_again(Notice::Code("nothing_was_paid")),
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

    /// What was chosen before the session was open may not be on offer.
    fn seal_if_offered(&mut self, submission: Submission) -> Vec<Effect> {
        let method = submission.means.method();
        let is_offered = self
            .session
            .as_ref()
            .is_some_and(|session| session.methods.contains(&method));
        if is_offered {
            self.seal(submission)
        } else {
            self.ask_again(Notice::Code("method_not_offered"))
        }
    }

    pub(super) fn open_refused(&mut self, now: u64, refused: &Refused) -> Vec<Effect> {
        self.learn_refusal(now, refused);
        match meaning_of(&refused.code) {
            Refusal::SignAgain => self.open_again(),
            Refusal::Later | Refusal::Failed => self.open_later(),
            Refusal::UnderWay if matches!(self.phase, Phase::Acting(_)) => self.ask_later(),
            Refusal::UnderWay => {
                let mut effects = self.tell_ready();
                effects.extend(self.still_unknown());
                effects
            }
            Refusal::TooOld => self.end_or_admit(Ending::Expired),
            Refusal::Exhausted => self.end_or_admit(Ending::Exhausted),
            _ => self.end_or_admit(Ending::Fatal(refused.code.clone())),
        }
    }

    /// At once, because only the signature was wrong; but not for ever.
    pub(super) fn open_again(&mut self) -> Vec<Effect> {
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
    pub(super) fn tell_ready(&mut self) -> Vec<Effect> {
        let is_first = !core::mem::replace(&mut self.told_ready, true);
        if is_first {
            vec![Effect::Tell(Message::Ready)]
        } else {
            Vec::new()
        }
    }

    pub(super) fn open_later(&mut self) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Opening { resends, .. } => match backoff::resend_ms(*resends) {
                Some(milliseconds) => {
                    *resends += 1;
                    self.wait(milliseconds, Wake::Open)
                }
                None => {
                    self.phase = Phase::Unreachable;
                    self.told_interrupted("unreachable")
                }
            },
            _ => self.ask_later(),
        }
    }
}
