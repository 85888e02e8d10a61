//! Published vectors of the standards that the protocol uses.

use crate::world::Given;
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer, SigningKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::key::verifying_key;
use sealpay_protocol::seal::SealingPrivateKey;
use sealpay_protocol::secret::Secret;
use sealpay_protocol::sign::content_digest;
use serde_json::Value;

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn bytes(value: &Value, member: &str) -> Vec<u8> {
    HEXLOWER.decode(text(value, member).as_bytes()).unwrap()
}

#[test]
fn ed25519_matches_rfc_8032_section_7_1() {
    let file: Value =
        serde_json::from_str(include_str!("../../vectors/rfc8032_ed25519.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        let seed = bytes(vector, "sk").try_into().unwrap();
        let message = bytes(vector, "msg");
        let signature = SigningKey::from_bytes(&seed).sign(&message);
        assert_eq!(signature.to_bytes().as_slice(), bytes(vector, "sig"));
        let key = verifying_key(&bytes(vector, "pk").try_into().unwrap()).unwrap();
        assert!(key.verify_strict(&message, &signature).is_ok());
    }
    assert_eq!(vectors.len(), 2);
}

/// Opens every message of a vector, and recomputes its encapsulation and first message.
fn check_hpke<K: Kem>(vector: &Value) {
    let [info, private_key, public_key, enc] =
        ["info", "skRm", "pkRm", "enc"].map(|member| bytes(vector, member));
    let private_key = K::PrivateKey::from_bytes(&private_key).unwrap();
    let public_key = K::PublicKey::from_bytes(&public_key).unwrap();
    assert!(K::sk_to_pk(&private_key) == public_key);
    let encapped = K::EncappedKey::from_bytes(&enc).unwrap();
    let mut receiver = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        &private_key,
        &encapped,
        &info,
    )
    .unwrap();
    let messages = vector["encryptions"].as_array().unwrap();
    // Some messages of RFC 9180 have distant sequence numbers. The context counts by itself, so
    // only consecutive messages are opened.
    for message in messages.iter().take(3) {
        let [ciphertext, associated_data, plaintext] =
            ["ct", "aad", "pt"].map(|member| bytes(message, member));
        let opened = receiver.open(&ciphertext, &associated_data).unwrap();
        assert_eq!(opened, plaintext);
    }
    let [ciphertext, associated_data, plaintext] =
        ["ct", "aad", "pt"].map(|member| bytes(&messages[0], member));
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        &private_key,
        &encapped,
        &info,
        &ciphertext,
        &associated_data,
    );
    assert_eq!(opened.unwrap(), plaintext);
    let (encapped, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeS::Base,
        &public_key,
        &info,
        &plaintext,
        &associated_data,
        &mut Given::new(&bytes(vector, "ikmE")),
    )
    .unwrap();
    assert_eq!(encapped.to_bytes().to_vec(), enc);
    assert_eq!(sealed, ciphertext);
}

/// The vector of a file for base mode with a KEM, HKDF-SHA256 and ChaCha20-Poly1305.
fn base_mode_vector(file: &str, kem_id: u64) -> Value {
    let vectors: Vec<Value> = serde_json::from_str(file).unwrap();
    let wanted = [0, kem_id, 1, 3].map(Value::from);
    let mut found = vectors.into_iter().filter(|vector| {
        ["mode", "kem_id", "kdf_id", "aead_id"].map(|member| vector[member].clone()) == wanted
    });
    found.next().unwrap()
}

#[test]
fn hpke_matches_rfc_9180_appendix_a2() {
    let file = include_str!("../../vectors/rfc9180_x25519_vectors.json");
    check_hpke::<X25519HkdfSha256>(&base_mode_vector(file, 0x20));
}

#[test]
fn hpke_with_x_wing_matches_the_draft() {
    let file = include_str!("../../vectors/hpke-pq_test-vectors.json");
    let vector = base_mode_vector(file, 0x647a);
    check_hpke::<XWing>(&vector);
    let seed = Secret::new(bytes(&vector, "skRm").try_into().unwrap());
    let key = SealingPrivateKey::from_seed(&seed).unwrap();
    let public_key = key.public_key().to_base64url();
    assert_eq!(public_key, base64url(&bytes(&vector, "pkRm")));
}

#[test]
fn signatures_match_rfc_9421_appendix_b_2_6() {
    let vector: Value =
        serde_json::from_str(include_str!("../../vectors/rfc9421_b26.json")).unwrap();
    // The last 32 bytes of both encodings are the key (RFC 8410 sections 4 and 7).
    let [private_key, public_key] =
        ["private_key_pkcs8_b64", "public_key_spki_b64"].map(|member| {
            let der = BASE64.decode(text(&vector, member).as_bytes()).unwrap();
            <[u8; 32]>::try_from(&der[der.len() - 32..]).unwrap()
        });
    let base = text(&vector, "signature_base");
    let input = text(&vector, "signature_input");
    let parameters = input.strip_prefix("sig-b26=").unwrap();
    assert!(base.ends_with(&["\n\"@signature-params\": ", parameters].concat()));
    let signature = SigningKey::from_bytes(&private_key).sign(base.as_bytes());
    let header = ["sig-b26=:", &BASE64.encode(&signature.to_bytes()), ":"].concat();
    assert_eq!(header, text(&vector, "signature"));
    let key = verifying_key(&public_key).unwrap();
    let received = BASE64.decode(&header.as_bytes()["sig-b26=:".len()..header.len() - 1]);
    let received = Signature::from_slice(&received.unwrap()).unwrap();
    assert!(key.verify_strict(base.as_bytes(), &received).is_ok());
}

#[test]
fn content_digests_match_rfc_9530() {
    let rows = [
        (
            "{\"hello\": \"world\"}\n",
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
        ),
        (
            "{\"hello\": \"world\"}",
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(content_digest(body.as_bytes()), expected);
    }
}
