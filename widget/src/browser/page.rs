//! The page that embeds the form: the handshake, and then one port.
//!
//! The only thing ever posted to `*` is a greeting without data. Everything else goes through the
//! port that the page hands over, and the page's origin is what the browser says it is.

use super::{object, wish};
use crate::appearance::{Appearance, ColourScheme};
use crate::pay::{Message, Refused};
use js_sys::{Array, Object};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, MessagePort, Window};

/// The version of the messages between the loader and this document.
const VERSION: f64 = 1.0;

/// What the page handed over.
pub struct Greeting {
    /// The compact order.
    pub order: Rc<str>,
    /// The page's origin, as the browser reports it.
    pub parent_origin: String,
    /// The locale the page wants, or that of the browser.
    pub locale: String,
    /// Light, dark or as the device is set.
    pub colour_scheme: ColourScheme,
    /// The look.
    pub appearance: Appearance,
    /// Where the shopper can go from a checkout that is over.
    pub way_out: WayOut,
    /// The way back.
    pub port: Port,
}

/// What the page can do about a checkout that is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WayOut {
    /// It has a page to go back to.
    pub can_return: bool,
    /// It can bring another order.
    pub can_renew: bool,
}

/// What the page asks for later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Go on with another order.
    Update(Rc<str>),
    /// Put the shopper into the first field.
    Focus,
    /// Pay, as the form's own button does.
    Submit,
    /// The page is done with the form: forget everything.
    Unmount,
}

/// The way to the page.
#[derive(Clone)]
pub struct Port(MessagePort);

impl Port {
    /// Takes over a port.
    #[must_use]
    pub const fn new(port: MessagePort) -> Self {
        Self(port)
    }

    /// Listens for what the page asks for.
    pub fn listen(&self, callback: impl Fn(Request) + 'static) {
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            match object::text(&event.data(), "type").as_deref() {
                Some("focus") => callback(Request::Focus),
                Some("submit") => callback(Request::Submit),
                Some("unmount") => callback(Request::Unmount),
                Some("update") => {
                    if let Some(order) = object::text(&event.data(), "order") {
                        callback(Request::Update(order.into()));
                    }
                }
                _ => {}
            }
        });
        // This also starts the port. It is heard for as long as the document lives.
        self.0.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
    }

    /// Asks the page for another order, or to lead the shopper back.
    pub fn ask(&self, kind: &str) {
        self.post(kind, &[]);
    }

    /// Tells the page of an error: `sentence` is for people, what the verifier said for developers.
    pub fn tell_error(&self, code: &str, sentence: &str, refused: Option<&Refused>) {
        let text = |text: Option<&str>| text.map_or(JsValue::NULL, JsValue::from_str);
        let detail = refused.map(|refused| &*refused.detail);
        let param = refused.and_then(|refused| refused.param.as_deref());
        let request_id = refused.map(|refused| &*refused.request_id);
        self.post(
            "error",
            &[
                ("code", code.into()),
                ("message", sentence.into()),
                ("detail", text(detail)),
                ("param", text(param)),
                ("request_id", text(request_id)),
                ("recoverable", is_recoverable(code).into()),
            ],
        );
    }

    /// Tells the page something but an error.
    pub fn tell(&self, message: &Message) {
        match message {
            Message::Ready => self.post("ready", &[]),
            Message::Change { complete, brand } => {
                let brand = brand.map_or(JsValue::NULL, |brand| brand.slug().into());
                self.post(
                    "change",
                    &[("complete", (*complete).into()), ("brand", brand)],
                );
            }
            Message::Complete {
                payment,
                order_ref,
                state,
                has_offer,
            } => self.post(
                "complete",
                &[
                    ("payment", payment.to_string().into()),
                    ("order_ref", order_ref.into()),
                    ("state", words::of_state(*state).into()),
                    ("has_offer", (*has_offer).into()),
                ],
            ),
            Message::Offer { is_settled } => {
                self.post("offer", &[("settled", (*is_settled).into())]);
            }
            Message::Challenge { kind } => self.post("challenge", &[("kind", (*kind).into())]),
            Message::Pending {
                payment,
                order_ref,
                method,
            } => self.post(
                "pending",
                &[
                    ("payment", payment.to_string().into()),
                    ("order_ref", order_ref.into()),
                    ("method", method.name().into()),
                ],
            ),
            Message::Decline { payment, advice } => self.post(
                "decline",
                &[
                    ("payment", payment.to_string().into()),
                    ("advice", words::of_advice(*advice).into()),
                ],
            ),
            Message::Error { code } => self.tell_error(code, "", None),
            Message::Expired { code } => self.post("expired", &[("code", (*code).into())]),
        }
    }

    /// Tells the page how high the form is, CSS pixels.
    pub fn tell_height(&self, height: f64) {
        self.post("resize", &[("height", height.into())]);
    }

    /// Asks the page to have a part of the form in view, CSS pixels from its top: only the page can
    /// scroll to it.
    pub fn reveal(&self, top: f64, bottom: f64) {
        self.post("reveal", &[("top", top.into()), ("bottom", bottom.into())]);
    }

    fn post(&self, kind: &str, members: &[(&str, JsValue)]) {
        let message = object::of(&[("type", kind.into())]);
        for (name, value) in members {
            object::set(&message, name, value);
        }
        // The page may be gone; then nobody needs to know.
        let _ = self.0.post_message(&message);
    }

    /// Hangs up.
    pub fn close(&self) {
        self.0.close();
    }
}

