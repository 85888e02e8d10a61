//! Webhooks, the libraries called `standardwebhooks`, and Python's `cryptography`.

use super::peers::{NODE, PYTHON, Peer};
use super::{accepted, assert_refused, key, now};
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
    let rows = vec![
        (
            "another body",
            altered("/body", BODY.replace("captured", "declined").into()),
        ),
        ("a space more", altered("/body", format!("{BODY} ").into())),
        (
            "another id",
            altered(
                "/headers/webhook-id",
                "evt_01kanar9g0000g40r40m30e20a".into(),
            ),
        ),
        (
            "another time",
            altered("/headers/webhook-timestamp", (now() - 7).to_string().into()),
        ),
        (
            "half a signature",
            altered("/headers/webhook-signature", cut.into()),
        ),
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
fn standardwebhooks_of_npm_takes_our_headers_as_they_are() {
    let test = "standardwebhooks_of_npm_takes_our_headers_as_they_are";
    check(&NODE, "verify_webhook", test);
}

#[test]
fn standardwebhooks_of_pypi_takes_our_headers_as_they_are() {
    let test = "standardwebhooks_of_pypi_takes_our_headers_as_they_are";
    check(&PYTHON, "verify_webhook", test);
}

#[test]
fn pythons_cryptography_verifies_v1a() {
    check(&PYTHON, "verify_v1a", "pythons_cryptography_verifies_v1a");
}

#[test]
fn standardwebhooks_refuses_an_old_delivery() {
    let mut old = delivery(now() - 400);
    old["ask"] = "verify_webhook".into();
    for peer in [&NODE, &PYTHON] {
        let test = "standardwebhooks_refuses_an_old_delivery";
        if let Some(answers) = peer.ask(test, std::slice::from_ref(&old)) {
            assert_refused(&answers[0], "a delivery of 400 seconds ago");
        }
    }
}
