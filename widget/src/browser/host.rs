//! The host page: the handshake, and then one message port.
//!
//! The only message ever posted to `*` is a hello without data. Everything else goes through the
//! port that the page transfers, and the page's origin is the one that the browser reports.

use super::{appearance, object};
use crate::appearance::{Appearance, ColourScheme};
use crate::payment::{HostMessage, ProblemDetails};
use js_sys::{Array, Object};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, MessagePort, Window};

/// The version of the messages between the loader and this document.
const VERSION: f64 = 1.0;

/// What the host page sent to connect.
pub struct Handshake {
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
    /// Where the shopper can go when the checkout is over.
    pub exit_options: ExitOptions,
    /// The port to the page.
    pub port: Port,
}

/// What the host page can do when a checkout is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExitOptions {
    /// It has a page to go back to.
    pub can_return: bool,
    /// It can supply another order.
    pub can_renew: bool,
}

/// A request of the host page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostRequest {
    /// Continue with another order.
    Update(Rc<str>),
    /// Focus the first field.
    Focus,
    /// Pay, as the form's own button does.
    Submit,
    /// Wipe everything: the page has removed the form.
    Unmount,
}

/// The message port to the host page.
#[derive(Clone)]
pub struct Port(MessagePort);

impl Port {
    /// Takes over a port.
    #[must_use]
    pub const fn new(port: MessagePort) -> Self {
        Self(port)
    }

    /// Listens for requests of the page.
    pub fn listen(&self, callback: impl Fn(HostRequest) + 'static) {
        let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            match object::text(&event.data(), "type").as_deref() {
                Some("focus") => callback(HostRequest::Focus),
                Some("submit") => callback(HostRequest::Submit),
                Some("unmount") => callback(HostRequest::Unmount),
                Some("update") => {
                    if let Some(order) = object::text(&event.data(), "order") {
                        callback(HostRequest::Update(order.into()));
                    }
                }
                _ => {}
            }
        });
        // This also starts the port. It listens for the lifetime of the document.
        self.0
            .set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
    }

    /// Asks the page for another order (`renew`), or to take the shopper back (`return`).
    pub fn request(&self, kind: &str) {
        self.post(kind, &[]);
    }

    /// Reports an error: `sentence` is for people, the verifier's problem details for developers.
    pub fn send_error(&self, code: &str, sentence: &str, refused: Option<&ProblemDetails>) {
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

    /// Sends a message.
    pub fn send(&self, message: &HostMessage) {
        match message {
            HostMessage::Ready => self.post("ready", &[]),
            HostMessage::Change { complete, brand } => {
                let brand = brand.map_or(JsValue::NULL, |brand| brand.slug().into());
                self.post(
                    "change",
                    &[("complete", (*complete).into()), ("brand", brand)],
                );
            }
            HostMessage::Complete {
                payment,
                order_ref,
                state,
                has_offer,
                mandate,
            } => self.post(
                "complete",
                &[
                    ("payment", payment.to_string().into()),
                    ("order_ref", order_ref.into()),
                    ("state", words::state(*state).into()),
                    ("has_offer", (*has_offer).into()),
                    ("mandate", mandate.as_deref().into()),
                ],
            ),
            HostMessage::Offer { is_settled } => {
                self.post("offer", &[("settled", (*is_settled).into())]);
            }
            HostMessage::Challenge { kind } => self.post("challenge", &[("kind", (*kind).into())]),
            HostMessage::Pending {
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
            HostMessage::Decline { payment, advice } => self.post(
                "decline",
                &[
                    ("payment", payment.to_string().into()),
                    ("advice", words::advice(*advice).into()),
                ],
            ),
            HostMessage::Error { code } => self.send_error(code, "", None),
            HostMessage::Expired { code } => self.post("expired", &[("code", (*code).into())]),
        }
    }

    /// Reports the height of the form, CSS pixels.
    pub fn send_height(&self, height: f64) {
        self.post("resize", &[("height", height.into())]);
    }

    /// Asks the page to scroll a part of the form into view, CSS pixels from its top: only the page
    /// can do that.
    pub fn reveal(&self, top: f64, bottom: f64) {
        self.post("reveal", &[("top", top.into()), ("bottom", bottom.into())]);
    }

    fn post(&self, kind: &str, members: &[(&str, JsValue)]) {
        let message = object::from_members(&[("type", kind.into())]);
        for (name, value) in members {
            object::set(&message, name, value);
        }
        // If the page is gone, the message can be dropped.
        let _ = self.0.post_message(&message);
    }

    /// Closes the port.
    pub fn close(&self) {
        self.0.close();
    }
}

/// Whether the form recovers by itself or by an action of the shopper.
fn is_recoverable(code: &str) -> bool {
    matches!(
        code,
        "interrupted" | "unreachable" | "open_elsewhere" | "update_refused"
    )
}

/// The names of states and advice in messages.
mod words {
    use sealpay_protocol::api::{Advice, ShopperState};

    pub(super) const fn state(state: ShopperState) -> &'static str {
        match state {
            ShopperState::Processing => "processing",
            ShopperState::RequiresAction => "requires_action",
            ShopperState::Authorized => "authorized",
            ShopperState::Captured => "captured",
            ShopperState::Pending => "pending",
            ShopperState::Declined => "declined",
            ShopperState::Unknown => "unknown",
        }
    }

    pub(super) const fn advice(advice: Advice) -> &'static str {
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
    (window != parent).then_some((window, parent))
}

/// The sender of this hello. `boot.js` has sent one before, and the reply to that may arrive late.
const SENDER: &str = "widget";

/// Says hello to the page and waits for its reply; only the first valid one counts.
pub fn connect(connected: impl FnOnce(Handshake) + 'static) {
    let Some((window, parent)) = embedder() else {
        return;
    };
    let expected = Object::from(parent.clone());
    let connected = RefCell::new(Some(connected));
    let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let is_from_parent = event.source().is_some_and(|source| source == expected);
        let handshake = is_from_parent.then(|| read_handshake(&event)).flatten();
        if let Some(handshake) = handshake
            && let Some(connected) = connected.take()
        {
            connected(handshake);
        }
    });
    let _ = window.add_event_listener_with_callback("message", listener.as_ref().unchecked_ref());
    listener.forget();
    let hello = object::from_members(&[
        ("sealpay", "hello".into()),
        ("version", VERSION.into()),
        ("from", SENDER.into()),
    ]);
    let _ = parent.post_message(&hello, "*");
}

fn read_handshake(event: &MessageEvent) -> Option<Handshake> {
    let data = event.data();
    let version = object::member(&data, "version")?.as_f64()?;
    if object::text(&data, "sealpay")? != "connect" || version.to_bits() != VERSION.to_bits() {
        return None;
    }
    if object::text(&data, "to")? != SENDER {
        return None;
    }
    let ports: Array = event.ports().unchecked_into();
    let port = ports.get(0);
    if port.is_undefined() {
        return None;
    }
    Some(Handshake {
        order: object::text(&data, "order")?.into(),
        parent_origin: event.origin(),
        locale: object::text(&data, "locale").unwrap_or_else(super::document::language),
        colour_scheme: appearance::colour_scheme(&data),
        appearance: object::member(&data, "appearance")
            .map(|value| appearance::appearance(&value))
            .unwrap_or_default(),
        exit_options: ExitOptions {
            can_return: object::flag(&data, "canReturn"),
            can_renew: object::flag(&data, "canRenew"),
        },
        // A valid handshake has a port here.
        port: Port::new(port.unchecked_into()),
    })
}
