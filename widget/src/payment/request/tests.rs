use super::{
    AUTHENTICATIONS_PATH, Credentials, Destination, Freshness, INSTRUMENTS_PATH, PAYMENTS_PATH,
    SESSIONS_PATH, authentication_body, removal_body, unsealed_body,
};
use crate::payment::tests::{attempt, card, instrument, payment_id, session};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use sealpay_protocol::api::{
    AuthenticationRequest, AuthenticationStep, Method, OpenSessionRequest, PayRequest,
    RemoveInstrumentRequest, SealingKeyView, SessionView,
};
use sealpay_protocol::card::YearMonth;
use sealpay_protocol::envelope::SealContext;
use sealpay_protocol::ids::AttemptId;
use sealpay_protocol::key::Thumbprint;
use sealpay_protocol::money::Money;
use sealpay_protocol::order;
use sealpay_protocol::seal::{SealingPrivateKey, open};
use sealpay_protocol::secret::Secret;
use sealpay_protocol::sign::{RequestParts, content_digest, signature_base};
use std::rc::Rc;

const ORDER: &str = "eyJhIjoxfQ.eyJiIjoyfQ.c2ln";

fn credentials() -> Credentials {
    Credentials::new(
        ORDER.into(),
        "https://shop.example".parse().unwrap(),
        &[7; 32],
    )
}

fn sealing_key() -> SealingPrivateKey {
    SealingPrivateKey::from_seed(&Secret::new([9; 32])).unwrap()
}

fn session_with_key() -> SessionView {
    let key = sealing_key().public_key();
    let sealing_key = SealingKeyView {
        kid: key.key_id().into(),
        public_key: key.to_base64url(),
    };
    SessionView {
        sealing_key,
        ..session()
    }
}

#[test]
fn open_session_body_matches_the_protocol() {
    let body = credentials().open_body();
    let read: OpenSessionRequest = serde_json::from_slice(&body).unwrap();
    assert_eq!(read.order, ORDER);
    assert_eq!(read.parent_origin.as_str(), "https://shop.example");
    assert!(read.key.verifying_key().is_ok());
    // Without white space.
    assert_eq!(&serde_json::to_vec(&read).unwrap()[..], &body[..]);
}

#[test]
fn sealed_card_opens_only_for_its_payment() {
    let (credentials, session) = (credentials(), session_with_key());
    let (attempt, card) = (attempt(1), card());
    let body = credentials
        .pay_body(&session, attempt, &card, None, &mut UnwrapErr(SysRng))
        .unwrap();
    let read: PayRequest = serde_json::from_slice(&body).unwrap();
    assert_eq!(read.method, Method::Card);
    assert_eq!(&serde_json::to_vec(&read).unwrap()[..], &body[..]);
    let sealed = read.card.unwrap();

    let key: OpenSessionRequest = serde_json::from_slice(&credentials.open_body()).unwrap();
    let thumbprint = Thumbprint::from_key(&key.key.verifying_key().unwrap());
    let order_digest = order::digest(ORDER);
    let context = |amount, attempt| SealContext {
        verifier_origin: &session.verifier_origin,
        merchant: session.merchant.id,
        session: session.session,
        money: Money::charge(amount, "EUR".parse().unwrap()).unwrap(),
        session_expires_at: session.expires_at,
        attempt,
        thumbprint: &thumbprint,
        order_digest: &order_digest,
    };
    let today = YearMonth::new(2026, 11).unwrap();
    let opened = |amount, attempt| open(&sealed, &sealing_key(), &context(amount, attempt), today);
    let card = opened(2490, attempt).unwrap();
    assert_eq!(card.number.digits(), "4242424242424242");
    assert_eq!(card.security_code.digits(), "123");
    assert!(opened(2491, attempt).is_err());
    assert!(opened(2490, AttemptId::new(2, [0; 10])).is_err());
}

#[test]
fn body_without_a_card_has_only_the_method() {
    for method in [Method::Wallet, Method::BankTransfer] {
        let body = unsealed_body(method, None, None, None);
        let read: PayRequest = serde_json::from_slice(&body).unwrap();
        assert_eq!(read.method, method);
        assert!(read.card.is_none());
        assert_eq!(&serde_json::to_vec(&read).unwrap()[..], &body[..]);
    }
}

#[test]
fn consent_accompanies_a_sealed_card_or_a_saved_one() {
    let consent = || Some("By paying, you agree.".to_owned());
    let (credentials, session) = (credentials(), session_with_key());
    let random = &mut UnwrapErr(SysRng);
    let body = credentials.pay_body(&session, attempt(1), &card(), consent(), random);
    let read: PayRequest = serde_json::from_slice(&body.unwrap()).unwrap();
    assert!(read.card.is_some() && read.instrument.is_none());
    assert_eq!(read.consent, consent());

    let body = unsealed_body(Method::Card, Some(instrument(1)), None, consent());
    let read: PayRequest = serde_json::from_slice(&body).unwrap();
    assert!(read.card.is_none());
    assert_eq!(read.instrument, Some(instrument(1)));
    assert_eq!(read.consent, consent());
    let body = unsealed_body(Method::Card, Some(instrument(1)), None, None);
    let text = core::str::from_utf8(&body).unwrap();
    assert!(
        text.starts_with("{\"method\":\"card\",\"instrument\":\"ins_"),
        "{text}"
    );
    assert!(!text.contains("consent"), "{text}");
}

