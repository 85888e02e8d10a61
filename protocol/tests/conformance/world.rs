//! Keys, names and times shared by the tests. None is secret.

use core::convert::Infallible;
use ed25519_dalek::SigningKey;
use rand_core::{TryCryptoRng, TryRng};
use sealpay_protocol::card::{Card, CardNumber, Expiry, Holder, SecurityCode, YearMonth};
use sealpay_protocol::envelope::SealContext;
use sealpay_protocol::ids::{AttemptId, EventId, MerchantId, SessionId};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{Capture, OrderClaims};
use sealpay_protocol::origin::Origin;
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_protocol::webhook::EndpointSecret;

/// 2025-11-22T08:26:40Z.
pub(crate) const NOW: u64 = 1_763_800_000;

pub(crate) const MERCHANT_KEY_ID: &str = "2025-11";

/// `N` bytes that count up from `first`.
pub(crate) fn counting<const N: usize>(first: u8) -> [u8; N] {
    let mut next = first;
    [0; N].map(|_| {
        let byte = next;
        next = next.wrapping_add(1);
        byte
    })
}

pub(crate) const SEALING_SEED: u8 = 0x00;
pub(crate) const EPHEMERAL_SEED: u8 = 0x20;
pub(crate) const MERCHANT_SEED: u8 = 0x40;
pub(crate) const WEBHOOK_SEED: u8 = 0x60;
pub(crate) const NEXT_WEBHOOK_SEED: u8 = 0x80;
pub(crate) const ENDPOINT_SECRET: u8 = 0xa0;
pub(crate) const NEXT_ENDPOINT_SECRET: u8 = 0xc0;

pub(crate) fn signing_key(first: u8) -> SigningKey {
    SigningKey::from_bytes(&counting(first))
}

pub(crate) fn sealing_key() -> SealingPrivateKey {
    SealingPrivateKey::from_seed(&Secret::new(counting(SEALING_SEED))).unwrap()
}

pub(crate) fn endpoint_secret(first: u8) -> EndpointSecret {
    EndpointSecret::new(counting(first))
}

pub(crate) fn ephemeral_thumbprint() -> Thumbprint {
    Thumbprint::from_key(&signing_key(EPHEMERAL_SEED).verifying_key())
}

pub(crate) fn merchant() -> MerchantId {
    MerchantId::new(1_763_000_000_000, counting(1))
}

pub(crate) fn session() -> SessionId {
    SessionId::new(NOW * 1000, counting(2))
}

pub(crate) fn attempt() -> AttemptId {
    AttemptId::new(NOW * 1000 + 42_000, counting(3))
}

pub(crate) fn event() -> EventId {
    EventId::new(NOW * 1000 + 43_000, counting(4))
}

pub(crate) fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

pub(crate) fn verifier_origin() -> Origin {
    origin("https://pay.example")
}

pub(crate) fn today() -> YearMonth {
    YearMonth::from_unix_seconds(NOW)
}

pub(crate) fn euros(amount_minor: i64) -> Money {
    Money::charge(amount_minor, "EUR".parse().unwrap()).unwrap()
}

/// A valid card; an empty `holder` means none.
pub(crate) fn card(number: &str, yyyymm: &str, security_code: &str, holder: &str) -> Card {
    let number = CardNumber::parse(number).unwrap();
    let security_code = SecurityCode::parse(security_code, number.brand()).unwrap();
    Card {
        number,
        expiry: Expiry::from_yyyymm(yyyymm, today()).unwrap(),
        security_code,
        holder: (!holder.is_empty()).then(|| Holder::parse(holder).unwrap()),
    }
}

/// An order with the required claims only.
pub(crate) fn claims() -> OrderClaims {
    OrderClaims {
        iss: merchant(),
        aud: verifier_origin(),
        jti: "order-1001".into(),
        iat: NOW,
        exp: NOW + 1800,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        capture: Capture::Automatic,
        parent_origins: vec![origin("https://shop.example")],
        description: None,
        items: None,
        agreement: None,
        customer: None,
        methods: None,
        billing_country: None,
        authentication: None,
        simulate: None,
        invoice: None,
    }
}

/// Owns the values that [`SealContext`] borrows.
pub(crate) struct Payment {
    pub(crate) verifier_origin: Origin,
    pub(crate) money: Money,
    pub(crate) thumbprint: Thumbprint,
    pub(crate) order_digest: [u8; 32],
}

impl Payment {
    pub(crate) fn new() -> Self {
        Self {
            verifier_origin: verifier_origin(),
            money: euros(2490),
            thumbprint: ephemeral_thumbprint(),
            order_digest: counting(7),
        }
    }

    pub(crate) fn context(&self) -> SealContext<'_> {
        SealContext {
            verifier_origin: &self.verifier_origin,
            merchant: merchant(),
            session: session(),
            money: self.money,
            session_expires_at: NOW + 1800,
            attempt: attempt(),
            thumbprint: &self.thumbprint,
            order_digest: &self.order_digest,
        }
    }
}

/// Fixed "randomness": returns the given bytes once and then panics, so that a test detects a
/// library that draws more than documented.
pub(crate) struct Given(Vec<u8>);

impl Given {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The number of bytes that were not drawn.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Given {}
