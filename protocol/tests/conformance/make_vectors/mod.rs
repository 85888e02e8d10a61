//! Generates `vectors/sealpay-v1.json`, so that the file can be reproduced:
//!
//! ```text
//! cargo test -p sealpay-protocol --test conformance print_the_vectors -- --ignored --nocapture
//! ```
//!
//! HPKE draws randomness. Here it receives 64 fixed bytes: X-Wing takes the first 32 as the message
//! of ML-KEM-768 and the others as the private key of X25519 (the `eseed` of EncapsulateDerand in
//! draft-connolly-cfrg-xwing-kem-10).

mod messages;

use crate::vector_file::{
    CardVector, ContextVector, EndpointSecretVector, IdVector, MoneyVector, OrderVector,
    SealedCardVector, SealingKeyVector, SigningKeyVector, Vectors, WebhookKeyVector,
};
use crate::world::{self, Given, NOW, counting};
use ed25519_dalek::Signer;
use sealpay_protocol::encoding::{base64url, hex};
use sealpay_protocol::envelope::{SealContext, plaintext};
use sealpay_protocol::ids::{
    ApiKeyId, AttemptId, EndpointId, EventId, MerchantId, PaymentId, RequestId, SessionId,
};
use sealpay_protocol::key::{PublicJwk, Thumbprint};
use sealpay_protocol::money::Money;
use sealpay_protocol::order::{self, Capture, OrderClaims, OrderItem, Simulate};
use sealpay_protocol::seal::seal;
use sealpay_protocol::webhook;

#[test]
#[ignore = "prints the file of the vectors"]
fn print_the_vectors() {
    print!("{}", file());
}

/// The text of the file.
pub(crate) fn file() -> String {
    let mut text = serde_json::to_string_pretty(&vectors()).unwrap();
    text.push('\n');
    text
}

fn vectors() -> Vectors {
    let orders = orders();
    let sealed_cards = sealed_cards(&orders);
    let requests = messages::requests(&orders, &sealed_cards);
    Vectors {
        version: 1,
        about: [
            "Vectors of the Sealpay protocol, version 1: see docs/reference/protocol.md.",
            "They never change; a change of the protocol would be another file.",
            "The private keys in it are public: use them nowhere.",
            "Bytes that travel are written as they travel, others in lowercase hexadecimal.",
            "orders are signed by merchant_key, requests by ephemeral_key.",
            "sealed_cards are sealed to sealing_key; random are the 64 bytes that X-Wing draws for \
             the encapsulation: 32 for ML-KEM-768, then the private key of X25519.",
        ]
        .map(String::from)
        .to_vec(),
        ids: ids(),
        money: money(),
        sealing_key: sealing_key(),
        ephemeral_key: signing_key(world::EPHEMERAL_SEED),
        merchant_key: signing_key(world::MERCHANT_SEED),
        webhook_keys: [world::WEBHOOK_SEED, world::NEXT_WEBHOOK_SEED]
            .map(|seed| WebhookKeyVector {
                seed: hex(&counting::<32>(seed)),
                public_key: webhook::public_key_text(&world::signing_key(seed).verifying_key()),
            })
            .into(),
        endpoint_secrets: [world::ENDPOINT_SECRET, world::NEXT_ENDPOINT_SECRET]
            .map(|first| EndpointSecretVector {
                bytes: hex(&counting::<32>(first)),
                secret: world::endpoint_secret(first).reveal().as_str().into(),
            })
            .into(),
        orders,
        requests,
        sealed_cards,
        webhooks: messages::webhooks(),
    }
}

fn ids() -> Vec<IdVector> {
    let last_ms = (1 << 48) - 1;
    let rows = [
        (0, [0; 10], MerchantId::new(0, [0; 10]).to_string()),
        (1, [0; 10], SessionId::new(1, [0; 10]).to_string()),
        (
            last_ms,
            [255; 10],
            AttemptId::new(last_ms, [255; 10]).to_string(),
        ),
        (
            NOW * 1000,
            counting(0),
            PaymentId::new(NOW * 1000, counting(0)).to_string(),
        ),
        (
            NOW * 1000,
            counting(1),
            EventId::new(NOW * 1000, counting(1)).to_string(),
        ),
        (
            NOW * 1000,
            counting(2),
            EndpointId::new(NOW * 1000, counting(2)).to_string(),
        ),
        (
            NOW * 1000,
            counting(3),
            ApiKeyId::new(NOW * 1000, counting(3)).to_string(),
        ),
        (
            NOW * 1000,
            counting(240),
            RequestId::new(NOW * 1000, counting(240)).to_string(),
        ),
    ];
    rows.map(|(unix_ms, random, text)| IdVector {
        prefix: text[..3].into(),
        unix_ms,
        random: hex(&random),
        text,
    })
    .into()
}

fn money() -> Vec<MoneyVector> {
    let rows = [
        (1, "EUR"),
        (2490, "EUR"),
        (500, "JPY"),
        (1500, "KWD"),
        (5, "TND"),
        (999_999_999_999, "USD"),
    ];
    rows.map(|(amount, code)| {
        let currency = code.parse().unwrap();
        MoneyVector {
            amount,
            currency,
            decimal: Money::charge(amount, currency).unwrap().decimal(),
        }
    })
    .into()
}

fn sealing_key() -> SealingKeyVector {
    let key = world::sealing_key();
    SealingKeyVector {
        seed: hex(&counting::<32>(world::SEALING_SEED)),
        public_key: key.public_key().to_base64url(),
        kid: key.key_id().into(),
    }
}

