//! Where a payment stands.

use super::acting::{Acting, Errand, Offer, Proof};
use super::event::{Refused, Submission};
use sealpay_protocol::api::{DeclineView, PaymentView, SessionView};
use sealpay_protocol::ids::{AttemptId, PaymentId};
use std::rc::Rc;

/// An attempt that is ready to be sent. Its bytes never change: sent again, it is the same payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its name, the `Idempotency-Key`.
    pub id: AttemptId,
    /// The body of the request.
    pub body: Rc<[u8]>,
    /// Whether it was sent and no answer came. From then on it may have been paid, and nothing
    /// may say otherwise.
    pub may_be_paid: bool,
}

impl Attempt {
    /// One that was never sent.
    pub(super) const fn new(id: AttemptId, body: Rc<[u8]>) -> Self {
        Self {
            id,
            body,
            may_be_paid: false,
        }
    }
}

/// How an unknown outcome is found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// By sending the same attempt again.
    Attempt(Attempt),
    /// By opening the session again: another page or an earlier load made the attempt.
    Session,
}

/// What stands above the fields after an attempt that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The bank declined.
    Declined(DeclineView),
    /// Something of ours, by code.
    Code(&'static str),
}

/// How a session ended without a payment that we know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The order or session is too old: the page can hand over a new order.
    Expired,
    /// No attempts are left.
    Exhausted,
    /// An attempt was sent and its outcome cannot be learned here.
    Unresolved,
    /// Anything else, by the verifier's code or one of ours.
    Fatal(String),
}

impl Ending {
    /// Whether the shopper can pay with another order in place of this one.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Expired | Self::Exhausted => true,
            Self::Unresolved => false,
            Self::Fatal(code) => code == "order_reused",
        }
    }

    /// The code under which it is told and worded.
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

/// What is going on.
#[derive(Debug)]
pub enum Phase {
    /// Nothing yet: the page has not handed over its order.
    Waiting,
    /// The session is being opened. The form can be filled in and even submitted meanwhile.
    Opening {
        /// What the shopper submitted early.
        held: Option<Submission>,
        /// How often this was repeated.
        resends: u32,
        /// What to show above the form when it is open.
        notice: Option<Notice>,
    },
    /// The session could not be opened. Nothing was sent, so nothing can have been paid.
    Unreachable,
    /// The shopper may pay.
    Form {
        /// What happened before.
        notice: Option<Notice>,
    },
    /// The card is being sealed.
    Sealing {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The attempt is on its way.
    Paying {
        /// The attempt.
        attempt: Attempt,
        /// How often this was repeated without asking.
        resends: u32,
    },
    /// The outcome is not known yet; it is being asked for.
    Checking {
        /// How.
        poll: Poll,
        /// How often.
        polls: u32,
    },
    /// The shopper has something to do before the payment goes on.
    Acting(Box<Acting>),
    /// A payment that an earlier page began is being given up: its card cannot be sent from here.
    Abandoning {
        /// The payment.
        payment: PaymentId,
        /// How often it was asked what became of it.
        polls: u32,
    },
    /// Another tab has taken the order over; the shopper may go on here.
    Elsewhere,
    /// No answer came to the attempt; the shopper may send the same one again.
    Interrupted {
        /// The attempt.
        attempt: Attempt,
    },
    /// Approved.
    Paid {
        /// The payment.
        payment: Box<PaymentView>,
        /// What is offered besides.
        offer: Offer,
    },
    /// Over.
    Ended(Ending),
}

/// The whole state.
#[derive(Debug)]
pub struct State {
    pub(super) phase: Phase,
    pub(super) errand: Errand,
    /// To this no answer came. Done again, it is the same request.
    pub(super) lost: Option<Proof>,
    pub(super) session: Option<Box<SessionView>>,
    pub(super) clock_offset_seconds: i64,
    pub(super) turn: u32,
    pub(super) told_ready: bool,
    /// How often the network failed in a row.
    pub(super) interruptions: u32,
    /// How often the order was taken back from another tab for one and the same attempt.
    pub(super) takeovers: u32,
    /// The last refusal, for developers.
    pub(super) refused: Option<Refused>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Waiting,
            errand: Errand::None,
            lost: None,
            session: None,
            clock_offset_seconds: 0,
            turn: 0,
            told_ready: false,
            interruptions: 0,
            takeovers: 0,
            refused: None,
        }
    }
}

impl State {
    /// What is going on.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The session, once it was opened.
    #[must_use]
    pub fn session(&self) -> Option<&SessionView> {
        self.session.as_deref()
    }

    /// Whether a payment is under way, so that nothing may be changed.
    #[must_use]
    pub const fn is_processing(&self) -> bool {
        matches!(
            self.phase,
            Phase::Opening { held: Some(_), .. }
                | Phase::Sealing { .. }
                | Phase::Paying { .. }
                | Phase::Abandoning { .. }
        )
    }

    /// Whether something that the shopper did about a challenge or an offer is on its way.
    #[must_use]
    pub const fn is_authenticating(&self) -> bool {
        matches!(self.errand, Errand::Proving(_))
    }

    /// Whether the browser shows its own window about passkeys. The shopper may do without it.
    #[must_use]
    pub const fn is_in_ceremony(&self) -> bool {
        matches!(self.errand, Errand::Ceremony)
    }

    /// Whether the shopper may ask to pay now.
    #[must_use]
    pub const fn accepts_submission(&self) -> bool {
        matches!(
            self.phase,
            Phase::Form { .. } | Phase::Opening { held: None, .. }
        )
    }

    /// Whether another order may take the place of this one: nothing of it is under way or paid.
    #[must_use]
    pub fn accepts_order(&self) -> bool {
        matches!(
            self.phase,
            Phase::Form { .. } | Phase::Opening { held: None, .. } | Phase::Unreachable
        ) || self.may_be_renewed()
    }

    /// Whether it ended so that another order of the page would go on.
    #[must_use]
    pub fn may_be_renewed(&self) -> bool {
        matches!(&self.phase, Phase::Ended(ending) if ending.is_renewable())
    }

    /// What the verifier said about an error with this code, for developers.
    #[must_use]
    pub fn refusal(&self, code: &str) -> Option<&Refused> {
        self.refused.as_ref().filter(|refused| refused.code == code)
    }

    /// Whether the form will not be needed any more.
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
