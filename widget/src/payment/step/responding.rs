//! The shopper's responses to challenges and offers.

use super::super::action::{ChallengeResponse, PasskeyOffer, PendingRequest, complete_code};
use super::super::attempt::Poll;
use super::super::backoff;
use super::super::effect::{Effect, Timer};
use super::super::event::{ApiResponse, ProblemDetails, ShopperAction};
use super::super::message::HostMessage;
use super::super::request::authentication_body;
use super::super::state::{EndReason, Phase, State};
use super::{ProblemKind, notify_error};
use sealpay_protocol::api::{ActionView, AuthenticationStep, PaymentView, ShopperState};
use sealpay_protocol::ids::AttemptId;

impl State {
    /// One response at a time: while one is under way, actions are ignored.
    pub(super) fn act(&mut self, id: AttemptId, now: u64, action: ShopperAction) -> Vec<Effect> {
        if matches!(self.pending, PendingRequest::Response(_)) {
            return Vec::new();
        }
        match &self.phase {
            Phase::ActionRequired(_) => self.act_on_challenge(id, now, action),
            Phase::Cancelling { .. } => match action {
                ShopperAction::Cancel => self.respond(id, AuthenticationStep::Cancel, ""),
                _ => Vec::new(),
            },
            Phase::Paid {
                payment,
                offer: PasskeyOffer::Available | PasskeyOffer::Failed,
            } => match (action, &payment.enrolment, &self.pending) {
                (ShopperAction::SavePasskey, Some(enrolment), PendingRequest::None) => {
                    let options = enrolment.options.clone();
                    self.pending = PendingRequest::Passkey;
                    let generation = self.next_generation();
                    vec![
                        Effect::NotifyHost(HostMessage::Offer { is_settled: false }),
                        Effect::SavePasskey {
                            generation,
                            options,
                        },
                    ]
                }
                (ShopperAction::DeclinePasskey, ..) => self.close_offer(PasskeyOffer::None),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn act_on_challenge(&mut self, id: AttemptId, now: u64, action: ShopperAction) -> Vec<Effect> {
        let now = self.verifier_time(now);
        let Phase::ActionRequired(required) = &mut self.phase else {
            return Vec::new();
        };
        match (&required.action, action) {
            // Sending an expired code would cost an attempt.
            (ActionView::Code(code), ShopperAction::EnterCode(_)) if now >= code.expires_at => {
                required.feedback = Some("code_expired");
                vec![Effect::FocusCode]
            }
            (ActionView::Code(_), ShopperAction::EnterCode(typed)) => match complete_code(&typed) {
                Some(code) => self.respond(id, AuthenticationStep::Code, &code),
                None => {
                    required.feedback = Some("code_incomplete");
                    vec![Effect::FocusCode]
                }
            },
            (ActionView::Code(code), ShopperAction::ResendCode)
                if code.resends_left > 0 && now >= code.resend_at =>
            {
                self.respond(id, AuthenticationStep::Resend, "")
            }
            (ActionView::Passkey(passkey), ShopperAction::UsePasskey)
                if !matches!(self.pending, PendingRequest::Passkey) =>
            {
                required.feedback = None;
                let options = passkey.options.clone();
                self.pending = PendingRequest::Passkey;
                let generation = self.next_generation();
                vec![Effect::UsePasskey {
                    generation,
                    options,
                }]
            }
            (ActionView::Passkey(_), ShopperAction::UseCode) => {
                self.respond(id, AuthenticationStep::UseCode, "")
            }
            // Money that has arrived cannot be cancelled here.
            (ActionView::Transfer(transfer), ShopperAction::Cancel)
                if transfer.amount_received > 0 =>
            {
                Vec::new()
            }
            (ActionView::Continue, ShopperAction::Cancel) => Vec::new(),
            (_, ShopperAction::Cancel) => self.respond(id, AuthenticationStep::Cancel, ""),
            _ => Vec::new(),
        }
    }

    pub(super) fn code_edited(&mut self) -> Vec<Effect> {
        if let Phase::ActionRequired(required) = &mut self.phase {
            required.feedback = None;
        }
        Vec::new()
    }

    /// The browser's passkey dialog is closed.
    pub(super) fn passkey(&mut self, id: AttemptId, credential: Option<&str>) -> Vec<Effect> {
        if !matches!(self.pending, PendingRequest::Passkey) {
            return Vec::new();
        }
        self.pending = PendingRequest::None;
        match (&mut self.phase, credential) {
            (Phase::ActionRequired(_), Some(credential)) => {
                self.respond(id, AuthenticationStep::Passkey, credential)
            }
            (Phase::ActionRequired(required), None) => {
                required.feedback = Some("passkey_failed");
                Vec::new()
            }
            (Phase::Paid { .. }, Some(credential)) => {
                self.respond(id, AuthenticationStep::Enrol, credential)
            }
            (Phase::Paid { .. }, None) => self.close_offer(PasskeyOffer::Failed),
            _ => Vec::new(),
        }
    }

    fn close_offer(&mut self, settled: PasskeyOffer) -> Vec<Effect> {
        if let Phase::Paid { offer, .. } = &mut self.phase {
            *offer = settled;
        }
        self.pending = PendingRequest::None;
        // A response that is still under way is stale.
        self.next_generation();
        vec![Effect::NotifyHost(HostMessage::Offer { is_settled: true })]
    }

    /// Sends a response. If the same one is unacknowledged, it is sent as the same request.
    fn respond(&mut self, id: AttemptId, step: AuthenticationStep, value: &str) -> Vec<Effect> {
        let payment = match &mut self.phase {
            Phase::ActionRequired(required) => {
                required.feedback = None;
                required.payment.payment
            }
            Phase::Paid { payment, .. } => payment.payment,
            Phase::Cancelling { payment, .. } => *payment,
            _ => return Vec::new(),
        };
        let body = authentication_body(payment, step, value);
        let id = match self.unacknowledged.take() {
            Some(sent) if sent.body == body => sent.id,
            _ => id,
        };
        self.pending = PendingRequest::Response(ChallengeResponse {
            id,
            step,
            body,
            resends: 0,
        });
        self.send_response()
    }

    pub(super) fn send_response(&mut self) -> Vec<Effect> {
        let generation = self.next_generation();
        match &self.pending {
            PendingRequest::Response(ChallengeResponse { id, body, .. }) => {
                vec![Effect::Authenticate {
                    generation,
                    id: *id,
                    body: body.clone(),
                }]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn authenticated(
        &mut self,
        now: u64,
        response: ApiResponse<Box<PaymentView>>,
    ) -> Vec<Effect> {
        let PendingRequest::Response(sent) = core::mem::take(&mut self.pending) else {
            return Vec::new();
        };
        match response {
            ApiResponse::Success(payment) => self.response_accepted(sent.step, payment),
            ApiResponse::Problem(problem) => self.response_rejected(now, sent, &problem),
            ApiResponse::Missing => self.resend_response_later(sent),
        }
    }

    fn response_accepted(
        &mut self,
        step: AuthenticationStep,
        payment: Box<PaymentView>,
    ) -> Vec<Effect> {
        if step == AuthenticationStep::Enrol {
            // An offer that is made again was not accepted.
            let is_kept = payment.enrolment.is_none();
            return self.close_offer(if is_kept {
                PasskeyOffer::Saved
            } else {
                PasskeyOffer::Failed
            });
        }
        match payment.state {
            ShopperState::Declined if step == AuthenticationStep::Cancel => {
                let notice = self.cancellation_notice();
                self.declined(*payment, Some(notice))
            }
            ShopperState::RequiresAction => {
                self.record_attempts_left(&payment);
                self.requires_action(payment, Some(step))
            }
            _ => self.outcome(payment),
        }
    }

    fn response_rejected(
        &mut self,
        now: u64,
        mut sent: ChallengeResponse,
        problem: &ProblemDetails,
    ) -> Vec<Effect> {
        self.record_problem(now, problem);
        let meaning = ProblemKind::from_code(&problem.code);
        match meaning {
            ProblemKind::SignAgain if backoff::resend_ms(sent.resends).is_some() => {
                sent.resends += 1;
                self.pending = PendingRequest::Response(sent);
                return self.send_response();
            }
            ProblemKind::SignAgain
            | ProblemKind::RetryLater
            | ProblemKind::ServerFailed
            | ProblemKind::InProgress => {
                return self.resend_response_later(sent);
            }
            _ if matches!(self.phase, Phase::Paid { .. }) => {
                return self.close_offer(PasskeyOffer::Failed);
            }
            _ => {}
        }
        match meaning {
            // The shopper acts here, so the order is opened again here.
            ProblemKind::Superseded => {
                self.phase = Phase::Polling {
                    poll: Poll::Session,
                    polls: 0,
                };
                self.poll_now()
            }
            ProblemKind::ResendTooEarly => {
                if let Phase::ActionRequired(required) = &mut self.phase {
                    required.feedback = Some("resend_not_allowed");
                }
                Vec::new()
            }
            ProblemKind::Expired => self.end_unless_paid(EndReason::Expired),
            ProblemKind::Exhausted => self.end_unless_paid(EndReason::Exhausted),
            ProblemKind::Final | ProblemKind::NotOffered => {
                self.end_unless_paid(EndReason::Fatal(problem.code.clone()))
            }
            // Handled above, or the challenge was completed elsewhere.
            _ => self.challenge_closed(),
        }
    }

    /// The response may not have arrived: resent twice automatically, then only by the shopper.
    fn resend_response_later(&mut self, mut sent: ChallengeResponse) -> Vec<Effect> {
        if let Some(milliseconds) = backoff::resend_ms(sent.resends) {
            sent.resends += 1;
            self.pending = PendingRequest::Response(sent);
            return self.wait(milliseconds, Timer::Authenticate);
        }
        match &mut self.phase {
            Phase::ActionRequired(required) => {
                required.feedback = Some("not_sent");
                self.unacknowledged = Some(sent);
                let mut effects = vec![notify_error("interrupted")];
                effects.extend(self.poll_later());
                effects
            }
            Phase::Paid { .. } => self.close_offer(PasskeyOffer::Failed),
            _ => self.poll_later(),
        }
    }
}
