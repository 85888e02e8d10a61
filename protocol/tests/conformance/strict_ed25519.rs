//! Signatures that a lenient verifier accepts and a strict one must reject (RFC 8032 section 5.1.7,
//! plus points of small order), at each of the three places that verify Ed25519.
//!
//! The forged `S` were computed offline with the private keys of the vectors: with the neutral
//! point as `R`, `S = SHA-512(R ‖ A ‖ M) · a mod L` satisfies the equation without any nonce.

use crate::vector_file::RequestVector;
use crate::vectors::vectors;
use crate::world;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use sealpay_protocol::encoding::{array_from_base64url, base64, base64url, from_base64};
use sealpay_protocol::key::{KeyError, PublicJwk, verifying_key};
use sealpay_protocol::order::CompactOrder;
use sealpay_protocol::sign::RequestParts;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature};
use sealpay_protocol::webhook::{self, WebhookHeaders};

/// The order of the base point, 2^252 + 27742317777372353535851937790883648493, little-endian.
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The eight points whose order divides eight, as RFC 8032 writes them.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/// Non-canonical encodings of small-order points, which some libraries accept.
const SMALL_ORDER_AGAIN: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// Whether a signature verifies with a key.
type Passes = Box<dyn Fn(&[u8; 64], &VerifyingKey) -> bool>;

/// A place where Ed25519 is verified, with its signed message.
struct Door {
    name: &'static str,
    key: VerifyingKey,
    message: Vec<u8>,
    good: [u8; 64],
    forged_s: &'static str,
    passes: Passes,
}

fn bytes(text: &str) -> [u8; 32] {
    HEXLOWER
        .decode(text.as_bytes())
        .unwrap()
        .try_into()
        .unwrap()
}

fn order_door() -> Door {
    let order = vectors().orders.remove(0).order;
    let (signed, signature) = order.rsplit_once('.').unwrap();
    let signed = signed.to_owned();
    Door {
        name: "order",
        key: world::signing_key(world::MERCHANT_SEED).verifying_key(),
        message: signed.clone().into_bytes(),
        good: array_from_base64url(signature).unwrap(),
        forged_s: "c74f250e7667eef56616984395c0abf8ce36b2349b8effbc1d610b239e73700d",
        passes: Box::new(move |signature, key| {
            let order = [&signed, ".", &base64url(signature)].concat();
            let parsed = CompactOrder::parse(&order).unwrap();
            parsed
                .verify(key, &world::verifier_origin(), world::NOW)
                .is_ok()
        }),
    }
}

fn request_passes(vector: &RequestVector, signature: &[u8; 64], key: &VerifyingKey) -> bool {
    let received = ReceivedSignature::parse(&ReceivedHeaders {
        content_digest: &vector.content_digest,
        signature_input: &vector.signature_input,
        signature: &format!("sig=:{}:", base64(signature)),
    });
    let parts = RequestParts {
        method: &vector.method,
        authority: &vector.authority,
        path: &vector.path,
        query: vector.query.as_deref(),
        content_type: &vector.content_type,
        idempotency_key: &vector.idempotency_key,
        session: &vector.session,
        body: vector.body.as_bytes(),
    };
    received.unwrap().verify(&parts, key).is_ok()
}

fn request_door() -> Door {
    let vector = vectors().requests.remove(0);
    let signature = vector
        .signature
        .strip_prefix("sig=:")
        .unwrap()
        .trim_end_matches(':');
    Door {
        name: "request",
        key: world::signing_key(world::EPHEMERAL_SEED).verifying_key(),
        message: vector.signature_base.clone().into_bytes(),
        good: from_base64(signature).unwrap().try_into().unwrap(),
        forged_s: "bacacacb1f52bf069b8fbbbaf2b8aec8c44ec2d7c2b21527eed61560fc71c00e",
        passes: Box::new(move |signature, key| request_passes(&vector, signature, key)),
    }
}

fn webhook_door() -> Door {
    let vector = vectors().webhooks.remove(0);
    let (id, timestamp) = (vector.id.to_string(), vector.timestamp.to_string());
    let (v1a, _) = vector.signature.split_once(' ').unwrap();
    Door {
        name: "webhook",
        key: world::signing_key(world::WEBHOOK_SEED).verifying_key(),
        message: format!("{id}.{timestamp}.{}", vector.body).into_bytes(),
        good: from_base64(&v1a["v1a,".len()..])
            .unwrap()
            .try_into()
            .unwrap(),
        forged_s: "5a9a178fc59c88254eaa9d6ae0804519a81d692237be755389515ac14030cb08",
        passes: Box::new(move |signature, key| {
            let signature = &["v1a,", &base64(signature)].concat();
            let headers = WebhookHeaders {
                id: &id,
                timestamp: &timestamp,
                signature,
            };
            webhook::verify_key(&headers, vector.body.as_bytes(), key, vector.timestamp).is_ok()
        }),
    }
}

