//! Requests signed with the merchant's order key: every way to alter one, and what is answered.

use super::signing::Signing;
use crate::databases::on_both_databases;
use harness::client::{Merchant, Prepared};
use harness::gateway::{Answer, TestGateway};
use harness::time::random;
use sealpay_protocol::api::Problem;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::sign::content_digest;
use serde_json::Value;
use verifier_server::error::ErrorCode;
use verifier_server::merchants::register::MerchantAdmin;

on_both_databases! {
    of_twenty_copies_of_a_signed_request_one_passes,
    a_signed_request_shows_what_is_its_merchants,
    a_key_that_only_signs_orders_may_do_nothing_else,
}

/// The request is refused with this code, and nothing is kept of it but a nonce and, behind the gate, its row of the audit
/// trail.
async fn refused(gateway: &TestGateway, what: &str, request: Prepared, code: ErrorCode) -> Answer {
    let before = gateway.kept().await;
    let answer = gateway.send(request).await;
    assert_eq!(answer.code(), code.name(), "{what}: {}", answer.text());
    assert_eq!(answer.status, code.status(), "{what}");
    let after = gateway.kept().await;
    let spent_one = matches!(code, ErrorCode::NotFound | ErrorCode::IdempotencyKeyInvalid);
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

async fn a_signed_request_shows_what_is_its_merchants(gateway: &TestGateway) {
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
    // A shorter life is as good, and a content type on a request that only asks is nobody's matter.
    let mut short = Signing::reading(gateway);
    short.parameters.expires = short.parameters.created + 5;
    let mut request = short.prepared();
    request.set("content-type", "application/json");
    assert_eq!(gateway.send(request).await.status, 200);
}

async fn a_key_that_only_signs_orders_may_do_nothing_else(gateway: &TestGateway) {
    let verifier = &gateway.server.state.gateway;
    let admin = MerchantAdmin {
        store: verifier.store(),
        encryption: verifier.encryption(),
        clock: verifier.clock(),
        rng: verifier.rng(),
        livemode: verifier.livemode(),
    };
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
            assert_eq!(answer.code(), ErrorCode::ScopeMissing.name(), "{scopes:?}");
        }
    }
}

async fn of_twenty_copies_of_a_signed_request_one_passes(gateway: &TestGateway) {
    for signing in [Signing::reading(gateway), Signing::writing(gateway)] {
        let request = signing.prepared();
        let answers = gateway.send_together(vec![request.clone(); 20]).await;
        let replayed = |answer: &&Answer| {
            answer.status == 401 && answer.code() == ErrorCode::NonceReplayed.name()
        };
        assert_eq!(answers.iter().filter(replayed).count(), 19);
        let again = gateway.send(request).await;
        assert_eq!(again.code(), ErrorCode::NonceReplayed.name());
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
async fn every_covered_part_is_covered() {
    let gateway = TestGateway::start().await;
    #[rustfmt::skip]
    let of_both: [Alteration; 5] = [
        ("@query", |r| r.path.push_str("?limit=100"), ErrorCode::SignatureInvalid),
        ("sealpay-merchant", |r| r.set("sealpay-merchant", "mer_01jd0000000000000000000000"), ErrorCode::UnknownMerchant),
        ("keyid", |r| replace(r, "signature-input", "keyid=\"test-key\"", "keyid=\"other\""), ErrorCode::UnknownOrderKey),
        ("nonce", |r| replace(r, "signature-input", "nonce=\"", "nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";x=\""), ErrorCode::MalformedSignature),
        ("signature", |r| { let zero = format!("sig=:{}==:", "A".repeat(86)); r.set("signature", &zero); }, ErrorCode::SignatureInvalid),
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
        ("@method", |r| r.method = "HEAD".into(), ErrorCode::SignatureInvalid),
        ("@path", |r| r.path = "/v1/payments/pay_01jd0000000000000000000000".into(), ErrorCode::SignatureInvalid),
        ("a body", |r| r.body = b"{}".to_vec(), ErrorCode::MissingSignature),
        ("a body with its type", |r| { r.body = b"{}".to_vec(); r.set("content-type", "application/json"); }, ErrorCode::MissingSignature),
        ("a key", |r| { r.set("idempotency-key", "a"); r.set("content-type", "application/json"); }, ErrorCode::MissingSignature),
        ("a digest", |r| { r.set("content-digest", &content_digest(b"")); r.set("content-type", "application/json"); }, ErrorCode::MalformedRequest),
        ("a digest and a key", |r| {
            r.set("content-digest", &content_digest(b"")); r.set("content-type", "application/json"); r.set("idempotency-key", "a");
        }, ErrorCode::MalformedSignature),
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
        ("@path", |r| r.path = r.path.replace("refunds", "captures"), ErrorCode::SignatureInvalid),
        ("content-type", |r| r.set("content-type", "application/json; charset=utf-8"), ErrorCode::SignatureInvalid),
        ("no content-type", |r| r.remove("content-type"), ErrorCode::UnsupportedMediaType),
        ("content-digest", |r| r.set("content-digest", &content_digest(b"{}")), ErrorCode::DigestMismatch),
        ("body", |r| r.body = b"{\"amount\":101}".to_vec(), ErrorCode::DigestMismatch),
        ("no body", |r| r.body = Vec::new(), ErrorCode::DigestMismatch),
        ("body and digest", |r| { r.body = b"{}".to_vec(); r.set("content-digest", &content_digest(b"{}")); }, ErrorCode::SignatureInvalid),
        ("idempotency-key", |r| r.set("idempotency-key", "refund-2"), ErrorCode::SignatureInvalid),
        ("no idempotency-key", |r| r.remove("idempotency-key"), ErrorCode::MalformedRequest),
        ("no content-digest", |r| r.remove("content-digest"), ErrorCode::MissingSignature),
    ];
    for (what, alter, code) in of_writes {
        let mut request = Signing::writing(&gateway).prepared();
        alter(&mut request);
        refused(&gateway, what, request, code).await;
    }
    gateway.finish().await;
}

#[tokio::test]
async fn headers_of_any_other_form_are_refused() {
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
            refused(&gateway, to, request, ErrorCode::MalformedSignature).await;
        }
    }
    for missing in ["signature", "signature-input"] {
        let mut request = Signing::reading(&gateway).prepared();
        request.remove(missing);
        refused(&gateway, missing, request, ErrorCode::MissingSignature).await;
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
        let answer = refused(&gateway, "merchant", request, ErrorCode::MalformedRequest).await;
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
        let codes = [
            ErrorCode::MissingSignature.name(),
            ErrorCode::MalformedRequest.name(),
        ];
        assert!(codes.contains(&answer.code().as_str()), "{}", answer.text());
    }
    gateway.finish().await;
}

