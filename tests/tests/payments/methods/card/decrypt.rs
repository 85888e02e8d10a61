//! Sealed cards from another context, or with invalid data inside.

use crate::refusals::{Checkout, body_of, refused};
use harness::client::{APPROVED, attempt, card};
use harness::gateway::TestGateway;
use harness::time::{now, os_random};
use sealpay_protocol::api::SessionView;
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::envelope::{PLAINTEXT_BYTES, SealContext, SealedCard, plaintext};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
use sealpay_protocol::seal::{SealingPublicKey, seal_bytes};
use verifier_server::error::ErrorCode;

/// Every field of the associated data, one at a time; the first is the label, which the key id's
/// `info` stands beside.
#[tokio::test]
async fn card_sealed_in_another_context_is_rejected() {
    let gateway = TestGateway::start().await;
    let other_verifier = harness::client::origin("https://pay.example");
    let other_thumbprint = Thumbprint::from_key(&gateway.browser().key.verifying_key());
    let checkout = Checkout::open(&gateway).await;
    let thumbprint = Thumbprint::from_key(&checkout.browser.key.verifying_key());
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
    #[rustfmt::skip]
    let rows = [
        ("verifier", SealContext { verifier_origin: &other_verifier, ..context }),
        ("merchant", SealContext { merchant: gateway.register(None).await.id, ..context }),
        ("session", SealContext { session: Checkout::open(&gateway).await.session.session, ..context }),
        ("amount", SealContext { money: Money::new(2491, "EUR".parse().unwrap()), ..context }),
        ("currency", SealContext { money: Money::new(2490, "USD".parse().unwrap()), ..context }),
        ("expiry", SealContext { session_expires_at: context.session_expires_at + 1, ..context }),
        ("attempt", SealContext { attempt: attempt(), ..context }),
        ("thumbprint", SealContext { thumbprint: &other_thumbprint, ..context }),
        ("order", SealContext { order_digest: &[0; 32], ..context }),
    ];
    let recipient = recipient(&checkout.session);
    let plaintext = plaintext(&card(APPROVED));
    let seal = |context: &SealContext<'_>, key_id: &str| {
        let associated = context.associated_data(key_id);
        envelope(&recipient, plaintext.as_slice(), &associated)
    };
    for (what, other) in rows {
        let request = checkout.request_with(body_of(seal(&other, recipient.key_id())));
        refused(&gateway, what, request, ErrorCode::SealedCardRefused).await;
    }
    let request = checkout.request_with(body_of(seal(&context, "0123456789abcdef")));
    refused(&gateway, "key id", request, ErrorCode::SealedCardRefused).await;
    let mut associated = context.associated_data(recipient.key_id());
    associated[2] ^= 1;
    let sealed = envelope(&recipient, plaintext.as_slice(), &associated);
    let request = checkout.request_with(body_of(sealed));
    refused(&gateway, "label", request, ErrorCode::SealedCardRefused).await;

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
    let (enc, ct) = seal_bytes(recipient, plaintext, associated, &mut os_random()).unwrap();
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
async fn invalid_card_data_is_rejected_like_an_undecryptable_card() {
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
    #[rustfmt::skip]
    let rows = [
        ("version 0", changed(0, 0)),
        ("version 2", changed(0, 2)),
        ("a byte in the padding", changed(255, 1)),
        ("a field longer than all", changed(1, 255)),
        ("nothing", vec![0; 256]),
        ("ones", vec![255; 256]),
        ("no number", fields([b"", ahead, code, b""])),
        ("a wrong check digit", fields([b"4242424242424241", ahead, code, b""])),
        ("a number with spaces", fields([b"4242 4242 4242 4242", ahead, code, b""])),
        ("a number of 20 digits", fields([b"42424242424242424242", ahead, code, b""])),
        ("a number in another script", fields(["٤٢٤٢٤٢٤٢".as_bytes(), ahead, code, b""])),
        ("last month", fields([number, over.as_bytes(), code, b""])),
        ("month 13", fields([number, b"203013", code, b""])),
        ("month 0", fields([number, b"203000", code, b""])),
        ("a hundred years", fields([number, b"212612", code, b""])),
        ("a date of four digits", fields([number, b"1230", code, b""])),
        ("no code", fields([number, ahead, b"", b""])),
        ("a code of two digits", fields([number, ahead, b"73", b""])),
        ("a code of another brand", fields([number, ahead, b"7373", b""])),
        ("a code of letters", fields([number, ahead, b"abc", b""])),
        ("a holder of control characters", fields([number, ahead, code, b"A\x00B"])),
        ("a holder not of UTF-8", fields([number, ahead, code, b"\xff\xfe"])),
        ("a holder of 223 bytes", fields([number, ahead, code, &[b'A'; 223]])),
        ("a holder that is the number", fields([number, ahead, code, number])),
        ("255 bytes", good[..255].to_vec()),
        ("257 bytes", [good.as_slice(), &[0]].concat()),
        ("no bytes", Vec::new()),
    ];
    let recipient = recipient(&checkout.session);
    let thumbprint = Thumbprint::from_key(&checkout.browser.key.verifying_key());
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
        refused(&gateway, what, request, ErrorCode::SealedCardRefused).await;
    }
    let good = checkout.request_with(body_of(envelope(&recipient, &good, &associated)));
    assert_eq!(
        gateway.send(good).await.status,
        200,
        "the same bytes as a card"
    );
    gateway.finish().await;
}
