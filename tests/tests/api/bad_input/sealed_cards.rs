//! Sealed cards: broken, moved, of another key, and with something else inside.

use super::{Checkout, refused};
use harness::client::{APPROVED, Browser, attempt, card};
use harness::gateway::TestGateway;
use harness::time::{OsRandom, now};
use sealpay_protocol::api::{Method, PayRequest, SessionView};
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::envelope::{PLAINTEXT_BYTES, SealContext, SealedCard, plaintext};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
use sealpay_protocol::seal::{SealingPublicKey, seal_bytes};
use verifier_server::flow::maintain::refresh_keys;
use verifier_server::gate::key_ring::{KEPT_AFTER_SECONDS, SEALING_KEY_SECONDS};
use verifier_server::gate::refusal::Code;

fn body_of(card: SealedCard) -> Vec<u8> {
    let method = Method::Card;
    serde_json::to_vec(&PayRequest { method, card }).unwrap()
}

/// The bytes of a part of the envelope, changed.
fn bytes(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = from_base64url(text).unwrap();
    change(&mut bytes);
    base64url(&bytes)
}

#[tokio::test]
async fn envelopes_of_another_form_are_refused_with_one_answer() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let rows: [(&str, fn(&mut SealedCard)); 24] = [
        ("version 0", |c| c.v = 0),
        ("version 2", |c| c.v = 2),
        ("an unknown key", |c| c.kid = "0123456789abcdef".into()),
        ("no key", |c| c.kid = String::new()),
        ("the key in capitals", |c| c.kid = c.kid.to_uppercase()),
        ("a long key id", |c| c.kid = "a".repeat(10_000)),
        ("no enc", |c| c.enc = String::new()),
        ("no ct", |c| c.ct = String::new()),
        ("enc a byte short", |c| {
            c.enc = bytes(&c.enc, |b| b.truncate(b.len() - 1))
        }),
        ("enc a byte long", |c| c.enc = bytes(&c.enc, |b| b.push(0))),
        ("ct a byte short", |c| {
            c.ct = bytes(&c.ct, |b| b.truncate(b.len() - 1))
        }),
        ("ct a byte long", |c| c.ct = bytes(&c.ct, |b| b.push(0))),
        ("ct of its tag alone", |c| {
            c.ct = bytes(&c.ct, |b| b.truncate(16))
        }),
        ("ct of 20000 bytes", |c| {
            c.ct = bytes(&c.ct, |b| b.resize(20_000, 0))
        }),
        ("enc and ct exchanged", |c| {
            std::mem::swap(&mut c.enc, &mut c.ct)
        }),
        ("enc of zeros", |c| c.enc = bytes(&c.enc, |b| b.fill(0))),
        ("enc of ones", |c| c.enc = bytes(&c.enc, |b| b.fill(255))),
        ("first byte of enc", |c| {
            c.enc = bytes(&c.enc, |b| b[0] ^= 1)
        }),
        ("last byte of enc", |c| {
            c.enc = bytes(&c.enc, |b| b[1119] ^= 0x80)
        }),
        ("first byte of ct", |c| c.ct = bytes(&c.ct, |b| b[0] ^= 1)),
        ("last byte of ct", |c| c.ct = bytes(&c.ct, |b| b[271] ^= 1)),
        ("padding characters", |c| c.ct.push_str("==")),
        ("a line break", |c| c.ct.insert(10, '\n')),
        ("not base64url", |c| c.ct = c.ct.replacen(|_| true, "+", 1)),
    ];
    let mut texts = Vec::new();
    for (what, spoil) in rows {
        let (order, session) = (&checkout.order, &checkout.session);
        let mut sealed = checkout
            .browser
            .seal(order, session, checkout.attempt, &card(APPROVED));
        spoil(&mut sealed);
        let request = checkout.request_with(body_of(sealed));
        let answer = refused(&gateway, what, request, Code::SealedCardRefused).await;
        let mut problem: serde_json::Value = answer.json();
        problem["request_id"] = "".into();
        problem["server_time"] = 0.into();
        texts.push(problem.to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one answer for every reason: {texts:?}");
    checkout.works(&gateway, "all of it").await;
    gateway.finish().await;
}

#[tokio::test]
async fn a_sealed_card_does_not_move() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let Checkout {
        browser,
        order,
        session,
        attempt: sealed_for,
    } = &checkout;
    let card = card(APPROVED);
    let stolen = browser.pay_body(order, session, *sealed_for, &card);

    let request = browser.send_attempt(session, attempt(), stolen.clone());
    refused(
        &gateway,
        "to another attempt",
        request,
        Code::SealedCardRefused,
    )
    .await;

    let thief = Checkout::open(&gateway).await;
    let request = thief
        .browser
        .send_attempt(&thief.session, *sealed_for, stolen.clone());
    refused(
        &gateway,
        "to the thief's session",
        request,
        Code::SealedCardRefused,
    )
    .await;

    // The same browser, the same merchant and shop, a dearer order.
    let mut claims = gateway.claims();
    claims.amount = 99_900;
    let dearer = gateway.open(browser, &gateway.merchant.sign(&claims)).await;
    let request = browser.send_attempt(&dearer, *sealed_for, stolen.clone());
    refused(
        &gateway,
        "to a dearer order",
        request,
        Code::SealedCardRefused,
    )
    .await;

    // The same order in another browser, which took it over.
    let other = gateway.browser();
    let taken = gateway.open(&other, order).await;
    assert_eq!(taken.session, session.session);
    let request = other.send_attempt(&taken, *sealed_for, stolen.clone());
    refused(
        &gateway,
        "to another browser's key",
        request,
        Code::SealedCardRefused,
    )
    .await;

    let body = other.pay_body(order, &taken, *sealed_for, &card);
    let answer = gateway
        .send(other.send_attempt(&taken, *sealed_for, body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    thief.works(&gateway, "all of it").await;
    gateway.finish().await;
}

/// Every field of the associated data, one at a time; the first is the label, which the key id's
/// `info` stands beside.
#[tokio::test]
async fn a_card_sealed_for_other_circumstances_does_not_open() {
    let gateway = TestGateway::start().await;
    let other_verifier = harness::client::origin("https://pay.example");
    let other_thumbprint = Thumbprint::of(&gateway.browser().key.verifying_key());
    let checkout = Checkout::open(&gateway).await;
    let thumbprint = Thumbprint::of(&checkout.browser.key.verifying_key());
    let digest = order::digest(&checkout.order);
    let context = SealContext {
        verifier_origin: &gateway.origin,
        merchant: gateway.merchant.id,
        session: checkout.session.session,
        money: Money::new(2490, "EUR".parse().unwrap()),
        session_expires_at: checkout.session.expires_at,
        attempt: checkout.attempt,
        thumbprint: &thumbprint,
        order_digest: &digest,
    };
    let rows = [
        (
            "verifier",
            SealContext {
                verifier_origin: &other_verifier,
                ..context
            },
        ),
        (
            "merchant",
            SealContext {
                merchant: gateway.register(None).await.id,
                ..context
            },
        ),
        (
            "session",
            SealContext {
                session: Checkout::open(&gateway).await.session.session,
                ..context
            },
        ),
        (
            "amount",
            SealContext {
                money: Money::new(2491, "EUR".parse().unwrap()),
                ..context
            },
        ),
        (
            "currency",
            SealContext {
                money: Money::new(2490, "USD".parse().unwrap()),
                ..context
            },
        ),
        (
            "expiry",
            SealContext {
                session_expires_at: context.session_expires_at + 1,
                ..context
            },
        ),
        (
            "attempt",
            SealContext {
                attempt: attempt(),
                ..context
            },
        ),
        (
            "thumbprint",
            SealContext {
                thumbprint: &other_thumbprint,
                ..context
            },
        ),
        (
            "order",
            SealContext {
                order_digest: &[0; 32],
                ..context
            },
        ),
    ];
    let recipient = recipient(&checkout.session);
    let plaintext = plaintext(&card(APPROVED));
    let seal = |context: &SealContext<'_>, key_id: &str| {
        let associated = context.associated_data(key_id);
        envelope(&recipient, plaintext.as_slice(), &associated)
    };
    for (what, other) in rows {
        let request = checkout.request_with(body_of(seal(&other, recipient.key_id())));
        refused(&gateway, what, request, Code::SealedCardRefused).await;
    }
    let request = checkout.request_with(body_of(seal(&context, "0123456789abcdef")));
    refused(&gateway, "key id", request, Code::SealedCardRefused).await;
    let mut associated = context.associated_data(recipient.key_id());
    associated[2] ^= 1;
    let sealed = envelope(&recipient, plaintext.as_slice(), &associated);
    let request = checkout.request_with(body_of(sealed));
    refused(&gateway, "label", request, Code::SealedCardRefused).await;

    let good = checkout.request_with(body_of(seal(&context, recipient.key_id())));
    assert_eq!(
        gateway.send(good).await.status,
        200,
        "the circumstances as they are"
    );
    gateway.finish().await;
}

fn recipient(session: &SessionView) -> SealingPublicKey {
    SealingPublicKey::from_base64url(&session.sealing_key.public_key).unwrap()
}

fn envelope(recipient: &SealingPublicKey, plaintext: &[u8], associated: &[u8]) -> SealedCard {
    let (enc, ct) = seal_bytes(recipient, plaintext, associated, &mut OsRandom).unwrap();
    SealedCard {
        v: 1,
        kid: recipient.key_id().to_owned(),
        enc: base64url(&enc),
        ct: base64url(&ct),
    }
}

/// The padded form of whatever somebody who is not our widget writes.
fn fields(fields: [&[u8]; 4]) -> Vec<u8> {
    let mut bytes = vec![1];
    for field in fields {
        bytes.push(u8::try_from(field.len()).unwrap());
        bytes.extend_from_slice(field);
    }
    bytes.resize(PLAINTEXT_BYTES, 0);
    bytes
}

#[tokio::test]
async fn what_is_no_card_inside_is_refused_as_if_it_had_not_opened() {
    let gateway = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let today = YearMonth::from_unix_seconds(now());
    let ahead = format!("{}12", today.year() + 3);
    let (year, month) = if today.month() == 1 {
        (today.year() - 1, 12)
    } else {
        (today.year(), today.month() - 1)
    };
    let over = format!("{year}{month:02}");
    let (number, ahead, code): (&[u8], &[u8], &[u8]) =
        (b"4242424242424242", ahead.as_bytes(), b"737");
    let good = fields([number, ahead, code, b""]);
    let changed = |place: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[place] = byte;
        bytes
    };
    let rows = [
        ("version 0", changed(0, 0)),
        ("version 2", changed(0, 2)),
        ("a byte in the padding", changed(255, 1)),
        ("a field longer than all", changed(1, 255)),
        ("nothing", vec![0; 256]),
        ("ones", vec![255; 256]),
        ("no number", fields([b"", ahead, code, b""])),
        (
            "a wrong check digit",
            fields([b"4242424242424241", ahead, code, b""]),
        ),
        (
            "a number with spaces",
            fields([b"4242 4242 4242 4242", ahead, code, b""]),
        ),
        (
            "a number of 20 digits",
            fields([b"42424242424242424242", ahead, code, b""]),
        ),
        (
            "a number in another script",
            fields(["٤٢٤٢٤٢٤٢".as_bytes(), ahead, code, b""]),
        ),
        ("last month", fields([number, over.as_bytes(), code, b""])),
        ("month 13", fields([number, b"203013", code, b""])),
        ("month 0", fields([number, b"203000", code, b""])),
        ("a hundred years", fields([number, b"212612", code, b""])),
        (
            "a date of four digits",
            fields([number, b"1230", code, b""]),
        ),
        ("no code", fields([number, ahead, b"", b""])),
        ("a code of two digits", fields([number, ahead, b"73", b""])),
        (
            "a code of another brand",
            fields([number, ahead, b"7373", b""]),
        ),
        ("a code of letters", fields([number, ahead, b"abc", b""])),
        (
            "a holder of control characters",
            fields([number, ahead, code, b"A\x00B"]),
        ),
        (
            "a holder not of UTF-8",
            fields([number, ahead, code, b"\xff\xfe"]),
        ),
        (
            "a holder of 97 bytes",
            fields([number, ahead, code, &[b'A'; 97]]),
        ),
        (
            "a holder that is the number",
            fields([number, ahead, code, number]),
        ),
        ("255 bytes", good[..255].to_vec()),
        ("257 bytes", [good.as_slice(), &[0]].concat()),
        ("no bytes", Vec::new()),
    ];
    let recipient = recipient(&checkout.session);
    let thumbprint = Thumbprint::of(&checkout.browser.key.verifying_key());
    let associated = SealContext {
        verifier_origin: &gateway.origin,
        merchant: gateway.merchant.id,
        session: checkout.session.session,
        money: Money::new(2490, "EUR".parse().unwrap()),
        session_expires_at: checkout.session.expires_at,
        attempt: checkout.attempt,
        thumbprint: &thumbprint,
        order_digest: &order::digest(&checkout.order),
    }
    .associated_data(recipient.key_id());
    for (what, plaintext) in rows {
        let sealed = envelope(&recipient, &plaintext, &associated);
        let request = checkout.request_with(body_of(sealed));
        refused(&gateway, what, request, Code::SealedCardRefused).await;
    }
    let good = checkout.request_with(body_of(envelope(&recipient, &good, &associated)));
    assert_eq!(
        gateway.send(good).await.status,
        200,
        "the same bytes as a card"
    );
    gateway.finish().await;
}

