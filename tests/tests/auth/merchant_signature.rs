//! Requests signed with the merchant's order key: every alteration and its error code.

use super::signing::Signing;
use crate::databases::on_both_databases;
use harness::client::{Merchant, Prepared};
use harness::gateway::{Answer, TestGateway};
use harness::time::random;
use sealpay_protocol::api::Problem;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::sign::content_digest;
use serde_json::Value;
use verifier_server::error::ErrorCode::{
    self, ApiKeyInvalid, CredentialsAmbiguous, DigestMismatch, IdempotencyKeyInvalid,
    MalformedRequest, MalformedSignature, MissingSignature, NonceReplayed, NotFound, ScopeMissing,
    SignatureExpired, SignatureFromTheFuture, SignatureInvalid, UnknownMerchant, UnknownOrderKey,
    UnsupportedMediaType,
};

on_both_databases! {
    one_of_twenty_copies_of_a_signed_request_is_accepted,
    signed_request_shows_only_its_merchants_resources,
    order_key_without_scopes_only_signs_orders,
}

/// The request is rejected with this code, and nothing is stored but the nonce and, once it is
/// authenticated, its row of the audit trail.
async fn refused(gateway: &TestGateway, what: &str, request: Prepared, code: ErrorCode) -> Answer {
    let before = gateway.stored_rows().await;
    let answer = gateway.send(request).await;
    assert_eq!(answer.code(), code.name(), "{what}: {}", answer.text());
    assert_eq!(answer.status, code.status(), "{what}");
    let after = gateway.stored_rows().await;
    let spent_one = matches!(code, NotFound | IdempotencyKeyInvalid);
    let except: &[&str] = if spent_one {
        &["nonces", "audit_head", "audit_log"]
    } else {
        &[]
    };
    assert_eq!(
        after.changes_since(&before, except),
        Vec::<String>::new(),
        "{what}"
    );
    answer
}

