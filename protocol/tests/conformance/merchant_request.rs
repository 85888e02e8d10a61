//! A merchant's signature has one of two forms, is valid for a minute, and verifies one request
//! only.

use crate::request_signature;
use crate::world::{self, MERCHANT_KEY_ID, NOW, counting};
use proptest::prelude::*;
use sealpay_protocol::sign::merchant::{
    COMPONENTS, COMPONENTS_WITHOUT_CONTENT, Content, MerchantRequestParts,
    MerchantSignatureParameters, MerchantSignedHeaders, sign,
};
use sealpay_protocol::sign::verify::merchant::{
    ReceivedMerchantHeaders, ReceivedMerchantSignature,
};
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature, SignatureError};
use sealpay_protocol::sign::{SignedHeaders, content_digest};

use SignatureError::{DigestMismatch, Expired, FromTheFuture, Invalid, Malformed};

const MERCHANT: &str = "mer_01k9xft7g0041061050r3gg28a";

const CONTENT: Content<'static> = Content {
    content_type: "application/json",
    idempotency_key: "refund-1001-1",
    body: b"{\"amount\":100}",
};

const WRITE: MerchantRequestParts<'static> = MerchantRequestParts {
    method: "POST",
    authority: "pay.example",
    path: "/v1/payments/pay_01kanar9g0000g40r40m30e209/refunds",
    query: None,
    content: Some(CONTENT),
    merchant: MERCHANT,
};

const READ: MerchantRequestParts<'static> = MerchantRequestParts {
    method: "GET",
    path: "/v1/payments",
    query: Some("limit=2"),
    content: None,
    ..WRITE
};

fn parameters() -> MerchantSignatureParameters {
    MerchantSignatureParameters::new(NOW, counting(9), MERCHANT_KEY_ID)
}

fn signed(parts: &MerchantRequestParts<'_>) -> MerchantSignedHeaders {
    let key = world::signing_key(world::MERCHANT_SEED);
    sign(parts, &parameters(), &key)
}

fn parsed(headers: &MerchantSignedHeaders) -> Result<ReceivedMerchantSignature, SignatureError> {
    ReceivedMerchantSignature::parse(&ReceivedMerchantHeaders {
        content_digest: headers.content_digest.as_deref(),
        signature_input: &headers.signature_input,
        signature: &headers.signature,
    })
}

/// All the checks, in the verifier's order.
fn judged(
    headers: &MerchantSignedHeaders,
    parts: &MerchantRequestParts<'_>,
) -> Result<(), SignatureError> {
    let key = world::signing_key(world::MERCHANT_SEED).verifying_key();
    let received = parsed(headers)?;
    received.check_freshness(NOW)?;
    received.check_digest(parts.content.map_or(&[], |content| content.body))?;
    received.verify(parts, &key)
}

#[test]
fn unaltered_requests_of_both_forms_verify() {
    for (parts, components) in [
        (WRITE, &COMPONENTS[..]),
        (READ, &COMPONENTS_WITHOUT_CONTENT[..]),
    ] {
        let headers = signed(&parts);
        let list = components
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(" ");
        let begin = format!("sig=({list});created={NOW};expires={};nonce=", NOW + 60);
        assert!(headers.signature_input.starts_with(&begin));
        assert_eq!(headers.content_digest.is_some(), parts.content.is_some());
        assert_eq!(judged(&headers, &parts), Ok(()));
        let received = parsed(&headers).unwrap();
        assert_eq!(received.key_id(), MERCHANT_KEY_ID);
        assert_eq!(*received.nonce(), counting(9));
        assert_eq!(received.expires_at(), NOW + 60);
    }
}

