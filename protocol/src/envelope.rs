//! The layout of a sealed card: the padded plaintext, the associated data that is never sent, and
//! the wire form. The cryptography is in [`crate::seal`].

use crate::card::{Card, CardNumber, Expiry, Holder, SecurityCode, YearMonth};
use crate::ids::{AttemptId, MerchantId, SessionId};
use crate::key::Thumbprint;
use crate::money::Money;
use crate::origin::Origin;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of every plaintext; equal lengths hide the length of the card details.
pub const PLAINTEXT_BYTES: usize = 256;

const VERSION: u8 = 1;
const LABEL: &str = "sealpay-aad-v1";

/// A sealed card on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedCard {
    /// Version of the envelope: 1.
    pub v: u8,
    /// Key id of the sealing key: 16 characters of lowercase hexadecimal.
    pub kid: String,
    /// The encapsulated key, 1120 bytes in base64url.
    pub enc: String,
    /// The ciphertext with its tag, 272 bytes in base64url.
    pub ct: String,
}

/// The payment that both sides know. A sealed card opens only if every field matches.
#[derive(Debug, Clone, Copy)]
pub struct SealContext<'a> {
    /// The verifier's origin, as in the order's `aud`.
    pub verifier_origin: &'a Origin,
    /// The merchant.
    pub merchant: MerchantId,
    /// The session.
    pub session: SessionId,
    /// The amount to be paid.
    pub money: Money,
    /// When the session ends, seconds since 1970.
    pub session_expires_at: u64,
    /// The attempt: a card sealed for one attempt does not open in another.
    pub attempt: AttemptId,
    /// The ephemeral key that signs the request.
    pub thumbprint: &'a Thumbprint,
    /// SHA-256 of the compact order.
    pub order_digest: &'a [u8; 32],
}

impl SealContext<'_> {
    /// The associated data: eleven fields, each prefixed with its length in two bytes.
    #[must_use]
    pub fn associated_data(&self, key_id: &str) -> Vec<u8> {
        let merchant = self.merchant.to_string();
        let session = self.session.to_string();
        let amount = self.money.amount_minor().to_string();
        let currency = self.money.currency();
        let expires_at = self.session_expires_at.to_string();
        let attempt = self.attempt.to_string();
        let fields: [&[u8]; 11] = [
            LABEL.as_bytes(),
            self.verifier_origin.as_str().as_bytes(),
            merchant.as_bytes(),
            session.as_bytes(),
            amount.as_bytes(),
            currency.code().as_bytes(),
            expires_at.as_bytes(),
            key_id.as_bytes(),
            attempt.as_bytes(),
            self.thumbprint.as_str().as_bytes(),
            self.order_digest,
        ];
        let mut data = Vec::with_capacity(384);
        for field in fields {
            // Every field has a far smaller limit of its own, so the length always fits.
            let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(field);
        }
        data
    }
}

/// Serializes a card into its padded form, which is wiped on drop.
#[must_use]
pub fn plaintext(card: &Card) -> Zeroizing<[u8; PLAINTEXT_BYTES]> {
    let mut bytes = Zeroizing::new([0; PLAINTEXT_BYTES]);
    let expiry = card.expiry.to_yyyymm();
    let fields = [
        card.number.digits(),
        expiry.as_str(),
        card.security_code.digits(),
        card.holder.as_ref().map_or("", Holder::as_str),
    ];
    bytes[0] = VERSION;
    let mut at = 1;
    for field in fields {
        // 1 + 1 + 19 + 1 + 6 + 1 + 4 + 1 + 222 bytes at most: the types guarantee that it fits.
        bytes[at] = u8::try_from(field.len()).unwrap_or(0);
        at += 1;
        bytes[at..at + field.len()].copy_from_slice(field.as_bytes());
        at += field.len();
    }
    bytes
}

/// Parses a card from its padded form and validates it again, because a client other than our
/// widget may have sealed it.
///
/// Returns `None` for any other form; the reason is not disclosed.
#[must_use]
pub fn card_of(bytes: &[u8], today: YearMonth) -> Option<Card> {
    let (&version, mut rest) = bytes.split_first()?;
    if version != VERSION || bytes.len() != PLAINTEXT_BYTES {
        return None;
    }
    let number_text = take_field(&mut rest)?;
    let number = CardNumber::parse(number_text).ok()?;
    let expiry = Expiry::from_yyyymm(take_field(&mut rest)?, today).ok()?;
    let security_code_text = take_field(&mut rest)?;
    let security_code = SecurityCode::parse(security_code_text, number.brand()).ok()?;
    let holder_text = take_field(&mut rest)?;
    let holder = match holder_text {
        "" => None,
        text => Some(Holder::parse(text).ok()?),
    };
    // The form accepts spaces and other scripts; inside an envelope a card has one spelling.
    let one_spelling = number.digits() == number_text
        && security_code.digits() == security_code_text
        && holder.as_ref().map_or("", Holder::as_str) == holder_text;
    let padded_with_zeros = rest.iter().all(|&byte| byte == 0);
    (one_spelling && padded_with_zeros).then_some(Card {
        number,
        expiry,
        security_code,
        holder,
    })
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (&length, after) = rest.split_first()?;
    let (field, after) = after.split_at_checked(usize::from(length))?;
    *rest = after;
    core::str::from_utf8(field).ok()
}
