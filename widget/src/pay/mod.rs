//! The payment as a pure state machine: events go in, the next state and effects come out.
//!
//! Nothing here waits, draws, sends or knows what time it is. [`State::step`] is the whole story;
//! whoever runs the effects feeds their results back as events. A second payment cannot start
//! while one is under way, because no state that has one under way accepts a submission.

mod acting;
mod backoff;
mod effect;
mod event;
mod json;
mod message;
pub mod request;
mod state;
mod step;

pub use acting::{Acting, Errand, Offer, Proof, code_digits, wallet_address};
pub use effect::{Effect, Wake};
pub use event::{Answer, Deed, Event, Means, Refused, Submission};
pub use message::Message;
pub use state::{Attempt, Ending, Notice, Phase, Poll, State};

#[cfg(test)]
mod tests;
