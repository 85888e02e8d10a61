//! Version 1 of the vectors: the file never changes, and everything in it can be recomputed.

use crate::vector_file::{CardVector, ContextVector, Vectors};
use crate::world::Given;
use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use sealpay_protocol::card::{Card, CardNumber, Expiry, Holder, SecurityCode, YearMonth};
use sealpay_protocol::encoding::{array_from_base64url, base64url, hex};
use sealpay_protocol::envelope::{SealContext, plaintext};
use sealpay_protocol::ids::{
    ApiKeyId, AttemptId, EndpointId, EventId, MerchantId, PaymentId, RequestId, SessionId,
};
use sealpay_protocol::key::{PublicJwk, Thumbprint};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{self, CompactOrder, OrderClaims};
use sealpay_protocol::seal::{SealingPrivateKey, open, seal};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::sign::verify::{ReceivedHeaders, ReceivedSignature};
use sealpay_protocol::sign::{
    RequestParts, SignatureParameters, sign, signature_base, signature_params,
};
use sealpay_protocol::webhook::{self, EndpointSecret, WebhookHeaders};
use sha2::{Digest, Sha256};

/// Other implementations test against this file; changing it changes the protocol.
const SHA256_OF_THE_FILE: &str = "21f3cfe3957becf60afe9f21c16f4cb7c805ada897ce4b4a84c4a2c9450813d3";

const FILE: &str = include_str!("../../vectors/sealpay-v1.json");

pub(crate) fn vectors() -> Vectors {
    serde_json::from_str(FILE).unwrap()
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let bytes = HEXLOWER.decode(text.as_bytes()).unwrap();
    bytes.try_into().unwrap()
}

fn signing_key(seed: &str) -> SigningKey {
    SigningKey::from_bytes(&bytes(seed))
}

#[test]
fn version_1_of_the_file_never_changes() {
    assert_eq!(
        hex(&Sha256::digest(FILE.as_bytes())),
        SHA256_OF_THE_FILE,
        "Version 1 is what others have implemented. A change of the protocol is a version 2."
    );
}

#[test]
fn the_generator_reproduces_the_file() {
    // Compared as JSON, not as text: the order of members depends on a feature of the JSON library
    // that another crate of the workspace may enable.
    let made: serde_json::Value = serde_json::from_str(&crate::make_vectors::file()).unwrap();
    let kept: serde_json::Value = serde_json::from_str(FILE).unwrap();
    assert!(made == kept);
}

#[test]
fn ids_are_recomputed() {
    let vectors = vectors();
    for vector in &vectors.ids {
        let (unix_ms, random) = (vector.unix_ms, bytes(&vector.random));
        let text = match vector.prefix.as_str() {
            "mer" => MerchantId::new(unix_ms, random).to_string(),
            "chk" => SessionId::new(unix_ms, random).to_string(),
            "att" => AttemptId::new(unix_ms, random).to_string(),
            "pay" => PaymentId::new(unix_ms, random).to_string(),
            "evt" => EventId::new(unix_ms, random).to_string(),
            "whe" => EndpointId::new(unix_ms, random).to_string(),
            "key" => ApiKeyId::new(unix_ms, random).to_string(),
            "req" => RequestId::new(unix_ms, random).to_string(),
            other => panic!("there is no prefix {other}"),
        };
        assert_eq!(text, vector.text);
    }
    assert_eq!(vectors.ids.len(), 8);
}

#[test]
fn money_is_recomputed() {
    let vectors = vectors();
    for vector in &vectors.money {
        let money = Money::charge(vector.amount, vector.currency).unwrap();
        assert_eq!(money.decimal(), vector.decimal);
    }
    assert_eq!(vectors.money.len(), 6);
}

#[test]
fn keys_are_recomputed() {
    let vectors = vectors();
    let sealing = &vectors.sealing_key;
    let key = SealingPrivateKey::from_seed(&Secret::new(bytes(&sealing.seed))).unwrap();
    assert_eq!(key.public_key().to_base64url(), sealing.public_key);
    assert_eq!(key.key_id(), sealing.kid);
    for vector in [&vectors.ephemeral_key, &vectors.merchant_key] {
        let key = signing_key(&vector.seed).verifying_key();
        assert_eq!(PublicJwk::from_key(&key), vector.key);
        assert_eq!(vector.key.verifying_key().unwrap(), key);
        assert_eq!(Thumbprint::from_key(&key).as_str(), vector.thumbprint);
    }
    for vector in &vectors.webhook_keys {
        let key = signing_key(&vector.seed).verifying_key();
        assert_eq!(webhook::public_key_text(&key), vector.public_key);
        assert_eq!(webhook::public_key(&vector.public_key).unwrap(), key);
    }
    for vector in &vectors.endpoint_secrets {
        let secret = EndpointSecret::new(bytes(&vector.bytes));
        assert_eq!(*secret.reveal(), vector.secret);
        let read = EndpointSecret::parse(&vector.secret).unwrap();
        assert_eq!(read.bytes(), secret.bytes());
    }
}