#[tokio::test]
async fn what_is_signed_for_somewhere_else_or_by_somebody_else_is_refused() {
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
        ("another verifier", elsewhere, ErrorCode::SignatureInvalid),
        (
            "another merchant's key",
            by_another,
            ErrorCode::SignatureInvalid,
        ),
        (
            "another name of a key",
            another_name,
            ErrorCode::UnknownOrderKey,
        ),
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
    refused(
        &gateway,
        "a retired key",
        good.prepared(),
        ErrorCode::UnknownOrderKey,
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn a_signature_of_the_widget_opens_nothing_of_the_merchants_and_the_other_way_round() {
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
        refused(
            &gateway,
            "the widget's form",
            request,
            ErrorCode::MalformedSignature,
        )
        .await;
    }
    let mut signing = Signing::writing(&gateway);
    signing.path = "/v1/payments".into();
    signing.content = Some((
        "att_01jd0000000000000000000000".into(),
        b"{\"method\":\"wallet\"}".to_vec(),
    ));
    let mut request = signing.prepared();
    request.set("sealpay-session", &session);
    refused(
        &gateway,
        "the merchant's form",
        request,
        ErrorCode::MalformedSignature,
    )
    .await;
    gateway.finish().await;
}

#[tokio::test]
async fn a_signature_is_good_from_half_a_minute_early_to_its_end() {
    let gateway = TestGateway::start().await;
    gateway.clock.stop();
    let now = gateway.now();
    let rows = [
        (now + 31, now + 91, Some(ErrorCode::SignatureFromTheFuture)),
        (now + 30, now + 90, None),
        (now - 59, now + 1, None),
        (now - 60, now, Some(ErrorCode::SignatureExpired)),
        (now - 10, now, Some(ErrorCode::SignatureExpired)),
        (now - 10, now + 51, Some(ErrorCode::MalformedSignature)),
        (now, now, Some(ErrorCode::MalformedSignature)),
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

/// Testers move the world; a merchant's machine goes by the wall's time.
#[tokio::test]
async fn a_moved_world_changes_nothing_for_who_signs() {
    let gateway = TestGateway::start().await;
    let wall = gateway.now();
    gateway
        .server
        .state
        .gateway
        .clock()
        .move_ahead(3 * 24 * 60 * 60 * 1000);
    let mut signing = Signing::reading(&gateway);
    signing.parameters.created = wall;
    signing.parameters.expires = wall + 60;
    let request = signing.prepared();
    assert_eq!(gateway.send(request.clone()).await.status, 200);
    let again = gateway.send(request).await;
    assert_eq!(again.code(), ErrorCode::NonceReplayed.name());
    gateway.finish().await;
}

#[tokio::test]
async fn one_credential_is_asked_for_and_neither_two_nor_none() {
    let gateway = TestGateway::start().await;
    let key = format!("Bearer {}", gateway.merchant.api_key);
    for signing in [Signing::reading(&gateway), Signing::writing(&gateway)] {
        for authorization in [&key, "Bearer nobody", ""] {
            let mut both = signing.prepared();
            both.set("authorization", authorization);
            let answer = refused(&gateway, "both", both, ErrorCode::CredentialsAmbiguous).await;
            assert_eq!(
                answer.json::<Problem>().detail,
                "Send an API key or a signature, not both."
            );
        }
        let mut none = signing.prepared();
        for header in ["signature", "signature-input", "sealpay-merchant"] {
            none.remove(header);
        }
        refused(&gateway, "none", none, ErrorCode::ApiKeyInvalid).await;
    }
    // A digest beside an API key is good custom, and no signature.
    let mut request = Prepared::get_of("/v1/payments", Some(&gateway.merchant.api_key));
    request.set("content-digest", &content_digest(b""));
    assert_eq!(gateway.send(request).await.status, 200);
    gateway.finish().await;
}

/// What is behind the signature is looked at only behind it, and spends the nonce.
#[tokio::test]
async fn a_request_that_is_refused_behind_the_gate_has_spent_its_nonce() {
    let gateway = TestGateway::start().await;
    let mut signing = Signing::writing(&gateway);
    signing.content = Some(("a key with spaces".into(), b"{}".to_vec()));
    let rows = [
        (signing, ErrorCode::IdempotencyKeyInvalid),
        (Signing::writing(&gateway), ErrorCode::NotFound),
    ];
    for (mut signing, code) in rows {
        signing.parameters.nonce = random();
        let request = signing.prepared();
        refused(&gateway, "behind the gate", request.clone(), code).await;
        refused(&gateway, "again", request, ErrorCode::NonceReplayed).await;
    }
    gateway.finish().await;
}
