//! The side effects that the state machine asks for.

use super::attempt::Attempt;
use super::message::HostMessage;
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;

/// A side effect, run by the view.
///
/// An effect with a `generation` is followed by an event with the same one; an event of an older
/// generation is stale and ignored.
#[derive(Debug)]
pub enum Effect {
    /// Open the checkout session; followed by
    /// [`PaymentEvent::Opened`](super::PaymentEvent::Opened).
    OpenSession {
        /// Returned with the event.
        generation: u32,
    },
    /// Seal the card for this attempt; followed by
    /// [`PaymentEvent::Sealed`](super::PaymentEvent::Sealed).
    Seal {
        /// Returned with the event.
        generation: u32,
        /// The attempt.
        attempt: AttemptId,
        /// The card.
        card: Box<Card>,
        /// Of the submission.
        consent: Option<String>,
    },
    /// Sign the attempt again and send exactly its bytes; followed by
    /// [`PaymentEvent::Paid`](super::PaymentEvent::Paid).
    Send {
        /// Returned with the event.
        generation: u32,
        /// The attempt.
        attempt: Attempt,
    },
    /// Sign a challenge response again and send exactly these bytes; followed by
    /// [`PaymentEvent::Authenticated`](super::PaymentEvent::Authenticated).
    Authenticate {
        /// Returned with the event.
        generation: u32,
        /// The `Idempotency-Key`.
        id: AttemptId,
        /// The body.
        body: Rc<[u8]>,
    },
    /// Ask the browser for a passkey assertion; followed by
    /// [`PaymentEvent::Passkey`](super::PaymentEvent::Passkey).
    UsePasskey {
        /// Returned with the event.
        generation: u32,
        /// `PublicKeyCredentialRequestOptionsJSON`.
        options: String,
    },
    /// Ask the browser to create a passkey; followed by
    /// [`PaymentEvent::Passkey`](super::PaymentEvent::Passkey).
    SavePasskey {
        /// Returned with the event.
        generation: u32,
        /// `PublicKeyCredentialCreationOptionsJSON`.
        options: String,
    },
    /// Open the wallet's page, as far as the browser allows it without a click.
    OpenWallet,
    /// Cancel a payment that an earlier page started and this one cannot finish; followed at once
    /// by [`PaymentEvent::Action`](super::PaymentEvent::Action).
    CancelPayment,
    /// Wait; followed by [`PaymentEvent::TimerFired`](super::PaymentEvent::TimerFired).
    Wait {
        /// Returned with the event.
        generation: u32,
        /// How long.
        milliseconds: u32,
        /// What for.
        timer: Timer,
    },
    /// Send [`PaymentEvent::SessionExpired`](super::PaymentEvent::SessionExpired) when the session
    /// ends.
    WatchExpiry {
        /// How long until then.
        milliseconds: u32,
    },
    /// Clear the security code and focus it. No other field is ever cleared after an attempt.
    ClearSecurityCode,
    /// Clear the one-time code, which was consumed, and focus it.
    ClearCode,
    /// Focus the one-time code.
    FocusCode,
    /// Wipe all fields: they are not needed any more.
    ClearForm,
    /// Wipe all fields unless the host page can supply another order.
    ClearFormUnlessRenewable,
    /// Send a message to the host page.
    NotifyHost(HostMessage),
}

/// What a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Open the session again.
    Open,
    /// Send the attempt again.
    Send,
    /// Send the challenge response again.
    Authenticate,
    /// Retry in the background after a network failure.
    Retry,
}
