//! The payment as a pure state machine: events go in, the next state and effects come out.
//!
//! It performs no I/O and reads no clock. [`State::step`] is the only transition; the view runs the
//! effects and feeds their results back as events. A second payment cannot start while one is under
//! way, because no state with a payment under way accepts a submission.

mod action;
mod attempt;
mod backoff;
mod effect;
mod event;
mod message;
pub mod request;
mod state;
mod step;

pub use action::{
    ActionRequired, ChallengeResponse, PasskeyOffer, PendingRequest, code_digits, wallet_address,
};
pub use attempt::{Attempt, Poll};
pub use effect::{Effect, Timer};
pub use event::{
    ApiResponse, PaymentData, PaymentEvent, ProblemDetails, ShopperAction, Submission,
};
pub use message::HostMessage;
pub use state::{EndReason, Notice, Phase, State};

#[cfg(test)]
mod tests;