fn doors() -> [Door; 3] {
    [order_door(), request_door(), webhook_door()]
}

#[test]
fn valid_signatures_are_accepted_everywhere() {
    for door in doors() {
        assert!((door.passes)(&door.good, &door.key), "{}", door.name);
    }
}

#[test]
fn s_beyond_the_group_order_is_rejected_everywhere() {
    for door in doors() {
        let mut altered = door.good;
        // S + L satisfies the equation as S does: a second encoding of the signature.
        let mut carry = 0;
        for (byte, addend) in altered[32..].iter_mut().zip(bytes(L)) {
            let sum = u16::from(*byte) + u16::from(addend) + carry;
            *byte = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert_eq!(carry, 0);
        assert!(!(door.passes)(&altered, &door.key), "{}", door.name);
        for bit in [0x10, 0x20, 0x40, 0x80] {
            let mut altered = door.good;
            altered[63] |= bit;
            assert!(!(door.passes)(&altered, &door.key), "{} {bit:x}", door.name);
        }
    }
}

#[test]
fn r_of_small_order_is_rejected_everywhere() {
    for door in doors() {
        let forged = [bytes(SMALL_ORDER[0]), bytes(door.forged_s)].concat();
        let forged: [u8; 64] = forged.try_into().unwrap();
        let lenient = door
            .key
            .verify(&door.message, &Signature::from_bytes(&forged));
        assert!(lenient.is_ok(), "the forgery for the {} is none", door.name);
        assert!(!(door.passes)(&forged, &door.key), "{}", door.name);
    }
}

#[test]
fn universal_signatures_are_rejected_everywhere() {
    // The neutral point as key and R, and S = 0: 0·B = R + k·A for every message.
    let key = VerifyingKey::from_bytes(&bytes(SMALL_ORDER[0])).unwrap();
    let mut universal = [0; 64];
    universal[0] = 1;
    for door in doors() {
        let lenient = key.verify(&door.message, &Signature::from_bytes(&universal));
        assert!(lenient.is_ok(), "the equation holds for the {}", door.name);
        assert!(!(door.passes)(&universal, &key), "{}", door.name);
    }
}

#[test]
fn bytes_that_are_no_signature_are_rejected_everywhere() {
    for door in doors() {
        let mut without_s = door.good;
        without_s[32..].fill(0);
        let mut without_r = door.good;
        without_r[..32].fill(0);
        for signature in [[0; 64], [0xff; 64], without_s, without_r] {
            assert!(!(door.passes)(&signature, &door.key), "{}", door.name);
        }
    }
}

#[test]
fn points_of_small_order_are_no_keys_in_any_encoding() {
    for text in SMALL_ORDER.into_iter().chain(SMALL_ORDER_AGAIN) {
        let point = bytes(text);
        assert_eq!(verifying_key(&point), Err(KeyError), "{text}");
        let jwk = PublicJwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: base64url(&point),
        };
        assert_eq!(jwk.verifying_key(), Err(KeyError), "{text}");
        let text = format!("whpk_{}", base64(&point));
        assert_eq!(webhook::public_key(&text), None);
    }
}

#[test]
fn jwks_of_other_types_are_rejected() {
    let x = base64url(world::signing_key(1).verifying_key().as_bytes());
    let jwk = |kty: &str, crv: &str, x: &str| PublicJwk {
        kty: kty.into(),
        crv: crv.into(),
        x: x.into(),
    };
    let not_on_the_curve = base64url(&[2; 32]);
    let rows = [
        (jwk("OKP", "Ed25519", &x), true),
        (jwk("okp", "Ed25519", &x), false),
        (jwk("EC", "Ed25519", &x), false),
        (jwk("RSA", "Ed25519", &x), false),
        (jwk("OKP", "X25519", &x), false),
        (jwk("OKP", "Ed448", &x), false),
        (jwk("OKP", "Ed25519", ""), false),
        (jwk("OKP", "Ed25519", &x[..42]), false),
        (jwk("OKP", "Ed25519", &[&x, "="].concat()), false),
        (jwk("OKP", "Ed25519", &[&x, "AA"].concat()), false),
        (jwk("OKP", "Ed25519", &not_on_the_curve), false),
    ];
    for (jwk, good) in rows {
        assert_eq!(jwk.verifying_key().is_ok(), good, "{jwk:?}");
    }
}