#[test]
fn orders_are_recomputed_and_verified() {
    let vectors = vectors();
    let key = signing_key(&vectors.merchant_key.seed);
    for vector in &vectors.orders {
        let claims: OrderClaims = serde_json::from_str(&vector.payload).unwrap();
        let mut parts = vector.order.split('.');
        let mut part = || parts.next().unwrap();
        assert_eq!(part(), base64url(vector.header.as_bytes()));
        assert_eq!(part(), base64url(vector.payload.as_bytes()));
        assert_eq!(hex(&order::digest(&vector.order)), vector.order_digest);
        let compact = CompactOrder::parse(&vector.order).unwrap();
        if vector.header.contains("\"Ed25519\"") {
            let signed = order::sign(&claims, compact.key_id(), &key).unwrap();
            assert_eq!(signed, vector.order, "{}", vector.name);
        }
        let verified = compact.verify(&key.verifying_key(), &claims.aud, claims.iat);
        assert_eq!(*verified.unwrap().claims(), claims, "{}", vector.name);
    }
    assert_eq!(vectors.orders.len(), 3);
}

#[test]
fn requests_are_recomputed_and_verified() {
    let vectors = vectors();
    let key = signing_key(&vectors.ephemeral_key.seed);
    for vector in &vectors.requests {
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
        let parameters = SignatureParameters {
            created: vector.created,
            nonce: array_from_base64url(&vector.nonce).unwrap(),
        };
        let signed = sign(&parts, &parameters, &key);
        assert_eq!(signed.content_digest, vector.content_digest);
        assert_eq!(signed.signature_input, vector.signature_input);
        assert_eq!(signed.signature, vector.signature, "{}", vector.name);
        let thumbprint = Thumbprint::from_key(&key.verifying_key());
        let signature_params = signature_params(&parameters, &thumbprint);
        let base = signature_base(&parts, &vector.content_digest, &signature_params);
        assert_eq!(base, vector.signature_base);
        let received = ReceivedSignature::parse(&ReceivedHeaders {
            content_digest: &vector.content_digest,
            signature_input: &vector.signature_input,
            signature: &vector.signature,
        });
        let received = received.unwrap();
        received.check_freshness(vector.created).unwrap();
        received.verify(&parts, &key.verifying_key()).unwrap();
    }
    assert_eq!(vectors.requests.len(), 3);
}

#[test]
fn sealed_cards_are_recomputed_and_opened() {
    let vectors = vectors();
    let seed = Secret::new(bytes(&vectors.sealing_key.seed));
    let key = SealingPrivateKey::from_seed(&seed).unwrap();
    for vector in &vectors.sealed_cards {
        let today = YearMonth::from_unix_seconds(vector.now);
        let card = vector.card.card(today);
        assert_eq!(hex(&*plaintext(&card)), vector.plaintext, "{}", vector.name);
        let info = [b"sealpay/v1/card\0", key.key_id().as_bytes()].concat();
        assert_eq!(hex(&info), vector.info);
        vector.context.lend(|context| {
            let associated_data = context.associated_data(key.key_id());
            assert_eq!(hex(&associated_data), vector.associated_data);
            let mut random = Given::new(&bytes::<64>(&vector.random));
            let sealed = seal(&card, &key.public_key(), context, &mut random).unwrap();
            assert_eq!(random.left(), 0, "an encapsulation draws 64 bytes");
            assert!(sealed == vector.sealed, "{}", vector.name);
            let opened = open(&vector.sealed, &key, context, today).unwrap();
            assert_eq!(*plaintext(&opened), *plaintext(&card));
        });
    }
    assert_eq!(vectors.sealed_cards.len(), 3);
}

#[test]
fn webhooks_are_recomputed_and_verified() {
    let vectors = vectors();
    for vector in &vectors.webhooks {
        let keys: Vec<_> = vector.seeds.iter().map(|seed| signing_key(seed)).collect();
        let secrets: Vec<_> = vector
            .secrets
            .iter()
            .map(|s| EndpointSecret::parse(s).unwrap())
            .collect();
        let (id, body) = (vector.id.to_string(), vector.body.as_bytes());
        let signature = webhook::sign(
            &id,
            vector.timestamp,
            body,
            &keys.iter().collect::<Vec<_>>(),
            &secrets.iter().collect::<Vec<_>>(),
        );
        assert_eq!(signature, vector.signature, "{}", vector.name);
        let headers = WebhookHeaders {
            id: &id,
            timestamp: &vector.timestamp.to_string(),
            signature: &vector.signature,
        };
        for key in &keys {
            let key = key.verifying_key();
            webhook::verify_key(&headers, body, &key, vector.timestamp).unwrap();
        }
        for secret in &secrets {
            webhook::verify_secret(&headers, body, secret, vector.timestamp).unwrap();
        }
    }
    assert_eq!(vectors.webhooks.len(), 2);
}

impl CardVector {
    fn card(&self, today: YearMonth) -> Card {
        let number = CardNumber::parse(&self.number).unwrap();
        let security_code = SecurityCode::parse(&self.security_code, number.brand()).unwrap();
        Card {
            number,
            expiry: Expiry::from_yyyymm(&self.expiry, today).unwrap(),
            security_code,
            holder: self
                .holder
                .as_ref()
                .map(|text| Holder::parse(text).unwrap()),
        }
    }
}

impl ContextVector {
    fn lend(&self, then: impl FnOnce(&SealContext<'_>)) {
        then(&SealContext {
            verifier_origin: &self.verifier_origin,
            merchant: self.merchant,
            session: self.session,
            money: Money::charge(self.amount, self.currency).unwrap(),
            session_expires_at: self.session_expires_at,
            attempt: self.attempt,
            thumbprint: &Thumbprint::parse(&self.thumbprint).unwrap(),
            order_digest: &bytes(&self.order_digest),
        });
    }
}
