//! Opening the session.

use super::super::attempt::Poll;
use super::super::backoff;
use super::super::effect::{Effect, Timer};
use super::super::event::{ApiResponse, ProblemDetails, Submission};
use super::super::message::HostMessage;
use super::super::state::{EndReason, Notice, Phase, State};
use super::{ProblemKind, milliseconds_until};
use sealpay_protocol::api::{PaymentView, SessionState, SessionView, ShopperState};

impl State {
    pub(super) fn open(&mut self, notice: Option<Notice>) -> Vec<Effect> {
        self.phase = Phase::Opening {
            queued: None,
            resends: 0,
            notice,
        };
        vec![Effect::OpenSession {
            generation: self.next_generation(),
        }]
    }

    pub(super) fn opened(
        &mut self,
        now: u64,
        response: ApiResponse<Box<SessionView>>,
    ) -> Vec<Effect> {
        self.status_received();
        if matches!(self.phase, Phase::Unreachable) {
            if matches!(response, ApiResponse::Missing) {
                return self.retry_later();
            }
            self.phase = Phase::Opening {
                queued: None,
                resends: u32::MAX,
                notice: None,
            };
        }
        match response {
            ApiResponse::Success(session) => self.take_session(now, session),
            ApiResponse::Problem(problem) => self.open_problem(now, &problem),
            ApiResponse::Missing => self.open_later(),
        }
    }

    pub(super) fn take_session(&mut self, now: u64, mut session: Box<SessionView>) -> Vec<Effect> {
        self.record_clock_offset(now, session.server_time);
        self.interruptions = 0;
        let state = session.state;
        let payment = session.payment.take();
        let attempts_left = session.attempts_left;
        let milliseconds = milliseconds_until(session.expires_at, session.server_time);
        self.session = Some(session);
        let mut effects = vec![Effect::WatchExpiry { milliseconds }];
        effects.extend(self.notify_ready());
        effects.extend(match (state, payment) {
            (SessionState::Complete, Some(payment)) if payment.state == ShopperState::Declined => {
                self.voided()
            }
            (SessionState::Complete, Some(payment)) => self.paid(Box::new(payment)),
            (SessionState::Complete, None) => self.end(EndReason::Unresolved),
            (SessionState::Processing, Some(payment))
                if payment.state == ShopperState::RequiresAction =>
            {
                self.requires_action(Box::new(payment), None)
            }
            (SessionState::Processing, _) => self.outcome_unknown(),
            (SessionState::Open, _) if attempts_left == 0 => self.end(EndReason::Exhausted),
            (SessionState::Open, payment) => self.show_form(payment),
        });
        effects
    }

    /// Opens the form, or continues with what the shopper submitted early.
    pub(super) fn show_form(&mut self, payment: Option<PaymentView>) -> Vec<Effect> {
        match self.take_phase() {
            Phase::Opening {
                queued: Some(submission),
                ..
            } => self.seal_if_offered(submission),
            // The order was taken back from another tab, which has not paid it.
            Phase::Polling {
                poll: Poll::Attempt(attempt),
                ..
            } => self.send(attempt, 0),
            Phase::Polling { .. } | Phase::ActionRequired(_) => match payment {
                Some(payment) if payment.decline.is_some() => self.declined(payment, None),
                _ => self.show_form_with(Notice::Code("payment_not_made")),
            },
            Phase::Opening {
                notice: Some(notice),
                ..
            } => self.show_form_with(notice),
            _ => {
                self.phase = Phase::Form { notice: None };
                Vec::new()
            }
        }
    }

    /// The method chosen before the session was open may not be offered.
    fn seal_if_offered(&mut self, submission: Submission) -> Vec<Effect> {
        let method = submission.data.method();
        let session = self.session.as_ref();
        if !session.is_some_and(|session| session.methods.contains(&method)) {
            return self.show_form_with(Notice::Code("method_not_offered"));
        }
        let terms = session.and_then(|session| session.agreement.as_ref());
        if submission.consent.is_none()
            && terms.is_some_and(|terms| terms.kind.is_merchant_initiated())
        {
            // The shopper has not seen yet what paying agrees to. The fields stay as they are.
            self.phase = Phase::Form {
                notice: Some(Notice::Code("consent")),
            };
            return Vec::new();
        }
        self.seal(submission)
    }

    pub(super) fn open_problem(&mut self, now: u64, problem: &ProblemDetails) -> Vec<Effect> {
        self.record_problem(now, problem);
        match ProblemKind::from_code(&problem.code) {
            ProblemKind::SignAgain => self.open_again(),
            ProblemKind::RetryLater | ProblemKind::ServerFailed => self.open_later(),
            ProblemKind::InProgress if matches!(self.phase, Phase::ActionRequired(_)) => {
                self.poll_later()
            }
            ProblemKind::InProgress => {
                let mut effects = self.notify_ready();
                effects.extend(self.outcome_unknown());
                effects
            }
            ProblemKind::Expired => self.end_unless_paid(EndReason::Expired),
            ProblemKind::Exhausted => self.end_unless_paid(EndReason::Exhausted),
            _ => self.end_unless_paid(EndReason::Fatal(problem.code.clone())),
        }
    }

    /// Immediately, because only the signature was stale; but a limited number of times.
    pub(super) fn open_again(&mut self) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Opening { resends, .. } if backoff::resend_ms(*resends).is_some() => {
                *resends += 1;
                vec![Effect::OpenSession {
                    generation: self.next_generation(),
                }]
            }
            _ => self.open_later(),
        }
    }

    /// Notifies the host page, once, that the form is ready.
    pub(super) fn notify_ready(&mut self) -> Vec<Effect> {
        let is_first = !core::mem::replace(&mut self.ready_sent, true);
        if is_first {
            vec![Effect::NotifyHost(HostMessage::Ready)]
        } else {
            Vec::new()
        }
    }

    pub(super) fn open_later(&mut self) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Opening { resends, .. } => match backoff::resend_ms(*resends) {
                Some(milliseconds) => {
                    *resends += 1;
                    self.wait(milliseconds, Timer::Open)
                }
                None => {
                    self.phase = Phase::Unreachable;
                    self.notify_interrupted("unreachable")
                }
            },
            _ => self.poll_later(),
        }
    }
}
