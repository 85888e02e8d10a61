//! A request signature has one form, is valid for a minute, and verifies one request only.

use crate::world::{self, NOW, counting};
use proptest::prelude::*;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature, SignatureError};
use sealpay_protocol::sign::{
    RequestParts, SignatureParameters, SignedHeaders, content_digest, sign,
};

use SignatureError::{DigestMismatch, Expired, FromTheFuture, Invalid, Malformed};

pub(crate) const PARTS: RequestParts<'static> = RequestParts {
    method: "POST",
    authority: "pay.example",
    path: "/v1/payments",
    query: None,
    content_type: "application/json",
    idempotency_key: "att_01jd0000000000000000000000",
    session: "chk_01jd0000000000000000000000",
    body: b"{\"hello\": \"world\"}",
};

pub(crate) fn signed_parts(parts: &RequestParts<'_>) -> SignedHeaders {
    let parameters = SignatureParameters {
        created: NOW,
        nonce: counting(5),
    };
    sign(
        parts,
        &parameters,
        &world::signing_key(world::EPHEMERAL_SEED),
    )
}

fn parsed(headers: &SignedHeaders) -> Result<ReceivedSignature, SignatureError> {
    ReceivedSignature::parse(&ReceivedHeaders {
        content_digest: &headers.content_digest,
        signature_input: &headers.signature_input,
        signature: &headers.signature,
    })
}

/// All the checks, in the verifier's order.
pub(crate) fn judged(
    headers: &SignedHeaders,
    parts: &RequestParts<'_>,
) -> Result<(), SignatureError> {
    let key = world::signing_key(world::EPHEMERAL_SEED).verifying_key();
    let received = parsed(headers)?;
    received.check_freshness(NOW)?;
    received.verify(parts, &key)
}

#[test]
fn unaltered_requests_verify() {
    let headers = signed_parts(&PARTS);
    assert_eq!(judged(&headers, &PARTS), Ok(()));
    let received = parsed(&headers).unwrap();
    assert_eq!(*received.thumbprint(), world::ephemeral_thumbprint());
    assert_eq!(*received.nonce(), counting(5));
    assert_eq!(received.expires_at(), NOW + 60);
}

#[test]
fn altering_any_covered_component_is_detected() {
    let headers = signed_parts(&PARTS);
    let rows = [
        (
            "@method",
            RequestParts {
                method: "PUT",
                ..PARTS
            },
        ),
        (
            "@method in small letters",
            RequestParts {
                method: "post",
                ..PARTS
            },
        ),
        (
            "@authority",
            RequestParts {
                authority: "pay.example:8443",
                ..PARTS
            },
        ),
        (
            "@path",
            RequestParts {
                path: "/v1/payments/",
                ..PARTS
            },
        ),
        (
            "@path in other letters",
            RequestParts {
                path: "/v1/Payments",
                ..PARTS
            },
        ),
        (
            "@query",
            RequestParts {
                query: Some("a=1"),
                ..PARTS
            },
        ),
        (
            "content-type",
            RequestParts {
                content_type: "application/json; charset=utf-8",
                ..PARTS
            },
        ),
        (
            "idempotency-key",
            RequestParts {
                idempotency_key: "att_01jd0000000000000000000001",
                ..PARTS
            },
        ),
        (
            "sealpay-session",
            RequestParts {
                session: "new",
                ..PARTS
            },
        ),
        (
            "path and query run together",
            RequestParts {
                path: "/v1/payments?",
                ..PARTS
            },
        ),
    ];
    for (name, parts) in rows {
        assert_eq!(judged(&headers, &parts), Err(Invalid), "{name}");
    }
    for body in [
        "",
        "{\"hello\": \"World\"}",
        "{\"hello\": \"world\"}\n",
        "{\"hello\":\"world\"}",
    ] {
        let parts = RequestParts {
            body: body.as_bytes(),
            ..PARTS
        };
        assert_eq!(judged(&headers, &parts), Err(DigestMismatch), "{body}");
        // With a digest of the other body, the signature does not match.
        let content_digest = content_digest(body.as_bytes());
        let headers = SignedHeaders {
            content_digest,
            ..headers.clone()
        };
        assert_eq!(judged(&headers, &parts), Err(Invalid), "{body}");
    }
}

