//! Webhooks, the libraries called `standardwebhooks`, and Python's `cryptography`.

use super::peers::{NODE, PYTHON, Peer};
use super::running_verifier::{Shop, arrivals};
use super::{accepted, assert_refused, key, now};
use harness::client::Prepared;
use harness::webhook_receiver::{Arrival, WebhookReceiver};
use sealpay_protocol::webhook::{EndpointSecret, public_key_text, sign};
use serde_json::{Value, json};

const ID: &str = "evt_01kanar9g0000g40r40m30e209";
const BODY: &str = r#"{"type":"payment.captured","data":{"name":"№ 7"}}"#;

/// A delivery as a receiver gets it, with what each of its libraries needs to know besides.
fn delivery(timestamp: u64) -> Value {
    let secret = EndpointSecret::new([0xa5; 32]);
    let old_secret = EndpointSecret::new([0x5a; 32]);
    let signature = sign(
        ID,
        timestamp,
        BODY.as_bytes(),
        &[&key()],
        &[&old_secret, &secret],
    );
    json!({
        "headers": {
            "webhook-id": ID,
            "webhook-timestamp": timestamp.to_string(),
            "webhook-signature": signature,
        },
        "body": BODY,
        "secret": secret.reveal().as_str(),
        "public_key": public_key_text(&key().verifying_key()),
    })
}

