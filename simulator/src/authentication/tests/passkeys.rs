//! Passkeys are created after a right code, and prove the next payment and no other.

use super::{CODE_CARD, MINUTE, ORIGIN, PARENT, SECOND, TestBank, assert_failed, card, done};
use super::{euros, payment, request, still_code, still_passkey, test, test_at};
use crate::authentication::attempt::{self, Attempt, ChallengeResponse};
use crate::authentication::challenge::{self, ChallengeUpdate, Refusal, StepResult};
use crate::authentication::passkey::relying_party;
use crate::authentication::webauthn::tests::software::SoftwareAuthenticator;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::{AuthenticationRequest, Step, Stepped};
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_storage::values;
use serde_json::Value;

const ES256: i64 = -7;
const EDDSA: i64 = -8;

fn authenticator(algorithm: i64) -> SoftwareAuthenticator {
    SoftwareAuthenticator::new(algorithm, ORIGIN, PARENT)
}

impl TestBank {
    async fn offered(&self, number: u8) -> Option<String> {
        self.issuer().enrolment(payment(number)).await.unwrap()
    }

    async fn enrol(&self, number: u8, credential: &str) -> bool {
        let enrolled = self.issuer().enrol(payment(number), credential).await;
        enrolled.unwrap()
    }

    async fn passkey(&self, number: u8, id: u8, credential: String) -> Stepped {
        self.step(number, id, Step::Passkey(credential)).await
    }

    /// Pays once with a code and enrols a passkey.
    async fn with_passkey(
        &self,
        mut authenticator: SoftwareAuthenticator,
    ) -> SoftwareAuthenticator {
        self.begin_code(100).await;
        self.enter_code(100).await;
        let options = self.offered(100).await.unwrap();
        assert!(self.enrol(100, &authenticator.create(&options)).await);
        authenticator
    }
}

#[tokio::test]
async fn a_passkey_created_after_a_right_code_proves_the_next_payment() {
    for algorithm in [ES256, EDDSA] {
        let test = test(&format!("next{algorithm}")).await;
        let mut authenticator = test.with_passkey(authenticator(algorithm)).await;
        let challenge = test.begin_passkey(1).await;
        assert_eq!(challenge.expires_at_ms, test.now_ms() + 600_000);
        let options: Value = serde_json::from_str(&challenge.options).unwrap();
        assert_eq!(options["rpId"], "localhost");
        assert_eq!(options["userVerification"], "required");
        let assertion = authenticator.get(&challenge.options);
        let result = done(test.passkey(1, 1, assertion.clone()).await);
        assert_eq!(result.status, AuthenticationStatus::Authenticated);
        assert_eq!(result.challenge, Some(ChallengeKind::Passkey));
        // A repeated step has the same response; the assertion proves no other payment.
        assert_eq!(done(test.passkey(1, 1, assertion.clone()).await), result);
        assert_eq!(test.passkey(1, 2, assertion.clone()).await, Stepped::Closed);
        test.begin_passkey(2).await;
        assert!(still_passkey(test.passkey(2, 1, assertion).await).refused);
        assert_eq!(test.offered(1).await, None);
    }
}

