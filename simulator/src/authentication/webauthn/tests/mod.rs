//! Registrations and assertions: valid ones are accepted, and each invalid one is refused for its own
//! reason.

pub(crate) mod software;

use super::key::{EDDSA, ES256};
use super::{
    CeremonyError, Expected, OTHER_PAGE, Passkey, PublicKey, verify_assertion, verify_registration,
};
use sealpay_protocol::encoding::base64url;
use serde_json::{Value, json};
use software::SoftwareAuthenticator;

const ORIGIN: &str = "https://pay.example";
const PARENT: &str = "https://shop.example";
const CHALLENGE: [u8; 48] = [3; 48];
const HANDLE: [u8; 32] = [5; 32];

/// The order names the shop's page and a portal around it.
const PAGES: [&str; 2] = [PARENT, "https://portal.example"];

fn expected() -> Expected<'static> {
    Expected {
        challenge: &CHALLENGE,
        origin: ORIGIN,
        pages: &PAGES,
        rp_id: "pay.example",
    }
}

fn creation_options() -> String {
    json!({
        "challenge": base64url(&CHALLENGE),
        "rp": {"id": "pay.example"},
        "user": {"id": base64url(&HANDLE)},
    })
    .to_string()
}

fn request_options() -> String {
    json!({"challenge": base64url(&CHALLENGE), "rpId": "pay.example"}).to_string()
}

fn authenticator(algorithm: i64) -> SoftwareAuthenticator {
    SoftwareAuthenticator::new(algorithm, ORIGIN, PARENT)
}

fn enrolled(algorithm: i64) -> (SoftwareAuthenticator, Passkey) {
    let mut authenticator = authenticator(algorithm);
    let passkey =
        verify_registration(&authenticator.create(&creation_options()), &expected()).unwrap();
    (authenticator, passkey)
}

fn use_it(
    authenticator: &mut SoftwareAuthenticator,
    passkey: &Passkey,
) -> Result<u32, CeremonyError> {
    let assertion = authenticator.get(&request_options());
    verify_assertion(&assertion, &expected(), passkey, &HANDLE)
}

#[test]
fn a_passkey_is_registered_and_used_with_either_algorithm() {
    for algorithm in [ES256, EDDSA] {
        let (mut authenticator, passkey) = enrolled(algorithm);
        assert_eq!(passkey.credential_id, authenticator.credential_id);
        assert_eq!(passkey.key.algorithm(), algorithm);
        let stored = PublicKey::from_parts(algorithm, passkey.key.bytes());
        assert_eq!(stored.as_ref(), Some(&passkey.key));
        assert_eq!(use_it(&mut authenticator, &passkey), Ok(1));
        assert_eq!(use_it(&mut authenticator, &passkey), Ok(2));
    }
}

#[test]
fn a_self_attestation_is_verified() {
    for algorithm in [ES256, EDDSA] {
        let mut authenticator = authenticator(algorithm);
        authenticator.attests_itself = true;
        let credential = authenticator.create(&creation_options());
        assert!(verify_registration(&credential, &expected()).is_ok());
        let mut changed: Value = serde_json::from_str(&credential).unwrap();
        // The same client data with a space has the same meaning and another hash.
        let response = &mut changed["response"];
        let data = response["clientDataJSON"].as_str().unwrap();
        let mut data = sealpay_protocol::encoding::from_base64url(data).unwrap();
        data.push(b' ');
        response["clientDataJSON"] = base64url(&data).into();
        let refused = verify_registration(&changed.to_string(), &expected());
        assert_eq!(refused, Err("the attestation is not of this key"));
    }
}

type Change = fn(&mut SoftwareAuthenticator);

const PAGE: Result<(), CeremonyError> = Err(OTHER_PAGE);
const ORIGIN_ERROR: Result<(), CeremonyError> = Err("the origin is another one");

