//! What the shopper has to do before a payment goes on, and what is offered after it.

use super::state::Poll;
use sealpay_protocol::api::{ActionView, AuthenticationStep, PaymentView};
use sealpay_protocol::card::number;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::limits::ONE_TIME_CODE_DIGITS;
use std::rc::Rc;
use zeroize::Zeroizing;

/// A payment that waits for the shopper.
#[derive(Debug)]
pub struct Acting {
    /// The payment, without its action.
    pub payment: PaymentView,
    /// What is to be done.
    pub action: ActionView,
    /// How it is asked what became of it.
    pub poll: Poll,
    /// How often it was asked.
    pub polls: u32,
    /// What there is to say about the last thing that the shopper did, by code.
    pub said: Option<&'static str>,
}

/// What is under way about an action or an offer: one thing at a time.
#[derive(Debug, Default)]
pub enum Errand {
    /// Nothing: it is the shopper's turn.
    #[default]
    None,
    /// It is being asked what became of the payment.
    Asking,
    /// The browser shows its own window about passkeys.
    Ceremony,
    /// What the shopper did is on its way.
    Proving(Proof),
}

/// What a shopper did, ready to be sent. Sent again, it is the same try.
#[derive(Debug)]
pub struct Proof {
    /// Its name, the `Idempotency-Key`.
    pub id: AttemptId,
    /// What it does.
    pub step: AuthenticationStep,
    /// The body of the request.
    pub body: Rc<[u8]>,
    /// How often it was repeated without asking.
    pub resends: u32,
}

/// What is offered with the receipt: a passkey for next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Nothing, or it was refused.
    None,
    /// To keep one.
    Made,
    /// It is kept.
    Kept,
    /// It could not be kept; it can be tried again.
    Failed,
}

/// The page of a wallet, if it is one to open: a path at the verifier's origin, or an address that
/// is encrypted or at that origin.
#[must_use]
pub fn wallet_address<'a>(url: &'a str, verifier_origin: &str) -> Option<&'a str> {
    let is_path = url.starts_with('/') && !url.starts_with("//");
    let is_there = url
        .strip_prefix(verifier_origin)
        .is_some_and(|rest| rest.starts_with('/'));
    // Browsers pass over some characters and turn others into slashes.
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_plain && (is_path || is_there || url.starts_with("https://"))).then_some(url)
}

/// The digits in what was typed or pasted as a one-time code, whatever their script and whatever
/// stands between them, and no more than a code has.
#[must_use]
pub fn code_digits(typed: &str) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(number::digits_of(typed));
    digits.truncate(ONE_TIME_CODE_DIGITS);
    digits
}

/// The digits of a one-time code, typed or pasted, in the digits of any keyboard and with whatever
/// the fields of the card pass over too; `None` when they are too few or too many, or something else
/// is among them.
pub(super) fn code_of(typed: &str) -> Option<Zeroizing<String>> {
    let digits = Zeroizing::new(number::ascii_digits(typed)?);
    (digits.len() == ONE_TIME_CODE_DIGITS).then_some(digits)
}