#[test]
fn altering_any_covered_component_is_detected() {
    let with = |content: Content<'static>| MerchantRequestParts {
        content: Some(content),
        ..WRITE
    };
    #[rustfmt::skip]
    let rows = [
        ("@method", MerchantRequestParts { method: "PUT", ..WRITE }),
        ("@authority", MerchantRequestParts { authority: "pay.example:8443", ..WRITE }),
        ("@path", MerchantRequestParts { path: "/v1/payments/pay_01kanar9g0000g40r40m30e20a/refunds", ..WRITE }),
        ("@query", MerchantRequestParts { query: Some("a=1"), ..WRITE }),
        ("content-type", with(Content { content_type: "application/json; charset=utf-8", ..CONTENT })),
        ("idempotency-key", with(Content { idempotency_key: "refund-1001-2", ..CONTENT })),
        ("sealpay-merchant", MerchantRequestParts { merchant: "mer_01k9xft7g0041061050r3gg28b", ..WRITE }),
    ];
    let headers = signed(&WRITE);
    for (name, parts) in rows {
        assert_eq!(judged(&headers, &parts), Err(Invalid), "{name}");
    }
    #[rustfmt::skip]
    let rows = [
        ("@method", MerchantRequestParts { method: "DELETE", ..READ }),
        ("@authority", MerchantRequestParts { authority: "other.example", ..READ }),
        ("@path", MerchantRequestParts { path: "/v1/events", ..READ }),
        ("@query", MerchantRequestParts { query: None, ..READ }),
        ("sealpay-merchant", MerchantRequestParts { merchant: "mer_01k9xft7g0041061050r3gg28b", ..READ }),
    ];
    let headers = signed(&READ);
    for (name, parts) in rows {
        assert_eq!(judged(&headers, &parts), Err(Invalid), "{name}");
    }
}

#[test]
fn another_body_fails_digest_and_signature() {
    let headers = signed(&WRITE);
    for body in [&b""[..], b"{\"amount\":101}", b"{\"amount\": 100}"] {
        let parts = MerchantRequestParts {
            content: Some(Content { body, ..CONTENT }),
            ..WRITE
        };
        assert_eq!(judged(&headers, &parts), Err(DigestMismatch));
        let other_digest = MerchantSignedHeaders {
            content_digest: Some(content_digest(body)),
            ..headers.clone()
        };
        assert_eq!(judged(&other_digest, &parts), Err(Invalid));
    }
    // A request without content has no body, and none can be added.
    let received = parsed(&signed(&READ)).unwrap();
    assert_eq!(received.check_digest(b"{}"), Err(DigestMismatch));
}

#[test]
fn a_request_does_not_verify_as_the_other_form() {
    let (write, read) = (signed(&WRITE), signed(&READ));
    let stripped = MerchantSignedHeaders {
        content_digest: None,
        ..write.clone()
    };
    let nothing_carried = MerchantRequestParts {
        content: None,
        ..WRITE
    };
    assert_eq!(judged(&stripped, &nothing_carried), Err(Malformed));
    let added = MerchantSignedHeaders {
        content_digest: Some(content_digest(CONTENT.body)),
        ..read
    };
    assert_eq!(judged(&added, &WRITE), Err(Malformed));
    let key = world::signing_key(world::MERCHANT_SEED).verifying_key();
    let received = parsed(&write).unwrap();
    let empty = MerchantRequestParts {
        content: None,
        ..WRITE
    };
    assert!(received.verify(&empty, &key).is_err());
}

