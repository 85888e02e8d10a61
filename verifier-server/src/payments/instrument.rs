//! What the shopper pays with, from the body of a request to an opened card.

use crate::auth::signed_request::VerifiedRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::sessions::model::Session;
use sealpay_protocol::api::PayRequest;
use sealpay_protocol::card::{Card, YearMonth};
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::method::Method;

/// What the shopper pays with, as it came.
pub(crate) enum Instrument {
    Card(SealedCard),
    Wallet,
    BankTransfer,
}

/// What the shopper pays with; a card was sealed for exactly this attempt.
pub(crate) enum Opened {
    Card(Card),
    Wallet,
    BankTransfer,
}

/// A card comes with the method `card` and with no other.
pub(crate) fn of(body: PayRequest) -> Result<Instrument, ApiError> {
    match (body.method, body.card) {
        (Method::Card, Some(sealed)) => Ok(Instrument::Card(sealed)),
        (Method::Wallet, None) => Ok(Instrument::Wallet),
        (Method::BankTransfer, None) => Ok(Instrument::BankTransfer),
        (Method::Card, None) | (_, Some(_)) => {
            let detail = "card must be there with the method card, and with no other.";
            Err(ApiError::of(ErrorCode::MalformedRequest, "card").explained(detail))
        }
    }
}

/// Opens a card; the other methods have nothing to open. Whether the session is over is not looked at:
/// a challenge may end later than the session in which it began.
pub(crate) fn open(
    gateway: &Gateway,
    session: &Session,
    request: &VerifiedRequest,
    instrument: Instrument,
) -> Result<Opened, ApiError> {
    let now = gateway.clock.now();
    let method = match &instrument {
        Instrument::Card(_) => Method::Card,
        Instrument::Wallet => Method::Wallet,
        Instrument::BankTransfer => Method::BankTransfer,
    };
    if !session.methods.contains(&method) {
        return Err(ApiError::of(ErrorCode::MethodNotOffered, "method"));
    }
    Ok(match instrument {
        Instrument::Card(sealed) => {
            Opened::Card(open_card(gateway, session, request, &sealed, now)?)
        }
        Instrument::Wallet => Opened::Wallet,
        Instrument::BankTransfer => Opened::BankTransfer,
    })
}

fn open_card(
    gateway: &Gateway,
    session: &Session,
    request: &VerifiedRequest,
    sealed: &SealedCard,
    now: u64,
) -> Result<Card, ApiError> {
    // The reasons are one and the same outside; not even the log tells an altered card from a
    // card of another session, because nobody could know.
    let refused = |reason: &str| ApiError::because(ErrorCode::SealedCardRefused, reason);
    let key = gateway.keys().sealing_key(&sealed.kid, now);
    let key = key.ok_or_else(|| refused("the sealing key is unknown or retired"))?;
    let context = SealContext {
        verifier_origin: &gateway.settings.public_origin,
        merchant: session.merchant,
        session: session.id,
        money: session.money,
        session_expires_at: session.expires_at,
        attempt: request.attempt,
        thumbprint: &request.thumbprint,
        order_digest: &session.order_digest,
    };
    gateway.count_opening();
    key.open(sealed, &context, YearMonth::from_unix_seconds(now))
        .map_err(|_| refused("the sealed card does not open or is not a card"))
}
