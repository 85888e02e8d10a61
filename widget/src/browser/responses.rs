//! Reads the verifier's responses, and the claims of an order, with the browser's own JSON parser.
//!
//! Unknown members are ignored; a missing member or one of another type makes the whole response
//! unreadable, which counts as a missing response.

use super::object::{member, text, whole_number};
use super::passkey;
use crate::form::methods_for;
use crate::payment::ProblemDetails;
use js_sys::{Array, JSON};
use sealpay_protocol::api::{
    ActionView, Advice, AgreementKind, AgreementTerms, CardField, CardView, CodeView, DebitView,
    DeclineCategory, DeclineView, EnrolmentView, InstrumentView, InstrumentsView, MerchantView,
    Method, OrderView, PasskeyView, PaymentView, SealingKeyView, SessionState, SessionView,
    ShopperState, TransferView, WalletView,
};
use sealpay_protocol::encoding::from_base64url;
use sealpay_protocol::ids::InstrumentId;
use sealpay_protocol::order::{Capture, OrderItem};
use std::cell::Cell;
use std::str::FromStr;
use wasm_bindgen::{JsCast, JsValue};

/// The claims of an order that the form uses before the verifier has checked them.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The amount and the items.
    pub order: OrderView,
    /// The payment methods; a card if none are named.
    pub methods: Vec<Method>,
    /// The pages that may embed the form.
    pub parent_origins: Vec<String>,
}

/// Parses JSON; `None` when it is malformed.
#[must_use]
pub fn parse(json: &str) -> Option<JsValue> {
    JSON::parse(json).ok()
}

/// Reads the claims of a compact order without verifying it: the verifier does that.
#[must_use]
pub fn claims_unverified(compact: &str) -> Option<Claims> {
    let payload = from_base64url(compact.split('.').nth(1)?)?;
    let claims = parse(core::str::from_utf8(&payload).ok()?)?;
    let parent_origins = list(&claims, "parent_origins")?
        .iter()
        .map(|origin| origin.as_string())
        .collect::<Option<_>>()?;
    Reader::read(&claims, |read| {
        Some(Claims {
            order: read_order(read)?,
            methods: methods_for(agreement(read).as_ref(), methods(&claims)),
            parent_origins,
        })
    })
}

/// The response of `POST /v1/sessions`.
#[must_use]
pub fn session(value: &JsValue) -> Option<SessionView> {
    Reader::read(value, |read| {
        let merchant = read.object("merchant");
        let id = merchant.parsed("id")?;
        let verifier_origin = read.parsed("verifier_origin")?;
        let key = read.object("sealing_key");
        let agreement = agreement(read);
        Some(SessionView {
            session: read.parsed("session")?,
            state: match read.text("state").as_str() {
                "open" => SessionState::Open,
                "processing" => SessionState::Processing,
                "complete" => SessionState::Complete,
                _ => return None,
            },
            expires_at: read.number("expires_at"),
            server_time: read.number("server_time"),
            livemode: read.flag("livemode"),
            verifier_origin,
            merchant: MerchantView {
                id,
                name: merchant.text("name"),
                creditor: text(&merchant.value, "creditor"),
            },
            order: read_order(&read.object("order"))?,
            methods: methods_for(agreement.as_ref(), methods(&read.value)),
            agreement,
            instruments: read_instruments(read),
            sealing_key: SealingKeyView {
                kid: key.text("kid"),
                public_key: key.text("public_key"),
            },
            attempts_left: read.number("attempts_left"),
            payment: read.optional("payment", read_payment),
        })
    })
}

/// An agreement unknown to this form makes the response unreadable: nobody can agree to it here.
fn agreement(read: &Reader<'_>) -> Option<AgreementTerms> {
    read.optional("agreement", |terms| {
        Some(AgreementTerms {
            kind: AgreementKind::from_name(&terms.text("type"))?,
            maximum_amount: terms.maybe("maximum_amount"),
        })
    })
}

/// The response of `POST /v1/instruments/remove`.
#[must_use]
pub fn instruments(value: &JsValue) -> Option<InstrumentsView> {
    Reader::read(value, |read| {
        let instruments = read_instruments(read);
        Some(InstrumentsView { instruments })
    })
}

