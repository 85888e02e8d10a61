//! Correctly signed deliveries that are not always to be accepted.

use super::forgery::{Forged, MERCHANT, Signer, event, payment};
use super::program::{Address, Call, Language, Receiver};
use super::{
    CLOCK, KEY, LIST, LONG, NO_EVENT, OTHER, OTHER_MODE, SECRET, TAKEN, assert_answer,
    nothing_secret_was_said, settings,
};
use crate::interop::running_verifier::Shop;
use harness::time::now;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use verifier_server::http::openapi;

/// A receiver without a verifier, that accepts what these have signed.
async fn alone(call: &Call, shop: &Shop, signers: &[&Signer]) -> Receiver {
    let secrets: Vec<_> = signers.iter().map(|signer| signer.secret_text()).collect();
    let keys: Vec<_> = signers.iter().map(|signer| signer.key_text()).collect();
    let texts = |list: &[String]| list.join(" ");
    let settings = settings(MERCHANT, &[&texts(&secrets)], &[&texts(&keys)], "");
    Address::find().start(call, &shop.folder, &settings).await
}

/// Times, signers, lists and bodies.
pub(crate) async fn judges_what_is_rightly_signed(language: Language, test: &str) {
    let Some(call) = language.call(test) else {
        return;
    };
    let shop = Shop::new();
    let (signer, rotated, stranger) = (Signer::new(), Signer::new(), Signer::new());
    let receiver = alone(&call, &shop, &[&rotated, &signer]).await;
    let body = || event(payment(), 1);
    let at = |seconds: i64| now().saturating_add_signed(seconds);
    #[rustfmt::skip]
    let mut rows = vec![
        ("of now", signer.deliver(&body()), TAKEN),
        ("of 290 s ago", signer.deliver_at(&body(), at(-290)), TAKEN),
        ("290 s ahead", signer.deliver_at(&body(), at(290)), TAKEN),
        ("of 310 s ago", signer.deliver_at(&body(), at(-310)), CLOCK),
        ("310 s ahead", signer.deliver_at(&body(), at(310)), CLOCK),
        ("by a stranger", stranger.deliver(&body()), SECRET),
        ("with the secret and key before", rotated.deliver(&body()), TAKEN),
        ("no event", signer.deliver("[]"), NO_EVENT),
        ("no JSON", signer.deliver("{"), NO_EVENT),
        (
            "of no payment",
            signer.deliver(&json!({"type": "ping", "merchant": MERCHANT, "data": {}}).to_string()),
            TAKEN,
        ),
        ("of another merchant", signer.deliver(&body().replace(MERCHANT, "mer_01k9xft7g0041061050r3gg28b")), OTHER),
        ("of real money", signer.deliver(&body().replacen("{", "{\"livemode\":true,", 1)), OTHER_MODE),
        ("of no merchant", signer.deliver(r#"{"type":"ping","data":{}}"#), NO_EVENT),
        ("64 KiB", signer.deliver(&padded(&body(), 65_536)), TAKEN),
        ("a byte more", signer.deliver(&padded(&body(), 65_537)), LONG),
    ];
    // The two signatures of one delivery by two signers, and lists as a rotation makes them.
    let mixed = |list: [&Signer; 2], extra: &str| {
        let id = signer.deliver("").id;
        let (body, sent) = (body(), now());
        let [first, second] = list.map(|by| by.deliver_as(id.clone(), &body, sent));
        let own = [first.entries("v1a"), second.entries("v1")]
            .concat()
            .join(" ");
        // Whatever stands beside them stands before and behind them.
        let signature = format!("{extra} {own} {extra}").trim().to_owned();
        Forged { signature, ..first }
    };
    let unknown = "v2,AAAA v1b,AAAA nonsense v1";
    let wrong = stranger.deliver(&body());
    let wrong = [wrong.entries("v1"), wrong.entries("v1a")]
        .concat()
        .join(" ");
    rows.extend([
        ("a stranger's v1a", mixed([&stranger, &signer], ""), KEY),
        ("a stranger's v1", mixed([&signer, &stranger], ""), SECRET),
        (
            "key and secret of two",
            mixed([&rotated, &signer], ""),
            TAKEN,
        ),
        ("unknown schemes", mixed([&signer, &signer], unknown), TAKEN),
        (
            "others' beside them",
            mixed([&signer, &signer], &wrong),
            TAKEN,
        ),
        (
            "too many",
            mixed([&signer, &signer], &"v2,AAAA ".repeat(600)),
            LIST,
        ),
    ]);
    for (what, delivery, expected) in &rows {
        assert_answer(delivery.send(&receiver.url()).await, *expected, what);
        let said = receiver.said_of(&delivery.id);
        let expected: &[&str] = if *expected == TAKEN {
            &["processed"]
        } else {
            &[]
        };
        assert_eq!(said, expected, "{what}");
    }
    endless_bodies_are_not_waited_for(&receiver);
    let deliveries: Vec<_> = rows.iter().map(|(_, delivery, _)| delivery).collect();
    let secrets = [signer.secret_text(), rotated.secret_text()];
    nothing_secret_was_said(&receiver, &[&secrets[0], &secrets[1]], &deliveries);
}

/// The challenge comes back, but not to somebody whose signature does not fit or who asks for another
/// merchant, and as often as it is asked for.
pub(crate) async fn answers_a_challenge(language: Language, test: &str) {
    let Some(call) = language.call(test) else {
        return;
    };
    let shop = Shop::new();
    let (signer, stranger) = (Signer::new(), Signer::new());
    let receiver = alone(&call, &shop, &[&signer]).await;
    let asking = |kind: &str, merchant: &str| {
        json!({
            "type": kind,
            "timestamp": "2026-11-22T10:00:42Z",
            "version": "1",
            "merchant": merchant,
            "data": {"challenge": "q-7_x", "webhook_endpoint": {"id": "whe_1"}},
        })
        .to_string()
    };
    let body = asking("webhook_endpoint.verification", MERCHANT);
    let asked = signer.deliver(&body);
    for _ in 0..2 {
        let (status, text) = asked.send(&receiver.url()).await;
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, answer), (200, json!({"challenge": "q-7_x"})));
    }
    let others = asking(
        "webhook_endpoint.verification",
        "mer_01k9xft7g0041061050r3gg28b",
    );
    for (what, delivery, expected) in [
        ("a stranger asks", stranger.deliver(&body), SECRET),
        ("for another merchant", signer.deliver(&others), OTHER),
        ("an event", signer.deliver(&asking("ping", MERCHANT)), TAKEN),
    ] {
        assert_answer(delivery.send(&receiver.url()).await, expected, what);
    }
}