async fn signed_request_shows_only_its_merchants_resources(gateway: &TestGateway) {
    let other = gateway.register(None).await;
    gateway
        .pay(None, &harness::client::card(harness::client::APPROVED))
        .await;
    for (merchant, seen) in [(&gateway.merchant, 1), (&other, 0)] {
        for (path, query) in [
            ("/v1/payments", None),
            ("/v1/payments", Some("limit=2&state=captured")),
        ] {
            let reading = Signing {
                path: path.into(),
                query,
                ..Signing::by(gateway, merchant)
            };
            let answer = gateway.send(reading.prepared()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let page: Value = answer.json();
            assert_eq!(page["data"].as_array().unwrap().len(), seen);
        }
    }
    let writing = Signing::writing(gateway).prepared();
    assert_eq!(gateway.send(writing).await.code(), "not_found");
    // A shorter lifetime is valid, and the content type of a request without a body is ignored.
    let mut short = Signing::reading(gateway);
    short.parameters.expires = short.parameters.created + 5;
    let mut request = short.prepared();
    request.set("content-type", "application/json");
    assert_eq!(gateway.send(request).await.status, 200);
}

async fn order_key_without_scopes_only_signs_orders(gateway: &TestGateway) {
    let admin = gateway.admin();
    let public_key = base64url(gateway.merchant.key.verifying_key().as_bytes());
    let rows = [
        ("", false),
        ("refunds:write", false),
        ("payments:read", true),
    ];
    for (number, (scopes, is_allowed)) in rows.into_iter().enumerate() {
        let key_id = format!("key-{number}");
        let added = admin.add_order_key(gateway.merchant.id, &key_id, &public_key, scopes);
        added.await.unwrap();
        let merchant = Merchant {
            key_id,
            ..gateway.merchant.clone()
        };
        let answer = gateway
            .send(Signing::by(gateway, &merchant).prepared())
            .await;
        if is_allowed {
            assert_eq!(answer.status, 200, "{}", answer.text());
        } else {
            assert_eq!(answer.code(), ScopeMissing.name(), "{scopes:?}");
        }
    }
}

async fn one_of_twenty_copies_of_a_signed_request_is_accepted(gateway: &TestGateway) {
    for signing in [Signing::reading(gateway), Signing::writing(gateway)] {
        let request = signing.prepared();
        let answers = gateway.send_together(vec![request.clone(); 20]).await;
        let replayed =
            |answer: &&Answer| answer.status == 401 && answer.code() == NonceReplayed.name();
        assert_eq!(answers.iter().filter(replayed).count(), 19);
        let again = gateway.send(request).await;
        assert_eq!(again.code(), NonceReplayed.name());
        // The same nonce under another time is another signature, made by who has the key.
        let mut later = signing.clone();
        later.parameters.created -= 1;
        later.parameters.expires -= 1;
        let answer = gateway.send(later.prepared()).await;
        assert!(
            [200, 404].contains(&answer.status.as_u16()),
            "{}",
            answer.text()
        );
    }
}

/// What is altered after the request was signed.
type Alteration = (&'static str, fn(&mut Prepared), ErrorCode);

fn replace(request: &mut Prepared, header: &str, from: &str, to: &str) {
    let value = request.get(header).unwrap().replacen(from, to, 1);
    assert_ne!(request.get(header), Some(value.as_str()), "{from}");
    request.set(header, &value);
}

#[tokio::test]
async fn altering_any_signed_component_is_rejected() {
    let gateway = TestGateway::start().await;
    #[rustfmt::skip]
    let of_both: [Alteration; 5] = [
        ("@query", |r| r.path.push_str("?limit=100"), SignatureInvalid),
        ("sealpay-merchant", |r| r.set("sealpay-merchant", "mer_01jd0000000000000000000000"), UnknownMerchant),
        ("keyid", |r| replace(r, "signature-input", "keyid=\"test-key\"", "keyid=\"other\""), UnknownOrderKey),
        ("nonce", |r| replace(r, "signature-input", "nonce=\"", "nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";x=\""), MalformedSignature),
        ("signature", |r| { let zero = format!("sig=:{}==:", "A".repeat(86)); r.set("signature", &zero); }, SignatureInvalid),
    ];
    for (what, alter, code) in &of_both {
        for signing in [Signing::reading(&gateway), Signing::writing(&gateway)] {
            let mut request = signing.prepared();
            alter(&mut request);
            refused(&gateway, what, request, *code).await;
        }
    }
    #[rustfmt::skip]
    let of_reads: [Alteration; 7] = [
        ("@method", |r| r.method = "HEAD".into(), SignatureInvalid),
        ("@path", |r| r.path = "/v1/payments/pay_01jd0000000000000000000000".into(), SignatureInvalid),
        ("a body", |r| r.body = b"{}".to_vec(), MissingSignature),
        ("a body with its type", |r| { r.body = b"{}".to_vec(); r.set("content-type", "application/json"); }, MissingSignature),
        ("a key", |r| { r.set("idempotency-key", "a"); r.set("content-type", "application/json"); }, MissingSignature),
        ("a digest", |r| { r.set("content-digest", &content_digest(b"")); r.set("content-type", "application/json"); }, MalformedRequest),
        ("a digest and a key", |r| {
            r.set("content-digest", &content_digest(b"")); r.set("content-type", "application/json"); r.set("idempotency-key", "a");
        }, MalformedSignature),
    ];
    for (what, alter, code) in of_reads {
        let mut request = Signing::reading(&gateway).prepared();
        alter(&mut request);
        if request.method == "HEAD" {
            assert_eq!(gateway.send(request).await.status, code.status(), "{what}");
        } else {
            refused(&gateway, what, request, code).await;
        }
    }
    #[rustfmt::skip]
    let of_writes: [Alteration; 10] = [
        ("@path", |r| r.path = r.path.replace("refunds", "captures"), SignatureInvalid),
        ("content-type", |r| r.set("content-type", "application/json; charset=utf-8"), SignatureInvalid),
        ("no content-type", |r| r.remove("content-type"), UnsupportedMediaType),
        ("content-digest", |r| r.set("content-digest", &content_digest(b"{}")), DigestMismatch),
        ("body", |r| r.body = b"{\"amount\":101}".to_vec(), DigestMismatch),
        ("no body", |r| r.body = Vec::new(), DigestMismatch),
        ("body and digest", |r| { r.body = b"{}".to_vec(); r.set("content-digest", &content_digest(b"{}")); }, SignatureInvalid),
        ("idempotency-key", |r| r.set("idempotency-key", "refund-2"), SignatureInvalid),
        ("no idempotency-key", |r| r.remove("idempotency-key"), MalformedRequest),
        ("no content-digest", |r| r.remove("content-digest"), MissingSignature),
    ];
    for (what, alter, code) in of_writes {
        let mut request = Signing::writing(&gateway).prepared();
        alter(&mut request);
        refused(&gateway, what, request, code).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn malformed_signature_headers_are_rejected() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
        ("\"@query\" ", ""),
        ("\"sealpay-merchant\"", "\"sealpay-merchant\" \"date\""),
        ("\"sealpay-merchant\"", "\"sealpay-session\""),
        ("alg=\"ed25519\"", "alg=\"hmac-sha256\""),
        ("tag=\"sealpay-merchant-v1\"", "tag=\"sealpay-v1\""),
        (";tag=\"sealpay-merchant-v1\"", ""),
        ("sig=(", "sig=( "),
        ("sig=(", "sig2=("),
        ("keyid=\"test-key\"", "keyid=\"../test-key\""),
    ];
    for (from, to) in rows {
        for signing in [Signing::reading(&gateway), Signing::writing(&gateway)] {
            let mut request = signing.prepared();
            replace(&mut request, "signature-input", from, to);
            refused(&gateway, to, request, MalformedSignature).await;
        }
    }
    for missing in ["signature", "signature-input"] {
        let mut request = Signing::reading(&gateway).prepared();
        request.remove(missing);
        refused(&gateway, missing, request, MissingSignature).await;
    }
    for merchant in [
        None,
        Some(""),
        Some("mer_1"),
        Some("chk_01jd0000000000000000000000"),
    ] {
        let mut request = Signing::reading(&gateway).prepared();
        request.remove("sealpay-merchant");
        if let Some(merchant) = merchant {
            request.set("sealpay-merchant", merchant);
        }
        let answer = refused(&gateway, "merchant", request, MalformedRequest).await;
        assert_eq!(
            answer.json::<Problem>().param.as_deref(),
            Some("sealpay-merchant")
        );
    }
    for twice in ["signature", "signature-input", "sealpay-merchant"] {
        let mut request = Signing::reading(&gateway).prepared();
        let value = request.get(twice).unwrap().to_owned();
        request.headers.push((twice.into(), value));
        let answer = gateway.send(request).await;
        let codes = [MissingSignature.name(), MalformedRequest.name()];
        assert!(codes.contains(&answer.code().as_str()), "{}", answer.text());
    }
    gateway.finish().await;
}

#[tokio::test]
async fn signature_for_another_verifier_or_by_another_key_is_rejected() {
    let gateway = TestGateway::start().await;
    let other = gateway.register(None).await;
    let good = Signing::writing(&gateway);
    let elsewhere = Signing {
        authority: "pay.elsewhere.example".into(),
        ..good.clone()
    };
    // Both merchants call their key alike: it is the key that counts, not its name.
    let mut by_another = good.clone();
    by_another.merchant.key = other.key.clone();
    let mut another_name = good.clone();
    another_name.parameters.key_id = "2031".into();
    let rows = [
        ("another verifier", elsewhere, SignatureInvalid),
        ("another merchant's key", by_another, SignatureInvalid),
        ("another name of a key", another_name, UnknownOrderKey),
    ];
    for (what, signing, code) in rows {
        refused(&gateway, what, signing.prepared(), code).await;
    }
    let store = gateway.server.state.gateway.store();
    let retired =
        store
            .merchants
            .retire_order_key(gateway.merchant.id, &gateway.merchant.key_id, 1);
    assert!(retired.await.unwrap());
    refused(&gateway, "a retired key", good.prepared(), UnknownOrderKey).await;
    gateway.finish().await;
}

#[tokio::test]
async fn widget_and_merchant_signatures_are_not_interchangeable() {
    let gateway = TestGateway::start().await;
    let (order, browser) = (gateway.order(None), gateway.browser());
    let session = gateway.open(&browser, &order).await.session.to_string();
    // The order key signs a request of the widget's form, with every header that there is.
    let mut impostor = browser.clone();
    impostor.key = gateway.merchant.key.clone();
    let path = "/v1/payments/pay_01jd0000000000000000000000/refunds";
    for browser in [&browser, &impostor] {
        let mut request = browser.request(path, &session, "refund-1", b"{}".to_vec());
        request.set("sealpay-merchant", &gateway.merchant.id.to_string());
        refused(&gateway, "the widget's form", request, MalformedSignature).await;
    }
    let mut signing = Signing::writing(&gateway);
    signing.path = "/v1/payments".into();
    signing.content = Some((
        "att_01jd0000000000000000000000".into(),
        b"{\"method\":\"wallet\"}".to_vec(),
    ));
    let mut request = signing.prepared();
    request.set("sealpay-session", &session);
    refused(&gateway, "the merchant's form", request, MalformedSignature).await;
    gateway.finish().await;
}

#[tokio::test]
async fn signature_is_valid_from_half_a_minute_early_to_its_expiry() {
    let gateway = TestGateway::start().await;
    gateway.clock.stop();
    let now = gateway.now();
    let rows = [
        (now + 31, now + 91, Some(SignatureFromTheFuture)),
        (now + 30, now + 90, None),
        (now - 59, now + 1, None),
        (now - 60, now, Some(SignatureExpired)),
        (now - 10, now, Some(SignatureExpired)),
        (now - 10, now + 51, Some(MalformedSignature)),
        (now, now, Some(MalformedSignature)),
    ];
    for (created, expires, code) in rows {
        let mut signing = Signing::reading(&gateway);
        signing.parameters.created = created;
        signing.parameters.expires = expires;
        let what = format!("from {created} until {expires}");
        match code {
            Some(code) => drop(refused(&gateway, &what, signing.prepared(), code).await),
            None => assert_eq!(gateway.send(signing.prepared()).await.status, 200, "{what}"),
        }
    }
    gateway.finish().await;
}

/// Testers move the simulated clock; merchants sign by the system clock.
#[tokio::test]
async fn simulated_clock_does_not_affect_signatures() {
    let gateway = TestGateway::start().await;
    let system_time = gateway.now();
    gateway
        .server
        .state
        .gateway
        .clock()
        .move_ahead(3 * 24 * 60 * 60 * 1000);
    let mut signing = Signing::reading(&gateway);
    signing.parameters.created = system_time;
    signing.parameters.expires = system_time + 60;
    let request = signing.prepared();
    assert_eq!(gateway.send(request.clone()).await.status, 200);
    let again = gateway.send(request).await;
    assert_eq!(again.code(), NonceReplayed.name());
    gateway.finish().await;
}

#[tokio::test]
async fn exactly_one_credential_is_required() {
    let gateway = TestGateway::start().await;
    let key = format!("Bearer {}", gateway.merchant.api_key);
    for signing in [Signing::reading(&gateway), Signing::writing(&gateway)] {
        for authorization in [&key, "Bearer nobody", ""] {
            let mut both = signing.prepared();
            both.set("authorization", authorization);
            let answer = refused(&gateway, "both", both, CredentialsAmbiguous).await;
            assert_eq!(
                answer.json::<Problem>().detail,
                "Send an API key or a signature, not both."
            );
        }
        let mut none = signing.prepared();
        for header in ["signature", "signature-input", "sealpay-merchant"] {
            none.remove(header);
        }
        refused(&gateway, "none", none, ApiKeyInvalid).await;
    }
    // A digest beside an API key is good custom, and no signature.
    let mut request = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    request.set("content-digest", &content_digest(b""));
    assert_eq!(gateway.send(request).await.status, 200);
    gateway.finish().await;
}

/// What is behind the signature is looked at only behind it, and spends the nonce.
#[tokio::test]
async fn authenticated_request_consumes_its_nonce_even_if_rejected() {
    let gateway = TestGateway::start().await;
    let mut signing = Signing::writing(&gateway);
    signing.content = Some(("a key with spaces".into(), b"{}".to_vec()));
    let rows = [
        (signing, IdempotencyKeyInvalid),
        (Signing::writing(&gateway), NotFound),
    ];
    for (mut signing, code) in rows {
        signing.parameters.nonce = random();
        let request = signing.prepared();
        refused(&gateway, "authenticated", request.clone(), code).await;
        refused(&gateway, "again", request, NonceReplayed).await;
    }
    gateway.finish().await;
}