#[test]
fn removal_names_the_card_and_is_signed_for_its_path() {
    let body = removal_body(instrument(1));
    let read: RemoveInstrumentRequest = serde_json::from_slice(&body).unwrap();
    assert_eq!(read.instrument, instrument(1));
    let session = session().session;
    let freshness = Freshness {
        created: 1,
        nonce: [1; 16],
    };
    let sign = |to| credentials().sign("pay.example", to, attempt(1), body.clone(), freshness);
    let removal = sign(Destination::Instruments(session));
    assert_eq!(removal.path, INSTRUMENTS_PATH);
    assert_eq!(removal.session, session.to_string());
    // The path is signed.
    let payment = sign(Destination::Payments(session));
    assert_ne!(removal.headers.signature, payment.headers.signature);
}

#[test]
fn each_step_has_only_its_own_members() {
    use AuthenticationStep::{Cancel, Code, Enrol, Passkey, Resend, UseCode};
    let credential = r#"{"id":"a\b","type":"public-key"}"#;
    let rows = [
        (Code, "123456", Some("123456"), None),
        (Resend, "", None, None),
        (Passkey, credential, None, Some(credential)),
        (UseCode, "", None, None),
        (Enrol, credential, None, Some(credential)),
        (Cancel, "", None, None),
    ];
    for (step, value, code, credential) in rows {
        let body = authentication_body(payment_id(), step, value);
        let read: AuthenticationRequest = serde_json::from_slice(&body).unwrap();
        assert_eq!((read.payment, read.step), (payment_id(), step));
        let there = (read.code.as_deref(), read.credential.as_deref());
        assert_eq!(there, (code, credential), "{step:?}");
        assert_eq!(&serde_json::to_vec(&read).unwrap()[..], &body[..]);
    }
}

#[test]
fn sealing_rejects_a_key_that_does_not_match_its_id() {
    let good = session_with_key();
    let unusable = [
        SealingKeyView {
            kid: "0000000000000000".into(),
            ..good.sealing_key.clone()
        },
        SealingKeyView {
            public_key: "AAAA".into(),
            ..good.sealing_key.clone()
        },
    ];
    for sealing_key in unusable {
        let session = SessionView {
            sealing_key,
            ..session_with_key()
        };
        let body =
            credentials().pay_body(&session, attempt(1), &card(), None, &mut UnwrapErr(SysRng));
        assert!(body.is_none());
    }
}

#[test]
fn each_signature_has_a_fresh_nonce() {
    let credentials = credentials();
    let body: Rc<[u8]> = b"{}".as_slice().into();
    let id = AttemptId::new(1, [1; 10]);
    let sign = |created, nonce| {
        let to = Destination::Payments(session().session);
        credentials.sign(
            "pay.example",
            to,
            id,
            body.clone(),
            Freshness { created, nonce },
        )
    };
    let (first, second) = (sign(1, [1; 16]), sign(2, [2; 16]));
    assert_eq!(first.body, second.body);
    assert_eq!(first.idempotency_key, second.idempotency_key);
    assert_eq!(first.headers.content_digest, second.headers.content_digest);
    assert_ne!(
        first.headers.signature_input,
        second.headers.signature_input
    );
    assert_ne!(first.headers.signature, second.headers.signature);
}

#[test]
fn signature_covers_the_request_as_sent() {
    let credentials = credentials();
    let rows = [
        (Destination::Sessions, SESSIONS_PATH, "new".to_owned()),
        (
            Destination::Payments(session().session),
            PAYMENTS_PATH,
            session().session.to_string(),
        ),
        (
            Destination::Authentications(session().session),
            AUTHENTICATIONS_PATH,
            session().session.to_string(),
        ),
    ];
    for (destination, path, session) in rows {
        let body: Rc<[u8]> = b"{\"a\":1}".as_slice().into();
        let fresh = Freshness {
            created: 1_763_800_000,
            nonce: [5; 16],
        };
        let id = AttemptId::new(1, [1; 10]);
        let request = credentials.sign("pay.example", destination, id, body.clone(), fresh);
        assert_eq!((request.path, &request.session), (path, &session));
        assert_eq!(request.headers.content_digest, content_digest(&body));

        let parts = RequestParts {
            method: "POST",
            authority: "pay.example",
            path,
            query: None,
            content_type: "application/json",
            idempotency_key: &request.idempotency_key,
            session: &session,
            body: &body,
        };
        let params = request
            .headers
            .signature_input
            .strip_prefix("sig=")
            .unwrap();
        let base = signature_base(&parts, &request.headers.content_digest, params);
        let open: OpenSessionRequest = serde_json::from_slice(&credentials.open_body()).unwrap();
        let key = open.key.verifying_key().unwrap();
        let signature = request.headers.signature.strip_prefix("sig=:").unwrap();
        let signature = signature.strip_suffix(':').unwrap();
        let bytes = sealpay_protocol::encoding::from_base64(signature).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
        key.verify_strict(base.as_bytes(), &signature).unwrap();
    }
}