#[test]
fn altering_any_parameter_is_detected() {
    let headers = signed_parts(&PARTS);
    let nonce = |first: u8| base64url(&counting::<16>(first));
    let stranger = Thumbprint::from_key(&world::signing_key(1).verifying_key());
    let ours = world::ephemeral_thumbprint();
    let input = &headers.signature_input;
    let rows = [
        (
            "times",
            input
                .replace("1763800000", "1763800001")
                .replace("1763800060", "1763800061"),
        ),
        ("nonce", input.replace(&nonce(5), &nonce(6))),
        ("keyid", input.replace(ours.as_str(), stranger.as_str())),
    ];
    for (name, signature_input) in rows {
        assert_ne!(signature_input, headers.signature_input, "{name}");
        let headers = SignedHeaders {
            signature_input,
            ..headers.clone()
        };
        assert_eq!(judged(&headers, &PARTS), Err(Invalid), "{name}");
    }
}

#[test]
fn an_empty_query_signs_like_no_query() {
    // RFC 9421 section 2.2.7: both are a lone question mark.
    let headers = signed_parts(&PARTS);
    assert_eq!(
        judged(
            &headers,
            &RequestParts {
                query: Some(""),
                ..PARTS
            }
        ),
        Ok(())
    );
}

#[test]
fn another_key_does_not_verify() {
    let headers = signed_parts(&PARTS);
    let key = world::signing_key(1).verifying_key();
    let received = parsed(&headers).unwrap();
    assert_eq!(received.verify(&PARTS, &key), Err(Invalid));
    // Nor does a signature with another key that names ours.
    let parameters = SignatureParameters {
        created: NOW,
        nonce: counting(5),
    };
    let theirs = sign(&PARTS, &parameters, &world::signing_key(1));
    let headers = SignedHeaders {
        signature: theirs.signature,
        ..headers
    };
    assert_eq!(judged(&headers, &PARTS), Err(Invalid));
}

#[test]
fn signatures_are_valid_from_thirty_seconds_early_to_sixty_late() {
    let received = parsed(&signed_parts(&PARTS)).unwrap();
    let rows = [
        (NOW - 31, Err(FromTheFuture)),
        (NOW - 30, Ok(())),
        (NOW, Ok(())),
        (NOW + 59, Ok(())),
        (NOW + 60, Err(Expired)),
        (NOW + 61, Err(Expired)),
        (0, Err(FromTheFuture)),
        (u64::MAX, Err(Expired)),
    ];
    for (now, expected) in rows {
        assert_eq!(received.check_freshness(now), expected, "{now}");
    }
}

#[test]
fn every_error_has_a_code_and_a_message() {
    let rows = [
        (SignatureError::Missing, "missing_signature"),
        (Malformed, "malformed_signature"),
        (Expired, "signature_expired"),
        (FromTheFuture, "signature_from_the_future"),
        (DigestMismatch, "digest_mismatch"),
        (Invalid, "signature_invalid"),
    ];
    for (error, code) in rows {
        assert_eq!(error.code(), code);
        let sentence = error.to_string();
        assert!(
            sentence.starts_with("The ") && sentence.ends_with('.'),
            "{sentence}"
        );
    }
}

proptest! {
    #[test]
    fn any_signed_request_verifies(
        path in "/[a-z0-9/]{0,40}",
        query in prop::option::of("[a-z0-9=&%]{0,40}"),
        body: Vec<u8>,
        created in 0_u64..1 << 40,
        nonce: [u8; 16],
    ) {
        let parts = RequestParts { path: &path, query: query.as_deref(), body: &body, ..PARTS };
        let key = world::signing_key(world::EPHEMERAL_SEED);
        let headers = sign(&parts, &SignatureParameters { created, nonce }, &key);
        let received = parsed(&headers).unwrap();
        prop_assert_eq!(received.check_freshness(created), Ok(()));
        prop_assert_eq!(received.verify(&parts, &key.verifying_key()), Ok(()));
        prop_assert_eq!(*received.nonce(), nonce);
    }

    #[test]
    fn altering_any_character_of_a_header_is_detected(
        header in 0..3_usize, place: prop::sample::Index, replacement in "[ -~]",
    ) {
        let good = signed_parts(&PARTS);
        let mut altered = good.clone();
        let text = match header {
            0 => &mut altered.content_digest,
            1 => &mut altered.signature_input,
            _ => &mut altered.signature,
        };
        let place = place.index(text.len());
        text.replace_range(place..=place, &replacement);
        prop_assume!(altered != good);
        prop_assert!(judged(&altered, &PARTS).is_err());
    }

    #[test]
    fn any_header_is_rejected_without_panic(
        input in "\\PC{0,200}", signature in "\\PC{0,100}",
    ) {
        let good = signed_parts(&PARTS);
        let headers = SignedHeaders { signature_input: input, ..good.clone() };
        prop_assert_eq!(judged(&headers, &PARTS), Err(Malformed));
        let headers = SignedHeaders { signature, ..good };
        prop_assert_eq!(judged(&headers, &PARTS), Err(Malformed));
    }
}
