//! What the state machine wants done.

use super::message::Message;
use super::state::Attempt;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;

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
        /// The attempt.
        attempt: AttemptId,
        /// The card.
        card: Card,
    },
    /// Sign the attempt anew and send exactly its bytes, answered by
    /// [`Event::Paid`](super::Event::Paid).
    Send {
        /// Comes back with the answer.
        turn: u32,
        /// The attempt.
        attempt: Attempt,
    },
    /// Sign what the shopper did anew and send exactly these bytes, answered by
    /// [`Event::Authenticated`](super::Event::Authenticated).
    Authenticate {
        /// Comes back with the answer.
        turn: u32,
        /// The `Idempotency-Key`.
        id: AttemptId,
        /// The body.
        body: Rc<[u8]>,
    },
    /// Have the shopper sign with a passkey, answered by
    /// [`Event::Passkey`](super::Event::Passkey).
    UsePasskey {
        /// Comes back with the answer.
        turn: u32,
        /// `PublicKeyCredentialRequestOptionsJSON`.
        options: String,
    },
    /// Have the shopper keep a passkey, answered by [`Event::Passkey`](super::Event::Passkey).
    KeepPasskey {
        /// Comes back with the answer.
        turn: u32,
        /// `PublicKeyCredentialCreationOptionsJSON`.
        options: String,
    },
    /// Open the wallet's own page, as far as the browser lets it be opened without a click.
    OpenWallet,
    /// Give up a payment that an earlier page began and this one cannot finish, answered at once
    /// by [`Event::Did`](super::Event::Did).
    Abandon,
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
    /// Clear the one-time code, which was used up, and put the shopper there.
    AskCodeAgain,
    /// Put the shopper where the code is typed.
    FocusCode,
    /// Wipe everything that was typed; it is not needed any more.
    ForgetCard,
    /// The same, unless the page can bring another order.
    KeepForRenewal,
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
    /// To send what the shopper did once more.
    Authenticate,
    /// To try again, in the background, what the network did not carry.
    Retry,
}
