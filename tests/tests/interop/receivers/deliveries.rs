//! Deliveries of a real verifier, and altered copies of them.

use super::forgery::Forged;
use super::program::{Address, Language, Receiver};
use super::{
    ID, KEY, LIST, OTHER, SECRET, TAKEN, TIMESTAMP, assert_answer, nothing_secret_was_said,
    settings,
};
use crate::interop::running_verifier::{OpenShop, Shop, arrivals};
use harness::client::Merchant;
use harness::processes::Running;
use harness::verifier_process::program;
use harness::webhook_receiver::WebhookReceiver;
use sealpay_protocol::webhook::EndpointSecret;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

fn secret(merchant: &Merchant) -> &str {
    merchant.webhook_secret.as_deref().unwrap()
}

/// What the real verifier sends to the receiver, and what others make of the same bytes.
pub(crate) async fn takes_what_the_verifier_sends_and_nothing_else(language: Language, test: &str) {
    let Some(call) = language.call(test) else {
        return;
    };
    let shop = Shop::new();
    let address = Address::find();
    let merchant = shop.setup.add_merchant(Some(&address.url()));
    // What goes to the other merchant can be repeated by the test, byte for byte.
    let tap = WebhookReceiver::start().await;
    let other = shop.setup.add_merchant(Some(tap.url()));
    let shop = shop.open().await;
    let secrets = [secret(&other), secret(&merchant)];
    let origin = shop.setup.origin.to_string();
    let of = |merchant: &Merchant, secret: &str| {
        settings(&merchant.id.to_string(), &[secret], &[], &origin)
    };
    let receiver = of(&merchant, secrets[1]);
    let receiver = address.start(&call, &shop.folder, &receiver).await;
    // The other merchant's own.
    let others = of(&other, secrets[0]);
    let others = Address::find().start(&call, &shop.folder, &others).await;

    for outcome in [None, Some("insufficient_funds")] {
        let paid = shop.pay(&merchant, outcome).await;
        let event = shop.delivered(&merchant, &paid).await;
        let delivery = &event["deliveries"][0];
        assert_eq!(delivery["attempts"], 1, "{event}");
        assert_eq!(delivery["last_status"], 204, "{event}");
        let kind = event["type"].as_str().unwrap();
        let line = format!("processed {} {kind} {} 1\n", id_of(&event), paid.payment);
        assert_eq!(receiver.log().matches(&line).count(), 1, "{line}");
        assert_eq!(receiver.said_of(id_of(&event)), ["processed"]);
    }

    shop.pay(&other, None).await;
    shop.pay(&other, None).await;
    let arrived = arrivals(&tap, 2).await;
    let (real, next) = (Forged::of(&arrived[0]), Forged::of(&arrived[1]));
    refuses_altered(&others, &real, &next).await;
    assert!(others.said_of(&real.id).is_empty());
    // Untouched by all of that, and however often it comes.
    for _ in 0..3 {
        assert_answer(real.send(&others.url()).await, TAKEN, "as it came");
    }
    let said = others.said_of(&real.id);
    assert_eq!(said, ["processed", "duplicate", "duplicate"]);
    nothing_secret_was_said(&others, &secrets, &[&real, &next]);
    // A stolen secret is not enough without an event of this merchant: the verifier's own signature
    // over another merchant's payment is not enough.
    let stolen = EndpointSecret::parse(secrets[1]).unwrap();
    let misdirected = real.resigned(&stolen);
    assert_answer(
        misdirected.send(&receiver.url()).await,
        OTHER,
        "misdirected",
    );
    assert!(receiver.said_of(&real.id).is_empty());
    stands_a_bad_network(&shop, &merchant, &receiver).await;
    takes_what_is_sent_on_request(&shop, &merchant, &receiver).await;
    follows_a_payment_through_its_life(&shop, &merchant, &receiver).await;
    takes_what_is_forwarded(&shop, (&other, &tap), &others).await;
    let new = shop.rotate_secret(&other, 3600).await;
    let changed = of(&other, &new);
    let changed = Address::find().start(&call, &shop.folder, &changed).await;
    takes_either_secret_while_one_is_rotated(&shop, (&other, &tap), [&others, &changed]).await;
}

fn id_of(event: &Value) -> &str {
    event["id"].as_str().unwrap()
}

