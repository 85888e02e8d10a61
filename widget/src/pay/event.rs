//! What happens to the state machine.

use sealpay_protocol::api::{PaymentView, SessionView};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;

/// A card that the shopper asked to be charged, and the name of the attempt, made before anything
/// is sent.
#[derive(Debug)]
pub struct Submission {
    /// The attempt, which is also the `Idempotency-Key`.
    pub attempt: AttemptId,
    /// The card, complete and checked.
    pub card: Card,
}

/// What the form acts on of a refusal, which is a [`Problem`](sealpay_protocol::api::Problem).
#[derive(Debug)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
}

/// What became of a request.
#[derive(Debug)]
pub enum Answer<T> {
    /// The verifier answered.
    Good(T),
    /// The verifier refused, and said why.
    Refused(Refused),
    /// No answer came that could be understood; whether the request arrived is not known.
    None,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The page handed over its order: begin.
    Start,
    /// The page may not show this order, or it is none: by code.
    NotAdmitted(&'static str),
    /// The answer to [`Effect::OpenSession`](super::Effect::OpenSession).
    Opened {
        /// Of the effect.
        turn: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// What became of it.
        answer: Answer<Box<SessionView>>,
    },
    /// The shopper asked to pay.
    Submitted(Submission),
    /// The answer to [`Effect::Seal`](super::Effect::Seal).
    Sealed {
        /// Of the effect.
        turn: u32,
        /// The bytes of the request; `None` when the verifier's key is not usable.
        body: Option<Rc<[u8]>>,
    },
    /// The answer to [`Effect::Send`](super::Effect::Send).
    Paid {
        /// Of the effect.
        turn: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// What became of it.
        answer: Answer<Box<PaymentView>>,
    },
    /// The shopper asked to try again.
    Retried,
    /// A wait is over.
    Woke {
        /// Of the effect.
        turn: u32,
        /// What it was for.
        wake: super::Wake,
    },
    /// The session has ended by the clock.
    SessionTimeUp,
}
