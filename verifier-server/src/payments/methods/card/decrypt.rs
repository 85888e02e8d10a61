//! Decrypts the card of an attempt.

use crate::error::{ApiError, ErrorCode};
use crate::payments::methods::Attempt;
use sealpay_protocol::card::{Card, YearMonth};
use sealpay_protocol::envelope::{SealContext, SealedCard};

/// Decrypts a card with the associated data rebuilt from the session and the request.
///
/// # Errors
/// [`ErrorCode::SealedCardRefused`] for every fault.
pub(super) fn decrypt(attempt: Attempt<'_>, sealed: &SealedCard) -> Result<Card, ApiError> {
    let Attempt {
        gateway,
        session,
        request,
    } = attempt;
    let now = gateway.clock.now();
    // The response is the same for every reason. Decryption cannot tell an altered card from a card
    // of another session, so neither can the log.
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
