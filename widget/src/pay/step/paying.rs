//! From the shopper's wish to pay to the outcome.

use super::super::acting::Errand;
use super::super::backoff;
use super::super::effect::{Effect, Wake};
use super::super::event::{Answer, Means, Refused, Submission};
use super::super::message::Message;
use super::super::request::pay_body_of;
use super::super::state::{Attempt, Ending, Notice, Phase, Poll, State};
use super::{Refusal, meaning_of, tell_error};
use sealpay_protocol::api::{Advice, DeclineCategory, DeclineView, PaymentView, ShopperState};
use std::rc::Rc;

impl State {
    pub(super) fn submitted(&mut self, submission: Submission) -> Vec<Effect> {
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

    pub(super) fn seal(&mut self, submission: Submission) -> Vec<Effect> {
        let Submission { attempt, means } = submission;
        self.takeovers = 0;
        let method = means.method();
        let Means::Card(card) = means else {
            return self.send(Attempt::new(attempt, pay_body_of(method)), 0);
        };
        self.phase = Phase::Sealing { attempt };
        vec![Effect::Seal {
            turn: self.next_turn(),
            attempt,
            card,
        }]
    }

    pub(super) fn sealed(&mut self, body: Option<Rc<[u8]>>) -> Vec<Effect> {
        let Phase::Sealing { attempt } = self.phase else {
            return Vec::new();
        };
        match body {
            Some(body) => self.send(Attempt::new(attempt, body), 0),
            None => self.end(Ending::Fatal("sealing_key_unusable".into())),
        }
    }

    pub(super) fn send(&mut self, attempt: Attempt, resends: u32) -> Vec<Effect> {
        self.phase = Phase::Paying {
            attempt: attempt.clone(),
            resends,
        };
        vec![Effect::Send {
            turn: self.next_turn(),
            attempt,
        }]
    }

    pub(super) fn answered(&mut self, now: u64, answer: Answer<Box<PaymentView>>) -> Vec<Effect> {
        self.asked();
        // Sent again in the background: what comes now is the answer to that.
        if matches!(self.phase, Phase::Interrupted { .. }) {
            if matches!(answer, Answer::None) {
                return self.retry_later();
            }
            if let Phase::Interrupted { attempt } = self.take_phase() {
                self.phase = Phase::Paying {
                    attempt,
                    resends: u32::MAX,
                };
            }
        }
        match answer {
            Answer::Good(payment) => self.outcome(payment),
            Answer::Refused(refused) => self.pay_refused(now, &refused),
            Answer::None => self.unanswered(),
        }
    }

    pub(super) fn outcome(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        self.learn_attempts(&payment);
        self.interruptions = 0;
        match payment.state {
            ShopperState::Authorized | ShopperState::Captured => self.paid(payment),
            ShopperState::Declined if payment.amount_released.is_some() => self.voided(),
            ShopperState::Declined => self.declined(*payment, None),
            ShopperState::RequiresAction => self.requires_action(payment, None),
            ShopperState::Processing | ShopperState::Unknown => self.still_unknown(),
        }
    }

    pub(super) fn still_unknown(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { attempt, .. } => self.check(Poll::Attempt(attempt), 0),
            Phase::Checking { poll, polls } => self.check(poll, polls),
            Phase::Acting(acting) => self.check(acting.poll, 0),
            _ => self.check(Poll::Session, 0),
        }
    }

    pub(super) fn learn_attempts(&mut self, payment: &PaymentView) {
        if let Some(session) = &mut self.session {
            session.attempts_left = payment.attempts_left;
        }
    }

    pub(super) fn paid(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        let message = Message::Complete {
            payment: payment.payment,
            order_ref: payment.order_ref.clone(),
            state: payment.state,
            has_offer: payment.enrolment.is_some(),
        };
        let offer = Self::offer_of(&payment);
        self.errand = Errand::None;
        self.phase = Phase::Paid { payment, offer };
        vec![Effect::ForgetCard, Effect::Tell(message)]
    }

    /// The merchant let go what was held: there is nothing more to pay here.
    pub(super) fn voided(&mut self) -> Vec<Effect> {
        self.end(Ending::Fatal("payment_voided".into()))
    }