fn signing_key(first: u8) -> SigningKeyVector {
    let key = world::signing_key(first).verifying_key();
    SigningKeyVector {
        seed: hex(&counting::<32>(first)),
        key: PublicJwk::from_key(&key),
        thumbprint: Thumbprint::from_key(&key).as_str().into(),
    }
}

/// An order with every claim, in a currency without decimals.
fn full_claims() -> OrderClaims {
    let item = |name: &str, quantity, amount| OrderItem {
        name: name.into(),
        quantity,
        amount,
    };
    OrderClaims {
        jti: "b6b1f0e2-7f0e-4b58-9d3e-0c8f6c1f2a11".into(),
        exp: NOW + 600,
        amount: 4200,
        currency: "JPY".into(),
        order_ref: "2025/11 #42".into(),
        capture: Capture::Manual,
        parent_origins: vec![
            world::origin("https://shop.example"),
            world::origin("http://localhost:4242"),
        ],
        description: Some("紙の灯籠 – two paper lanterns".into()),
        items: Some(vec![
            item("Paper lantern \"Akari\"", 2, 4000),
            item("Postage", 1, 500),
            item("Voucher", 1, -300),
        ]),
        customer: Some("customer 7".into()),
        methods: None,
        billing_country: None,
        authentication: None,
        simulate: Some(Simulate {
            outcome: "insufficient_funds".into(),
        }),
        ..world::claims()
    }
}

fn orders() -> Vec<OrderVector> {
    let rows = [
        ("only what an order must have", "Ed25519", world::claims()),
        (
            "everything that an order may have",
            "Ed25519",
            full_claims(),
        ),
        ("the older name of the algorithm", "EdDSA", world::claims()),
    ];
    rows.map(|(name, algorithm, claims)| {
        let key = world::signing_key(world::MERCHANT_SEED);
        let kid = world::MERCHANT_KEY_ID;
        let header = format!(r#"{{"alg":"{algorithm}","typ":"sealpay-order+jwt","kid":"{kid}"}}"#);
        let payload = serde_json::to_string(&claims).unwrap();
        let parts = [header.as_bytes(), payload.as_bytes()].map(base64url);
        let signed = parts.join(".");
        let signature = base64url(&key.sign(signed.as_bytes()).to_bytes());
        let order = [signed, signature].join(".");
        OrderVector {
            name: name.into(),
            header,
            payload,
            order_digest: hex(&order::digest(&order)),
            order,
        }
    })
    .into()
}

fn sealed_cards(orders: &[OrderVector]) -> Vec<SealedCardVector> {
    let rows = [
        ("no holder", "4242424242424242", "203012", "123", ""),
        (
            "four digits of security code, fifteen of number",
            "378282246310005",
            "202511",
            "1234",
            "Ada Lovelace",
        ),
        (
            "nineteen digits, a holder in UTF-8",
            "4242424242424242428",
            "204501",
            "007",
            "Ὑπατία Ἀλεξανδρινή",
        ),
    ];
    let mut vectors = Vec::new();
    for (index, (name, number, expiry, security_code, holder)) in (0..).zip(rows) {
        // The third card belongs to the second order again, in yen and for another attempt.
        let order = &orders[usize::from(index > 0)];
        vectors.push(sealed_card(
            order,
            index,
            name,
            &CardVector {
                number: number.into(),
                expiry: expiry.into(),
                security_code: security_code.into(),
                holder: (!holder.is_empty()).then(|| holder.into()),
            },
        ));
    }
    vectors
}

fn sealed_card(
    order: &OrderVector,
    index: u8,
    name: &str,
    details: &CardVector,
) -> SealedCardVector {
    let claims: OrderClaims = serde_json::from_str(&order.payload).unwrap();
    let holder = details.holder.as_deref().unwrap_or_default();
    let card = world::card(
        &details.number,
        &details.expiry,
        &details.security_code,
        holder,
    );
    let key = world::sealing_key();
    let order_digest = order::digest(&order.order);
    let thumbprint = world::ephemeral_thumbprint();
    let currency = claims.currency.parse().unwrap();
    let context = SealContext {
        verifier_origin: &claims.aud,
        merchant: claims.iss,
        session: world::session(),
        money: Money::charge(claims.amount, currency).unwrap(),
        session_expires_at: claims.exp,
        attempt: AttemptId::new(NOW * 1000 + 42_000, counting(index)),
        thumbprint: &thumbprint,
        order_digest: &order_digest,
    };
    let random: [u8; 64] = counting(64 * index);
    let sealed = seal(&card, &key.public_key(), &context, &mut Given::new(&random)).unwrap();
    SealedCardVector {
        name: name.into(),
        now: NOW,
        card: CardVector {
            number: details.number.clone(),
            expiry: details.expiry.clone(),
            security_code: details.security_code.clone(),
            holder: details.holder.clone(),
        },
        context: ContextVector {
            verifier_origin: claims.aud.clone(),
            merchant: context.merchant,
            session: context.session,
            amount: claims.amount,
            currency,
            session_expires_at: context.session_expires_at,
            attempt: context.attempt,
            thumbprint: thumbprint.as_str().into(),
            order_digest: hex(&order_digest),
        },
        random: hex(&random),
        plaintext: hex(&*plaintext(&card)),
        info: hex(&[b"sealpay/v1/card\0", key.key_id().as_bytes()].concat()),
        associated_data: hex(&context.associated_data(key.key_id())),
        sealed,
    }
}
