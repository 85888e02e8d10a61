//! Reads the verifier's answers, and the claims of an order, with the browser's own JSON reader.
//!
//! A reader in Rust would cost every shopper some twenty kilobytes to download for what each
//! browser already has. Members that are not known are passed over; one that is missing or of
//! another type makes the whole answer unreadable, which is then no answer.

use super::object::{member, text, whole_number};
use crate::pay::Refused;
use js_sys::{Array, JSON};
use sealpay_protocol::api::{
    Advice, CardView, DeclineView, MerchantView, Method, OrderView, PaymentView, SealingKeyView,
    SessionState, SessionView, ShopperState,
};
use sealpay_protocol::encoding::from_base64url;
use sealpay_protocol::order::{Capture, OrderItem};
use wasm_bindgen::{JsCast, JsValue};

/// What the form needs of an order before the verifier has seen it.
#[derive(Debug, Clone)]
pub struct Claims {
    /// What is to be paid.
    pub order: OrderView,
    /// The pages that may embed the form.
    pub parent_origins: Vec<String>,
}

/// Reads JSON. `None` when it is none.
#[must_use]
pub fn parse(json: &str) -> Option<JsValue> {
    JSON::parse(json).ok()
}

/// Reads the claims of a compact order without verifying anything: the verifier does that.
#[must_use]
pub fn claims_unverified(compact: &str) -> Option<Claims> {
    let payload = from_base64url(compact.split('.').nth(1)?)?;
    let claims = parse(core::str::from_utf8(&payload).ok()?)?;
    let parent_origins = list(&claims, "parent_origins")?
        .iter()
        .map(|origin| origin.as_string())
        .collect::<Option<_>>()?;
    Some(Claims {
        order: order(&claims)?,
        parent_origins,
    })
}

/// The answer of `POST /v1/sessions`.
#[must_use]
pub fn session(value: &JsValue) -> Option<SessionView> {
    let merchant = member(value, "merchant")?;
    let key = member(value, "sealing_key")?;
    let payment_view = member(value, "payment")?;
    Some(SessionView {
        session: text(value, "session")?.parse().ok()?,
        state: match text(value, "state")?.as_str() {
            "open" => SessionState::Open,
            "processing" => SessionState::Processing,
            "complete" => SessionState::Complete,
            _ => return None,
        },
        expires_at: seconds(value, "expires_at")?,
        server_time: seconds(value, "server_time")?,
        test_mode: member(value, "test_mode")?.as_bool()?,
        verifier_origin: text(value, "verifier_origin")?.parse().ok()?,
        merchant: MerchantView {
            id: text(&merchant, "id")?.parse().ok()?,
            name: text(&merchant, "name")?,
        },
        order: order(&member(value, "order")?)?,
        // Methods that this form does not know are not offered.
        methods: list(value, "methods")?
            .iter()
            .filter_map(|method| (method == "card").then_some(Method::Card))
            .collect(),
        sealing_key: SealingKeyView {
            kid: text(&key, "kid")?,
            public_key: text(&key, "public_key")?,
        },
        attempts_left: count(value, "attempts_left")?,
        payment: if payment_view.is_null() {
            None
        } else {
            Some(payment(&payment_view)?)
        },
    })
}

/// The answer of `POST /v1/payments`.
#[must_use]
pub fn payment(value: &JsValue) -> Option<PaymentView> {
    let card = member(value, "card")?;
    let decline_view = member(value, "decline")?;
    Some(PaymentView {
        payment: text(value, "payment")?.parse().ok()?,
        attempt: text(value, "attempt")?.parse().ok()?,
        state: match text(value, "state")?.as_str() {
            "processing" => ShopperState::Processing,
            "authorized" => ShopperState::Authorized,
            "captured" => ShopperState::Captured,
            "declined" => ShopperState::Declined,
            "unknown" => ShopperState::Unknown,
            _ => return None,
        },
        amount: whole_number(value, "amount")?,
        currency: text(value, "currency")?,
        order_ref: text(value, "order_ref")?,
        created_at: seconds(value, "created_at")?,
        card: CardView {
            brand: text(&card, "brand")?,
            last4: text(&card, "last4")?,
        },
        decline: if decline_view.is_null() {
            None
        } else {
            Some(decline(&decline_view)?)
        },
        attempts_left: count(value, "attempts_left")?,
    })
}

fn decline(value: &JsValue) -> Option<DeclineView> {
    let advice = match text(value, "advice")?.as_str() {
        "check_details" => Advice::CheckDetails,
        "try_other_card" => Advice::TryOtherCard,
        "contact_bank" => Advice::ContactBank,
        "try_later" => Advice::TryLater,
        "try_again" => Advice::TryAgain,
        _ => Advice::None,
    };
    Some(DeclineView {
        message: text(value, "message")?,
        advice,
    })
}

/// A refusal (RFC 9457).
#[must_use]
pub fn refused(value: &JsValue) -> Option<Refused> {
    Some(Refused {
        code: text(value, "code")?,
        server_time: seconds(value, "server_time")?,
    })
}

fn order(value: &JsValue) -> Option<OrderView> {
    let items = match list(value, "items") {
        Some(items) => Some(
            items
                .iter()
                .map(|line| item(&line))
                .collect::<Option<_>>()?,
        ),
        None => None,
    };
    Some(OrderView {
        amount: whole_number(value, "amount")?,
        currency: text(value, "currency")?,
        order_ref: text(value, "order_ref")?,
        capture: match text(value, "capture")?.as_str() {
            "automatic" => Capture::Automatic,
            "manual" => Capture::Manual,
            _ => return None,
        },
        description: text(value, "description"),
        items,
    })
}

fn item(value: &JsValue) -> Option<OrderItem> {
    Some(OrderItem {
        name: text(value, "name")?,
        quantity: count(value, "quantity")?,
        amount: whole_number(value, "amount")?,
    })
}

fn list(value: &JsValue, name: &str) -> Option<Array> {
    member(value, name)?.dyn_into().ok()
}

fn count(value: &JsValue, name: &str) -> Option<u32> {
    u32::try_from(whole_number(value, name)?).ok()
}

fn seconds(value: &JsValue, name: &str) -> Option<u64> {
    u64::try_from(whole_number(value, name)?).ok()
}
