//! What happens to the state machine.

use sealpay_protocol::api::{Method, PaymentView, SessionView};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::AttemptId;
use std::rc::Rc;
use zeroize::Zeroizing;

/// What the shopper asked to pay with, and the name of the attempt, made before anything is sent.
#[derive(Debug)]
pub struct Submission {
    /// The attempt, which is also the `Idempotency-Key`.
    pub attempt: AttemptId,
    /// What to pay with.
    pub means: Means,
}

/// What a shopper pays with.
#[derive(Debug)]
pub enum Means {
    /// A card, complete and checked.
    Card(Card),
    /// The wallet: everything else is said on its own page.
    Wallet,
    /// A transfer, which the shopper makes later.
    BankTransfer,
}

impl Means {
    /// The method of it.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Card(_) => Method::Card,
            Self::Wallet => Method::Wallet,
            Self::BankTransfer => Method::BankTransfer,
        }
    }
}

/// What a shopper does about a challenge or an offer.
#[derive(Debug)]
pub enum Deed {
    /// Confirms a one-time code, as it was typed.
    Code(Zeroizing<String>),
    /// Asks for another code.
    Resend,
    /// Wants to use a passkey.
    UsePasskey,
    /// Wants a code in place of the passkey.
    UseCode,
    /// Gives up this attempt.
    Cancel,
    /// Wants to keep a passkey for next time.
    KeepPasskey,
    /// Wants no passkey.
    KeepNothing,
}

/// What the form acts on of a refusal, which is a [`Problem`](sealpay_protocol::api::Problem).
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// The verifier's clock, seconds since 1970.
    pub server_time: u64,
    /// What is wrong, for a developer.
    pub detail: String,
    /// What it is about, such as `items`.
    pub param: Option<String>,
    /// Under which name the verifier's log has it.
    pub request_id: String,
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
    /// The page handed over another order in place of the one before: begin again.
    Renewed,
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
    /// The shopper did something about a challenge or an offer.
    Did {
        /// What names the request that may come of it, made before it is sent.
        id: AttemptId,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// What.
        deed: Deed,
    },
    /// The shopper types a code: what was wrong with the last one is no longer of interest.
    CodeTyped,
    /// The answer to [`Effect::UsePasskey`](super::Effect::UsePasskey) or
    /// [`Effect::KeepPasskey`](super::Effect::KeepPasskey).
    Passkey {
        /// Of the effect.
        turn: u32,
        /// What names the request that comes of it, made before it is sent.
        id: AttemptId,
        /// The credential as JSON; `None` when the browser cannot or the shopper would not.
        credential: Option<String>,
    },
    /// The answer to [`Effect::Authenticate`](super::Effect::Authenticate).
    Authenticated {
        /// Of the effect.
        turn: u32,
        /// The browser's clock, seconds since 1970.
        now: u64,
        /// What became of it.
        answer: Answer<Box<PaymentView>>,
    },
    /// The shopper came back to the form, maybe from the wallet, or the network came back.
    CameBack,
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