#[test]
fn headers_of_another_form_are_malformed() {
    let good = signed(&WRITE);
    let input = &good.signature_input;
    let altered = |from: &str, to: &str| {
        let altered = input.replacen(from, to, 1);
        assert_ne!(altered, *input, "{from}");
        altered
    };
    let rows = [
        altered("\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
        altered("\"@query\" ", ""),
        altered(" \"sealpay-merchant\"", ""),
        altered("\"sealpay-merchant\"", "\"sealpay-merchant\" \"date\""),
        altered("\"sealpay-merchant\"", "\"sealpay-session\""),
        altered("\"@path\"", "\"@path\";req"),
        altered("\"@path\"", "\"@path\" \"@path\""),
        altered("sig=(", "sig1=("),
        altered("alg=\"ed25519\"", "alg=\"rsa-v1_5-sha256\""),
        altered(";alg=\"ed25519\"", ""),
        altered("tag=\"sealpay-merchant-v1\"", "tag=\"sealpay-v1\""),
        altered(";tag=\"sealpay-merchant-v1\"", ""),
        altered(&format!(";created={NOW}"), ""),
        altered(
            &format!("expires={}", NOW + 60),
            &format!("expires={}", NOW + 61),
        ),
        altered(&format!("expires={}", NOW + 60), &format!("expires={NOW}")),
        altered(
            &format!("expires={}", NOW + 60),
            &format!("expires={}", NOW - 1),
        ),
        altered(&format!("created={NOW}"), &format!("created={NOW}.0")),
        altered(&format!("created={NOW}"), &format!("created=0{NOW}")),
        altered(";keyid=\"2025-11\"", ";keyid=\"\""),
        altered(";keyid=\"2025-11\"", ";keyid=\"a b\""),
        altered(";keyid=\"2025-11\"", ";keyid=2025"),
        altered(
            ";keyid=\"2025-11\"",
            &format!(";keyid=\"{}\"", "k".repeat(65)),
        ),
        format!("{input};extra=1"),
        format!("{input}, other=()"),
        format!("{input}, {input}"),
        format!(" {input}"),
        String::new(),
        "x".repeat(2000),
    ];
    for signature_input in rows {
        let headers = MerchantSignedHeaders {
            signature_input,
            ..good.clone()
        };
        assert_eq!(
            judged(&headers, &WRITE),
            Err(Malformed),
            "{}",
            headers.signature_input
        );
    }
}

#[test]
fn signatures_are_valid_from_thirty_seconds_early_until_they_expire() {
    let key = world::signing_key(world::MERCHANT_SEED);
    let short = MerchantSignatureParameters {
        expires: NOW + 5,
        ..parameters()
    };
    for (parameters, end) in [(parameters(), NOW + 60), (short, NOW + 5)] {
        let received = parsed(&sign(&WRITE, &parameters, &key)).unwrap();
        let rows = [
            (NOW - 31, Err(FromTheFuture)),
            (NOW - 30, Ok(())),
            (end - 1, Ok(())),
            (end, Err(Expired)),
            (u64::MAX, Err(Expired)),
        ];
        for (now, expected) in rows {
            assert_eq!(received.check_freshness(now), expected, "{now}");
        }
    }
}

#[test]
fn widget_and_merchant_signatures_are_not_interchangeable() {
    let widgets = request_signature::signed_parts(&request_signature::PARTS);
    let as_merchants = MerchantSignedHeaders {
        content_digest: Some(widgets.content_digest),
        signature_input: widgets.signature_input,
        signature: widgets.signature,
    };
    assert!(matches!(parsed(&as_merchants), Err(Malformed)));
    let merchants = signed(&WRITE);
    let as_widgets = SignedHeaders {
        content_digest: merchants.content_digest.unwrap(),
        signature_input: merchants.signature_input,
        signature: merchants.signature,
    };
    let received = ReceivedSignature::parse(&ReceivedHeaders {
        content_digest: &as_widgets.content_digest,
        signature_input: &as_widgets.signature_input,
        signature: &as_widgets.signature,
    });
    assert!(matches!(received, Err(Malformed)));
}

#[test]
fn another_key_does_not_verify() {
    let received = parsed(&signed(&WRITE)).unwrap();
    let stranger = world::signing_key(1).verifying_key();
    assert_eq!(received.verify(&WRITE, &stranger), Err(Invalid));
}

proptest! {
    #[test]
    fn altering_any_character_of_a_header_is_detected(
        header in 0..3_usize, place: prop::sample::Index, replacement in "[ -~]",
    ) {
        let good = signed(&WRITE);
        let mut altered = good.clone();
        let text = match header {
            0 => altered.content_digest.as_mut().unwrap(),
            1 => &mut altered.signature_input,
            _ => &mut altered.signature,
        };
        let place = place.index(text.len());
        text.replace_range(place..=place, &replacement);
        prop_assume!(altered != good);
        prop_assert!(judged(&altered, &WRITE).is_err());
    }
}
