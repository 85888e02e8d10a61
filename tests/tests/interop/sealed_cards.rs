//! Sealed cards and `@hpke/core` with X-Wing.

use super::peers::NODE;
use super::{accepted, assert_refused, key, now};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use sealpay_protocol::card::{Card, CardNumber, Expiry, SecurityCode, YearMonth};
use sealpay_protocol::encoding::hex;
use sealpay_protocol::envelope::{SealContext, SealedCard, plaintext};
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::origin::Origin;
use sealpay_protocol::seal::{SealingPrivateKey, open, seal};
use sealpay_protocol::secret::Secret;
use serde_json::{Value, json};

const SEED: [u8; 32] = [0x31; 32];

fn sealing_key() -> SealingPrivateKey {
    SealingPrivateKey::from_seed(&Secret::new(SEED)).unwrap()
}

fn today() -> YearMonth {
    YearMonth::from_unix_seconds(now())
}

fn card() -> Card {
    let number = CardNumber::parse("5555555555554444").unwrap();
    let security_code = SecurityCode::parse("123", number.brand()).unwrap();
    let expiry = format!("12/{}", today().year() + 1);
    Card {
        number,
        expiry: Expiry::parse(&expiry, today()).unwrap(),
        security_code,
        holder: None,
    }
}

/// Hands a context to `then`, which may keep nothing of it.
fn in_context<T>(then: impl FnOnce(&SealContext<'_>) -> T) -> T {
    let verifier_origin: Origin = "https://pay.example".parse().unwrap();
    then(&SealContext {
        verifier_origin: &verifier_origin,
        merchant: "mer_01kanar9g0000g40r40m30e209".parse().unwrap(),
        session: "chk_01kanar9g0000g40r40m30e209".parse().unwrap(),
        money: Money::charge(2490, "EUR".parse().unwrap()).unwrap(),
        session_expires_at: 1_763_801_800,
        attempt: "att_01kanar9g0000g40r40m30e209".parse().unwrap(),
        thumbprint: &Thumbprint::from_key(&key().verifying_key()),
        order_digest: &[9; 32],
    })
}

/// The members `info` and `associated_data` of a question.
fn bound() -> Value {
    let key = sealing_key();
    let info = [b"sealpay/v1/card\0", key.key_id().as_bytes()].concat();
    let associated_data = in_context(|context| context.associated_data(key.key_id()));
    json!({"info": hex(&info), "associated_data": hex(&associated_data)})
}

#[test]
fn peer_decrypts_our_sealed_cards() {
    let key = sealing_key();
    let card = card();
    let sealed = in_context(|context| {
        seal(&card, &key.public_key(), context, &mut UnwrapErr(SysRng)).unwrap()
    });
    let mut good = bound();
    good["ask"] = "open".into();
    good["seed"] = hex(&SEED).into();
    good["sealed"] = json!(sealed);
    let mut moved = good.clone();
    moved["associated_data"] = "00".into();
    let Some(answers) = NODE.ask("peer_decrypts_our_sealed_cards", &[good, moved]) else {
        return;
    };
    assert_eq!(*accepted(&answers[0]), hex(&*plaintext(&card)));
    assert_refused(&answers[1], "other associated data");
}

#[test]
fn we_decrypt_sealed_cards_of_a_peer() {
    let key = sealing_key();
    let card = card();
    let mut question = bound();
    question["ask"] = "seal".into();
    question["public_key"] = key.public_key().to_base64url().into();
    question["plaintext"] = hex(&*plaintext(&card)).into();
    let Some(answers) = NODE.ask("we_decrypt_sealed_cards_of_a_peer", &[question]) else {
        return;
    };
    let text = |member: &str| accepted(&answers[0])[member].as_str().unwrap().to_owned();
    let sealed = SealedCard {
        v: 1,
        kid: key.key_id().into(),
        enc: text("enc"),
        ct: text("ct"),
    };
    let opened = in_context(|context| open(&sealed, &key, context, today()));
    assert_eq!(*plaintext(&opened.unwrap()), *plaintext(&card));
}
