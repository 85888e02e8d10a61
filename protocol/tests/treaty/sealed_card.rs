//! A sealed card opens only as it was sealed, only where it belongs, and only if it is a good card.

use crate::world::{self, Given, NOW, Payment, counting};
use proptest::prelude::*;
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::envelope::{PLAINTEXT_BYTES, SealContext, SealedCard, card_of, plaintext};
use sealpay_protocol::ids::{AttemptId, MerchantId, SessionId};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::seal::{
    CIPHERTEXT_BYTES, ENCAPSULATED_BYTES, OpenError, SealError, SealingPrivateKey,
    SealingPublicKey, open, open_bytes, seal, seal_bytes,
};
use sealpay_protocol::secret::Secret;
use std::sync::LazyLock;

static KEY: LazyLock<SealingPrivateKey> = LazyLock::new(world::sealing_key);

fn sealed_for(payment: &Payment) -> SealedCard {
    let card = world::card("4242424242424242", "203012", "123", "Ada Lovelace");
    let mut random = Given::new(&counting::<64>(9));
    seal(&card, &KEY.public_key(), &payment.context(), &mut random).unwrap()
}

fn opens(sealed: &SealedCard, context: &SealContext<'_>) -> Result<(), OpenError> {
    open(sealed, &KEY, context, world::today()).map(drop)
}

#[test]
fn a_sealed_card_opens_where_it_belongs() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    assert_eq!((sealed.v, sealed.kid.as_str()), (1, KEY.key_id()));
    assert_eq!(from_base64url(&sealed.enc).unwrap().len(), ENCAPSULATED_BYTES);
    assert_eq!(from_base64url(&sealed.ct).unwrap().len(), CIPHERTEXT_BYTES);
    let card = open(&sealed, &KEY, &payment.context(), world::today()).unwrap();
    assert_eq!(card.number.digits(), "4242424242424242");
    assert_eq!(card.expiry.to_yyyymm(), "203012");
    assert_eq!(card.security_code.digits(), "123");
    assert_eq!(card.holder.unwrap().as_str(), "Ada Lovelace");
}

#[test]
fn a_sealed_card_opens_for_no_other_payment() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    let good = payment.context();
    let other_thumbprint = Thumbprint::of(&world::signing_key(1).verifying_key());
    let other_origins = ["https://pay.exampl", "https://pay.example:8443", "http://pay.example"]
        .map(world::origin);
    let yen = Money::charge(2490, "JPY".parse().unwrap()).unwrap();
    let mut other_digest = payment.order_digest;
    other_digest[31] ^= 1;
    let rows = [
        ("origin", SealContext { verifier_origin: &other_origins[0], ..good }),
        ("port", SealContext { verifier_origin: &other_origins[1], ..good }),
        ("scheme", SealContext { verifier_origin: &other_origins[2], ..good }),
        ("merchant", SealContext { merchant: MerchantId::new(1, [1; 10]), ..good }),
        ("session", SealContext { session: SessionId::new(1, [1; 10]), ..good }),
        ("amount, less", SealContext { money: world::euros(2489), ..good }),
        ("amount, more", SealContext { money: world::euros(24_900), ..good }),
        ("currency", SealContext { money: yen, ..good }),
        ("session expiry", SealContext { session_expires_at: NOW + 1801, ..good }),
        ("attempt", SealContext { attempt: AttemptId::new(1, [1; 10]), ..good }),
        ("ephemeral key", SealContext { thumbprint: &other_thumbprint, ..good }),
        ("order", SealContext { order_digest: &other_digest, ..good }),
    ];
    assert_eq!(opens(&sealed, &good), Ok(()));
    for (name, context) in rows {
        assert_eq!(opens(&sealed, &context), Err(OpenError), "another {name}");
    }
}

#[test]
fn a_sealed_card_opens_with_no_other_key() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    let other = SealingPrivateKey::from_seed(&Secret::new([7; 32])).unwrap();
    let today = world::today();
    let refused = open(&sealed, &other, &payment.context(), today).map(drop);
    assert_eq!(refused, Err(OpenError));
    // Nor does it help to name the other key as the recipient.
    let renamed = SealedCard { kid: other.key_id().into(), ..sealed };
    let refused = open(&renamed, &other, &payment.context(), today).map(drop);
    assert_eq!(refused, Err(OpenError));
}

