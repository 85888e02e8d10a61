//! A sealed card opens only unaltered and only for its payment.

use crate::world::{self, Given, NOW, Payment, counting};
use proptest::prelude::*;
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::encoding::{base64url, from_base64url};
use sealpay_protocol::envelope::{SealContext, SealedCard};
use sealpay_protocol::ids::{AttemptId, MerchantId, SessionId};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::seal::{
    CIPHERTEXT_BYTES, ENCAPSULATED_BYTES, OpenError, SealError, SealingPrivateKey,
    SealingPublicKey, open, open_bytes, seal,
};
use sealpay_protocol::secret::Secret;
use std::sync::LazyLock;

/// The verifier's key.
pub(crate) static KEY: LazyLock<SealingPrivateKey> = LazyLock::new(world::sealing_key);

/// A card sealed once, for the tests that alter it many times.
static SEALED: LazyLock<SealedCard> = LazyLock::new(|| sealed_for(&Payment::new()));

fn sealed_for(payment: &Payment) -> SealedCard {
    let card = world::card("4242424242424242", "203012", "123", "Ada Lovelace");
    let mut random = Given::new(&counting::<64>(9));
    seal(&card, &KEY.public_key(), &payment.context(), &mut random).unwrap()
}

/// Opens a card at the current test time, as the verifier does.
pub(crate) fn opens(sealed: &SealedCard, context: &SealContext<'_>) -> Result<(), OpenError> {
    open(sealed, &KEY, context, world::today()).map(drop)
}

#[test]
fn a_sealed_card_opens_for_its_payment() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    assert_eq!((sealed.v, sealed.kid.as_str()), (1, KEY.key_id()));
    assert_eq!(
        from_base64url(&sealed.enc).unwrap().len(),
        ENCAPSULATED_BYTES
    );
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
    let other_thumbprint = Thumbprint::from_key(&world::signing_key(1).verifying_key());
    let other_origins = [
        "https://pay.exampl",
        "https://pay.example:8443",
        "http://pay.example",
    ]
    .map(world::origin);
    let yen = Money::charge(2490, "JPY".parse().unwrap()).unwrap();
    let mut other_digest = payment.order_digest;
    other_digest[31] ^= 1;
    let rows = [
        (
            "origin",
            SealContext {
                verifier_origin: &other_origins[0],
                ..good
            },
        ),
        (
            "port",
            SealContext {
                verifier_origin: &other_origins[1],
                ..good
            },
        ),
        (
            "scheme",
            SealContext {
                verifier_origin: &other_origins[2],
                ..good
            },
        ),
        (
            "merchant",
            SealContext {
                merchant: MerchantId::new(1, [1; 10]),
                ..good
            },
        ),
        (
            "session",
            SealContext {
                session: SessionId::new(1, [1; 10]),
                ..good
            },
        ),
        (
            "amount, less",
            SealContext {
                money: world::euros(2489),
                ..good
            },
        ),
        (
            "amount, more",
            SealContext {
                money: world::euros(24_900),
                ..good
            },
        ),
        ("currency", SealContext { money: yen, ..good }),
        (
            "session expiry",
            SealContext {
                session_expires_at: NOW + 1801,
                ..good
            },
        ),
        (
            "attempt",
            SealContext {
                attempt: AttemptId::new(1, [1; 10]),
                ..good
            },
        ),
        (
            "ephemeral key",
            SealContext {
                thumbprint: &other_thumbprint,
                ..good
            },
        ),
        (
            "order",
            SealContext {
                order_digest: &other_digest,
                ..good
            },
        ),
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
    // Naming the other key as the recipient does not help.
    let renamed = SealedCard {
        kid: other.key_id().into(),
        ..sealed
    };
    let refused = open(&renamed, &other, &payment.context(), today).map(drop);
    assert_eq!(refused, Err(OpenError));
}

#[test]
fn the_wire_form_has_one_encoding() {
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
        (
            "capitals in the key id",
            with(|sealed| sealed.kid.make_ascii_uppercase()),
        ),
        ("a longer key id", with(|sealed| sealed.kid.push('0'))),
        ("no enc", with(|sealed| sealed.enc.clear())),
        ("no ct", with(|sealed| sealed.ct.clear())),
        ("enc cut", with(|sealed| sealed.enc.truncate(1490))),
        ("ct cut", with(|sealed| sealed.ct.truncate(360))),
        (
            "enc longer",
            with(|sealed| sealed.enc.insert_str(0, "AAAA")),
        ),
        ("ct longer", with(|sealed| sealed.ct.insert_str(0, "AAAA"))),
        (
            "enc of a megabyte",
            with(|sealed| sealed.enc = "A".repeat(1 << 20)),
        ),
        (
            "ct of a megabyte",
            with(|sealed| sealed.ct = "A".repeat(1 << 20)),
        ),
        ("enc padded", with(|sealed| sealed.enc.push('='))),
        ("ct padded", with(|sealed| sealed.ct.push('='))),
        (
            "enc with a line break",
            with(|sealed| sealed.enc.push('\n')),
        ),
        (
            "enc of the other alphabet",
            with(|sealed| sealed.enc.replace_range(..1, "+")),
        ),
        (
            "enc and ct exchanged",
            with(|sealed| core::mem::swap(&mut sealed.enc, &mut sealed.ct)),
        ),
    ];
    for (name, sealed) in rows {
        assert_eq!(opens(&sealed, &payment.context()), Err(OpenError), "{name}");
    }
    // 1120 and 272 bytes leave bits unused in the last character: they have to be zero.
    for (last, member) in [(&good.enc, "enc"), (&good.ct, "ct")] {
        let place = last.len() - 1;
        let other = ["B", "h", "x", "R"].map(|end| [&last[..place], end].concat());
        for text in other.iter().filter(|text| *text != last) {
            let mut sealed = good.clone();
            *(if member == "enc" {
                &mut sealed.enc
            } else {
                &mut sealed.ct
            }) = text.clone();
            assert_eq!(
                opens(&sealed, &payment.context()),
                Err(OpenError),
                "{member} {text}"
            );
        }
    }
}