/// From a key's time to its retirement, and to its destruction.
#[tokio::test]
async fn a_retired_key_opens_what_was_sealed_before_and_a_destroyed_one_nothing() {
    let gateway = TestGateway::start().await;
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap();
    let refresh = async || refresh_keys(&gateway.server.state.gateway).await.unwrap();
    // A second before the end of the key's time a session is opened.
    gateway.move_clock(seconds(SEALING_KEY_SECONDS) - 100);
    refresh().await;
    let before = Checkout::open(&gateway).await;
    let first = before.session.sealing_key.clone();
    let published: serde_json::Value = gateway.get("/v1/keys", None).await.json();
    assert_eq!(
        published["sealing_keys"].as_array().map(Vec::len),
        Some(2),
        "the next one too"
    );

    gateway.move_clock(200);
    refresh().await;
    let after = Checkout::open(&gateway).await;
    assert_ne!(
        after.session.sealing_key.kid, first.kid,
        "new sessions seal to the next key"
    );
    before.works(&gateway, "the key's retirement").await;

    // A widget that goes on sealing to the retired key is still understood for a while.
    let late = Checkout::open(&gateway).await;
    let with_first = |checkout: &Checkout| {
        let mut session = checkout.session.clone();
        session.sealing_key = first.clone();
        sealed_request(&checkout.browser, &checkout.order, &session)
    };
    assert_eq!(gateway.send(with_first(&late)).await.status, 200);

    gateway.move_clock(seconds(KEPT_AFTER_SECONDS));
    let last = Checkout::open(&gateway).await;
    let request = with_first(&last);
    refused(
        &gateway,
        "a key whose time is over",
        request,
        Code::SealedCardRefused,
    )
    .await;
    refresh().await;
    let request = with_first(&last);
    refused(
        &gateway,
        "a destroyed key",
        request,
        Code::SealedCardRefused,
    )
    .await;
    let sql = "SELECT key_id FROM server_keys WHERE private_key_encrypted = ''";
    assert_eq!(
        gateway.rows(sql).await,
        vec![vec![first.kid.clone()]],
        "destroyed on disk too"
    );
    last.works(&gateway, "a destroyed key").await;
    gateway.finish().await;
}

