//! A webhook verifies only unaltered, in time, and with the right key or secret.

use crate::world::{self, NOW};
use proptest::prelude::*;
use sealpay_protocol::encoding::base64;
use sealpay_protocol::webhook::{
    EndpointSecret, WebhookError, WebhookHeaders, public_key, public_key_text, sign, verify_key,
    verify_secret,
};

use WebhookError::{SignatureRefused, TimestampRefused};

const BODY: &[u8] = br#"{"type":"payment.captured"}"#;
const ID: &str = "evt_01jd0000000000000000000000";

/// A signature list with one key and one secret: `v1a,… v1,…`.
fn signature() -> String {
    let key = world::signing_key(world::WEBHOOK_SEED);
    let secret = world::endpoint_secret(world::ENDPOINT_SECRET);
    sign(ID, NOW, BODY, &[&key], &[&secret])
}

/// The results of verifying with the key and with the secret.
fn both(headers: &WebhookHeaders<'_>, body: &[u8], now: u64) -> [Result<(), WebhookError>; 2] {
    let key = world::signing_key(world::WEBHOOK_SEED).verifying_key();
    let secret = world::endpoint_secret(world::ENDPOINT_SECRET);
    [
        verify_key(headers, body, &key, now),
        verify_secret(headers, body, &secret, now),
    ]
}

fn judged(
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
) -> [Result<(), WebhookError>; 2] {
    both(
        &WebhookHeaders {
            id,
            timestamp,
            signature,
        },
        body,
        NOW,
    )
}

#[test]
fn unaltered_webhooks_verify() {
    assert_eq!(judged(ID, "1763800000", &signature(), BODY), [Ok(()); 2]);
    let listed = signature();
    let schemes: Vec<_> = listed
        .split(' ')
        .map(|entry| entry.split(',').next())
        .collect();
    assert_eq!(schemes, [Some("v1a"), Some("v1")]);
}

