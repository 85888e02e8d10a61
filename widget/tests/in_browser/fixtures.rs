//! Orders, and verifiers that respond as a test needs it.

use ed25519_dalek::SigningKey;
use sealpay_protocol::api::{
    ActionView, Advice, CardView, DeclineCategory, DeclineView, MerchantView, Method, OrderView,
    PayRequest, PaymentView, Problem, SealingKeyView, SessionState, SessionView, ShopperState,
};
use sealpay_protocol::ids::{MerchantId, PaymentId, SessionId};
use sealpay_protocol::order::{self, Capture, OrderClaims, OrderItem};
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_widget::browser::clock;
use sealpay_widget::browser::transport::Reply;
use sealpay_widget::payment::request::{SESSIONS_PATH, SignedRequest};
use std::cell::RefCell;
use std::rc::Rc;

/// The origin of the host page.
pub(crate) const PAGE: &str = "https://shop.example";

/// Responds to a request; `None` is a lost response.
pub(crate) type Verifier = Rc<dyn Fn(&SignedRequest) -> Option<Reply>>;

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
            creditor: None,
        },
        order: OrderView {
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            description: Some("Two lanterns".into()),
            items: Some(items()),
        },
        agreement: None,
        instruments: Vec::new(),
        methods: vec![Method::Card],
        sealing_key: SEALING_KEY.with(SealingKeyView::clone),
        attempts_left: 10,
        payment: None,
    }
}

pub(crate) fn payment(request: &SignedRequest, state: ShopperState) -> PaymentView {
    let decline = (state == ShopperState::Declined).then_some(DeclineView {
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
        debit: None,
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
        agreement: None,
        customer: None,
        methods: None,
        billing_country: None,
        authentication: None,
        simulate: None,
        invoice: None,
    };
    order::sign(&claims, "key-1", &SigningKey::from_bytes(&[4; 32])).unwrap()
}

pub(crate) fn default_order() -> String {
    order_for("EUR", 2490)
}
