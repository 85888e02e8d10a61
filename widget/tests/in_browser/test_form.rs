//! A form in a real document, a host page that listens to it, and a scripted verifier.

mod translator;

use crate::fixtures::{PAGE, Verifier, default_order};
use js_sys::Reflect;
use sealpay_widget::appearance::{Appearance, ColourScheme};
use sealpay_widget::browser::host::{ExitOptions, Handshake, Port};
use sealpay_widget::browser::transport::Transport;
use sealpay_widget::payment::request::{AUTHENTICATIONS_PATH, PAYMENTS_PATH, SignedRequest};
use sealpay_widget::view::{Connection, mount};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, Element, Event, FocusEvent, HtmlElement, HtmlInputElement, InputEvent,
    InputEventInit, MessageChannel, MessageEvent, MessagePort,
};

thread_local! {
    /// How long a response takes.
    pub(crate) static RESPONSE_MS: Cell<i32> = const { Cell::new(20) };
}

pub(crate) struct TestForm {
    pub(crate) requests: Rc<RefCell<Vec<SignedRequest>>>,
    messages: Rc<RefCell<Vec<JsValue>>>,
    page: MessagePort,
    root: Element,
}

pub(crate) fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

/// Runs everything that does not wait for a timer.
pub(crate) async fn settle() {
    for _ in 0..4 {
        pause_ms(0).await;
    }
}

pub(crate) async fn pause_ms(milliseconds: i32) {
    let window = web_sys::window().unwrap();
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        window
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}

impl TestForm {
    pub(crate) async fn open(verifier: Verifier) -> Self {
        Self::open_with(verifier, &default_order(), PAGE, "en-IE").await
    }

