//! The content of an envelope is validated again, because a client other than our widget may have
//! sealed it.

use crate::sealed_card::{KEY, opens};
use crate::world::{self, Given, Payment, counting};
use proptest::prelude::*;
use sealpay_protocol::encoding::base64url;
use sealpay_protocol::envelope::{PLAINTEXT_BYTES, SealedCard, card_of, plaintext};
use sealpay_protocol::seal::{OpenError, seal_bytes};

/// A plaintext with the given fields, padded with zeros to `length`.
fn padded(version: u8, fields: &[&[u8]], length: usize) -> Vec<u8> {
    let mut bytes = vec![version];
    for field in fields {
        bytes.push(u8::try_from(field.len()).unwrap());
        bytes.extend_from_slice(field);
    }
    bytes.resize(length, 0);
    bytes
}

/// Invalid plaintexts that a hostile client may seal in a valid envelope.
fn hostile_plaintexts() -> Vec<(&'static str, Vec<u8>)> {
    let number = b"4242424242424242".as_slice();
    let fields = |fields: [&[u8]; 4]| padded(1, &fields, PLAINTEXT_BYTES);
    let mut nonzero_padding = fields([number, b"203012", b"123", b""]);
    nonzero_padding[255] = 1;
    let mut past_the_end = fields([number, b"203012", b"123", b""]);
    past_the_end[29] = 255;
    vec![
        (
            "version 0",
            padded(0, &[number, b"203012", b"123", b""], 256),
        ),
        (
            "version 2",
            padded(2, &[number, b"203012", b"123", b""], 256),
        ),
        (
            "one byte short",
            padded(1, &[number, b"203012", b"123", b""], 255),
        ),
        (
            "one byte long",
            padded(1, &[number, b"203012", b"123", b""], 257),
        ),
        ("empty", Vec::new()),
        ("all zeros", vec![0; 256]),
        ("padding that is not zero", nonzero_padding),
        ("a field past the end", past_the_end),
        ("no number", fields([b"", b"203012", b"123", b""])),
        (
            "eleven digits",
            fields([b"42424242426", b"203012", b"123", b""]),
        ),
        (
            "twenty digits",
            fields([b"42424242424242424242", b"203012", b"123", b""]),
        ),
        (
            "a wrong check digit",
            fields([b"4242424242424241", b"203012", b"123", b""]),
        ),
        (
            "spaces in the number",
            fields([b"4242 4242 4242 4242", b"203012", b"123", b""]),
        ),
        (
            "letters in the number",
            fields([b"424242424242424x", b"203012", b"123", b""]),
        ),
        (
            "other digits",
            fields([
                "４２４２４２４２４２４２４２４２".as_bytes(),
                b"203012",
                b"123",
                b"",
            ]),
        ),
        ("a past month", fields([number, b"202510", b"123", b""])),
        ("a month 13", fields([number, b"203013", b"123", b""])),
        (
            "more than twenty years ahead",
            fields([number, b"204512", b"123", b""]),
        ),
        (
            "an expiry as it is typed",
            fields([number, b"12/30", b"123", b""]),
        ),
        (
            "an expiry with a dash",
            fields([number, b"2030-12", b"123", b""]),
        ),
        ("a signed expiry", fields([number, b"+20301", b"123", b""])),
        ("no security code", fields([number, b"203012", b"", b""])),
        (
            "two digits of security code",
            fields([number, b"203012", b"12", b""]),
        ),
        (
            "four digits where three belong",
            fields([number, b"203012", b"1234", b""]),
        ),
        (
            "three where four belong",
            fields([b"378282246310005", b"203012", b"123", b""]),
        ),
        (
            "a space in the security code",
            fields([number, b"203012", b"12 3", b""]),
        ),
        (
            "a holder of spaces",
            fields([number, b"203012", b"123", b" "]),
        ),
        (
            "a holder behind a space",
            fields([number, b"203012", b"123", b" Ada"]),
        ),
        (
            "a holder of 223 bytes",
            fields([number, b"203012", b"123", &[b'A'; 223]]),
        ),
        (
            "a holder with a line break",
            fields([number, b"203012", b"123", b"Ada\nB"]),
        ),
        (
            "a holder that is a number",
            fields([number, b"203012", b"123", number]),
        ),
        (
            "a holder that is not UTF-8",
            fields([number, b"203012", b"123", b"Ada \xff"]),
        ),
    ]
}

#[test]
fn invalid_plaintexts_are_rejected() {
    let payment = Payment::new();
    let (context, recipient) = (payment.context(), KEY.public_key());
    let associated_data = context.associated_data(KEY.key_id());
    let sealed = |plaintext: &[u8]| {
        let mut random = Given::new(&counting::<64>(9));
        let (enc, ct) = seal_bytes(&recipient, plaintext, &associated_data, &mut random).unwrap();
        let (enc, ct) = (base64url(&enc), base64url(&ct));
        SealedCard {
            v: 1,
            kid: KEY.key_id().into(),
            enc,
            ct,
        }
    };
    let good = padded(
        1,
        &[b"4242424242424242", b"203012", b"123", b""],
        PLAINTEXT_BYTES,
    );
    assert_eq!(opens(&sealed(&good), &context), Ok(()));
    for (name, plaintext) in hostile_plaintexts() {
        assert!(card_of(&plaintext, world::today()).is_none(), "{name}");
        assert_eq!(
            opens(&sealed(&plaintext), &context),
            Err(OpenError),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn plaintexts_have_one_length_and_round_trip(holder in "[A-Z][a-zé' .-]{0,40}[a-z]") {
        let card = world::card("378282246310005", "202512", "0123", &holder);
        let bytes = plaintext(&card);
        prop_assert_eq!(bytes.len(), 256);
        let read = card_of(&*bytes, world::today()).unwrap();
        prop_assert_eq!(read.number.digits(), "378282246310005");
        let holders = [read.holder.unwrap(), card.holder.unwrap()];
        prop_assert_eq!(holders[0].as_str(), holders[1].as_str());
    }

    #[test]
    fn any_bytes_parse_without_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = bytes;
        drop(card_of(&bytes, world::today()));
        bytes.resize(PLAINTEXT_BYTES, 0);
        bytes[0] = 1;
        drop(card_of(&bytes, world::today()));
    }
}
