//! What a merchant's server and the widget do, without a browser: orders, sessions, payments.
//!
//! Requests are built as plain data, so that a hostile test can change any part of one before it
//! is sent, and a benchmark can prepare thousands.

use crate::time::{TestClock, now, now_ms, os_random, random};
use ed25519_dalek::SigningKey;
use sealpay_protocol::api::{
    AuthenticationRequest, CONTENT_TYPE, Method, NEW_SESSION, OpenSessionRequest, PayRequest,
    SessionView,
};
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::ids::{AttemptId, MerchantId};
use sealpay_protocol::key::{PublicJwk, Thumbprint};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{self, Capture, OrderClaims, Simulate};
use sealpay_protocol::origin::Origin;
use sealpay_protocol::seal::{SealingPublicKey, seal};
use sealpay_protocol::sign::{RequestParts, SignatureParameters, SignedHeaders, sign};
use serde_json::Value;

/// The page that embeds the widget, in tests.
pub const SHOP_ORIGIN: &str = "http://shop.localhost:4242";

/// A merchant as its own server knows it.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// `mer_…`
    pub id: MerchantId,
    /// The name of its order key.
    pub key_id: String,
    /// Its order key.
    pub key: SigningKey,
    /// `sk_test_…`
    pub api_key: String,
    /// `whsec_…`
    pub webhook_secret: Option<String>,
}

impl Merchant {
    /// The claims of a good order of 24.90 EUR; a test changes what it is about.
    #[must_use]
    pub fn claims(&self, verifier: &Origin) -> OrderClaims {
        OrderClaims {
            iss: self.id,
            aud: verifier.clone(),
            jti: format!("order-{}", sealpay_protocol::encoding::hex(&random::<12>())),
            iat: now(),
            exp: now() + 1800,
            amount: 2490,
            currency: "EUR".into(),
            order_ref: "A-1001".into(),
            capture: Capture::Automatic,
            parent_origins: vec![origin(SHOP_ORIGIN)],
            description: None,
            items: None,
            agreement: None,
            customer: None,
            methods: None,
            billing_country: None,
            authentication: None,
            simulate: None,
            invoice: None,
        }
    }

    /// Signs an order.
    #[must_use]
    pub fn sign(&self, claims: &OrderClaims) -> String {
        order::sign(claims, &self.key_id, &self.key).expect("claims are JSON")
    }

    /// A good signed order, perhaps asking for an outcome.
    #[must_use]
    pub fn order(&self, verifier: &Origin, outcome: Option<&str>) -> String {
        let mut claims = self.claims(verifier);
        claims.simulate = outcome.map(|outcome| Simulate {
            outcome: outcome.into(),
        });
        self.sign(&claims)
    }
}

/// Reads an origin that a test wrote.
#[must_use]
pub fn origin(text: &str) -> Origin {
    text.parse().expect("the test's origin is an origin")
}

/// A request, which a test sends unchanged or tampers with.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// Header names in lowercase, and their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Prepared {
    /// A GET, perhaps with an API key.
    #[must_use]
    pub fn get_of(path: &str, api_key: Option<&str>) -> Self {
        let headers = api_key.map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
        Self {
            method: "GET".into(),
            path: path.into(),
            headers: headers.into_iter().collect(),
            body: Vec::new(),
        }
    }

    /// A request of this method with a JSON body, to what needs no key.
    #[must_use]
    pub fn with_json(method: &str, path: &str, body: &Value) -> Self {
        let mut request = Self::get_of(path, None);
        request.method = method.into();
        request.set("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        request
    }

    /// Replaces a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.into(), value.into()));
    }

    /// Removes a header.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }

    /// The value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An address of a shopper that a proxy would name.
#[must_use]
pub fn fresh_address() -> String {
    let [a, b, c] = random::<3>();
    format!("10.{a}.{b}.{c}")
}

/// The words of an order's agreement, as the form shows them.
pub const CONSENT: &str = "Paper Lantern may charge this card for later payments.";

/// A browser with its ephemeral key.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The ephemeral key.
    pub key: SigningKey,
    /// The verifier it talks to.
    pub verifier: Origin,
    clock: TestClock,
}

impl Browser {
    /// A browser with a fresh key.
    #[must_use]
    pub fn new(verifier: &Origin) -> Self {
        Self::with_clock(verifier, TestClock::default())
    }

    /// A browser with a clock of a test.
    #[must_use]
    pub fn with_clock(verifier: &Origin, clock: TestClock) -> Self {
        Self {
            key: SigningKey::from_bytes(&random()),
            verifier: verifier.clone(),
            clock,
        }
    }