fn read_instruments(read: &Reader<'_>) -> Vec<InstrumentView> {
    let list = list(&read.value, "instruments").unwrap_or_default();
    let cards = list.iter().map(|card| {
        let card = read.within(card);
        InstrumentView {
            id: card.parsed("id").unwrap_or_else(|| {
                card.is_flawed.set(true);
                InstrumentId::new(0, [0; 10])
            }),
            brand: card.text("brand"),
            last4: card.text("last4"),
            expiry: card.text("expiry"),
        }
    });
    cards.collect()
}

/// Methods unknown to this form are not offered.
fn methods(value: &JsValue) -> Vec<Method> {
    let names = list(value, "methods").unwrap_or_default();
    names
        .iter()
        .filter_map(|name| Method::from_name(&name.as_string()?))
        .collect()
}

/// The response of `POST /v1/payments` and of `POST /v1/authentications`.
#[must_use]
pub fn payment(value: &JsValue) -> Option<PaymentView> {
    Reader::read(value, read_payment)
}

fn read_payment(read: &Reader<'_>) -> Option<PaymentView> {
    Some(PaymentView {
        payment: read.parsed("payment")?,
        attempt: read.parsed("attempt")?,
        state: match read.text("state").as_str() {
            "processing" => ShopperState::Processing,
            "requires_action" => ShopperState::RequiresAction,
            "authorized" => ShopperState::Authorized,
            "captured" => ShopperState::Captured,
            "pending" => ShopperState::Pending,
            "declined" => ShopperState::Declined,
            "unknown" => ShopperState::Unknown,
            _ => return None,
        },
        method: Method::from_name(&read.text("method"))?,
        amount: read.number("amount"),
        currency: read.text("currency"),
        // A receipt without one of these is better than no receipt.
        order_ref: text(&read.value, "order_ref").unwrap_or_default(),
        created_at: read.maybe("created_at").unwrap_or_default(),
        amount_captured: read.maybe("amount_captured"),
        amount_refunded: read.maybe("amount_refunded"),
        amount_released: read.maybe("amount_released"),
        card: read.optional("card", |card| {
            Some(CardView {
                brand: card.text("brand"),
                last4: card.text("last4"),
            })
        }),
        debit: read.optional("debit", |debit| {
            Some(DebitView {
                last4: debit.text("last4"),
                mandate: debit.text("mandate"),
                creditor: debit.text("creditor"),
                collection_date: text(&debit.value, "collection_date"),
            })
        }),
        action: read.optional("action", read_action),
        // A passkey is not offered to a browser without support for it.
        enrolment: if passkey::is_known() {
            read.optional("enrolment", |offer| {
                Some(EnrolmentView {
                    options: offer.text("options"),
                })
            })
        } else {
            None
        },
        decline: read.optional("decline", read_decline),
        attempts_left: read.number("attempts_left"),
    })
}

fn read_action(read: &Reader<'_>) -> Option<ActionView> {
    let expires_at = || read.number("expires_at");
    Some(match read.text("type").as_str() {
        "continue" => ActionView::Continue,
        "code" => ActionView::Code(CodeView {
            sent_to: read.text("sent_to"),
            refused: read.flag("refused"),
            attempts_left: read.number("attempts_left"),
            resends_left: read.number("resends_left"),
            resend_at: read.number("resend_at"),
            expires_at: expires_at(),
        }),
        "passkey" => ActionView::Passkey(PasskeyView {
            options: read.text("options"),
            refused: read.flag("refused"),
            wrong_page: read.flag("wrong_page"),
            expires_at: expires_at(),
        }),
        "wallet" => ActionView::Wallet(WalletView {
            url: read.text("url"),
            expires_at: expires_at(),
        }),
        "transfer" => ActionView::Transfer(TransferView {
            holder: read.text("holder"),
            iban: read.text("iban"),
            bic: read.text("bic"),
            reference: read.text("reference"),
            amount_due: read.number("amount_due"),
            amount_received: read.number("amount_received"),
            expires_at: expires_at(),
        }),
        _ => return None,
    })
}

