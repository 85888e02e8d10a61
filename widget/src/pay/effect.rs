//! What the state machine wants done.

use super::event::Submission;
use super::message::Message;
use super::state::Attempt;

/// Something to be done outside.
///
/// Effects with a `turn` are answered by an event with the same turn; an answer of an older turn
/// comes too late and is ignored.
#[derive(Debug)]
pub enum Effect {
    /// Open the checkout session, answered by [`Event::Opened`](super::Event::Opened).
    OpenSession {
        /// Comes back with the answer.
        turn: u32,
    },
    /// Seal the card for this attempt, answered by [`Event::Sealed`](super::Event::Sealed).
    Seal {
        /// Comes back with the answer.
        turn: u32,
        /// The attempt and its card.
        submission: Submission,
    },
    /// Sign the attempt anew and send exactly its bytes, answered by
    /// [`Event::Paid`](super::Event::Paid).
    Send {
        /// Comes back with the answer.
        turn: u32,
        /// The attempt.
        attempt: Attempt,
    },
    /// Wait, answered by [`Event::Woke`](super::Event::Woke).
    Wait {
        /// Comes back with the answer.
        turn: u32,
        /// How long.
        milliseconds: u32,
        /// What for.
        wake: Wake,
    },
    /// Send [`Event::SessionTimeUp`](super::Event::SessionTimeUp) when the session ends.
    WatchExpiry {
        /// How long.
        milliseconds: u32,
    },
    /// Clear the security code and put the shopper there: nothing else is ever taken away.
    AskSecurityCodeAgain,
    /// Wipe everything that was typed; it is not needed any more.
    ForgetCard,
    /// Tell the page that embeds the form.
    Tell(Message),
}

/// What a wait was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// To open the session once more.
    Open,
    /// To send the attempt once more.
    Send,
}