fn sealed_request(
    browser: &Browser,
    order: &str,
    session: &SessionView,
) -> harness::client::Prepared {
    browser.pay(order, session, attempt(), &card(APPROVED))
}

#[tokio::test]
async fn a_key_of_our_own_is_no_key_of_the_verifier() {
    let gateway = TestGateway::start().await;
    let other = TestGateway::start().await;
    let checkout = Checkout::open(&gateway).await;
    let theirs = Checkout::open(&other).await;
    let mut session = checkout.session.clone();
    session.sealing_key = theirs.session.sealing_key.clone();
    let request = sealed_request(&checkout.browser, &checkout.order, &session);
    refused(
        &gateway,
        "another verifier's key",
        request,
        Code::SealedCardRefused,
    )
    .await;
    // Called by the right name it does not open either.
    let sealed =
        checkout
            .browser
            .seal(&checkout.order, &session, checkout.attempt, &card(APPROVED));
    let kid = checkout.session.sealing_key.kid.clone();
    let request = checkout.request_with(body_of(SealedCard { kid, ..sealed }));
    refused(
        &gateway,
        "and the right name",
        request,
        Code::SealedCardRefused,
    )
    .await;
    checkout.works(&gateway, "another verifier's key").await;
    gateway.finish().await;
    other.finish().await;
}