fn read_decline(read: &Reader<'_>) -> Option<DeclineView> {
    let advice = match read.text("advice").as_str() {
        "check_details" => Advice::CheckDetails,
        "try_other_card" => Advice::TryOtherCard,
        "contact_bank" => Advice::ContactBank,
        "try_later" => Advice::TryLater,
        "try_again" => Advice::TryAgain,
        _ => Advice::None,
    };
    Some(DeclineView {
        advice,
        category: DeclineCategory::from_name(&read.text("category"))
            .unwrap_or(DeclineCategory::CardDeclined),
        field: match text(&read.value, "field").as_deref() {
            Some("number") => Some(CardField::Number),
            Some("expiry") => Some(CardField::Expiry),
            Some("security_code") => Some(CardField::SecurityCode),
            _ => None,
        },
        replace_card: read.flag("replace_card"),
    })
}

/// Problem details (RFC 9457).
#[must_use]
pub fn problem(value: &JsValue) -> Option<ProblemDetails> {
    Reader::read(value, |read| {
        Some(ProblemDetails {
            code: read.text("code"),
            server_time: read.number("server_time"),
            // An older verifier may not send all members.
            detail: text(&read.value, "detail").unwrap_or_default(),
            param: text(&read.value, "param"),
            request_id: text(&read.value, "request_id").unwrap_or_default(),
        })
    })
}

fn read_order(read: &Reader<'_>) -> Option<OrderView> {
    let items = list(&read.value, "items").map(|items| {
        let items = items.iter().map(|line| read_item(&read.within(line)));
        items.collect()
    });
    Some(OrderView {
        capture: match read.text("capture").as_str() {
            "automatic" => Capture::Automatic,
            "manual" => Capture::Manual,
            _ => return None,
        },
        amount: read.number("amount"),
        currency: read.text("currency"),
        order_ref: read.text("order_ref"),
        description: text(&read.value, "description"),
        items,
    })
}

fn read_item(read: &Reader<'_>) -> OrderItem {
    OrderItem {
        name: read.text("name"),
        quantity: read.number("quantity"),
        amount: read.number("amount"),
    }
}

fn list(value: &JsValue, name: &str) -> Option<Array> {
    member(value, name)?.dyn_into().ok()
}

/// Reads members, and records whether one was missing or of another type. One check at the end
/// takes less code than an early return at each member.
struct Reader<'a> {
    value: JsValue,
    is_flawed: &'a Cell<bool>,
}

impl<'a> Reader<'a> {
    /// What `read` returns, unless a member was missing or of another type.
    fn read<T>(value: &JsValue, read: impl FnOnce(&Reader<'_>) -> Option<T>) -> Option<T> {
        let is_flawed = Cell::new(false);
        let reader = Reader {
            value: value.clone(),
            is_flawed: &is_flawed,
        };
        read(&reader).filter(|_| !is_flawed.get())
    }

    const fn within(&self, value: JsValue) -> Reader<'a> {
        Reader {
            value,
            is_flawed: self.is_flawed,
        }
    }

    fn flawed<T: Default>(&self) -> T {
        self.is_flawed.set(true);
        T::default()
    }

    fn object(&self, name: &str) -> Reader<'a> {
        let value = member(&self.value, name);
        self.within(value.unwrap_or_default())
    }

    fn text(&self, name: &str) -> String {
        text(&self.value, name).unwrap_or_else(|| self.flawed())
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).parse().ok()
    }

    fn flag(&self, name: &str) -> bool {
        let flag = member(&self.value, name).and_then(|value| value.as_bool());
        flag.unwrap_or_else(|| self.flawed())
    }

    fn number<T: Default + TryFrom<i64>>(&self, name: &str) -> T {
        self.maybe(name).unwrap_or_else(|| self.flawed())
    }

    /// An optional number.
    fn maybe<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        T::try_from(whole_number(&self.value, name)?).ok()
    }

    /// A member that may be `null` or absent.
    fn optional<T>(&self, name: &str, read: fn(&Reader<'_>) -> Option<T>) -> Option<T> {
        let value = member(&self.value, name)?;
        if value == JsValue::NULL || value.is_undefined() {
            return None;
        }
        let there = read(&self.within(value));
        if there.is_none() {
            self.is_flawed.set(true);
        }
        there
    }
}