/// Deliveries that differ from a real one in one thing.
async fn refuses_altered(receiver: &Receiver, real: &Forged, next: &Forged) {
    let mut rows: Vec<(String, Forged, (u16, &str))> = Vec::new();
    for at in [0, 20, real.body.len() - 1] {
        let mut altered = real.clone();
        altered.body[at] ^= 1;
        rows.push((format!("another bit in byte {at}"), altered, SECRET));
    }
    let mut row = |what: &str, alter: &dyn Fn(&mut Forged), expected| {
        let mut altered = real.clone();
        alter(&mut altered);
        rows.push((what.to_owned(), altered, expected));
    };
    row("a space more", &|it| it.body.push(b' '), SECRET);
    row(
        "a byte less",
        &|it| it.body.truncate(it.body.len() - 1),
        SECRET,
    );
    row("no body", &|it| it.body.clear(), SECRET);
    row(
        "parsed and written again",
        &|it| it.body = rewritten(&it.body),
        SECRET,
    );
    row(
        "another's body",
        &|it| it.body.clone_from(&next.body),
        SECRET,
    );
    row("another's id", &|it| it.id.clone_from(&next.id), SECRET);
    row(
        "another's signatures",
        &|it| it.signature.clone_from(&next.signature),
        SECRET,
    );
    row(
        "id and time swapped",
        &|it| std::mem::swap(&mut it.id, &mut it.timestamp),
        TIMESTAMP,
    );
    let a_second_before = |it: &mut Forged| {
        let sent: u64 = it.timestamp.parse().unwrap();
        it.timestamp = (sent - 1).to_string();
    };
    row("a second before", &a_second_before, SECRET);
    row("no id", &|it| it.id.clear(), ID);
    row("no time", &|it| it.timestamp.clear(), TIMESTAMP);
    row(
        "a time with a sign",
        &|it| it.timestamp.insert(0, '+'),
        TIMESTAMP,
    );
    row("no signature", &|it| it.signature.clear(), LIST);
    row("half of them", &|it| it.signature.truncate(40), SECRET);
    row("two ids", &|it| it.twice = Some("webhook-id"), ID);
    row(
        "two times",
        &|it| it.twice = Some("webhook-timestamp"),
        TIMESTAMP,
    );
    row(
        "two lists",
        &|it| it.twice = Some("webhook-signature"),
        LIST,
    );
    let id_with_a_dot = |it: &mut Forged| it.id = format!("{}.{}", it.id, it.timestamp);
    row("an id with a dot", &id_with_a_dot, ID);
    row(
        "v1 alone",
        &|it| it.signature = it.entries("v1").join(" "),
        KEY,
    );
    row(
        "v1a alone",
        &|it| it.signature = it.entries("v1a").join(" "),
        SECRET,
    );
    let under_the_other_name = |it: &mut Forged| {
        it.signature = it.signature.replace("v1a,", "v1,").replace(" v1,", " v1a,");
    };
    row("each under the other's name", &under_the_other_name, SECRET);
    for (what, altered, expected) in rows {
        assert_answer(altered.send(&receiver.url()).await, expected, &what);
    }
}

/// As a framework does it that parses before anybody can verify.
fn rewritten(body: &[u8]) -> Vec<u8> {
    let event: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_vec_pretty(&event).unwrap()
}

/// The verifier sends everything twice, and the second event of a payment before the first.
async fn stands_a_bad_network(shop: &OpenShop, merchant: &Merchant, receiver: &Receiver) {
    shop.misbehave(&json!({"duplicate": 1000, "reorder": true}))
        .await;
    let given_up = shop.give_up(merchant, "challenge_code").await;
    let events = shop.all_delivered(merchant, given_up, 2).await;
    let sequence = |event: &Value| event["body"]["data"]["sequence"].clone();
    assert_eq!(
        (sequence(&events[0]), sequence(&events[1])),
        (1.into(), 2.into())
    );
    for (event, expected) in events.iter().zip(["stale", "processed"]) {
        receiver
            .will_have_said_of(id_of(event), &[expected, "duplicate"])
            .await;
    }
    shop.misbehave(&json!({})).await;
    let paid = shop.pay(merchant, None).await;
    let event = shop.delivered(merchant, &paid).await;
    assert_eq!(receiver.said_of(id_of(&event)), ["processed"]);
}

