//! The state of a payment.

use super::action::{ActionRequired, ChallengeResponse, PasskeyOffer, PendingRequest};
use super::attempt::{Attempt, Poll};
use super::event::{ProblemDetails, Submission};
use sealpay_protocol::api::{DeclineView, PaymentView, SessionView};
use sealpay_protocol::ids::{AttemptId, PaymentId};

/// The notice above the pay button after an unsuccessful attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The bank declined.
    Declined(DeclineView),
    /// One of the form's own notices, by code.
    Code(&'static str),
}

/// Why a session ended without a known payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// The order or session is too old: the host page can supply a new order.
    Expired,
    /// No attempts are left.
    Exhausted,
    /// An attempt was sent and its outcome cannot be learned here.
    Unresolved,
    /// Anything else, by the verifier's code or one of the form's own.
    Fatal(String),
}

impl EndReason {
    /// Whether the shopper can pay with another order in place of this one.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Expired | Self::Exhausted => true,
            Self::Unresolved => false,
            Self::Fatal(code) => code == "order_reused",
        }
    }

    /// The code under which it is reported and worded.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Expired => "session_expired",
            Self::Exhausted => "too_many_attempts",
            Self::Unresolved => "outcome_unknown",
            Self::Fatal(code) => code,
        }
    }
}

/// The phase of the checkout.
#[derive(Debug)]
pub enum Phase {
    /// The host page has not supplied its order yet.
    Waiting,
    /// The session is being opened. The form can already be filled in and submitted.
    Opening {
        /// What the shopper submitted early.
        queued: Option<Submission>,
        /// How often this was resent.
        resends: u32,
        /// The notice to show once the form is open.
        notice: Option<Notice>,
    },
    /// The session could not be opened. No attempt was sent, so nothing can have been paid.
    Unreachable,
    /// The shopper may pay.
    Form {
        /// The result of the previous attempt.
        notice: Option<Notice>,
    },
    /// The card is being sealed.
    Sealing {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The attempt was sent.
    Paying {
        /// The attempt.
        attempt: Attempt,
        /// How often it was resent automatically.
        resends: u32,
    },
    /// The outcome is unknown and is being polled.
    Polling {
        /// How.
        poll: Poll,
        /// How often.
        polls: u32,
    },
    /// The shopper has to act before the payment continues.
    ActionRequired(Box<ActionRequired>),
    /// A payment that an earlier page started is being cancelled: this page cannot resend its card.
    Cancelling {
        /// The payment.
        payment: PaymentId,
        /// How often its status was polled.
        polls: u32,
    },
    /// The order is open in another tab; the shopper may continue here.
    OpenElsewhere,
    /// The attempt got no response; the shopper may send the same one again.
    Interrupted {
        /// The attempt.
        attempt: Attempt,
    },
    /// Approved.
    Paid {
        /// The payment.
        payment: Box<PaymentView>,
        /// The offer on the receipt.
        offer: PasskeyOffer,
    },
    /// Over.
    Ended(EndReason),
}

/// The whole state.
#[derive(Debug)]
pub struct State {
    pub(super) phase: Phase,
    pub(super) pending: PendingRequest,
    /// A challenge response without an acknowledgement. The same response again is the same
    /// request.
    pub(super) unacknowledged: Option<ChallengeResponse>,
    pub(super) session: Option<Box<SessionView>>,
    pub(super) clock_offset_seconds: i64,
    pub(super) generation: u32,
    pub(super) ready_sent: bool,
    /// Consecutive network failures.
    pub(super) interruptions: u32,
    /// How often the order was taken back from another tab for the same attempt.
    pub(super) takeovers: u32,
    /// The last problem, for developers.
    pub(super) last_problem: Option<ProblemDetails>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Waiting,
            pending: PendingRequest::None,
            unacknowledged: None,
            session: None,
            clock_offset_seconds: 0,
            generation: 0,
            ready_sent: false,
            interruptions: 0,
            takeovers: 0,
            last_problem: None,
        }
    }
}

impl State {
    /// The phase.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The session, once it was opened.
    #[must_use]
    pub fn session(&self) -> Option<&SessionView> {
        self.session.as_deref()
    }

    /// Whether a payment is under way, so that no input may change.
    #[must_use]
    pub const fn is_processing(&self) -> bool {
        matches!(
            self.phase,
            Phase::Opening {
                queued: Some(_),
                ..
            } | Phase::Sealing { .. }
                | Phase::Paying { .. }
                | Phase::Cancelling { .. }
        )
    }

    /// Whether a response to a challenge or an offer is under way.
    #[must_use]
    pub const fn is_authenticating(&self) -> bool {
        matches!(self.pending, PendingRequest::Response(_))
    }

    /// Whether the browser shows its passkey dialog. The shopper may continue without it.
    #[must_use]
    pub const fn is_in_passkey_dialog(&self) -> bool {
        matches!(self.pending, PendingRequest::Passkey)
    }

    /// Whether the shopper may submit now.
    #[must_use]
    pub const fn accepts_submission(&self) -> bool {
        matches!(
            self.phase,
            Phase::Form { .. } | Phase::Opening { queued: None, .. }
        )
    }

    /// Whether another order may replace this one: no attempt is running and nothing is paid.
    #[must_use]
    pub fn accepts_order(&self) -> bool {
        matches!(
            self.phase,
            Phase::Form { .. } | Phase::Opening { queued: None, .. } | Phase::Unreachable
        ) || self.is_renewable()
    }

    /// Whether it ended, and could continue with another order of the host page.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        matches!(&self.phase, Phase::Ended(reason) if reason.is_renewable())
    }

    /// The last problem, if it has this code; for developers.
    #[must_use]
    pub fn problem(&self, code: &str) -> Option<&ProblemDetails> {
        self.last_problem
            .as_ref()
            .filter(|problem| problem.code == code)
    }

    /// Whether the form is no longer needed.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Paid { .. } | Phase::Ended(_))
    }

    /// The verifier's time for a time of the browser's clock, which may be wrong.
    #[must_use]
    pub const fn verifier_time(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.clock_offset_seconds)
    }
}
