//! The vectors of merchants' signatures, in a file of their own because version 1 of the other file
//! never changes. This one does not change either. It was made by
//!
//! ```text
//! cargo test -p sealpay-protocol --test treaty print_the_merchant_vectors -- --ignored --nocapture
//! ```

use crate::world::{self, MERCHANT_KEY_ID, NOW, counting};
use sealpay_protocol::encoding::{array_from_base64url, base64url, hex};
use sealpay_protocol::key::PublicJwk;
use sealpay_protocol::sign::merchant::{
    Content, MerchantRequestParts, MerchantSignatureParameters, sign, signature_base,
    signature_params,
};
use sealpay_protocol::sign::verify::merchant::{
    ReceivedMerchantHeaders, ReceivedMerchantSignature,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const FILE: &str = include_str!("../../vectors/sealpay-merchant-v1.json");

/// Other implementations test against this file: another digest is another protocol.
const SHA256_OF_THE_FILE: &str = "eaeb09ca82aebb519a3e21f81c5566c2f16e982a28f8790012e3c9bc7547568f";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    version: u32,
    about: Vec<String>,
    merchant_key: KeyVector,
    merchant_requests: Vec<RequestVector>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyVector {
    seed: String,
    key: PublicJwk,
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestVector {
    name: String,
    method: String,
    authority: String,
    path: String,
    query: Option<String>,
    content_type: Option<String>,
    idempotency_key: Option<String>,
    merchant: String,
    body: String,
    created: u64,
    expires: u64,
    nonce: String,
    content_digest: Option<String>,
    signature_base: String,
    signature_input: String,
    signature: String,
}

fn request(
    name: &str,
    parts: &MerchantRequestParts<'_>,
    parameters: &MerchantSignatureParameters,
) -> RequestVector {
    let key = world::signing_key(world::MERCHANT_SEED);
    let signed = sign(parts, parameters, &key);
    let signature_params = signature_params(parameters, parts.content.is_some());
    let body = parts.content.map_or(&b""[..], |content| content.body);
    RequestVector {
        name: name.into(),
        method: parts.method.into(),
        authority: parts.authority.into(),
        path: parts.path.into(),
        query: parts.query.map(str::to_owned),
        content_type: parts.content.map(|content| content.content_type.into()),
        idempotency_key: parts.content.map(|content| content.idempotency_key.into()),
        merchant: parts.merchant.into(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        created: parameters.created,
        expires: parameters.expires,
        nonce: base64url(&parameters.nonce),
        signature_base: signature_base(parts, signed.content_digest.as_deref(), &signature_params),
        content_digest: signed.content_digest,
        signature_input: signed.signature_input,
        signature: signed.signature,
    }
}

fn vectors() -> Vectors {
    let merchant = world::merchant().to_string();
    let refund = MerchantRequestParts {
        method: "POST",
        authority: "pay.example",
        path: "/v1/payments/pay_01kanar9g0000g40r40m30e209/refunds",
        query: None,
        content: Some(Content {
            content_type: "application/json",
            idempotency_key: "refund-1001-1",
            body: br#"{"amount":990,"reference":"R-1"}"#,
        }),
        merchant: &merchant,
    };
    let list = MerchantRequestParts {
        method: "GET",
        path: "/v1/payments",
        query: Some("state=captured&limit=2"),
        content: None,
        ..refund
    };
    let capture = MerchantRequestParts {
        authority: "localhost:8787",
        path: "/v1/payments/pay_01kanar9g0000g40r40m30e209/captures",
        content: Some(Content {
            content_type: "application/json",
            idempotency_key: "capture-1001",
            body: b"",
        }),
        ..refund
    };
    let parameters = |place: u8| {
        let created = NOW + u64::from(place);
        MerchantSignatureParameters::new(created, counting(16 * place), MERCHANT_KEY_ID)
    };
    let short = MerchantSignatureParameters {
        expires: NOW + 12,
        ..parameters(2)
    };
    Vectors {
        version: 1,
        about: [
            "Vectors of requests that a merchant's server signs with its order key: docs/reference/protocol.md section 8.",
            "They never change; a change of the protocol would be another file.",
            "The private key in it is public: use it nowhere.",
        ]
        .map(String::from)
        .to_vec(),
        merchant_key: KeyVector {
            seed: hex(&counting::<32>(world::MERCHANT_SEED)),
            key: PublicJwk::from_key(&world::signing_key(world::MERCHANT_SEED).verifying_key()),
            key_id: MERCHANT_KEY_ID.into(),
        },
        merchant_requests: vec![
            request("money is given back", &refund, &parameters(0)),
            request("payments are listed", &list, &parameters(1)),
            request("an empty body, a shorter life", &capture, &short),
        ],
    }
}

fn file() -> String {
    serde_json::to_string_pretty(&vectors()).unwrap() + "\n"
}

#[test]
#[ignore = "prints the file of the vectors"]
fn print_the_merchant_vectors() {
    print!("{}", file());
}

#[test]
fn the_file_of_merchants_vectors_never_changes() {
    assert_eq!(
        hex(&Sha256::digest(FILE.as_bytes())),
        SHA256_OF_THE_FILE,
        "Version 1 is what others have implemented. A change of the protocol is a version 2."
    );
}

#[test]
fn merchants_requests_are_recomputed_and_verified() {
    // As JSON and not as text, because the order of members depends on a feature of the library.
    let made: serde_json::Value = serde_json::from_str(&file()).unwrap();
    let kept: serde_json::Value = serde_json::from_str(FILE).unwrap();
    assert!(made == kept);
    let vectors: Vectors = serde_json::from_str(FILE).unwrap();
    let key = vectors.merchant_key.key.verifying_key().unwrap();
    for vector in &vectors.merchant_requests {
        let content = vector.content_type.as_deref().map(|content_type| Content {
            content_type,
            idempotency_key: vector.idempotency_key.as_deref().unwrap(),
            body: vector.body.as_bytes(),
        });
        let parts = MerchantRequestParts {
            method: &vector.method,
            authority: &vector.authority,
            path: &vector.path,
            query: vector.query.as_deref(),
            content,
            merchant: &vector.merchant,
        };
        let received = ReceivedMerchantSignature::parse(&ReceivedMerchantHeaders {
            content_digest: vector.content_digest.as_deref(),
            signature_input: &vector.signature_input,
            signature: &vector.signature,
        });
        let received = received.unwrap();
        assert_eq!(received.key_id(), vectors.merchant_key.key_id);
        assert_eq!(
            *received.nonce(),
            array_from_base64url::<16>(&vector.nonce).unwrap()
        );
        received.check_freshness(vector.expires - 1).unwrap();
        assert!(received.check_freshness(vector.expires).is_err());
        received.verify(&parts, &key).unwrap();
    }
    assert_eq!(vectors.merchant_requests.len(), 3);
}