#[test]
fn the_wire_form_has_one_spelling() {
    let payment = Payment::new();
    let good = sealed_for(&payment);
    let with = |change: fn(&mut SealedCard)| {
        let mut sealed = good.clone();
        change(&mut sealed);
        sealed
    };
    let rows = [
        ("version 0", with(|sealed| sealed.v = 0)),
        ("version 2", with(|sealed| sealed.v = 2)),
        ("no key id", with(|sealed| sealed.kid.clear())),
        ("capitals in the key id", with(|sealed| sealed.kid.make_ascii_uppercase())),
        ("a longer key id", with(|sealed| sealed.kid.push('0'))),
        ("no enc", with(|sealed| sealed.enc.clear())),
        ("no ct", with(|sealed| sealed.ct.clear())),
        ("enc cut", with(|sealed| sealed.enc.truncate(1490))),
        ("ct cut", with(|sealed| sealed.ct.truncate(360))),
        ("enc longer", with(|sealed| sealed.enc.insert_str(0, "AAAA"))),
        ("ct longer", with(|sealed| sealed.ct.insert_str(0, "AAAA"))),
        ("enc of a megabyte", with(|sealed| sealed.enc = "A".repeat(1 << 20))),
        ("ct of a megabyte", with(|sealed| sealed.ct = "A".repeat(1 << 20))),
        ("enc padded", with(|sealed| sealed.enc.push('='))),
        ("ct padded", with(|sealed| sealed.ct.push('='))),
        ("enc with a line break", with(|sealed| sealed.enc.push('\n'))),
        ("enc of the other alphabet", with(|sealed| sealed.enc.replace_range(..1, "+"))),
        ("enc and ct exchanged", with(|sealed| core::mem::swap(&mut sealed.enc, &mut sealed.ct))),
    ];
    for (name, sealed) in rows {
        assert_eq!(opens(&sealed, &payment.context()), Err(OpenError), "{name}");
    }
    // 1120 and 272 bytes leave bits over in the last character: they have to be zero.
    for (last, member) in [(&good.enc, "enc"), (&good.ct, "ct")] {
        let place = last.len() - 1;
        let other = ["B", "h", "x", "R"].map(|end| [&last[..place], end].concat());
        for text in other.iter().filter(|text| *text != last) {
            let mut sealed = good.clone();
            *(if member == "enc" { &mut sealed.enc } else { &mut sealed.ct }) = text.clone();
            assert_eq!(opens(&sealed, &payment.context()), Err(OpenError), "{member} {text}");
        }
    }
}

#[test]
fn a_wire_form_with_other_members_is_no_wire_form() {
    let sealed = serde_json::to_string(&sealed_for(&Payment::new())).unwrap();
    assert!(serde_json::from_str::<SealedCard>(&sealed).is_ok());
    for (from, to) in [
        ("{", "{\"aad\":\"\","),
        ("{", "{\"v\":1,"),
        ("\"v\":1,", ""),
        ("\"v\":1,", "\"v\":\"1\","),
        ("\"v\":1,", "\"v\":1.0,"),
        ("\"v\":1,", "\"v\":257,"),
    ] {
        let altered = sealed.replacen(from, to, 1);
        assert!(serde_json::from_str::<SealedCard>(&altered).is_err(), "{from} {to}");
    }
}

/// A plaintext of any fields, padded with zeros to `length`.
fn padded(version: u8, fields: &[&[u8]], length: usize) -> Vec<u8> {
    let mut bytes = vec![version];
    for field in fields {
        bytes.push(u8::try_from(field.len()).unwrap());
        bytes.extend_from_slice(field);
    }
    bytes.resize(length, 0);
    bytes
}

