//! What leaves the browser: sealed cards and signed requests, and nothing else.

use crate::challenges::Replaced;
use crate::fixtures::{PAGE, sealing_key, session, verifier_with};
use crate::test_form::TestForm;
use ed25519_dalek::Signature;
use sealpay_protocol::api::{OpenSessionRequest, PayRequest, ShopperState};
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::encoding::from_base64;
use sealpay_protocol::envelope::SealContext;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
use sealpay_protocol::seal::open;
use sealpay_protocol::sign::{RequestParts, content_digest, signature_base};
use sealpay_widget::browser::transport::Transport;
use sealpay_widget::browser::{clock, document, responses};
use sealpay_widget::payment::ApiResponse;
use sealpay_widget::payment::request::{Credentials, Destination, Freshness};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn card_is_sealed_for_the_payment_and_the_request_is_signed() {
    let form = TestForm::open(verifier_with(ShopperState::Captured)).await;
    form.fill().await;
    form.type_into("holder", "Ada Lovelace").await;
    form.pay().await;

    let opening: OpenSessionRequest =
        serde_json::from_slice(&form.requests.borrow()[0].body).unwrap();
    let verifying_key = opening.key.verifying_key().unwrap();
    let request = form.payments().remove(0);

    // The signature covers exactly what was sent.
    let authority = document::authority();
    let parts = RequestParts {
        method: "POST",
        authority: &authority,
        path: request.path,
        query: None,
        content_type: "application/json",
        idempotency_key: &request.idempotency_key,
        session: &session().session.to_string(),
        body: &request.body,
    };
    assert_eq!(
        request.headers.content_digest,
        content_digest(&request.body)
    );
    let params = request
        .headers
        .signature_input
        .strip_prefix("sig=")
        .unwrap();
    let base = signature_base(&parts, &request.headers.content_digest, params);
    let text = request.headers.signature.strip_prefix("sig=:").unwrap();
    let bytes = from_base64(text.strip_suffix(':').unwrap()).unwrap();
    let signature = Signature::from_slice(&bytes).unwrap();
    verifying_key
        .verify_strict(base.as_bytes(), &signature)
        .unwrap();

    // The card decrypts with the context that both sides know.
    let pay: PayRequest = serde_json::from_slice(&request.body).unwrap();
    let session = session();
    let context = SealContext {
        verifier_origin: &session.verifier_origin,
        merchant: session.merchant.id,
        session: session.session,
        money: Money::charge(2490, "EUR".parse().unwrap()).unwrap(),
        // The session ends half an hour after it was opened.
        session_expires_at: session.expires_at,
        attempt: request.idempotency_key.parse().unwrap(),
        thumbprint: &Thumbprint::from_key(&verifying_key),
        order_digest: &order::digest(&opening.order),
    };
    let today = YearMonth::from_unix_seconds(clock::now());
    let card = (0..5)
        .find_map(|seconds| {
            let session_expires_at = context.session_expires_at - seconds;
            let context = SealContext {
                session_expires_at,
                ..context
            };
            open(pay.card.as_ref().unwrap(), &sealing_key(), &context, today).ok()
        })
        .expect("the card opens");
    assert_eq!(card.number.digits(), "4242424242424242");
    assert_eq!(card.security_code.digits(), "987");
    assert_eq!(card.holder.unwrap().as_str(), "Ada Lovelace");
}

#[wasm_bindgen_test]
async fn messages_and_requests_contain_no_card_digits() {
    let form = TestForm::open(verifier_with(ShopperState::Declined)).await;
    form.fill().await;
    form.pay().await;
    let requests = form.requests.borrow();
    let bodies = requests
        .iter()
        .map(|request| String::from_utf8_lossy(&request.body).into());
    let announced: Vec<String> = form.messages().into_iter().chain(bodies).collect();
    assert!(announced.len() >= 4);
    for text in announced {
        for digits in ["424242", "4242 4242", "\"987\""] {
            assert!(!text.contains(digits), "{digits} in {text}");
        }
    }
}

#[wasm_bindgen_test]
async fn request_is_sent_as_signed_without_cookies_cache_or_redirects() {
    let fetch = "window.sentRequest = new Request(input, init);
        return Promise.resolve(new Response('{}'))";
    let _replaced = Replaced::with(&js_sys::global(), "fetch", "input, init", fetch);
    let credentials = Credentials::new("a.b.c".into(), PAGE.parse().unwrap(), &[7; 32]);
    let request = credentials.sign(
        &document::authority(),
        Destination::Sessions,
        AttemptId::new(1, [1; 10]),
        credentials.open_body(),
        Freshness {
            created: clock::now(),
            nonce: [2; 16],
        },
    );
    let response = Transport::to_verifier()
        .send(request.clone(), responses::session)
        .await;
    assert!(matches!(response, ApiResponse::Missing), "{response:?}");

    let read = "const { method, url, credentials, cache, redirect } = window.sentRequest;
        const headers = Object.fromEntries(window.sentRequest.headers);
        return window.sentRequest.text().then((body) => JSON.stringify(
          { method, path: new URL(url).pathname, credentials, cache, redirect, headers, body }))";
    let read = js_sys::Function::new_no_args(read);
    let json: js_sys::Promise = read.call0(&JsValue::NULL).unwrap().unchecked_into();
    let json = JsFuture::from(json).await.unwrap().as_string().unwrap();
    let sent: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!({
        "method": "POST",
        "path": "/v1/sessions",
        "credentials": "omit",
        "cache": "no-store",
        "redirect": "error",
        "headers": {
            "content-type": "application/json",
            "idempotency-key": request.idempotency_key,
            "sealpay-session": request.session,
            "content-digest": request.headers.content_digest,
            "signature-input": request.headers.signature_input,
            "signature": request.headers.signature,
        },
        "body": String::from_utf8(request.body.to_vec()).unwrap(),
    });
    assert_eq!(sent, expected);
}
