//! The shopper's consent to what an order stores.

use crate::agreements::model::PendingAgreement;
use crate::error::{ApiError, ErrorCode};
use crate::payments::methods::Attempt;
use crate::sessions::model::Session;
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::limits::{CONSENT_CHARACTERS, INSTRUMENTS_PER_CUSTOMER};
use sealpay_protocol::text;

/// Checks the consent of a request against the order.
///
/// # Errors
/// [`ErrorCode::ConsentRequired`] if the merchant may charge again and the shopper did not agree;
/// [`ErrorCode::MalformedRequest`] if the order stores nothing, or the sentence cannot be shown.
pub(super) fn check(
    session: &Session,
    consent: Option<String>,
) -> Result<Option<String>, ApiError> {
    let refused = |detail: String| {
        ApiError::for_param(ErrorCode::MalformedRequest, "consent").explained(detail)
    };
    match (&session.agreement, consent) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(refused("consent is for orders with an agreement.".into())),
        (Some(terms), None) if terms.kind.is_merchant_initiated() => {
            Err(ApiError::for_param(ErrorCode::ConsentRequired, "consent"))
        }
        (Some(_), None) => Ok(None),
        (Some(_), Some(sentence)) => {
            text::check(&sentence, CONSENT_CHARACTERS)
                .map_err(|fault| refused(format!("consent {fault}.")))?;
            Ok(Some(text::on_one_line(&sentence)))
        }
    }
}

/// What the payment stores if it is approved. A card that is on file already, or one too many, is
/// not stored again.
pub(super) async fn pending(
    attempt: Attempt<'_>,
    consent: Option<&str>,
    is_saved: bool,
) -> Result<Option<PendingAgreement>, ApiError> {
    let Attempt {
        gateway, session, ..
    } = attempt;
    let (Some(terms), Some(consent), Some(reference)) =
        (&session.agreement, consent, &session.customer)
    else {
        return Ok(None);
    };
    let is_on_file = terms.kind == AgreementKind::CardOnFile;
    if is_on_file && is_saved {
        return Ok(None);
    }
    let store = &gateway.store;
    let customer = store
        .customers
        .get_by_reference(session.merchant, reference);
    let customer = customer.await?.map(|customer| customer.id);
    if let Some(customer) = customer.filter(|_| is_on_file) {
        let most = INSTRUMENTS_PER_CUSTOMER;
        let known = store.instruments.on_file(customer, most).await?;
        if known.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Ok(None);
        }
    }
    Ok(Some(PendingAgreement {
        customer,
        reference: reference.clone(),
        terms: terms.clone(),
        consent: consent.to_owned(),
        accepted_at_ms: gateway.clock.now_ms_i64(),
    }))
}