/// What a hostile widget may put into an envelope that is otherwise in order.
fn hostile_plaintexts() -> Vec<(&'static str, Vec<u8>)> {
    let number = b"4242424242424242".as_slice();
    let fields = |fields: [&[u8]; 4]| padded(1, &fields, PLAINTEXT_BYTES);
    let mut nonzero_padding = fields([number, b"203012", b"123", b""]);
    nonzero_padding[255] = 1;
    let mut past_the_end = fields([number, b"203012", b"123", b""]);
    past_the_end[29] = 255;
    vec![
        ("version 0", padded(0, &[number, b"203012", b"123", b""], 256)),
        ("version 2", padded(2, &[number, b"203012", b"123", b""], 256)),
        ("one byte short", padded(1, &[number, b"203012", b"123", b""], 255)),
        ("one byte long", padded(1, &[number, b"203012", b"123", b""], 257)),
        ("empty", Vec::new()),
        ("all zeros", vec![0; 256]),
        ("padding that is not zero", nonzero_padding),
        ("a field past the end", past_the_end),
        ("no number", fields([b"", b"203012", b"123", b""])),
        ("eleven digits", fields([b"42424242426", b"203012", b"123", b""])),
        ("twenty digits", fields([b"42424242424242424242", b"203012", b"123", b""])),
        ("a wrong check digit", fields([b"4242424242424241", b"203012", b"123", b""])),
        ("spaces in the number", fields([b"4242 4242 4242 4242", b"203012", b"123", b""])),
        ("letters in the number", fields([b"424242424242424x", b"203012", b"123", b""])),
        ("other digits", fields(["４２４２４２４２４２４２４２４２".as_bytes(), b"203012", b"123", b""])),
        ("a past month", fields([number, b"202510", b"123", b""])),
        ("a month 13", fields([number, b"203013", b"123", b""])),
        ("more than twenty years ahead", fields([number, b"204512", b"123", b""])),
        ("an expiry as it is typed", fields([number, b"12/30", b"123", b""])),
        ("an expiry with a dash", fields([number, b"2030-12", b"123", b""])),
        ("a signed expiry", fields([number, b"+20301", b"123", b""])),
        ("no security code", fields([number, b"203012", b"", b""])),
        ("two digits of security code", fields([number, b"203012", b"12", b""])),
        ("four digits where three belong", fields([number, b"203012", b"1234", b""])),
        ("three where four belong", fields([b"378282246310005", b"203012", b"123", b""])),
        ("a space in the security code", fields([number, b"203012", b"12 3", b""])),
        ("a holder of spaces", fields([number, b"203012", b"123", b" "])),
        ("a holder behind a space", fields([number, b"203012", b"123", b" Ada"])),
        ("a holder of 97 bytes", fields([number, b"203012", b"123", &[b'A'; 97]])),
        ("a holder with a line break", fields([number, b"203012", b"123", b"Ada\nB"])),
        ("a holder that is a number", fields([number, b"203012", b"123", number])),
        ("a holder that is not UTF-8", fields([number, b"203012", b"123", b"Ada \xff"])),
    ]
}

#[test]
fn an_envelope_is_checked_again_inside() {
    let payment = Payment::new();
    let (context, recipient) = (payment.context(), KEY.public_key());
    let associated_data = context.associated_data(KEY.key_id());
    let sealed = |plaintext: &[u8]| {
        let mut random = Given::new(&counting::<64>(9));
        let (enc, ct) = seal_bytes(&recipient, plaintext, &associated_data, &mut random).unwrap();
        let (enc, ct) = (base64url(&enc), base64url(&ct));
        SealedCard { v: 1, kid: KEY.key_id().into(), enc, ct }
    };
    let good = padded(1, &[b"4242424242424242", b"203012", b"123", b""], PLAINTEXT_BYTES);
    assert_eq!(opens(&sealed(&good), &context), Ok(()));
    for (name, plaintext) in hostile_plaintexts() {
        assert!(card_of(&plaintext, world::today()).is_none(), "{name}");
        assert_eq!(opens(&sealed(&plaintext), &context), Err(OpenError), "{name}");
    }
}

#[test]
fn a_card_expires_with_its_month() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    for ((year, month), good) in [((2030, 12), true), ((2031, 1), false), ((2010, 12), true), ((2010, 11), false)] {
        let today = YearMonth::new(year, month).unwrap();
        let opened = open(&sealed, &KEY, &payment.context(), today);
        assert_eq!(opened.is_ok(), good, "{year}-{month}");
    }
}

