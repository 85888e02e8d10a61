//! What the shopper has to do before a payment continues, and the passkey offered after it.

use super::attempt::Poll;
use sealpay_protocol::api::{ActionView, AuthenticationStep, PaymentView};
use sealpay_protocol::card::number;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::limits::ONE_TIME_CODE_DIGITS;
use std::rc::Rc;
use zeroize::Zeroizing;

/// A payment that waits for the shopper.
#[derive(Debug)]
pub struct ActionRequired {
    /// The payment, without its action.
    pub payment: PaymentView,
    /// The action.
    pub action: ActionView,
    /// How the status of the payment is polled.
    pub poll: Poll,
    /// How often it was polled.
    pub polls: u32,
    /// Code of the feedback on the shopper's last input.
    pub feedback: Option<&'static str>,
}

/// The request that is under way for an action or an offer: at most one.
#[derive(Debug, Default)]
pub enum PendingRequest {
    /// None: the shopper can act.
    #[default]
    None,
    /// The status of the payment.
    Status,
    /// The browser shows its own passkey dialog.
    Passkey,
    /// The shopper's response to a challenge.
    Response(ChallengeResponse),
}

/// A shopper's response to a challenge, ready to be sent. Sent again, it is the same request.
#[derive(Debug)]
pub struct ChallengeResponse {
    /// The `Idempotency-Key`.
    pub id: AttemptId,
    /// What it does.
    pub step: AuthenticationStep,
    /// The body of the request.
    pub body: Rc<[u8]>,
    /// How often it was resent automatically.
    pub resends: u32,
}

/// The offer on the receipt to save a passkey for next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyOffer {
    /// None was made, or the shopper declined it.
    None,
    /// The shopper can save a passkey.
    Available,
    /// The passkey is saved.
    Saved,
    /// Saving failed; the shopper can try again.
    Failed,
}

/// The address of the wallet's page, if it is safe to open: a path at the verifier's origin, or an
/// `https` address.
#[must_use]
pub fn wallet_address<'a>(url: &'a str, verifier_origin: &str) -> Option<&'a str> {
    let is_path = url.starts_with('/') && !url.starts_with("//");
    let is_at_verifier = url
        .strip_prefix(verifier_origin)
        .is_some_and(|rest| rest.starts_with('/'));
    // Browsers skip some characters and turn backslashes into slashes.
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_plain && (is_path || is_at_verifier || url.starts_with("https://"))).then_some(url)
}

/// The digits of a one-time code as typed or pasted, in any script and with any separators, cut to
/// the length of a code.
#[must_use]
pub fn code_digits(typed: &str) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(number::digits_of(typed));
    digits.truncate(ONE_TIME_CODE_DIGITS);
    digits
}

/// A complete one-time code, in the digits and separators that the card fields accept too; `None`
/// when it has too few or too many digits, or other characters.
pub(super) fn complete_code(typed: &str) -> Option<Zeroizing<String>> {
    let digits = Zeroizing::new(number::ascii_digits(typed)?);
    (digits.len() == ONE_TIME_CODE_DIGITS).then_some(digits)
}
