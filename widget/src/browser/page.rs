//! The page that embeds the form: the handshake, and then one port.
//!
//! The only thing ever posted to `*` is a greeting without data. Everything else goes through the
//! port that the page hands over, and the page's origin is what the browser says it is.

use super::{object, wish};
use crate::appearance::{Appearance, ColourScheme};
use crate::pay::Message;
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
    /// The way back.
    pub port: Port,
}

/// What the page asks for later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Put the shopper into the first field.
    Focus,
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
                Some("unmount") => callback(Request::Unmount),
                _ => {}
            }
        });
        // This also starts the port. It is heard for as long as the document lives.
        self.0.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
    }

    /// Tells the page something; `sentence` words an error for people.
    pub fn tell(&self, message: &Message, sentence: &str) {
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
            Message::Error { code } => {
                self.post(
                    "error",
                    &[("code", code.into()), ("message", sentence.into())],
                );
            }
        }
    }

    /// Tells the page how high the form is, CSS pixels.
    pub fn tell_height(&self, height: f64) {
        self.post("resize", &[("height", height.into())]);
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
    let hello = object::of(&[("sealpay", "hello".into()), ("version", VERSION.into())]);
    let _ = parent.post_message(&hello, "*");
}

fn greeting_of(event: &MessageEvent) -> Option<Greeting> {
    let data = event.data();
    let version = object::member(&data, "version")?.as_f64()?;
    if object::text(&data, "sealpay")? != "connect" || version.to_bits() != VERSION.to_bits() {
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
        port: Port::new(port),
    })
}