#[tokio::test]
async fn a_signature_is_for_one_payment() {
    let test = test("bound").await;
    let mut authenticator = test.with_passkey(authenticator(ES256)).await;
    let first = test.begin_passkey(1).await;
    let second = test.begin_passkey(2).await;
    assert_ne!(first.options, second.options);
    // Signed for another payment.
    let elsewhere = authenticator.get(&second.options);
    let refused = still_passkey(test.passkey(1, 1, elsewhere).await);
    assert!(refused.refused);
    // Every attempt has another challenge to sign.
    assert_ne!(refused.options, first.options);
    let outdated = authenticator.get(&first.options);
    let refused = still_passkey(test.passkey(1, 2, outdated).await);
    // Signed for another amount or payee: the row is what counts.
    for (id, sql) in (3_u8..).zip([
        "UPDATE bank_challenges SET amount = amount + 1",
        "UPDATE bank_challenges SET payee = 'Somebody else'",
        "UPDATE bank_challenges SET currency = 'USD'",
    ]) {
        let challenge = test.issuer().challenge(payment(1)).await.unwrap().unwrap();
        let options = test.issuer().request_options(&challenge).await.unwrap();
        let assertion = authenticator.get(&options.unwrap());
        test.simulation.journal.change(sql, []).await.unwrap();
        let stepped = test.passkey(1, id, assertion).await;
        if id < 5 {
            assert!(still_passkey(stepped).refused, "{sql}");
        } else {
            assert_failed(stepped);
        }
    }
    assert!(refused.refused);
    assert_eq!(test.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn a_passkey_from_another_origin_party_or_count_is_refused() {
    type Change = fn(&mut SoftwareAuthenticator);
    let rows: [(&str, Change); 5] = [
        ("origin", |a| a.origin = "http://localhost:9999".into()),
        ("party", |a| a.rp_id = Some("evil.example".into())),
        ("verification", |a| a.flags = 1),
        ("presence", |a| a.flags = 4),
        ("count", |a| (a.counts, a.sign_count) = (false, 0)),
    ];
    for (name, change) in rows {
        let test = test(&format!("changed-{name}")).await;
        let mut authenticator = test.with_passkey(authenticator(ES256)).await;
        let challenge = test.begin_passkey(1).await;
        let assertion = authenticator.get(&challenge.options);
        done(test.passkey(1, 1, assertion).await);
        let challenge = test.begin_passkey(2).await;
        change(&mut authenticator);
        let assertion = authenticator.get(&challenge.options);
        assert!(
            still_passkey(test.passkey(2, 1, assertion).await).refused,
            "{name}"
        );
        // A signature cannot be guessed: the card's wrong codes do not change.
        assert_eq!(test.account().await.wrong_codes, 0, "{name}");
    }
}

#[tokio::test]
async fn a_passkey_below_another_page_uses_up_no_attempt() {
    type Change = fn(&mut SoftwareAuthenticator);
    let rows: [(&str, Change); 3] = [
        ("portal", |a| {
            a.top_origin = Some("https://evil.example".into())
        }),
        ("top", |a| {
            (a.cross_origin, a.top_origin) = (Some(false), None)
        }),
        ("none", |a| (a.cross_origin, a.top_origin) = (None, None)),
    ];
    for (name, change) in rows {
        let test = test(&format!("framed-{name}")).await;
        let mut authenticator = test.with_passkey(authenticator(ES256)).await;
        let challenge = test.begin_passkey(1).await;
        change(&mut authenticator);
        for id in 1..=7 {
            let assertion = authenticator.get(&challenge.options);
            let passkey = still_passkey(test.passkey(1, id, assertion).await);
            assert_eq!(
                (passkey.refused, passkey.wrong_page),
                (false, true),
                "{name}"
            );
        }
        let code = still_code(test.step(1, 8, Step::UseCode).await);
        assert_eq!((code.attempts_left, code.refused), (5, false), "{name}");
        let result = test.enter_code(1).await;
        assert_eq!(result.status, AuthenticationStatus::Authenticated, "{name}");
    }
}

#[tokio::test]
async fn a_portal_that_the_order_names_may_be_around_the_shop() {
    let test = test("portal").await;
    let mut authenticator = test.with_passkey(authenticator(ES256)).await;
    authenticator.top_origin = Some("https://portal.example".into());
    let card = card(CODE_CARD);
    let named = [PARENT.to_owned(), "https://portal.example".to_owned()];
    let request = AuthenticationRequest {
        order_origins: &named,
        ..request(1, euros(4900), &card)
    };
    let progress = test.issuer().authenticate(request).await.unwrap();
    let challenge = still_passkey(Stepped::Progress(progress));
    let assertion = authenticator.get(&challenge.options);
    let result = done(test.passkey(1, 1, assertion).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn a_new_passkey_is_notified_to_the_phone() {
    let test = test("notified").await;
    test.with_passkey(authenticator(ES256)).await;
    let message = test.messages().await.remove(0);
    assert_eq!(message.code, None);
    assert!(message.text.contains("passkey was saved"), "{message:?}");
}

#[tokio::test]
async fn a_check_against_an_older_challenge_does_not_count() {
    let test = test("outdated").await;
    let mut authenticator = test.with_passkey(authenticator(ES256)).await;
    let challenge = test.begin_passkey(1).await;
    let older = test.issuer().challenge(payment(1)).await.unwrap().unwrap();
    let assertion = authenticator.get(&challenge.options);
    let newer = still_passkey(test.passkey(1, 1, "{}".into()).await);
    // The step read the challenge before the other one changed it.
    let issuer = test.issuer();
    let step = issuer.try_passkey(&older, "late".into(), &assertion);
    assert_eq!(still_passkey(step.await.unwrap()), newer);
    let stored = test.issuer().challenge(payment(1)).await.unwrap().unwrap();
    assert_eq!(stored.attempts_left, 4);
}

#[tokio::test]
async fn a_signature_count_counts_for_one_of_two_payments() {
    let test = test("counts-once").await;
    test.with_passkey(authenticator(ES256)).await;
    for (number, is_right) in [(1, true), (2, false)] {
        test.begin_passkey(number).await;
        let found = test.issuer().challenge(payment(number)).await.unwrap();
        let found = found.unwrap();
        let expected = found.expected.clone();
        let values = values![found.reference, "passkey", 0_i64, expected, "next"];
        let attempt = Attempt {
            update: ChallengeUpdate {
                reference: found.reference,
                step: "step".into(),
                change: challenge::ATTEMPT,
                values: values.to_vec(),
                message: None,
            },
            // Both were checked while the count was lower.
            response: ChallengeResponse::Passkey {
                rp_id: "localhost".into(),
                sign_count: Some(1),
            },
            now_ms: test.now_ms(),
        };
        let checked = test
            .simulation
            .journal
            .write(attempt, |tx, attempt| Box::pin(attempt::check(tx, attempt)));
        let StepResult::Applied(checked) = checked.await.unwrap() else {
            panic!("{number} was not checked");
        };
        assert_eq!(checked.is_over(), is_right, "{number}");
        assert_eq!(checked.refusal == Refusal::Wrong, !is_right, "{number}");
    }
}

#[tokio::test]
async fn five_wrong_passkeys_end_only_the_challenge() {
    let test = test("five-passkeys").await;
    test.with_passkey(authenticator(ES256)).await;
    test.begin_passkey(1).await;
    for id in 1..=4 {
        assert!(still_passkey(test.passkey(1, id, "{}".into()).await).refused);
    }
    assert_failed(test.passkey(1, 5, "{}".into()).await);
    assert_eq!(test.account().await.wrong_codes, 0);
    test.begin_passkey(2).await;
}

#[tokio::test]
async fn a_code_replaces_a_passkey() {
    let test = test("fallback").await;
    let mut authenticator = test.with_passkey(authenticator(ES256)).await;
    let challenge = test.begin_passkey(1).await;
    let assertion = authenticator.get(&challenge.options);
    test.passkey(1, 1, "{}".into()).await;
    let sent = test.messages().await.len();
    let code = still_code(test.step(1, 2, Step::UseCode).await);
    assert_eq!((code.attempts_left, code.resends_left), (4, 3));
    assert!(!code.refused);
    assert_eq!(still_code(test.step(1, 2, Step::UseCode).await), code);
    assert_eq!(test.messages().await.len(), sent + 1);
    // An assertion is not checked any more.
    assert_eq!(still_code(test.passkey(1, 3, assertion).await), code);
    test.advance(30 * SECOND);
    still_code(test.step(1, 4, Step::Resend).await);
    let result = test.enter_code(1).await;
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
    // There is one passkey already.
    assert_eq!(test.offered(1).await, None);
}

#[tokio::test]
async fn cancelling_and_expiry_end_a_passkey_challenge() {
    let test = test("passkey-ends").await;
    test.with_passkey(authenticator(ES256)).await;
    test.begin_passkey(1).await;
    assert_failed(test.step(1, 1, Step::Cancel).await);
    test.begin_passkey(2).await;
    test.advance(10 * MINUTE);
    assert_failed(test.step(2, 1, Step::UseCode).await);
}

#[tokio::test]
async fn a_passkey_can_be_created_for_ten_minutes_after_a_right_code() {
    let test = test("offer").await;
    test.begin_code(1).await;
    assert_eq!(test.offered(1).await, None);
    test.enter_code(1).await;
    let offered = test.offered(1).await.unwrap();
    assert_eq!(test.offered(1).await.as_ref(), Some(&offered));
    let options: Value = serde_json::from_str(&offered).unwrap();
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["attestation"], "none");
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    test.advance(10 * MINUTE - 1);
    assert!(test.offered(1).await.is_some());
    test.advance(1);
    assert_eq!(test.offered(1).await, None);
    let late = authenticator(ES256).create(&offered);
    assert!(!test.enrol(1, &late).await);
    assert_eq!(test.offered(99).await, None);
    assert!(!test.enrol(99, &late).await);
}

#[tokio::test]
async fn no_passkey_is_offered_without_a_right_code() {
    let test = test("not-offered").await;
    test.begin_with(1, 100, None).await;
    test.begin_with(2, 4900, Some("frictionless")).await;
    test.begin_code(3).await;
    test.step(3, 1, Step::Cancel).await;
    for number in 1..=3 {
        assert_eq!(test.offered(number).await, None, "{number}");
    }
}

#[tokio::test]
async fn a_registration_challenge_is_used_once() {
    let test = test("once").await;
    test.begin_code(1).await;
    test.enter_code(1).await;
    let first = test.offered(1).await.unwrap();
    let mut stranger = authenticator(ES256);
    stranger.origin = "https://evil.example".into();
    assert!(!test.enrol(1, &stranger.create(&first)).await);
    let mut good = authenticator(ES256);
    assert!(!test.enrol(1, &good.create(&first)).await);
    let second = test.offered(1).await.unwrap();
    assert_ne!(first, second);
    let made = good.create(&second);
    assert!(test.enrol(1, &made).await);
    // Repeated, as after a lost response.
    assert!(test.enrol(1, &made).await);
    let mut other = authenticator(ES256);
    other.credential_id = vec![8; 16];
    assert!(!test.enrol(1, &other.create(&second)).await);
}

#[tokio::test]
async fn passkeys_are_for_domains_only() {
    let rows = [
        ("https://pay.example", Some("pay.example")),
        ("https://pay.example:8443", Some("pay.example")),
        ("http://localhost:8787", Some("localhost")),
        ("http://pay.localhost:8787", Some("pay.localhost")),
        ("http://localhost", Some("localhost")),
        ("http://pay.example", None),
        ("http://127.0.0.1:8787", None),
        ("https://192.0.2.1", None),
        ("https://[::1]:8787", None),
        ("https://[::1]", None),
    ];
    for (origin, expected) in rows {
        let origin = origin.parse().unwrap();
        assert_eq!(relying_party(&origin), expected, "{origin}");
    }
    let test = test_at("http://127.0.0.1:8787", "address").await;
    test.begin_code(1).await;
    test.enter_code(1).await;
    assert_eq!(test.offered(1).await, None);
    assert!(!test.enrol(1, "{}").await);
}