    pub(crate) async fn open_with(
        verifier: Verifier,
        order: &str,
        parent_origin: &str,
        locale: &str,
    ) -> Self {
        if let Ok(Some(former)) = document().query_selector("main.test-form") {
            former.remove();
        }
        let root = document().create_element("main").unwrap();
        root.set_class_name("test-form");
        document().body().unwrap().append_child(&root).unwrap();
        translator::translate(&root);

        let channel = MessageChannel::new().unwrap();
        let messages = Rc::new(RefCell::new(Vec::new()));
        let received = messages.clone();
        let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            received.borrow_mut().push(event.data());
        });
        channel
            .port1()
            .set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();

        let requests = Rc::new(RefCell::new(Vec::new()));
        let seen = requests.clone();
        let transport = Transport::new(move |request: SignedRequest| {
            let reply = verifier(&request);
            seen.borrow_mut().push(request);
            async move {
                // Long enough to inspect the form meanwhile.
                pause_ms(RESPONSE_MS.get()).await;
                reply
            }
        });
        let handshake = Handshake {
            order: order.into(),
            parent_origin: parent_origin.into(),
            locale: locale.into(),
            colour_scheme: ColourScheme::Light,
            appearance: Appearance::default(),
            exit_options: ExitOptions {
                can_return: true,
                can_renew: true,
            },
            port: Port::new(channel.port2()),
        };
        mount(root.clone(), Connection::new(handshake, transport));
        let form = Self {
            requests,
            messages,
            page: channel.port1(),
            root,
        };
        form.settled().await;
        form
    }

    /// Waits for the responses under way.
    pub(crate) async fn settled(&self) {
        settle().await;
        pause_ms(40).await;
        settle().await;
    }

    // ---- What the form shows ----

    pub(crate) fn element(&self, selector: &str) -> Option<Element> {
        self.root.query_selector(selector).unwrap()
    }

    /// The text, with plain spaces in place of those that formatters use.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self
            .element(selector)
            .and_then(|element| element.text_content());
        text.unwrap_or_default()
            .replace(['\u{a0}', '\u{202f}'], " ")
            .trim()
            .into()
    }

    pub(crate) fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.element(selector).unwrap().get_attribute(name)
    }

    pub(crate) fn field(&self, id: &str) -> HtmlInputElement {
        self.element(&format!("#{id}")).unwrap().dyn_into().unwrap()
    }

    pub(crate) fn value(&self, id: &str) -> String {
        self.field(id).value()
    }

    /// The error of a field, as a screen reader finds it.
    pub(crate) fn described_error(&self, id: &str) -> Option<String> {
        let field = self.field(id);
        if field.get_attribute("aria-invalid")? != "true" {
            return None;
        }
        let note = field.get_attribute("aria-describedby")?;
        // The last reference is the note.
        let note = note.split(' ').next_back()?;
        Some(self.text(&format!("#{note}")))
    }

    pub(crate) fn focused(&self) -> String {
        document()
            .active_element()
            .map(|element| element.id())
            .unwrap_or_default()
    }

    fn requests_to(&self, path: &str) -> Vec<SignedRequest> {
        let requests = self.requests.borrow();
        let to_path = requests.iter().filter(|request| request.path == path);
        to_path.cloned().collect()
    }

    pub(crate) fn payments(&self) -> Vec<SignedRequest> {
        self.requests_to(PAYMENTS_PATH)
    }

    pub(crate) fn authentications(&self) -> Vec<SignedRequest> {
        self.requests_to(AUTHENTICATIONS_PATH)
    }

    /// Every message to the page as JSON.
    pub(crate) fn messages(&self) -> Vec<String> {
        let json = |message: &JsValue| js_sys::JSON::stringify(message).unwrap().into();
        self.messages.borrow().iter().map(json).collect()
    }

    pub(crate) fn message(&self, kind: &str) -> Option<String> {
        let prefix = format!("{{\"type\":\"{kind}\"");
        self.messages()
            .into_iter()
            .rev()
            .find(|message| message.starts_with(&prefix))
    }

    // ---- What the shopper does ----

    /// An edit as a browser makes it: the value, the caret, then the event.
    pub(crate) async fn edit(&self, id: &str, value: &str, caret: u32, kind: &str) {
        let field = self.field(id);
        field.set_value(value);
        field.set_selection_range(caret, caret).unwrap();
        let init = InputEventInit::new();
        init.set_bubbles(true);
        init.set_input_type(kind);
        let event = InputEvent::new_with_event_init_dict("input", &init).unwrap();
        field.dispatch_event(&event).unwrap();
        settle().await;
    }

    pub(crate) async fn type_into(&self, id: &str, text: &str) {
        let caret = u32::try_from(text.encode_utf16().count()).unwrap();
        self.edit(id, text, caret, "insertText").await;
    }

    pub(crate) async fn leave(&self, id: &str) {
        let event = FocusEvent::new("blur").unwrap();
        self.field(id).dispatch_event(&event).unwrap();
        settle().await;
    }

    pub(crate) async fn fill(&self) {
        self.type_into("number", "4242424242424242").await;
        self.type_into("expiry", "12/30").await;
        self.type_into("security-code", "987").await;
    }

    pub(crate) fn click(&self, selector: &str) {
        self.element(selector)
            .unwrap()
            .unchecked_into::<HtmlElement>()
            .click();
    }

    pub(crate) async fn pay(&self) {
        self.click("form [type=submit]");
        self.settled().await;
    }

    /// Autofill of browsers that fire `change` instead of `input`.
    pub(crate) async fn fill_in_silently(&self, id: &str, value: &str) {
        let field = self.field(id);
        field.set_value(value);
        let event = Event::new("change").unwrap();
        Reflect::set(&event, &"filled".into(), &true.into()).unwrap();
        field.dispatch_event(&event).unwrap();
        settle().await;
    }

    /// A request of the host page.
    pub(crate) async fn ask(&self, kind: &str) {
        self.ask_with(kind, &[]).await;
    }

    /// A request of the host page, with more members.
    pub(crate) async fn ask_with(&self, kind: &str, members: &[(&str, &str)]) {
        let message = js_sys::Object::new();
        Reflect::set(&message, &"type".into(), &kind.into()).unwrap();
        for (name, value) in members {
            Reflect::set(&message, &(*name).into(), &(*value).into()).unwrap();
        }
        self.page.post_message(&message).unwrap();
        self.settled().await;
    }
}