/// Changes that have the same result in both ceremonies.
const CHANGES: [(Change, Result<(), CeremonyError>); 18] = [
    (|_| (), Ok(())),
    (|a| a.top_origin = None, Ok(())),
    (
        |a| a.top_origin = Some("https://portal.example".into()),
        Ok(()),
    ),
    (|a| (a.cross_origin, a.top_origin) = (None, None), PAGE),
    (
        |a| (a.cross_origin, a.top_origin) = (Some(false), None),
        PAGE,
    ),
    (|a| a.extensions = vec![0xa1, 0x61, b'x', 0xf5], Ok(())),
    (|a| a.flags |= 0b11000, Ok(())),
    (
        |a| a.kind = Some("payment.get"),
        Err("the ceremony is of the other kind"),
    ),
    (
        |a| a.origin = "https://pay.example.evil".into(),
        ORIGIN_ERROR,
    ),
    (|a| a.origin = "http://pay.example".into(), ORIGIN_ERROR),
    (|a| a.top_origin = Some("https://evil.example".into()), PAGE),
    (|a| a.cross_origin = Some(false), PAGE),
    (|a| a.cross_origin = None, PAGE),
    (
        |a| a.rp_id = Some("evil.example".into()),
        Err("the relying party is another one"),
    ),
    (|a| a.flags = 0b100, Err("nobody was present")),
    (|a| a.flags = 0b001, Err("the user was not verified")),
    (
        |a| a.flags |= 0b10000,
        Err("the backup flags contradict each other"),
    ),
    (
        |a| a.extensions = vec![0xa1, 0x61, b'x'],
        Err("the authenticator data is malformed"),
    ),
];

#[test]
fn an_invalid_registration_is_refused() {
    for (number, (change, expectation)) in CHANGES.into_iter().enumerate() {
        let mut authenticator = authenticator(ES256);
        change(&mut authenticator);
        let registered =
            verify_registration(&authenticator.create(&creation_options()), &expected());
        assert_eq!(registered.map(drop), expectation, "{number}");
    }
}

#[test]
fn an_invalid_assertion_is_refused() {
    for (number, (change, expectation)) in CHANGES.into_iter().enumerate() {
        let (mut authenticator, mut passkey) = enrolled(ES256);
        change(&mut authenticator);
        passkey.is_backup_eligible = authenticator.flags & 0b1000 != 0;
        let outcome = use_it(&mut authenticator, &passkey);
        assert_eq!(outcome.map(drop), expectation, "{number}");
    }
}

#[test]
fn a_signature_of_another_ceremony_key_or_user_is_refused() {
    let (mut authenticator, passkey) = enrolled(ES256);
    let assertion = authenticator.get(&request_options());
    let check = |assertion: &str, challenge: &[u8], passkey: &Passkey, handle: &[u8]| {
        let expected = Expected {
            challenge,
            ..expected()
        };
        verify_assertion(assertion, &expected, passkey, handle)
    };
    assert_eq!(check(&assertion, &CHALLENGE, &passkey, &HANDLE), Ok(1));
    let other_challenge = check(&assertion, &[4; 48], &passkey, &HANDLE);
    assert_eq!(other_challenge, Err("the challenge is another one"));
    let other_user = check(&assertion, &CHALLENGE, &passkey, &[6; 32]);
    assert_eq!(other_user, Err("the credential is another user's"));
    let (_, other) = enrolled(ES256);
    let other_key = check(&assertion, &CHALLENGE, &other, &HANDLE);
    assert_eq!(other_key, Err("the signature is wrong"));
    let mut elsewhere = passkey.clone();
    elsewhere.credential_id.push(0);
    let other_credential = check(&assertion, &CHALLENGE, &elsewhere, &HANDLE);
    assert_eq!(
        other_credential,
        Err("the credential is not this account's")
    );
    let mut eligible = passkey;
    eligible.is_backup_eligible = true;
    let other_nature = check(&assertion, &CHALLENGE, &eligible, &HANDLE);
    assert_eq!(other_nature, Err("the credential changed its nature"));
}

#[test]
fn a_count_that_does_not_grow_is_refused_unless_it_is_zero() {
    let rows = [
        (0, 0, true),
        (0, 1, true),
        (1, 0, false),
        (5, 5, false),
        (5, 4, false),
        (5, 6, true),
    ];
    for (stored, signed, is_accepted) in rows {
        let (mut authenticator, mut passkey) = enrolled(ES256);
        authenticator.counts = false;
        authenticator.sign_count = signed;
        passkey.sign_count = stored;
        let outcome = use_it(&mut authenticator, &passkey);
        assert_eq!(outcome.is_ok(), is_accepted, "{stored} {signed}");
    }
}

