//! The requests as bytes and headers: sealed and signed here, sent by `browser`.
//!
//! Pure: key, time and randomness are arguments.

use ed25519_dalek::SigningKey;
use sealpay_protocol::api::{
    self, AuthenticationRequest, AuthenticationStep, DebitAccount, Method, OpenSessionRequest,
    PayRequest, RemoveInstrumentRequest, SessionView,
};
use sealpay_protocol::card::Card;
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::ids::{AttemptId, InstrumentId, PaymentId, SessionId};
use sealpay_protocol::key::{PublicJwk, Thumbprint};
use sealpay_protocol::limits::NONCE_BYTES;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::seal::{SealingPublicKey, seal};
use sealpay_protocol::sign::{RequestParts, SignatureParameters, SignedHeaders, sign};
use serde::Serialize;
use std::rc::Rc;

/// Opens sessions.
pub const SESSIONS_PATH: &str = "/v1/sessions";

/// Makes payments.
pub const PAYMENTS_PATH: &str = "/v1/payments";

/// Takes responses to challenges.
pub const AUTHENTICATIONS_PATH: &str = "/v1/authentications";

/// Removes saved cards.
pub const INSTRUMENTS_PATH: &str = "/v1/instruments/remove";

/// The body of an attempt without a sealed card: by another method, or with a saved card.
#[must_use]
pub fn unsealed_body(
    method: Method,
    instrument: Option<InstrumentId>,
    debit: Option<DebitAccount>,
    consent: Option<String>,
) -> Rc<[u8]> {
    body(&PayRequest {
        instrument,
        debit,
        consent,
        ..PayRequest::new(method)
    })
}

/// The body that removes a saved card.
#[must_use]
pub fn removal_body(instrument: InstrumentId) -> Rc<[u8]> {
    body(&RemoveInstrumentRequest { instrument })
}

/// The body of a challenge response, with the code or the credential of the step.
#[must_use]
pub fn authentication_body(payment: PaymentId, step: AuthenticationStep, value: &str) -> Rc<[u8]> {
    // The other steps have neither.
    let value = (!value.is_empty()).then(|| value.to_owned());
    let (code, credential) = if step == AuthenticationStep::Code {
        (value, None)
    } else {
        (None, value)
    };
    body(&AuthenticationRequest {
        payment,
        step,
        code,
        credential,
    })
}

/// JSON. These types have only strings and numbers, so that serializing them cannot fail; an empty
/// body would be refused.
fn body(request: &impl Serialize) -> Rc<[u8]> {
    serde_json::to_vec(request).unwrap_or_default().into()
}

/// The order and the ephemeral key of one checkout.
pub struct Credentials {
    order: Rc<str>,
    parent_origin: Origin,
    key: SigningKey,
}

/// A request that is ready to be sent, exactly as it was signed.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    /// The path at the verifier's origin.
    pub path: &'static str,
    /// The body.
    pub body: Rc<[u8]>,
    /// `idempotency-key`
    pub idempotency_key: String,
    /// `sealpay-session`
    pub session: String,
    /// The other three headers.
    pub headers: SignedHeaders,
}

/// The parts of a signature that differ every time.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// The verifier's time, seconds since 1970.
    pub created: u64,
    /// Random bytes, never used twice.
    pub nonce: [u8; NONCE_BYTES],
}

impl Credentials {
    /// From the order, the origin of the host page, and 32 random bytes for the key.
    #[must_use]
    pub fn new(order: Rc<str>, parent_origin: Origin, key_seed: &[u8; 32]) -> Self {
        Self {
            order,
            parent_origin,
            key: SigningKey::from_bytes(key_seed),
        }
    }

    /// The body that opens a session.
    #[must_use]
    pub fn open_body(&self) -> Rc<[u8]> {
        body(&OpenSessionRequest {
            order: self.order.to_string(),
            key: PublicJwk::from_key(&self.key.verifying_key()),
            parent_origin: self.parent_origin.clone(),
        })
    }

    /// The body of an attempt with a card, sealed for this payment and no other. `None` when the
    /// verifier's key or amount is not usable.
    #[must_use]
    pub fn pay_body(
        &self,
        session: &SessionView,
        attempt: AttemptId,
        card: &Card,
        consent: Option<String>,
        random: &mut impl rand_core::CryptoRng,
    ) -> Option<Rc<[u8]>> {
        let card = self.sealed(session, attempt, card, random)?;
        Some(body(&PayRequest {
            card: Some(card),
            consent,
            ..PayRequest::new(Method::Card)
        }))
    }

    fn sealed(
        &self,
        session: &SessionView,
        attempt: AttemptId,
        card: &Card,
        random: &mut impl rand_core::CryptoRng,
    ) -> Option<SealedCard> {
        let recipient = SealingPublicKey::from_base64url(&session.sealing_key.public_key).ok()?;
        if recipient.key_id() != session.sealing_key.kid {
            return None;
        }
        let currency = session.order.currency.parse().ok()?;
        let context = SealContext {
            verifier_origin: &session.verifier_origin,
            merchant: session.merchant.id,
            session: session.session,
            money: Money::charge(session.order.amount, currency).ok()?,
            session_expires_at: session.expires_at,
            attempt,
            thumbprint: &Thumbprint::from_key(&self.key.verifying_key()),
            order_digest: &order::digest(&self.order),
        };
        seal(card, &recipient, &context, random).ok()
    }

    /// Signs a request. The same body may be signed repeatedly, each time with a fresh nonce.
    #[must_use]
    pub fn sign(
        &self,
        authority: &str,
        destination: Destination,
        attempt: AttemptId,
        body: Rc<[u8]>,
        freshness: Freshness,
    ) -> SignedRequest {
        let (path, session) = match destination {
            Destination::Sessions => (SESSIONS_PATH, api::NEW_SESSION.into()),
            Destination::Payments(session) => (PAYMENTS_PATH, session.to_string()),
            Destination::Authentications(session) => (AUTHENTICATIONS_PATH, session.to_string()),
            Destination::Instruments(session) => (INSTRUMENTS_PATH, session.to_string()),
        };
        let idempotency_key = attempt.to_string();
        let parts = RequestParts {
            method: "POST",
            authority,
            path,
            query: None,
            content_type: api::CONTENT_TYPE,
            idempotency_key: &idempotency_key,
            session: &session,
            body: &body,
        };
        let parameters = SignatureParameters {
            created: freshness.created,
            nonce: freshness.nonce,
        };
        let headers = sign(&parts, &parameters, &self.key);
        SignedRequest {
            path,
            body,
            idempotency_key,
            session,
            headers,
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub enum Destination {
    /// `POST /v1/sessions`
    Sessions,
    /// `POST /v1/payments` of this session.
    Payments(SessionId),
    /// `POST /v1/authentications` of this session.
    Authentications(SessionId),
    /// `POST /v1/instruments/remove` of this session.
    Instruments(SessionId),
}

#[cfg(test)]
mod tests;