#[test]
fn altered_webhooks_are_rejected() {
    let signature = signature();
    let rows: [(&str, &str, &str, &[u8]); 9] = [
        ("body", ID, "1763800000", br#"{"type":"payment.declined"}"#),
        (
            "a space more",
            ID,
            "1763800000",
            br#"{"type": "payment.captured"}"#,
        ),
        (
            "a line break more",
            ID,
            "1763800000",
            b"{\"type\":\"payment.captured\"}\n",
        ),
        ("no body", ID, "1763800000", b""),
        ("id", "evt_01jd0000000000000000000001", "1763800000", BODY),
        ("no id", "", "1763800000", BODY),
        ("timestamp", ID, "1763800001", BODY),
        ("leading zero", ID, "01763800000", BODY),
        (
            "a moved dot",
            "evt_01jd0000000000000000000000.1763800000",
            "1763800000",
            BODY,
        ),
    ];
    for (name, id, timestamp, body) in rows {
        let refused = judged(id, timestamp, &signature, body);
        assert_eq!(refused, [Err(SignatureRefused); 2], "{name}");
    }
}

#[test]
fn timestamps_are_accepted_within_five_minutes() {
    let signature = signature();
    let headers = WebhookHeaders {
        id: ID,
        timestamp: "1763800000",
        signature: &signature,
    };
    let rows = [
        (NOW - 301, Err(TimestampRefused)),
        (NOW - 300, Ok(())),
        (NOW, Ok(())),
        (NOW + 300, Ok(())),
        (NOW + 301, Err(TimestampRefused)),
        (0, Err(TimestampRefused)),
        (u64::MAX, Err(TimestampRefused)),
    ];
    for (now, expected) in rows {
        assert_eq!(both(&headers, BODY, now), [expected; 2], "{now}");
    }
}

#[test]
fn timestamps_are_whole_seconds() {
    let signature = signature();
    for timestamp in [
        "",
        " ",
        "+1763800000",
        "-1763800000",
        "1763800000 ",
        " 1763800000",
        "1763800000.0",
        "1.7638e9",
        "0x69217a00",
        "１７６３８０００００",
        "2025-11-22T08:26:40Z",
        "99999999999999999999999999",
    ] {
        let refused = judged(ID, timestamp, &signature, BODY);
        assert_eq!(refused, [Err(TimestampRefused); 2], "{timestamp:?}");
    }
}

/// Forms of the signature list, with the expected results for the key and the secret.
fn lists() -> Vec<(&'static str, String, [bool; 2])> {
    let signature = signature();
    let (v1a, v1) = signature.split_once(' ').unwrap();
    let relabelled = signature
        .replacen("v1a,", "v2a,", 1)
        .replacen(" v1,", " v2,", 1);
    let exchanged = signature
        .replacen("v1a,", "v1,", 1)
        .replacen(" v1,", " v1a,", 1);
    let padding = v1.trim_end_matches('=');
    let urlsafe = [v1a, v1].map(|entry| entry.replace(['+', '/'], "_"));
    let stranger = base64(&[0; 32]);
    vec![
        ("empty", String::new(), [false, false]),
        ("only v1a", v1a.into(), [true, false]),
        ("only v1", v1.into(), [false, true]),
        ("the other order", [v1, v1a].join(" "), [true, true]),
        (
            "with others before",
            format!("v1,{stranger} v1a,{stranger} v9,x {v1a} {v1}"),
            [true, true],
        ),
        ("v1 cut", v1[..v1.len() - 4].into(), [false, false]),
        ("v1a cut", v1a[..v1a.len() - 4].into(), [false, false]),
        (
            "without padding",
            [v1a.trim_end_matches('='), padding].join(" "),
            [false, false],
        ),
        (
            "the other alphabet",
            urlsafe.join(" "),
            [!v1a.contains(['+', '/']), !v1.contains(['+', '/'])],
        ),
        ("other schemes", relabelled, [false, false]),
        ("schemes exchanged", exchanged, [false, false]),
        ("capitals", signature.to_uppercase(), [false, false]),
        (
            "no scheme",
            signature.replace("v1a,", "").replace("v1,", ""),
            [false, false],
        ),
        ("separated by commas", [v1a, v1].join(","), [false, false]),
        ("separated by tabs", [v1a, v1].join("\t"), [false, false]),
        ("empty signatures", "v1a, v1,".into(), [false, false]),
        (
            "zeros",
            format!("v1a,{} v1,{stranger}", base64(&[0; 64])),
            [false, false],
        ),
        ("no base64", "v1a,!!! v1,???".into(), [false, false]),
    ]
}

#[test]
fn one_matching_signature_of_the_list_suffices() {
    for (name, list, good) in lists() {
        let expected = good.map(|good| if good { Ok(()) } else { Err(SignatureRefused) });
        assert_eq!(
            judged(ID, "1763800000", &list, BODY),
            expected,
            "{name}: {list}"
        );
    }
}

#[test]
fn other_keys_and_secrets_do_not_verify() {
    let key = world::signing_key(world::NEXT_WEBHOOK_SEED);
    let secret = world::endpoint_secret(world::NEXT_ENDPOINT_SECRET);
    let signature = sign(ID, NOW, BODY, &[&key], &[&secret]);
    let refused = judged(ID, "1763800000", &signature, BODY);
    assert_eq!(refused, [Err(SignatureRefused); 2]);
}

#[test]
fn old_and_new_key_verify_during_rotation() {
    let seeds = [world::WEBHOOK_SEED, world::NEXT_WEBHOOK_SEED];
    let [old, new] = seeds.map(world::signing_key);
    let firsts = [world::ENDPOINT_SECRET, world::NEXT_ENDPOINT_SECRET];
    let [old_secret, new_secret] = firsts.map(world::endpoint_secret);
    let signature = sign(ID, NOW, BODY, &[&old, &new], &[&old_secret, &new_secret]);
    assert_eq!(signature.split(' ').count(), 4);
    let headers = WebhookHeaders {
        id: ID,
        timestamp: "1763800000",
        signature: &signature,
    };
    for key in [old, new] {
        assert_eq!(
            verify_key(&headers, BODY, &key.verifying_key(), NOW),
            Ok(())
        );
    }
    for secret in [old_secret, new_secret] {
        assert_eq!(verify_secret(&headers, BODY, &secret, NOW), Ok(()));
    }
}

#[test]
fn keys_and_secrets_have_one_encoding() {
    let secret = world::endpoint_secret(world::ENDPOINT_SECRET);
    let text = secret.reveal().to_string();
    assert_eq!(text.len(), "whsec_".len() + 44);
    for bad in [
        "",
        "whsec_",
        &text[6..],
        &text[..text.len() - 1],
        &text.replace("whsec_", "whsk_"),
        &text.replace("whsec_", "WHSEC_"),
        &[&text, " "].concat(),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ] {
        assert!(EndpointSecret::parse(bad).is_none(), "{bad}");
    }
    let key = world::signing_key(world::WEBHOOK_SEED).verifying_key();
    let text = public_key_text(&key);
    assert_eq!(public_key(&text), Some(key));
    let small_order = format!("whpk_{}", base64(&[0; 32]));
    for bad in [
        "",
        "whpk_",
        &text[5..],
        &text[..text.len() - 1],
        &text.replace("whpk_", "whsec_"),
        &small_order,
    ] {
        assert_eq!(public_key(bad), None, "{bad}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let secret = world::endpoint_secret(world::ENDPOINT_SECRET);
    assert_eq!(format!("{secret:?}"), "EndpointSecret([redacted])");
}

proptest! {
    #[test]
    fn any_body_verifies_unaltered_only(
        body: Vec<u8>, place: prop::sample::Index, mask in 1_u8..,
    ) {
        let key = world::signing_key(world::WEBHOOK_SEED);
        let secret = world::endpoint_secret(world::ENDPOINT_SECRET);
        let signature = sign(ID, NOW, &body, &[&key], &[&secret]);
        prop_assert_eq!(judged(ID, "1763800000", &signature, &body), [Ok(()); 2]);
        let mut longer = body.clone();
        longer.push(mask);
        let mut altered = body.clone();
        if !body.is_empty() {
            altered[place.index(body.len())] ^= mask;
        }
        for other in [longer, altered] {
            let expected = if other == body { Ok(()) } else { Err(SignatureRefused) };
            prop_assert_eq!(judged(ID, "1763800000", &signature, &other), [expected; 2]);
        }
    }
}