#[test]
fn the_associated_data_is_eleven_fields_behind_their_lengths() {
    let payment = Payment::new();
    let data = payment.context().associated_data(KEY.key_id());
    let mut rest = data.as_slice();
    let mut fields: Vec<Vec<u8>> = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (field, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        fields.push(field.to_vec());
        rest = after;
    }
    let expected: [&[u8]; 11] = [
        b"sealpay-aad-v1",
        b"https://pay.example",
        b"mer_01k9yjhay00g40r40m30e20a18",
        world::session().to_string().leak().as_bytes(),
        b"2490",
        b"EUR",
        b"1763801800",
        KEY.key_id().as_bytes(),
        world::attempt().to_string().leak().as_bytes(),
        payment.thumbprint.as_str().as_bytes(),
        &payment.order_digest,
    ];
    assert_eq!(rest, b"");
    assert_eq!(fields, expected.map(<[u8]>::to_vec));
}

#[test]
fn other_bytes_are_no_sealing_key() {
    let good = from_base64url(&KEY.public_key().to_base64url()).unwrap();
    assert_eq!(SealingPublicKey::from_bytes(&good).unwrap().key_id(), KEY.key_id());
    // FIPS 203 section 7.2: a coefficient of 4095 is not below the modulus.
    let not_reduced = [&[0xff; 1184], &good[1184..]].concat();
    for bytes in [&[][..], &good[1..], &[&good[..], &[0]].concat(), &not_reduced] {
        let refused = SealingPublicKey::from_bytes(bytes).map(drop);
        assert_eq!(refused, Err(SealError), "{} bytes", bytes.len());
    }
}

#[test]
fn keys_do_not_print_themselves() {
    let printed = format!("{:?} {:?}", *KEY, KEY.public_key());
    let kid = KEY.key_id();
    assert_eq!(printed, format!("SealingPrivateKey({kid:?}) SealingPublicKey({kid:?})"));
}

proptest! {
    #[test]
    fn a_changed_byte_of_enc_or_ct_refuses(place in 0..ENCAPSULATED_BYTES + CIPHERTEXT_BYTES, mask in 1_u8..) {
        let payment = Payment::new();
        let good = sealed_for(&payment);
        let mut enc = from_base64url(&good.enc).unwrap();
        let mut ct = from_base64url(&good.ct).unwrap();
        match place.checked_sub(ENCAPSULATED_BYTES) {
            None => enc[place] ^= mask,
            Some(place) => ct[place] ^= mask,
        }
        let sealed = SealedCard { enc: base64url(&enc), ct: base64url(&ct), ..good };
        // X25519 ignores the highest bit of a public key (RFC 7748 section 5), but X-Wing hashes it.
        prop_assert_eq!(opens(&sealed, &payment.context()), Err(OpenError));
    }

    #[test]
    fn a_changed_byte_of_the_associated_data_refuses(place: prop::sample::Index, mask in 1_u8..) {
        let payment = Payment::new();
        let sealed = sealed_for(&payment);
        let enc = from_base64url(&sealed.enc).unwrap();
        let ct = from_base64url(&sealed.ct).unwrap();
        let mut data = payment.context().associated_data(KEY.key_id());
        prop_assert!(open_bytes(&KEY, &enc, &ct, &data).is_ok());
        let place = place.index(data.len());
        data[place] ^= mask;
        prop_assert_eq!(open_bytes(&KEY, &enc, &ct, &data).map(drop), Err(OpenError));
    }

    #[test]
    fn every_plaintext_has_one_length_and_reads_back(holder in "[A-Z][a-zé' .-]{0,40}[a-z]") {
        let card = world::card("378282246310005", "202512", "0123", &holder);
        let bytes = plaintext(&card);
        prop_assert_eq!(bytes.len(), 256);
        let read = card_of(&*bytes, world::today()).unwrap();
        prop_assert_eq!(read.number.digits(), "378282246310005");
        prop_assert_eq!(read.holder.unwrap().as_str(), card.holder.unwrap().as_str());
    }

    #[test]
    fn any_bytes_at_all_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        drop(card_of(&bytes, world::today()));
        bytes.resize(PLAINTEXT_BYTES, 0);
        bytes[0] = 1;
        drop(card_of(&bytes, world::today()));
    }
}
