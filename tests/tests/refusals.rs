//! What all rejected requests have in common: one code, nothing stored but the nonce, nothing
//! leaked, and the next valid request succeeds.

use harness::client::{APPROVED, Browser, Prepared, attempt, card};
use harness::evidence::secrets_in;
use harness::gateway::{Answer, TestGateway};
use harness::log;
use sealpay_protocol::api::{Method, PayRequest, PaymentView, Problem, SessionView, ShopperState};
use sealpay_protocol::envelope::SealedCard;
use sealpay_protocol::ids::AttemptId;
use serde_json::Value;
use verifier_server::error::ErrorCode;

/// Refusals that say what is accepted in place of a sentence for all of their kind.
pub(crate) const SPECIFIC: [ErrorCode; 6] = [
    ErrorCode::InvalidParameter,
    ErrorCode::MalformedJson,
    ErrorCode::MalformedOrder,
    ErrorCode::MalformedRequest,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
];

/// What a row does to a good request.
pub(crate) type Spoil = fn(&mut Prepared);

pub(crate) const INPUT: &str = "signature-input";

pub(crate) fn bare(method: &str, path: &str) -> Prepared {
    let mut request = Prepared::get_of(path, None);
    request.method = method.into();
    request
}

pub(crate) fn body_of(card: SealedCard) -> Vec<u8> {
    serde_json::to_vec(&PayRequest {
        card: Some(card),
        ..PayRequest::new(Method::Card)
    })
    .unwrap()
}

/// Looks at a refusal from every side.
#[track_caller]
pub(crate) fn check_refusal(what: &str, answer: &Answer, code: ErrorCode, now: u64) {
    let text = answer.text();
    let status = answer.status.as_u16();
    assert_eq!(status, code.status(), "{what}: {text}");
    let header = |name| answer.header(name).unwrap_or_default();
    assert_eq!(
        header("content-type"),
        "application/problem+json",
        "{what}: {text}"
    );
    let members: Value = answer.json();
    let members = members.as_object().map_or(0, serde_json::Map::len);
    assert_eq!(members, 8, "{what}: {text}");
    let problem: Problem = answer.json();
    let said = (
        problem.code.as_str(),
        problem.status,
        problem.title.as_str(),
    );
    assert_eq!(
        said,
        (code.name(), code.status(), code.title()),
        "{what}: {text}"
    );
    // What is known of the fault stands in place of the sentence that fits every such fault.
    let is_a_sentence = problem.detail.ends_with('.') && problem.detail.contains(' ');
    assert!(is_a_sentence, "{what}: {}", problem.detail);
    let is_general = problem.detail == code.detail();
    assert!(
        is_general || SPECIFIC.contains(&code),
        "{what}: {}",
        problem.detail
    );
    let link = format!("http://127.0.0.1:8787/errors/{}", code.name());
    assert_eq!(problem.kind, link, "{what}");
    assert!(problem.request_id.starts_with("req_"), "{what}: {text}");
    assert_eq!(header("x-request-id"), problem.request_id, "{what}");
    assert!(problem.server_time.abs_diff(now) <= 2, "{what}: {text}");
    assert_eq!(header("cache-control"), "no-store", "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    let said = format!("{:?} {text}", answer.headers);
    assert_eq!(secrets_in(what, said.as_bytes()), Vec::<String>::new());
    let logged = log::lines_about(&problem.request_id);
    assert_eq!(logged.len(), 1, "{what}: one line in the log: {logged:?}");
    assert!(logged[0].contains(code.name()), "{what}: {logged:?}");
}

/// Sends what has to be refused, and nothing may be kept but the nonce.
pub(crate) async fn refused(
    gateway: &TestGateway,
    what: &str,
    request: Prepared,
    code: ErrorCode,
) -> Answer {
    let before = gateway.stored_rows().await;
    let is_head = request.method == "HEAD";
    let answer = gateway.send(request).await;
    if is_head {
        let headers = (answer.status.as_u16(), answer.header("content-type"));
        assert_eq!(
            headers,
            (code.status(), Some("application/problem+json")),
            "{what}"
        );
        assert_eq!(answer.body, b"", "{what}: the answer to HEAD has no body");
    } else {
        check_refusal(what, &answer, code, gateway.now());
    }
    let after = gateway.stored_rows().await;
    let changes = after.changes_since(&before, &["nonces"]);
    assert_eq!(changes, Vec::<String>::new(), "{what}");
    let spent = after.rows_of("nonces") - before.rows_of("nonces");
    assert!(spent <= 1, "{what}: {spent} nonces were spent");
    answer
}

/// One checkout, up to the button.
pub(crate) struct Checkout {
    pub(crate) browser: Browser,
    pub(crate) order: String,
    pub(crate) session: SessionView,
    pub(crate) attempt: AttemptId,
}

impl Checkout {
    pub(crate) async fn open(gateway: &TestGateway) -> Self {
        let order = gateway.order(None);
        let browser = gateway.browser();
        let session = gateway.open(&browser, &order).await;
        Self {
            browser,
            order,
            session,
            attempt: attempt(),
        }
    }

    pub(crate) fn good_body(&self) -> Vec<u8> {
        let card = card(APPROVED);
        let (browser, session) = (&self.browser, &self.session);
        browser.pay_body(&self.order, session, self.attempt, &card)
    }

    pub(crate) fn request_with(&self, body: Vec<u8>) -> Prepared {
        self.browser.send_attempt(&self.session, self.attempt, body)
    }

    pub(crate) fn good_request(&self) -> Prepared {
        self.request_with(self.good_body())
    }

    /// The next good request works: the attempt, spoilt as it was before, pays now.
    pub(crate) async fn works(&self, gateway: &TestGateway, what: &str) {
        let answer = gateway.send(self.good_request()).await;
        assert_eq!(answer.status, 200, "after {what}: {}", answer.text());
        let paid: PaymentView = answer.json();
        assert_eq!(paid.state, ShopperState::Captured, "after {what}");
    }
}

/// Spoils a good payment, sends both, and only the good one pays.
pub(crate) async fn spoilt_payment(
    gateway: &TestGateway,
    what: &str,
    spoil: Spoil,
    code: ErrorCode,
) {
    let checkout = Checkout::open(gateway).await;
    let good = checkout.good_request();
    let mut spoilt = good.clone();
    spoil(&mut spoilt);
    refused(gateway, what, spoilt, code).await;
    // Who has no key has spent nothing of those who have: the very same request is still good.
    let answer = gateway.send(good).await;
    assert_eq!(answer.status, 200, "after {what}: {}", answer.text());
}