    /// Back to the form with the bank's sentence, or with a notice of ours in place of it.
    pub(super) fn declined(&mut self, payment: PaymentView, notice: Option<Notice>) -> Vec<Effect> {
        let attempts_left = payment.attempts_left;
        let decline = payment.decline.unwrap_or_else(|| DeclineView {
            message: String::new(),
            advice: Advice::None,
            category: DeclineCategory::CardDeclined,
            field: None,
            replace_card: false,
        });
        let message = Message::Decline {
            payment: payment.payment,
            advice: decline.advice,
        };
        let mut effects = vec![Effect::Tell(message)];
        effects.extend(if decline.category == DeclineCategory::PossiblyPaid {
            // With a form there would be a button to pay a second time.
            self.end(Ending::Fatal("possibly_paid".into()))
        } else if attempts_left == 0 {
            self.end(Ending::Exhausted)
        } else {
            self.ask_again(notice.unwrap_or(Notice::Declined(decline)))
        });
        effects
    }

    /// Back to the form: everything stays as it was typed, except the security code.
    pub(super) fn ask_again(&mut self, notice: Notice) -> Vec<Effect> {
        self.phase = Phase::Form {
            notice: Some(notice),
        };
        vec![Effect::AskSecurityCodeAgain]
    }

    pub(super) fn pay_refused(&mut self, now: u64, refused: &Refused) -> Vec<Effect> {
        self.learn_refusal(now, refused);
        match meaning_of(&refused.code) {
            Refusal::SignAgain => self.resend_now(),
            Refusal::Later => self.resend_later(false),
            Refusal::Failed => self.resend_later(true),
            Refusal::UnderWay if matches!(self.phase, Phase::Acting(_)) => self.ask_later(),
            Refusal::UnderWay => self.still_unknown(),
            Refusal::AlreadyPaid => {
                self.phase = Phase::Checking {
                    poll: Poll::Session,
                    polls: 0,
                };
                vec![Effect::OpenSession {
                    turn: self.next_turn(),
                }]
            }
            Refusal::Superseded => self.superseded(),
            Refusal::SealAgain => self.seal_again(),
            Refusal::NotOffered if !self.may_be_paid() => {
                self.ask_again(Notice::Code("method_not_offered"))
            }
            Refusal::TooOld => self.end_or_admit(Ending::Expired),
            Refusal::Exhausted => self.end_or_admit(Ending::Exhausted),
            _ => self.end_or_admit(Ending::Fatal(refused.code.clone())),
        }
    }

    /// The verifier cannot open the seal, most likely because its key is newer than the session.
    /// A refused seal was not charged; but an earlier sending of it may have been.
    pub(super) fn seal_again(&mut self) -> Vec<Effect> {
        if self.may_be_paid() {
            return self.end(Ending::Unresolved);
        }
        self.open(Some(Notice::Code("sealed_card_refused")))
    }

    /// At once, because only the signature was wrong; but not for ever.
    pub(super) fn resend_now(&mut self) -> Vec<Effect> {
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

    pub(super) fn resend_later(&mut self, may_be_paid: bool) -> Vec<Effect> {
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
            phase => {
                self.phase = phase;
                self.ask_later()
            }
        }
    }

    pub(super) fn unanswered(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { mut attempt, .. } => {
                attempt.may_be_paid = true;
                self.interrupt(attempt)
            }
            phase => {
                self.phase = phase;
                self.ask_later()
            }
        }
    }

    pub(super) fn interrupt(&mut self, attempt: Attempt) -> Vec<Effect> {
        self.phase = Phase::Interrupted { attempt };
        self.told_interrupted("interrupted")
    }

    /// Another tab has opened the order with a key of its own, and ours fits no more. Whoever pays
    /// here wants to go on here: the order is taken back, once for each attempt, and the verifier
    /// says what became of it meanwhile. Where only this page was asking, the shopper decides.
    fn superseded(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { attempt, .. } if self.takeovers == 0 => {
                self.takeovers = 1;
                self.phase = Phase::Checking {
                    poll: Poll::Attempt(attempt),
                    polls: 0,
                };
                self.errand = Errand::Asking;
                let turn = self.next_turn();
                vec![Effect::OpenSession { turn }]
            }
            _ => {
                self.errand = Errand::None;
                self.phase = Phase::Elsewhere;
                vec![tell_error("open_elsewhere")]
            }
        }
    }
}
