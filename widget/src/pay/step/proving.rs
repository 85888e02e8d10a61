//! What the shopper does about a challenge or an offer, sent and answered.

use super::super::acting::{Errand, Offer, Proof, code_of};
use super::super::backoff;
use super::super::effect::{Effect, Wake};
use super::super::event::{Answer, Deed, Refused};
use super::super::message::Message;
use super::super::request::authentication_body;
use super::super::state::{Ending, Phase, Poll, State};
use super::{Refusal, meaning_of, tell_error};
use sealpay_protocol::api::{ActionView, AuthenticationStep, PaymentView, ShopperState};
use sealpay_protocol::ids::AttemptId;

impl State {
    /// One thing at a time: while something is on its way, nothing else is done.
    pub(super) fn did(&mut self, id: AttemptId, now: u64, deed: Deed) -> Vec<Effect> {
        if matches!(self.errand, Errand::Proving(_)) {
            return Vec::new();
        }
        match &self.phase {
            Phase::Acting(_) => self.acted(id, now, deed),
            Phase::Abandoning { .. } => match deed {
                Deed::Cancel => self.prove(id, AuthenticationStep::Cancel, ""),
                _ => Vec::new(),
            },
            Phase::Paid {
                payment,
                offer: Offer::Made | Offer::Failed,
            } => match (deed, &payment.enrolment, &self.errand) {
                (Deed::KeepPasskey, Some(enrolment), Errand::None) => {
                    let options = enrolment.options.clone();
                    self.errand = Errand::Ceremony;
                    let turn = self.next_turn();
                    vec![
                        Effect::Tell(Message::Offer { is_settled: false }),
                        Effect::KeepPasskey { turn, options },
                    ]
                }
                (Deed::KeepNothing, ..) => self.settle_offer(Offer::None),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn acted(&mut self, id: AttemptId, now: u64, deed: Deed) -> Vec<Effect> {
        let now = self.verifier_time(now);
        let Phase::Acting(acting) = &mut self.phase else {
            return Vec::new();
        };
        match (&acting.action, deed) {
            // Sent all the same, it would cost an attempt.
            (ActionView::Code(code), Deed::Code(_)) if now >= code.expires_at => {
                acting.said = Some("code_expired");
                vec![Effect::FocusCode]
            }
            (ActionView::Code(_), Deed::Code(typed)) => match code_of(&typed) {
                Some(code) => self.prove(id, AuthenticationStep::Code, &code),
                None => {
                    acting.said = Some("code_incomplete");
                    vec![Effect::FocusCode]
                }
            },
            (ActionView::Code(code), Deed::Resend)
                if code.resends_left > 0 && now >= code.resend_at =>
            {
                self.prove(id, AuthenticationStep::Resend, "")
            }
            (ActionView::Passkey(passkey), Deed::UsePasskey)
                if !matches!(self.errand, Errand::Ceremony) =>
            {
                acting.said = None;
                let options = passkey.options.clone();
                self.errand = Errand::Ceremony;
                let turn = self.next_turn();
                vec![Effect::UsePasskey { turn, options }]
            }
            (ActionView::Passkey(_), Deed::UseCode) => {
                self.prove(id, AuthenticationStep::UseCode, "")
            }
            // What has come cannot be given up here any more.
            (ActionView::Transfer(transfer), Deed::Cancel) if transfer.amount_received > 0 => {
                Vec::new()
            }
            (ActionView::Continue, Deed::Cancel) => Vec::new(),
            (_, Deed::Cancel) => self.prove(id, AuthenticationStep::Cancel, ""),
            _ => Vec::new(),
        }
    }

    pub(super) fn code_typed(&mut self) -> Vec<Effect> {
        if let Phase::Acting(acting) = &mut self.phase {
            acting.said = None;
        }
        Vec::new()
    }

    /// The browser's window about passkeys is closed.
    pub(super) fn passkey(&mut self, id: AttemptId, credential: Option<&str>) -> Vec<Effect> {
        if !matches!(self.errand, Errand::Ceremony) {
            return Vec::new();
        }
        self.errand = Errand::None;
        match (&mut self.phase, credential) {
            (Phase::Acting(_), Some(credential)) => {
                self.prove(id, AuthenticationStep::Passkey, credential)
            }
            (Phase::Acting(acting), None) => {
                acting.said = Some("passkey_unused");
                Vec::new()
            }
            (Phase::Paid { .. }, Some(credential)) => {
                self.prove(id, AuthenticationStep::Enrol, credential)
            }
            (Phase::Paid { .. }, None) => self.settle_offer(Offer::Failed),
            _ => Vec::new(),
        }
    }

    fn settle_offer(&mut self, settled: Offer) -> Vec<Effect> {
        if let Phase::Paid { offer, .. } = &mut self.phase {
            *offer = settled;
        }
        self.errand = Errand::None;
        // An answer that is still on its way comes too late.
        self.next_turn();
        vec![Effect::Tell(Message::Offer { is_settled: true })]
    }

    /// Sends what the shopper did. The same that got lost before is the same request.
    fn prove(&mut self, id: AttemptId, step: AuthenticationStep, proof: &str) -> Vec<Effect> {
        let payment = match &mut self.phase {
            Phase::Acting(acting) => {
                acting.said = None;
                acting.payment.payment
            }
            Phase::Paid { payment, .. } => payment.payment,
            Phase::Abandoning { payment, .. } => *payment,
            _ => return Vec::new(),
        };
        let body = authentication_body(payment, step, proof);
        let id = match self.lost.take() {
            Some(lost) if lost.body == body => lost.id,
            _ => id,
        };
        self.errand = Errand::Proving(Proof {
            id,
            step,
            body,
            resends: 0,
        });
        self.send_proof()
    }

    pub(super) fn send_proof(&mut self) -> Vec<Effect> {
        let turn = self.next_turn();
        match &self.errand {
            Errand::Proving(Proof { id, body, .. }) => vec![Effect::Authenticate {
                turn,
                id: *id,
                body: body.clone(),
            }],
            _ => Vec::new(),
        }
    }

    pub(super) fn authenticated(
        &mut self,
        now: u64,
        answer: Answer<Box<PaymentView>>,
    ) -> Vec<Effect> {
        let Errand::Proving(proof) = core::mem::take(&mut self.errand) else {
            return Vec::new();
        };
        match answer {
            Answer::Good(payment) => self.proved(proof.step, payment),
            Answer::Refused(refused) => self.proof_refused(now, proof, &refused),
            Answer::None => self.prove_later(proof),
        }
    }

    fn proved(&mut self, step: AuthenticationStep, payment: Box<PaymentView>) -> Vec<Effect> {
        if step == AuthenticationStep::Enrol {
            // Offered again, it was not taken.
            let is_kept = payment.enrolment.is_none();
            return self.settle_offer(if is_kept { Offer::Kept } else { Offer::Failed });
        }
        match payment.state {
            ShopperState::Declined if step == AuthenticationStep::Cancel => {
                let notice = self.cancelled();
                self.declined(*payment, Some(notice))
            }
            ShopperState::RequiresAction => {
                self.learn_attempts(&payment);
                self.requires_action(payment, Some(step))
            }
            _ => self.outcome(payment),
        }
    }

    fn proof_refused(&mut self, now: u64, mut proof: Proof, refused: &Refused) -> Vec<Effect> {
        self.learn_refusal(now, refused);
        let meaning = meaning_of(&refused.code);
        match meaning {
            Refusal::SignAgain if backoff::resend_ms(proof.resends).is_some() => {
                proof.resends += 1;
                self.errand = Errand::Proving(proof);
                return self.send_proof();
            }
            Refusal::SignAgain | Refusal::Later | Refusal::Failed | Refusal::UnderWay => {
                return self.prove_later(proof);
            }
            _ if matches!(self.phase, Phase::Paid { .. }) => {
                return self.settle_offer(Offer::Failed);
            }
            _ => {}
        }
        match meaning {
            // The shopper acts here, so it goes on here: the order is opened again.
            Refusal::Superseded => {
                self.phase = Phase::Checking {
                    poll: Poll::Session,
                    polls: 0,
                };
                self.ask_now()
            }
            Refusal::TooEarly => {
                if let Phase::Acting(acting) = &mut self.phase {
                    acting.said = Some("resend_not_allowed");
                }
                Vec::new()
            }
            Refusal::TooOld => self.end_or_admit(Ending::Expired),
            Refusal::Exhausted => self.end_or_admit(Ending::Exhausted),
            Refusal::Final | Refusal::NotOffered => {
                self.end_or_admit(Ending::Fatal(refused.code.clone()))
            }
            // Answered above, or it is over: somebody else was quicker.
            _ => self.closed(),
        }
    }

    /// Whether it arrived is not known: twice by itself, and then when the shopper does it again.
    fn prove_later(&mut self, mut proof: Proof) -> Vec<Effect> {
        if let Some(milliseconds) = backoff::resend_ms(proof.resends) {
            proof.resends += 1;
            self.errand = Errand::Proving(proof);
            return self.wait(milliseconds, Wake::Authenticate);
        }
        match &mut self.phase {
            Phase::Acting(acting) => {
                acting.said = Some("not_sent");
                self.lost = Some(proof);
                let mut effects = vec![tell_error("interrupted")];
                effects.extend(self.ask_later());
                effects
            }
            Phase::Paid { .. } => self.settle_offer(Offer::Failed),
            _ => self.ask_later(),
        }
    }
}