#[test]
fn malformed_credentials_are_refused() {
    let (mut authenticator, passkey) = enrolled(ES256);
    let good: Value = serde_json::from_str(&authenticator.get(&request_options())).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.to_string()
    };
    let texts = [
        String::new(),
        "[]".into(),
        "{}".into(),
        "null".into(),
        " ".repeat(9000),
        with(&|c| c["type"] = "password".into()),
        with(&|c| c["rawId"] = "".into()),
        with(&|c| c["response"] = json!([])),
        with(&|c| c["response"]["clientDataJSON"] = "e30".into()),
        with(&|c| c["response"]["clientDataJSON"] = "W10".into()),
        with(&|c| c["response"]["clientDataJSON"] = "e30=".into()),
        with(&|c| c["response"]["authenticatorData"] = "".into()),
        with(&|c| c["response"]["signature"] = "".into()),
        with(&|c| c["response"]["signature"] = "AAAA".into()),
    ];
    for text in texts {
        let shown = text.get(..60).unwrap_or(&text).to_owned();
        assert!(
            verify_assertion(&text, &expected(), &passkey, &HANDLE).is_err(),
            "{shown}"
        );
        assert!(verify_registration(&text, &expected()).is_err(), "{shown}");
    }
    let whole = with(&|_| ());
    assert!(verify_assertion(&whole, &expected(), &passkey, &HANDLE).is_ok());
}

#[test]
fn invalid_keys_are_refused() {
    let good = authenticator(ES256).cose_key();
    let read = |bytes: &[u8]| PublicKey::from_cose(super::cbor::Reader::new(bytes));
    assert!(read(&good).is_some());
    let mut off_the_curve = good.clone();
    off_the_curve[20] ^= 1;
    let mut other_algorithm = good.clone();
    other_algorithm[4] = 0x27;
    let mut without_y = good[..42].to_vec();
    without_y[0] = 0xa4;
    let mut twice = vec![0xa6, 0x01, 0x02];
    twice.extend(&good[1..]);
    for bytes in [off_the_curve, other_algorithm, without_y, twice, Vec::new()] {
        assert!(read(&bytes).is_none(), "{bytes:?}");
    }
    // The neutral element of Ed25519 verifies what nobody signed.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert_eq!(PublicKey::from_parts(EDDSA, &weak), None);
}

/// W3C, Web Authentication Level 3, "Test Vectors": the registrations of `packed-self.ES256` and of
/// `none.ES256`, whose authenticator did not verify the user.
#[test]
fn the_test_vectors_of_the_standard_have_their_results() {
    let bytes = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let creation = |id: &str, client_data: &str, object: &str| {
        json!({"rawId": base64url(&bytes(id)), "type": "public-key", "response": {
            "clientDataJSON": base64url(&bytes(client_data)),
            "attestationObject": base64url(&bytes(object)),
        }})
        .to_string()
    };
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let member = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    for vector in vectors.as_array().unwrap() {
        let challenge = bytes(&member(vector, "challenge"));
        let credential = creation(
            &member(vector, "credential_id"),
            &member(vector, "client_data_json"),
            &member(vector, "attestation_object"),
        );
        let expected = Expected {
            challenge: &challenge,
            origin: "https://example.org",
            // The vectors are of pages by themselves.
            pages: &[],
            rp_id: "example.org",
        };
        let outcome = verify_registration(&credential, &expected);
        let refusal = vector["refused"].as_str();
        assert_eq!(outcome.err(), refusal, "{}", vector["name"]);
    }
}

/// Recorded from a browser with a virtual authenticator: the widget's page in a frame of a shop's,
/// each at an origin of its own.
#[test]
fn a_recorded_browser_in_a_frame_is_accepted() {
    let record: Value = serde_json::from_str(include_str!("browser.json")).unwrap();
    let member = |name: &str| record[name].as_str().unwrap();
    let expected = Expected {
        challenge: &CHALLENGE,
        origin: member("origin"),
        pages: &[member("parent_origin")],
        rp_id: member("rp_id"),
    };
    let passkey = verify_registration(&record["created"].to_string(), &expected).unwrap();
    let assertion = record["used"].to_string();
    let count = verify_assertion(&assertion, &expected, &passkey, &HANDLE);
    assert_eq!((passkey.sign_count, count), (1, Ok(2)));
    let elsewhere = Expected {
        pages: &["http://localhost:9303"],
        ..expected
    };
    let refused = verify_assertion(&assertion, &elsewhere, &passkey, &HANDLE);
    assert_eq!(refused, Err(OTHER_PAGE));
}