/// The delivery as it is, and altered in every way that a receiver has to notice.
fn questions(ask: &str) -> (Value, Vec<(&'static str, Value)>) {
    let mut good = delivery(now());
    good["ask"] = ask.into();
    let altered = |place: &str, value: Value| {
        let mut question = good.clone();
        *question.pointer_mut(place).unwrap() = value;
        question
    };
    let signatures = good["headers"]["webhook-signature"].as_str().unwrap();
    let cut = &signatures[..40];
    #[rustfmt::skip]
    let rows = vec![
        ("another body", altered("/body", BODY.replace("captured", "declined").into())),
        ("a space more", altered("/body", format!("{BODY} ").into())),
        ("another id", altered("/headers/webhook-id", "evt_01kanar9g0000g40r40m30e20a".into())),
        ("another time", altered("/headers/webhook-timestamp", (now() - 7).to_string().into())),
        ("half a signature", altered("/headers/webhook-signature", cut.into())),
    ];
    (good, rows)
}

fn check(peer: &Peer, ask: &str, test: &str) {
    let (good, altered) = questions(ask);
    let mut all = vec![good];
    all.extend(altered.iter().map(|(_, question)| question.clone()));
    let Some(answers) = peer.ask(test, &all) else {
        return;
    };
    assert_eq!(*accepted(&answers[0]), true);
    for (answer, (what, _)) in answers[1..].iter().zip(&altered) {
        assert_refused(answer, what);
    }
}

#[test]
fn standardwebhooks_of_npm_accepts_our_headers() {
    let test = "standardwebhooks_of_npm_accepts_our_headers";
    check(&NODE, "verify_webhook", test);
}

#[test]
fn standardwebhooks_of_pypi_accepts_our_headers() {
    let test = "standardwebhooks_of_pypi_accepts_our_headers";
    check(&PYTHON, "verify_webhook", test);
}

#[test]
fn python_cryptography_verifies_v1a() {
    check(&PYTHON, "verify_v1a", "python_cryptography_verifies_v1a");
}

#[test]
fn standardwebhooks_rejects_a_stale_delivery() {
    let mut old = delivery(now() - 400);
    old["ask"] = "verify_webhook".into();
    for peer in [&NODE, &PYTHON] {
        let test = "standardwebhooks_rejects_a_stale_delivery";
        if let Some(answers) = peer.ask(test, std::slice::from_ref(&old)) {
            assert_refused(&answers[0], "a delivery of 400 seconds ago");
        }
    }
}

/// Bytes that came from a real verifier, as a question to a library.
fn question_of(arrival: &Arrival, ask: &str, secret: &str, public_key: &Value) -> Value {
    json!({
        "ask": ask,
        "headers": {
            "webhook-id": arrival.id,
            "webhook-timestamp": arrival.timestamp,
            "webhook-signature": arrival.signature,
        },
        "body": String::from_utf8(arrival.body.clone()).unwrap(),
        "secret": secret,
        "public_key": public_key,
    })
}

/// The same as an endpoint gets it while its secret is rotated, and the verifier's key as well.
fn in_a_rotation(question: &Value, secrets: &[&EndpointSecret]) -> Value {
    let text = |place: &str| question.pointer(place).unwrap().as_str().unwrap();
    let mut rotated = question.clone();
    rotated["headers"]["webhook-signature"] = sign(
        text("/headers/webhook-id"),
        text("/headers/webhook-timestamp").parse().unwrap(),
        text("/body").as_bytes(),
        &[&key(), &ed25519_dalek::SigningKey::from_bytes(&[0x5f; 32])],
        secrets,
    )
    .into();
    rotated["public_key"] = public_key_text(&key().verifying_key()).into();
    rotated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_libraries_accept_deliveries_during_a_secret_rotation() {
    let shop = Shop::new();
    let receiver = WebhookReceiver::start().await;
    let merchant = shop.setup.add_merchant(Some(receiver.url()));
    let stranger = EndpointSecret::new([0x77; 32]);
    let shop = shop.open().await;
    shop.pay(&merchant, None).await;
    shop.pay(&merchant, Some("insufficient_funds")).await;
    arrivals(&receiver, 2).await;
    // The third delivery is signed with the secret before and with the one after.
    let rotated = shop.rotate_secret(&merchant, 3600).await;
    shop.pay(&merchant, None).await;
    let keys: Value = shop.send(&Prepared::get_of("/v1/keys", None)).await;
    let public_key = &keys["webhook_keys"][0]["public_key"];
    let secret = merchant.webhook_secret.as_deref().unwrap();
    let parsed = EndpointSecret::parse(secret).unwrap();
    let mut good = Vec::new();
    let mut bad = Vec::new();
    let arrivals = arrivals(&receiver, 3).await;
    assert_eq!(arrivals[2].signature.matches(" v1,").count(), 2);
    good.push(question_of(
        &arrivals[2],
        "verify_webhook",
        &rotated,
        public_key,
    ));
    bad.push(question_of(
        &arrivals[1],
        "verify_webhook",
        &rotated,
        public_key,
    ));
    for arrival in arrivals {
        let question = |ask| question_of(&arrival, ask, secret, public_key);
        let verify = question("verify_webhook");
        // Whichever of the two a receiver still has, and wherever in the list its own stands.
        good.push(in_a_rotation(&verify, &[&stranger, &parsed]));
        good.push(in_a_rotation(&verify, &[&parsed, &stranger]));
        bad.push(in_a_rotation(&verify, &[&stranger]));
        for (place, text) in [
            ("/body", format!("{} ", verify["body"].as_str().unwrap())),
            ("/secret", stranger.reveal().to_string()),
            (
                "/headers/webhook-id",
                "evt_01kanar9g0000g40r40m30e20a".into(),
            ),
            ("/headers/webhook-timestamp", (arrival.at - 7).to_string()),
        ] {
            let mut altered = verify.clone();
            *altered.pointer_mut(place).unwrap() = text.into();
            bad.push(altered);
        }
        good.push(verify);
        for rotated in [false, true] {
            let verify = question("verify_v1a");
            good.push(if rotated {
                in_a_rotation(&verify, &[])
            } else {
                verify
            });
        }
    }
    let test = "published_libraries_accept_deliveries_during_a_secret_rotation";
    // No published library reads v1a: in Python it is `cryptography` that does.
    for (peer, reads_v1a) in [(&NODE, false), (&PYTHON, true)] {
        let understands = |question: &&Value| reads_v1a || question["ask"] == "verify_webhook";
        let questions: Vec<Value> = good.iter().filter(understands).cloned().collect();
        let count = questions.len();
        let all = [questions, bad.clone()].concat();
        let Some(answers) = peer.ask(test, &all) else {
            continue;
        };
        for answer in &answers[..count] {
            assert_eq!(*accepted(answer), true);
        }
        for (answer, question) in answers[count..].iter().zip(&bad) {
            assert_refused(answer, &question.to_string());
        }
    }
}