/// Whether the form goes on by itself, or the shopper can make it go on.
fn is_recoverable(code: &str) -> bool {
    matches!(
        code,
        "interrupted" | "unreachable" | "open_elsewhere" | "update_refused"
    )
}

/// The words of states and advice on the wire.
mod words {
    use sealpay_protocol::api::{Advice, ShopperState};

    pub(super) const fn of_state(state: ShopperState) -> &'static str {
        match state {
            ShopperState::Processing => "processing",
            ShopperState::RequiresAction => "requires_action",
            ShopperState::Authorized => "authorized",
            ShopperState::Captured => "captured",
            ShopperState::Declined => "declined",
            ShopperState::Unknown => "unknown",
        }
    }

    pub(super) const fn of_advice(advice: Advice) -> &'static str {
        match advice {
            Advice::CheckDetails => "check_details",
            Advice::TryOtherCard => "try_other_card",
            Advice::ContactBank => "contact_bank",
            Advice::TryLater => "try_later",
            Advice::TryAgain => "try_again",
            Advice::None => "none",
        }
    }
}

/// Whether there is a page around this document.
#[must_use]
pub fn is_embedded() -> bool {
    embedder().is_some()
}

fn embedder() -> Option<(Window, Window)> {
    let window = web_sys::window()?;
    let parent = window.parent().ok().flatten()?;
    (!Object::is(&window, &parent)).then_some((window, parent))
}

/// Who greets the page. The document has greeted it before, and the answer to that may arrive late.
const SENDER: &str = "widget";

/// Greets the page and waits for its answer; only the first good one counts.
pub fn connect(connected: impl FnOnce(Greeting) + 'static) {
    let Some((window, parent)) = embedder() else {
        return;
    };
    let expected = parent.clone();
    let connected = RefCell::new(Some(connected));
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let is_from_parent = event
            .source()
            .is_some_and(|source| Object::is(&source, &expected));
        let greeting = is_from_parent.then(|| greeting_of(&event)).flatten();
        if let Some(greeting) = greeting
            && let Some(connected) = connected.take()
        {
            connected(greeting);
        }
    });
    let _ = window.add_event_listener_with_callback("message", heard.as_ref().unchecked_ref());
    heard.forget();
    let hello = object::of(&[
        ("sealpay", "hello".into()),
        ("version", VERSION.into()),
        ("from", SENDER.into()),
    ]);
    let _ = parent.post_message(&hello, "*");
}

fn greeting_of(event: &MessageEvent) -> Option<Greeting> {
    let data = event.data();
    let version = object::member(&data, "version")?.as_f64()?;
    if object::text(&data, "sealpay")? != "connect" || version.to_bits() != VERSION.to_bits() {
        return None;
    }
    if object::text(&data, "to")? != SENDER {
        return None;
    }
    let ports: Array = event.ports().unchecked_into();
    let port: MessagePort = ports.get(0).dyn_into().ok()?;
    Some(Greeting {
        order: object::text(&data, "order")?.into(),
        parent_origin: event.origin(),
        locale: object::text(&data, "locale").unwrap_or_else(super::document::language),
        colour_scheme: wish::colour_scheme(&data),
        appearance: object::member(&data, "appearance")
            .map(|value| wish::appearance(&value))
            .unwrap_or_default(),
        way_out: WayOut {
            can_return: object::flag(&data, "canReturn"),
            can_renew: object::flag(&data, "canRenew"),
        },
        port: Port::new(port),
    })
}