#[test]
fn unknown_members_are_rejected() {
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
        assert!(
            serde_json::from_str::<SealedCard>(&altered).is_err(),
            "{from} {to}"
        );
    }
}

#[test]
fn cards_expire_with_their_month() {
    let payment = Payment::new();
    let sealed = sealed_for(&payment);
    for ((year, month), good) in [
        ((2030, 12), true),
        ((2031, 1), false),
        ((2010, 12), true),
        ((2010, 11), false),
    ] {
        let today = YearMonth::new(year, month).unwrap();
        let opened = open(&sealed, &KEY, &payment.context(), today);
        assert_eq!(opened.is_ok(), good, "{year}-{month}");
    }
}

#[test]
fn the_associated_data_is_eleven_length_prefixed_fields() {
    let payment = Payment::new();
    let data = payment.context().associated_data(KEY.key_id());
    let mut rest = data.as_slice();
    let mut fields: Vec<Vec<u8>> = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (field, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        fields.push(field.to_vec());
        rest = after;
    }
    let names = [
        world::merchant().to_string(),
        world::session().to_string(),
        world::attempt().to_string(),
    ];
    let expected: [&[u8]; 11] = [
        b"sealpay-aad-v1",
        b"https://pay.example",
        names[0].as_bytes(),
        names[1].as_bytes(),
        b"2490",
        b"EUR",
        b"1763801800",
        KEY.key_id().as_bytes(),
        names[2].as_bytes(),
        payment.thumbprint.as_str().as_bytes(),
        &payment.order_digest,
    ];
    assert_eq!(rest, b"");
    assert_eq!(fields, expected.map(<[u8]>::to_vec));
}

#[test]
fn invalid_sealing_keys_are_rejected() {
    let good = from_base64url(&KEY.public_key().to_base64url()).unwrap();
    assert_eq!(
        SealingPublicKey::from_bytes(&good).unwrap().key_id(),
        KEY.key_id()
    );
    // FIPS 203 section 7.2: a coefficient of 4095 is not below the modulus.
    let not_reduced = [&[0xff; 1184], &good[1184..]].concat();
    for bytes in [
        &[][..],
        &good[1..],
        &[&good[..], &[0]].concat(),
        &not_reduced,
    ] {
        let refused = SealingPublicKey::from_bytes(bytes).map(drop);
        assert_eq!(refused, Err(SealError), "{} bytes", bytes.len());
    }
}

#[test]
fn keys_do_not_print_themselves() {
    let printed = format!("{:?} {:?}", *KEY, KEY.public_key());
    let kid = KEY.key_id();
    assert_eq!(
        printed,
        format!("SealingPrivateKey({kid:?}) SealingPublicKey({kid:?})")
    );
}

proptest! {
    #[test]
    fn altering_enc_or_ct_is_detected(
        place in 0..ENCAPSULATED_BYTES + CIPHERTEXT_BYTES, mask in 1_u8..,
    ) {
        let payment = Payment::new();
        let good = SEALED.clone();
        let mut enc = from_base64url(&good.enc).unwrap();
        let mut ct = from_base64url(&good.ct).unwrap();
        match place.checked_sub(ENCAPSULATED_BYTES) {
            None => enc[place] ^= mask,
            Some(place) => ct[place] ^= mask,
        }
        let sealed = SealedCard { enc: base64url(&enc), ct: base64url(&ct), ..good };
        // X25519 ignores the highest bit of a public key (RFC 7748 section 5); X-Wing hashes it.
        prop_assert_eq!(opens(&sealed, &payment.context()), Err(OpenError));
    }

    #[test]
    fn altering_the_associated_data_is_detected(place: prop::sample::Index, mask in 1_u8..) {
        let payment = Payment::new();
        let enc = from_base64url(&SEALED.enc).unwrap();
        let ct = from_base64url(&SEALED.ct).unwrap();
        let mut data = payment.context().associated_data(KEY.key_id());
        let place = place.index(data.len());
        data[place] ^= mask;
        prop_assert_eq!(open_bytes(&KEY, &enc, &ct, &data).map(drop), Err(OpenError));
    }
}
