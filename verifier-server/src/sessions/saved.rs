//! The saved cards of an order's customer, as the shopper sees and removes them.

use super::model::Session;
use super::request::{Verified, verify};
use crate::agreements::revoke;
use crate::auth::nonces::Nonce;
use crate::auth::signed_request::IncomingRequest;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::instruments::view::shopper_view;
use crate::payments::methods;
use sealpay_protocol::api::{InstrumentView, InstrumentsView, RemoveInstrumentRequest};
use sealpay_protocol::limits::INSTRUMENTS_PER_CUSTOMER;
use sealpay_protocol::method::Method;

/// The cards that the order's customer may pay with again, the last used first.
pub(crate) async fn list(
    gateway: &Gateway,
    session: &Session,
) -> Result<Vec<InstrumentView>, ApiError> {
    // A link to an invoice may have been forwarded: who has it is not known to be the customer.
    let Some(reference) = session
        .customer
        .as_ref()
        .filter(|_| session.invoice.is_none())
    else {
        return Ok(Vec::new());
    };
    let pays_with_saved = |method: &Method| methods::find(*method).stores_instruments();
    if !session.methods.iter().any(pays_with_saved) {
        return Ok(Vec::new());
    }
    let store = &gateway.store;
    let customer = store
        .customers
        .get_by_reference(session.merchant, reference);
    let Some(customer) = customer.await? else {
        return Ok(Vec::new());
    };
    let most = INSTRUMENTS_PER_CUSTOMER;
    let instruments = store.instruments.on_file(customer.id, most).await?;
    Ok(instruments.iter().map(shopper_view).collect())
}

/// Removes a saved card at the shopper's request. An agreement that the merchant charges keeps the
/// card; only the merchant ends it.
///
/// # Errors
/// The first error, by precedence. [`ErrorCode::InstrumentUnavailable`] if it is not one of the
/// shopper's.
pub(crate) async fn remove(
    gateway: &Gateway,
    request: IncomingRequest<'_>,
) -> Result<InstrumentsView, ApiError> {
    let verified = verify::<RemoveInstrumentRequest>(gateway, request).await?;
    let Verified {
        session,
        request,
        body,
        ..
    } = verified;
    if !gateway
        .store
        .nonces
        .consume(&Nonce::from_verified(request))
        .await?
    {
        return Err(ApiError::new(ErrorCode::NonceReplayed));
    }
    if gateway.clock.now() >= session.expires_at {
        return Err(ApiError::new(ErrorCode::SessionExpired));
    }
    let saved = list(gateway, &session).await?;
    if !saved.iter().any(|one| one.id == body.instrument) {
        return Err(ApiError::for_param(
            ErrorCode::InstrumentUnavailable,
            "instrument",
        ));
    }
    revoke::remove_from_file(gateway, body.instrument).await?;
    Ok(InstrumentsView {
        instruments: list(gateway, &session).await?,
    })
}
