//! From submission to outcome.

use super::super::action::PendingRequest;
use super::super::attempt::{Attempt, Poll};
use super::super::backoff;
use super::super::effect::{Effect, Timer};
use super::super::event::{ApiResponse, PaymentData, ProblemDetails, Submission};
use super::super::message::HostMessage;
use super::super::request::unsealed_body;
use super::super::state::{EndReason, Notice, Phase, State};
use super::{ProblemKind, notify_error};
use sealpay_protocol::api::{Advice, DeclineCategory, DeclineView, PaymentView, ShopperState};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;

impl State {
    pub(super) fn submitted(&mut self, submission: Submission) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Form { .. } => self.seal(submission),
            Phase::Opening {
                queued: queued @ None,
                ..
            } => {
                *queued = Some(submission);
                Vec::new()
            }
            // Another payment is running, or there is nothing to pay: no second one starts.
            _ => Vec::new(),
        }
    }

    pub(super) fn seal(&mut self, submission: Submission) -> Vec<Effect> {
        let Submission {
            attempt,
            data,
            consent,
        } = submission;
        self.takeovers = 0;
        let method = data.method();
        let (instrument, debit) = match data {
            PaymentData::Card(card) => return self.seal_card(attempt, card, consent),
            PaymentData::SavedCard(instrument) => (Some(instrument), None),
            PaymentData::SepaDebit(account) => (None, Some(account)),
            PaymentData::Wallet | PaymentData::BankTransfer => (None, None),
        };
        let body = unsealed_body(method, instrument, debit, consent);
        self.send(Attempt::new(attempt, body), 0)
    }

    fn seal_card(
        &mut self,
        attempt: AttemptId,
        card: Box<Card>,
        consent: Option<String>,
    ) -> Vec<Effect> {
        self.phase = Phase::Sealing { attempt };
        vec![Effect::Seal {
            generation: self.next_generation(),
            attempt,
            card,
            consent,
        }]
    }

    pub(super) fn sealed(&mut self, body: Option<Rc<[u8]>>) -> Vec<Effect> {
        let Phase::Sealing { attempt } = self.phase else {
            return Vec::new();
        };
        match body {
            Some(body) => self.send(Attempt::new(attempt, body), 0),
            None => self.end(EndReason::Fatal("sealing_key_unusable".into())),
        }
    }

    pub(super) fn send(&mut self, attempt: Attempt, resends: u32) -> Vec<Effect> {
        self.phase = Phase::Paying {
            attempt: attempt.clone(),
            resends,
        };
        vec![Effect::Send {
            generation: self.next_generation(),
            attempt,
        }]
    }

    pub(super) fn payment_response(
        &mut self,
        now: u64,
        response: ApiResponse<Box<PaymentView>>,
    ) -> Vec<Effect> {
        self.status_received();
        // This is the response to a background retry.
        if matches!(self.phase, Phase::Interrupted { .. }) {
            if matches!(response, ApiResponse::Missing) {
                return self.retry_later();
            }
            if let Phase::Interrupted { attempt } = self.take_phase() {
                self.phase = Phase::Paying {
                    attempt,
                    resends: u32::MAX,
                };
            }
        }
        match response {
            ApiResponse::Success(payment) => self.outcome(payment),
            ApiResponse::Problem(problem) => self.payment_problem(now, &problem),
            ApiResponse::Missing => self.response_missing(),
        }
    }

    pub(super) fn outcome(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        self.record_attempts_left(&payment);
        self.interruptions = 0;
        match payment.state {
            ShopperState::Authorized | ShopperState::Captured | ShopperState::Pending => {
                self.paid(payment)
            }
            ShopperState::Declined if payment.amount_released.is_some() => self.voided(),
            ShopperState::Declined => self.declined(*payment, None),
            ShopperState::RequiresAction => self.requires_action(payment, None),
            ShopperState::Processing | ShopperState::Unknown => self.outcome_unknown(),
        }
    }

    pub(super) fn outcome_unknown(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { attempt, .. } => self.poll(Poll::Attempt(attempt), 0),
            Phase::Polling { poll, polls } => self.poll(poll, polls),
            Phase::ActionRequired(required) => self.poll(required.poll, 0),
            _ => self.poll(Poll::Session, 0),
        }
    }

    pub(super) fn record_attempts_left(&mut self, payment: &PaymentView) {
        if let Some(session) = &mut self.session {
            session.attempts_left = payment.attempts_left;
        }
    }

    pub(super) fn paid(&mut self, payment: Box<PaymentView>) -> Vec<Effect> {
        let message = HostMessage::Complete {
            payment: payment.payment,
            order_ref: payment.order_ref.clone(),
            state: payment.state,
            has_offer: payment.enrolment.is_some(),
            mandate: payment.debit.as_ref().map(|debit| debit.mandate.clone()),
        };
        let offer = Self::offer_for(&payment);
        self.pending = PendingRequest::None;
        self.phase = Phase::Paid { payment, offer };
        vec![Effect::ClearForm, Effect::NotifyHost(message)]
    }

    /// The merchant voided the authorization: there is nothing more to pay here.
    pub(super) fn voided(&mut self) -> Vec<Effect> {
        self.end(EndReason::Fatal("payment_voided".into()))
    }

    /// Back to the form, with the reason of the decline or with the given notice.
    pub(super) fn declined(&mut self, payment: PaymentView, notice: Option<Notice>) -> Vec<Effect> {
        let attempts_left = payment.attempts_left;
        let decline = payment.decline.unwrap_or(DeclineView {
            advice: Advice::None,
            category: DeclineCategory::CardDeclined,
            field: None,
            replace_card: false,
        });
        let message = HostMessage::Decline {
            payment: payment.payment,
            advice: decline.advice,
        };
        let mut effects = vec![Effect::NotifyHost(message)];
        effects.extend(if decline.category == DeclineCategory::PossiblyPaid {
            // The form would have a button to pay a second time.
            self.end(EndReason::Fatal("possibly_paid".into()))
        } else if attempts_left == 0 {
            self.end(EndReason::Exhausted)
        } else {
            self.show_form_with(notice.unwrap_or(Notice::Declined(decline)))
        });
        effects
    }

    /// Back to the form: every field keeps its contents, except the security code.
    pub(super) fn show_form_with(&mut self, notice: Notice) -> Vec<Effect> {
        self.phase = Phase::Form {
            notice: Some(notice),
        };
        vec![Effect::ClearSecurityCode]
    }

    pub(super) fn payment_problem(&mut self, now: u64, problem: &ProblemDetails) -> Vec<Effect> {
        self.record_problem(now, problem);
        match ProblemKind::from_code(&problem.code) {
            ProblemKind::SignAgain => self.resend_now(),
            ProblemKind::RetryLater => self.resend_later(false),
            ProblemKind::ServerFailed => self.resend_later(true),
            ProblemKind::InProgress if matches!(self.phase, Phase::ActionRequired(_)) => {
                self.poll_later()
            }
            ProblemKind::InProgress => self.outcome_unknown(),
            ProblemKind::AlreadyPaid => {
                self.phase = Phase::Polling {
                    poll: Poll::Session,
                    polls: 0,
                };
                vec![Effect::OpenSession {
                    generation: self.next_generation(),
                }]
            }
            ProblemKind::Superseded => self.superseded(),
            ProblemKind::SealingKeyChanged => self.reopen("sealed_card_refused"),
            ProblemKind::InstrumentRemoved => self.reopen("instrument_unavailable"),
            ProblemKind::NotOffered if !self.may_be_paid() => {
                self.show_form_with(Notice::Code("method_not_offered"))
            }
            ProblemKind::Expired => self.end_unless_paid(EndReason::Expired),
            ProblemKind::Exhausted => self.end_unless_paid(EndReason::Exhausted),
            _ => self.end_unless_paid(EndReason::Fatal(problem.code.clone())),
        }
    }

    /// The session is older than the verifier's key, which cannot decrypt the card, or than its list
    /// of saved cards. A refused card was not charged, but an earlier request with it may have been.
    pub(super) fn reopen(&mut self, notice: &'static str) -> Vec<Effect> {
        if self.may_be_paid() {
            return self.end(EndReason::Unresolved);
        }
        self.open(Some(Notice::Code(notice)))
    }

    /// Immediately, because only the signature was stale; but a limited number of times.
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
                self.wait(milliseconds, Timer::Send)
            }
            phase => {
                self.phase = phase;
                self.poll_later()
            }
        }
    }

    pub(super) fn response_missing(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { mut attempt, .. } => {
                attempt.may_be_paid = true;
                self.interrupt(attempt)
            }
            phase => {
                self.phase = phase;
                self.poll_later()
            }
        }
    }

    pub(super) fn interrupt(&mut self, attempt: Attempt) -> Vec<Effect> {
        self.phase = Phase::Interrupted { attempt };
        self.notify_interrupted("interrupted")
    }

    /// Another tab has opened the order with its own key, which replaced ours. A shopper who pays
    /// here wants to continue here: the order is taken back, once per attempt, and the verifier
    /// reports its status. Where this page was only polling, the shopper decides.
    fn superseded(&mut self) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Paying { attempt, .. } if self.takeovers == 0 => {
                self.takeovers = 1;
                self.phase = Phase::Polling {
                    poll: Poll::Attempt(attempt),
                    polls: 0,
                };
                self.pending = PendingRequest::Status;
                let generation = self.next_generation();
                vec![Effect::OpenSession { generation }]
            }
            _ => {
                self.pending = PendingRequest::None;
                self.phase = Phase::OpenElsewhere;
                vec![notify_error("open_elsewhere")]
            }
        }
    }
}