/// The same event with spaces behind it, which JSON allows.
fn padded(body: &str, length: usize) -> String {
    format!("{body}{}", " ".repeat(length - body.len()))
}

/// A body that is announced and never comes is refused by its length alone.
fn endless_bodies_are_not_waited_for(receiver: &Receiver) {
    let mut connection = TcpStream::connect(receiver.address()).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let head =
        "POST /webhooks/sealpay HTTP/1.1\r\nhost: shop\r\ncontent-length: 1000000000\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}

/// The resources that the events of the contract are about, as `data` names them. An event about
/// something that happened to a payment is about the payment.
fn subjects() -> BTreeSet<String> {
    let contract: Value = serde_json::from_str(&openapi::document().unwrap()).unwrap();
    let resolved = |schema: &Value| match schema["$ref"].as_str() {
        Some(path) => contract
            .pointer(path.trim_start_matches('#'))
            .unwrap()
            .clone(),
        None => schema.clone(),
    };
    let mut found = BTreeSet::new();
    for webhook in contract["webhooks"].as_object().unwrap().values() {
        let body = &webhook["post"]["requestBody"]["content"]["application/json"]["schema"];
        let data = resolved(&resolved(body)["properties"]["data"]);
        let members = data["properties"].as_object().unwrap();
        let has_id = |member: &&String| {
            resolved(&members[*member])["properties"]
                .get("id")
                .is_some()
        };
        let payment = members.keys().find(|member| *member == "payment");
        let subject = payment.or_else(|| members.keys().find(has_id));
        found.insert(subject.expect("an event is about something").clone());
    }
    found
}

/// Later events of a payment make the earlier ones stale; other payments are not concerned.
pub(crate) async fn drops_what_is_stale(language: Language, test: &str) {
    let Some(call) = language.call(test) else {
        return;
    };
    let shop = Shop::new();
    let signer = Signer::new();
    let receiver = alone(&call, &shop, &[&signer]).await;
    let (first, second) = (payment(), payment());
    let rows = [
        (first, 2, "processed"),
        (first, 1, "stale"),
        (second, 1, "processed"),
        (first, 2, "stale"),
        (first, 4, "processed"),
        (first, 3, "stale"),
        (second, 2, "processed"),
    ];
    for (payment, sequence, said) in rows {
        let what = format!("{payment} {sequence}");
        let delivery = signer.deliver(&event(payment, sequence));
        assert_answer(delivery.send(&receiver.url()).await, TAKEN, &what);
        // It was told once, and is not told again.
        assert_answer(delivery.send(&receiver.url()).await, TAKEN, &what);
        assert_eq!(
            receiver.said_of(&delivery.id),
            [said, "duplicate"],
            "{what}"
        );
    }
    // Every resource that events are about is counted by itself.
    let subjects = subjects();
    assert_eq!(subjects.len(), 9, "{subjects:?}");
    for kind in &subjects {
        for (sequence, said) in [(2, "processed"), (1, "stale"), (3, "processed")] {
            let subject = json!({"id": format!("{kind}_1")});
            let data = json!({"sequence": sequence, kind: subject});
            let body = json!({"type": "x", "merchant": MERCHANT, "data": data});
            let delivery = signer.deliver(&body.to_string());
            assert_answer(delivery.send(&receiver.url()).await, TAKEN, kind);
            assert_eq!(receiver.said_of(&delivery.id), [said], "{kind} {sequence}");
        }
    }
    // Two copies at the same moment: one is worked on, the other waits and is a duplicate.
    let delivery = signer.deliver(&event(payment(), 1));
    let url = receiver.url();
    let (one, two) = tokio::join!(delivery.send(&url), delivery.send(&url));
    assert_answer(one, TAKEN, "the first copy");
    assert_answer(two, TAKEN, "the second copy");
    assert_eq!(receiver.said_of(&delivery.id), ["processed", "duplicate"]);
}