/// A ping, which tells of no payment, and an event that is sent once more.
async fn takes_what_is_sent_on_request(shop: &OpenShop, merchant: &Merchant, receiver: &Receiver) {
    let ping = shop.of_endpoint(merchant, "ping", &json!({})).await;
    receiver
        .will_have_said_of(id_of(&ping), &["processed"])
        .await;
    let order = json!({"event": id_of(&ping)});
    shop.of_endpoint(merchant, "redeliver", &order).await;
    let expected = ["processed", "duplicate"];
    receiver.will_have_said_of(id_of(&ping), &expected).await;
}

/// One receiver knows the secret before, the other the one after.
async fn takes_either_secret_while_one_is_rotated(
    shop: &OpenShop,
    (merchant, tap): (&Merchant, &WebhookReceiver),
    [before, after]: [&Receiver; 2],
) {
    let count = tap.arrivals().len();
    shop.pay(merchant, None).await;
    let arrived = arrivals(tap, count + 1).await;
    let both = Forged::of(&arrived[count]);
    assert_eq!(both.entries("v1").len(), 2, "{both:?}");
    for receiver in [before, after] {
        assert_answer(both.send(&receiver.url()).await, TAKEN, "in a rotation");
    }
    // Without an overlap both are replaced at once.
    shop.rotate_secret(merchant, 0).await;
    shop.pay(merchant, None).await;
    let arrived = arrivals(tap, count + 2).await;
    let one = Forged::of(&arrived[count + 1]);
    for receiver in [before, after] {
        assert_answer(one.send(&receiver.url()).await, SECRET, "after it");
    }
}

/// Everything that can happen to a payment is counted on it, and nothing of it looks stale.
async fn follows_a_payment_through_its_life(
    shop: &OpenShop,
    merchant: &Merchant,
    receiver: &Receiver,
) {
    let held = shop.hold(merchant).await.payment;
    let of_it = |what: &str| format!("/v1/payments/{held}/{what}");
    let mut kinds = vec!["payment.authorized"];
    shop.all_delivered(merchant, held, kinds.len()).await;
    #[rustfmt::skip]
    let rows = [
        ("captures", json!({"amount": 1000}), "payment.partially_captured"),
        ("captures", json!({}), "payment.captured"),
        ("refunds", json!({"amount": 500}), "payment.partially_refunded"),
    ];
    for (path, how, kind) in rows {
        shop.write(merchant, &of_it(path), &how).await;
        kinds.push(kind);
        shop.all_delivered(merchant, held, kinds.len()).await;
    }
    let dispute = json!({"payment": held, "amount": 700});
    let dispute = shop.order("/sim/disputes", &dispute).await;
    kinds.push("dispute.opened");
    shop.all_delivered(merchant, held, kinds.len()).await;
    let accept = format!("/v1/disputes/{}/accept", id_of(&dispute));
    shop.write(merchant, &accept, &json!({})).await;
    kinds.push("dispute.lost");
    let events = shop.all_delivered(merchant, held, kinds.len()).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(told, kinds);
    for (event, sequence) in events.iter().zip(1..) {
        assert_eq!(event["body"]["data"]["sequence"], sequence, "{event}");
        assert_eq!(receiver.said_of(id_of(event)), ["processed"], "{event}");
    }
}

/// As a developer has it, whose machine is no endpoint.
async fn takes_what_is_forwarded(
    shop: &OpenShop,
    (merchant, tap): (&Merchant, &WebhookReceiver),
    receiver: &Receiver,
) {
    let mut listen = Command::new(program());
    listen.args(["listen", "--database", &shop.setup.database]);
    listen.arg("--data").arg(&shop.setup.data);
    listen.args(["--merchant", &merchant.id.to_string()]);
    listen.args([
        "--forward-to",
        &receiver.url(),
        "--secret",
        secret(merchant),
    ]);
    let log = shop.folder.path().join("listen.log");
    let listening = Running::start(&listen, &log, None);
    let count = tap.arrivals().len();
    let listens = || listening.log().contains("Events of");
    for _ in 0..1500 {
        if listens() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(listens(), "{}", listening.log());
    shop.pay(merchant, None).await;
    let arrived = arrivals(tap, count + 1).await;
    receiver
        .will_have_said_of(&arrived[count].id, &["processed"])
        .await;
}
