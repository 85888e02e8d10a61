//! A form in a real document, a host page that listens to it, and a scripted verifier.

mod translator;

use ed25519_dalek::SigningKey;
use js_sys::Reflect;
use sealpay_protocol::api::{
    ActionView, Advice, CardView, DeclineCategory, DeclineView, MerchantView, Method, OrderView,
    PayRequest, PaymentView, Problem, SealingKeyView, SessionState, SessionView, ShopperState,
};
use sealpay_protocol::ids::{MerchantId, PaymentId, SessionId};
use sealpay_protocol::order::{self, Capture, OrderClaims, OrderItem};
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_widget::appearance::{Appearance, ColourScheme};
use sealpay_widget::browser::clock;
use sealpay_widget::browser::host::{ExitOptions, Handshake, Port};
use sealpay_widget::browser::transport::{Reply, Transport};
use sealpay_widget::payment::request::{
    AUTHENTICATIONS_PATH, PAYMENTS_PATH, SESSIONS_PATH, SignedRequest,
};
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

pub(crate) const PAGE: &str = "https://shop.example";

/// Responds to a request; `None` is a lost response.
pub(crate) type Verifier = Rc<dyn Fn(&SignedRequest) -> Option<Reply>>;

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

// ---- Responses of the verifier ----

pub(crate) fn ok(view: &impl serde::Serialize) -> Option<Reply> {
    Some(Reply {
        status: 200,
        body: serde_json::to_string(view).unwrap(),
    })
}

pub(crate) fn refusal(code: &str, server_time: u64) -> Option<Reply> {
    let problem = Problem {
        kind: format!("https://pay.example/errors/{code}"),
        title: code.into(),
        status: 400,
        code: code.into(),
        detail: code.into(),
        param: None,
        request_id: "req_00000000000000000000000000".into(),
        server_time,
    };
    Some(Reply {
        status: 400,
        body: serde_json::to_string(&problem).unwrap(),
    })
}

pub(crate) fn sealing_key() -> SealingPrivateKey {
    SealingPrivateKey::from_seed(&Secret::new([9; 32])).unwrap()
}

thread_local! {
    /// How long a response takes.
    pub(crate) static RESPONSE_MS: Cell<i32> = const { Cell::new(20) };
    /// Generated once: it is slow in a browser.
    static SEALING_KEY: SealingKeyView = {
        let key = sealing_key().public_key();
        SealingKeyView {
            kid: key.key_id().into(),
            public_key: key.to_base64url(),
        }
    };
}

pub(crate) fn session() -> SessionView {
    SessionView {
        session: SessionId::new(1, [1; 10]),
        state: SessionState::Open,
        expires_at: clock::now() + 1800,
        server_time: clock::now(),
        livemode: false,
        verifier_origin: "https://pay.example".parse().unwrap(),
        merchant: MerchantView {
            id: MerchantId::new(1, [2; 10]),
            name: "Paper Lantern".into(),
        },
        order: OrderView {
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            description: Some("Two lanterns".into()),
            items: Some(items()),
        },
        methods: vec![Method::Card],
        sealing_key: SEALING_KEY.with(SealingKeyView::clone),
        attempts_left: 10,
        payment: None,
    }
}

pub(crate) fn payment(request: &SignedRequest, state: ShopperState) -> PaymentView {
    let decline = (state == ShopperState::Declined).then(|| DeclineView {
        message: "Your bank declined this payment.".into(),
        advice: Advice::TryOtherCard,
        category: DeclineCategory::CardDeclined,
        field: None,
        replace_card: false,
    });
    PaymentView {
        payment: PaymentId::new(1, [3; 10]),
        attempt: request.idempotency_key.parse().unwrap(),
        state,
        amount: 2490,
        currency: "EUR".into(),
        order_ref: "A-1001".into(),
        created_at: 1_763_800_042,
        amount_captured: None,
        amount_refunded: None,
        amount_released: None,
        method: Method::Card,
        card: Some(CardView {
            brand: "visa".into(),
            last4: "4242".into(),
        }),
        action: None,
        enrolment: None,
        decline,
        attempts_left: 9,
    }
}

/// A payment that requires an action, made by a request to pay or to authenticate.
pub(crate) fn waiting(request: &SignedRequest, action: ActionView) -> PaymentView {
    let method = serde_json::from_slice::<PayRequest>(&request.body)
        .map_or(Method::Card, |request| request.method);
    let view = payment(request, ShopperState::RequiresAction);
    PaymentView {
        method,
        card: view.card.filter(|_| method == Method::Card),
        action: Some(action),
        ..view
    }
}

fn items() -> Vec<OrderItem> {
    vec![OrderItem {
        name: "Lantern".into(),
        quantity: 2,
        amount: 2490,
    }]
}

/// A verifier that opens sessions and responds to payment number `n`, counted from 0, by `pay`.
pub(crate) fn verifier(pay: impl Fn(usize, &SignedRequest) -> Option<Reply> + 'static) -> Verifier {
    let count = RefCell::new(0);
    Rc::new(move |request| {
        if request.path == SESSIONS_PATH {
            return ok(&session());
        }
        let number = count.replace_with(|number| *number + 1);
        pay(number, request)
    })
}

/// A verifier with the same outcome for every payment.
pub(crate) fn verifier_with(state: ShopperState) -> Verifier {
    verifier(move |_, request| ok(&payment(request, state)))
}

pub(crate) fn order_for(currency: &str, amount: i64) -> String {
    let claims = OrderClaims {
        iss: MerchantId::new(1, [2; 10]),
        aud: "https://pay.example".parse().unwrap(),
        jti: "order-one".into(),
        iat: clock::now(),
        exp: clock::now() + 1800,
        amount,
        currency: currency.into(),
        order_ref: "A-1001".into(),
        capture: Capture::Automatic,
        parent_origins: vec![PAGE.parse().unwrap()],
        description: None,
        items: None,
        customer: None,
        methods: None,
        billing_country: None,
        authentication: None,
        simulate: None,
    };
    order::sign(&claims, "key-1", &SigningKey::from_bytes(&[4; 32])).unwrap()
}

pub(crate) fn default_order() -> String {
    order_for("EUR", 2490)
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
        self.click("form button");
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
