//! The inputs of the state machine.

use super::effect::Timer;
use sealpay_protocol::api::{DebitAccount, Method, PaymentView, SessionView};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::{AttemptId, InstrumentId};
use std::rc::Rc;
use zeroize::Zeroizing;

/// What the shopper submitted, and the attempt's id, made before anything is sent.
#[derive(Debug)]
pub struct Submission {
    /// The attempt, which is also the `Idempotency-Key`.
    pub attempt: AttemptId,
    /// What to pay with.
    pub data: PaymentData,
    /// The sentence by which the shopper agreed to the order's agreement, as it was shown.
    pub consent: Option<String>,
}

/// The data of a payment method.
#[derive(Debug)]
pub enum PaymentData {
    /// A complete and valid card.
    Card(Box<Card>),
    /// A saved card.
    SavedCard(InstrumentId),
    /// A wallet: its own page asks for the rest.
    Wallet,
    /// A bank transfer, which the shopper makes later.
    BankTransfer,
    /// A direct debit from this account.
    SepaDebit(DebitAccount),
}

impl PaymentData {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Card(_) | Self::SavedCard(_) => Method::Card,
            Self::Wallet => Method::Wallet,
            Self::BankTransfer => Method::BankTransfer,
            Self::SepaDebit(_) => Method::SepaDebit,
        }
    }
}

/// What a shopper does about a challenge or an offer.
#[derive(Debug)]
pub enum ShopperAction {
    /// Confirms a one-time code, as typed.
    EnterCode(Zeroizing<String>),
    /// Asks for another code.
    ResendCode,
    /// Uses a passkey.
    UsePasskey,
    /// Asks for a code instead of the passkey.
    UseCode,
    /// Cancels this attempt.
    Cancel,
    /// Saves a passkey for next time.
    SavePasskey,
    /// Declines to save a passkey.
    DeclinePasskey,
}

/// The members of a [`Problem`](sealpay_protocol::api::Problem) (RFC 9457) that the form uses.
#[derive(Debug, Clone, Default)]
pub struct ProblemDetails {
    /// The stable code.
    pub code: String,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
    /// What is wrong, for a developer.
    pub detail: String,
    /// The parameter concerned, such as `items`.
    pub param: Option<String>,
    /// The request in the verifier's log.
    pub request_id: String,
}

/// The result of a request.
#[derive(Debug)]
pub enum ApiResponse<T> {
    /// The verifier accepted the request.
    Success(T),
    /// The verifier refused it.
    Problem(ProblemDetails),
    /// No readable response: whether the request arrived is unknown.
    Missing,
}

/// An event.
#[derive(Debug)]
pub enum PaymentEvent {
    /// The host page supplied its order.
    Start,
    /// The host page supplied another order in place of the previous one.
    OrderReplaced,
    /// The order is malformed, or this page may not show it; by code.
    OrderRejected(&'static str),
    /// The response to [`Effect::OpenSession`](super::Effect::OpenSession).
    Opened {
        /// Of the effect.
        generation: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// The response.
        response: ApiResponse<Box<SessionView>>,
    },
    /// The shopper submitted the form.
    Submitted(Submission),
    /// The result of [`Effect::Seal`](super::Effect::Seal).
    Sealed {
        /// Of the effect.
        generation: u32,
        /// The body of the request; `None` when the verifier's key is not usable.
        body: Option<Rc<[u8]>>,
    },
    /// The response to [`Effect::Send`](super::Effect::Send).
    Paid {
        /// Of the effect.
        generation: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// The response.
        response: ApiResponse<Box<PaymentView>>,
    },
    /// The shopper pressed the retry button.
    Retry,
    /// The shopper acted on a challenge or an offer.
    Action {
        /// The `Idempotency-Key` of the request that may follow.
        id: AttemptId,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// The action.
        action: ShopperAction,
    },
    /// The shopper edited the one-time code: the feedback on the previous one is obsolete.
    CodeEdited,
    /// The result of [`Effect::UsePasskey`](super::Effect::UsePasskey) or
    /// [`Effect::SavePasskey`](super::Effect::SavePasskey).
    Passkey {
        /// Of the effect.
        generation: u32,
        /// The `Idempotency-Key` of the request that follows.
        id: AttemptId,
        /// The credential as JSON; `None` when the browser or the shopper declined.
        credential: Option<String>,
    },
    /// The response to [`Effect::Authenticate`](super::Effect::Authenticate).
    Authenticated {
        /// Of the effect.
        generation: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// The response.
        response: ApiResponse<Box<PaymentView>>,
    },
    /// The shopper returned to the form, perhaps from the wallet, or the network is back.
    Resumed,
    /// A wait is over.
    TimerFired {
        /// Of the effect.
        generation: u32,
        /// Its purpose.
        timer: Timer,
    },
    /// The session has ended by the clock.
    SessionExpired,
}