    /// Its clock, seconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now_ms() / 1000
    }

    /// Signs and packs any body.
    #[must_use]
    pub fn request(
        &self,
        path: &str,
        session: &str,
        idempotency_key: &str,
        body: Vec<u8>,
    ) -> Prepared {
        self.request_at(path, session, idempotency_key, body, self.now())
    }

    /// The same, signed at another moment.
    #[must_use]
    pub fn request_at(
        &self,
        path: &str,
        session: &str,
        idempotency_key: &str,
        body: Vec<u8>,
        created: u64,
    ) -> Prepared {
        let parts = RequestParts {
            method: "POST",
            authority: self.verifier.authority(),
            path,
            query: None,
            content_type: CONTENT_TYPE,
            idempotency_key,
            session,
            body: &body,
        };
        self.signed(&parts, created)
    }

    /// A request of any parts, rightly signed: what the verifier refuses then is the parts.
    #[must_use]
    pub fn signed(&self, parts: &RequestParts<'_>, created: u64) -> Prepared {
        let parameters = SignatureParameters {
            created,
            nonce: random(),
        };
        let SignedHeaders {
            content_digest,
            signature_input,
            signature,
        } = sign(parts, &parameters, &self.key);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("content-type", parts.content_type),
            header("idempotency-key", parts.idempotency_key),
            header("sealpay-session", parts.session),
            header("content-digest", &content_digest),
            header("signature-input", &signature_input),
            header("signature", &signature),
        ];
        let query = parts.query.map(|query| ["?", query].concat());
        Prepared {
            method: parts.method.into(),
            path: [parts.path, &query.unwrap_or_default()].concat(),
            headers,
            body: parts.body.to_vec(),
        }
    }

    /// The body that opens a session.
    #[must_use]
    pub fn open_body(&self, order: &str, parent_origin: &str) -> Vec<u8> {
        let body = OpenSessionRequest {
            order: order.to_owned(),
            key: PublicJwk::from_key(&self.key.verifying_key()),
            parent_origin: origin(parent_origin),
        };
        serde_json::to_vec(&body).expect("the body is JSON")
    }

    /// A request that opens a session.
    #[must_use]
    pub fn open_session(&self, order: &str) -> Prepared {
        self.open_with(self.open_body(order, SHOP_ORIGIN))
    }

    /// The same with any body.
    #[must_use]
    pub fn open_with(&self, body: Vec<u8>) -> Prepared {
        self.request("/v1/sessions", NEW_SESSION, &attempt().to_string(), body)
    }

    /// Seals a card for an attempt.
    #[must_use]
    pub fn seal(
        &self,
        order: &str,
        session: &SessionView,
        attempt: AttemptId,
        card: &Card,
    ) -> SealedCard {
        let recipient = SealingPublicKey::from_base64url(&session.sealing_key.public_key)
            .expect("the verifier publishes a key");
        let currency = session
            .order
            .currency
            .parse()
            .expect("the currency is known");
        let context = SealContext {
            verifier_origin: &self.verifier,
            merchant: session.merchant.id,
            session: session.session,
            money: Money::new(session.order.amount, currency),
            session_expires_at: session.expires_at,
            attempt,
            thumbprint: &Thumbprint::from_key(&self.key.verifying_key()),
            order_digest: &order::digest(order),
        };
        seal(card, &recipient, &context, &mut os_random()).expect("the key seals")
    }

    /// The body of a payment.
    #[must_use]
    pub fn pay_body(
        &self,
        order: &str,
        session: &SessionView,
        attempt: AttemptId,
        card: &Card,
    ) -> Vec<u8> {
        let card = self.seal(order, session, attempt, card);
        serde_json::to_vec(&PayRequest {
            card: Some(card),
            ..PayRequest::new(Method::Card)
        })
        .expect("the body is JSON")
    }

    /// A request that pays with a card.
    #[must_use]
    pub fn pay(
        &self,
        order: &str,
        session: &SessionView,
        attempt: AttemptId,
        card: &Card,
    ) -> Prepared {
        let body = self.pay_body(order, session, attempt, card);
        self.send_attempt(session, attempt, body)
    }

    /// A request that pays without a card.
    #[must_use]
    pub fn pay_by(&self, session: &SessionView, attempt: AttemptId, method: Method) -> Prepared {
        let request = PayRequest::new(method);
        let body = serde_json::to_vec(&request).expect("the body is JSON");
        self.send_attempt(session, attempt, body)
    }

    /// A request that says what the shopper did about a payment.
    #[must_use]
    pub fn step(&self, session: &SessionView, body: &AuthenticationRequest) -> Prepared {
        let body = serde_json::to_vec(body).expect("the body is JSON");
        self.step_with(session, attempt(), body)
    }

    /// The same with any id and body.
    #[must_use]
    pub fn step_with(&self, session: &SessionView, id: AttemptId, body: Vec<u8>) -> Prepared {
        let session = session.session.to_string();
        self.request("/v1/authentications", &session, &id.to_string(), body)
    }

    /// A request with a body that was made before: a retry, with a new signature.
    #[must_use]
    pub fn send_attempt(
        &self,
        session: &SessionView,
        attempt: AttemptId,
        body: Vec<u8>,
    ) -> Prepared {
        let (session, attempt) = (session.session.to_string(), attempt.to_string());
        self.request("/v1/payments", &session, &attempt, body)
    }
}

/// A fresh attempt id.
#[must_use]
pub fn attempt() -> AttemptId {
    AttemptId::new(now_ms(), random())
}

/// A card with this number, good until December in three years.
#[must_use]
pub fn card(number: &str) -> Card {
    let number = CardNumber::parse(number).expect("the number is a card's");
    let today = YearMonth::from_unix_seconds(now());
    let code = if number
        .brand()
        .is_some_and(|b| b.security_code_length() == 4)
    {
        "7373"
    } else {
        "737"
    };
    let year = today.year() + 3;
    Card {
        security_code: SecurityCode::parse(code, number.brand()).expect("the code fits the brand"),
        expiry: Expiry::parse(&format!("12 / {:02}", year % 100), today)
            .expect("the date is ahead"),
        holder: None,
        number,
    }
}

/// The card that is always approved.
pub const APPROVED: &str = "4242424242424242";
