//! Passkeys: made after a right code, used for the next payment, and never for another one.

use super::{
    CODE_CARD, MINUTE, ORIGIN, PARENT, SECOND, Stage, assert_failed, card, done, payment, stage,
    stage_at, still_code, still_passkey,
};
use crate::authentication::challenge;
use crate::authentication::challenge::{ChallengeUpdate, Granted};
use crate::authentication::passkey::relying_party;
use crate::authentication::trial;
use crate::authentication::trial::{Proof, Trial};
use crate::authentication::webauthn::tests::software::SoftwareAuthenticator;
use sealpay_protocol::money::Money;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::{AuthenticationRequest, Progress, Step, Stepped};
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_storage::values;
use serde_json::Value;

const ES256: i64 = -7;
const EDDSA: i64 = -8;

fn authenticator(algorithm: i64) -> SoftwareAuthenticator {
    SoftwareAuthenticator::new(algorithm, ORIGIN, PARENT)
}

impl Stage {
    async fn offered(&self, number: u8) -> Option<String> {
        self.issuer.enrolment(payment(number)).await.unwrap()
    }

    async fn enrol(&self, number: u8, credential: &str) -> bool {
        self.issuer
            .enrol(payment(number), credential)
            .await
            .unwrap()
    }

    async fn passkey(&self, number: u8, id: u8, credential: String) -> Stepped {
        self.step(number, id, Step::Passkey(credential)).await
    }

    /// Pays once with a code and keeps a passkey.
    async fn with_passkey(
        &self,
        mut authenticator: SoftwareAuthenticator,
    ) -> SoftwareAuthenticator {
        self.begin_code(100).await;
        self.prove(100).await;
        let options = self.offered(100).await.unwrap();
        assert!(self.enrol(100, &authenticator.create(&options)).await);
        authenticator
    }
}

#[tokio::test]
async fn a_passkey_made_after_a_right_code_proves_the_next_payment() {
    for algorithm in [ES256, EDDSA] {
        let stage = stage(&format!("next{algorithm}")).await;
        let mut authenticator = stage.with_passkey(authenticator(algorithm)).await;
        let challenge = stage.begin_passkey(1).await;
        assert_eq!(challenge.expires_at_ms, stage.now_ms() + 600_000);
        let options: Value = serde_json::from_str(&challenge.options).unwrap();
        assert_eq!(options["rpId"], "localhost");
        assert_eq!(options["userVerification"], "required");
        let assertion = authenticator.get(&challenge.options);
        let result = done(stage.passkey(1, 1, assertion.clone()).await);
        assert_eq!(result.status, AuthenticationStatus::Authenticated);
        assert_eq!(result.challenge, Some(ChallengeKind::Passkey));
        // The same step hears the same; the assertion proves nothing else.
        assert_eq!(done(stage.passkey(1, 1, assertion.clone()).await), result);
        assert_eq!(
            stage.passkey(1, 2, assertion.clone()).await,
            Stepped::Closed
        );
        stage.begin_passkey(2).await;
        assert!(still_passkey(stage.passkey(2, 1, assertion).await).refused);
        assert_eq!(stage.offered(1).await, None);
    }
}

#[tokio::test]
async fn what_is_signed_is_this_payment_and_no_other() {
    let stage = stage("bound").await;
    let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
    let first = stage.begin_passkey(1).await;
    let second = stage.begin_passkey(2).await;
    assert_ne!(first.options, second.options);
    // Signed for another payment.
    let elsewhere = authenticator.get(&second.options);
    let refused = still_passkey(stage.passkey(1, 1, elsewhere).await);
    assert!(refused.refused);
    // Every try has something new to sign.
    assert_ne!(refused.options, first.options);
    let outdated = authenticator.get(&first.options);
    let refused = still_passkey(stage.passkey(1, 2, outdated).await);
    // Signed for another amount or payee: the row is what counts.
    for (id, sql) in (3_u8..).zip([
        "UPDATE bank_challenges SET amount = amount + 1",
        "UPDATE bank_challenges SET payee = 'Somebody else'",
        "UPDATE bank_challenges SET currency = 'USD'",
    ]) {
        let challenge = stage.issuer.challenge(payment(1)).await.unwrap().unwrap();
        let options = stage.issuer.request_options(&challenge).await.unwrap();
        let assertion = authenticator.get(&options.unwrap());
        stage.world.database.execute(sql, []).await.unwrap();
        let stepped = stage.passkey(1, id, assertion).await;
        if id < 5 {
            assert!(still_passkey(stepped).refused, "{sql}");
        } else {
            assert_failed(stepped);
        }
    }
    assert!(refused.refused);
    assert_eq!(stage.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn a_passkey_from_another_origin_party_or_count_is_refused() {
    type Spoil = fn(&mut SoftwareAuthenticator);
    let rows: [(&str, Spoil); 5] = [
        ("origin", |a| a.origin = "http://localhost:9999".into()),
        ("party", |a| a.rp_id = Some("evil.example".into())),
        ("verification", |a| a.flags = 1),
        ("presence", |a| a.flags = 4),
        ("count", |a| (a.counts, a.sign_count) = (false, 0)),
    ];
    for (name, spoil) in rows {
        let stage = stage(&format!("spoiled-{name}")).await;
        let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
        let challenge = stage.begin_passkey(1).await;
        let assertion = authenticator.get(&challenge.options);
        done(stage.passkey(1, 1, assertion).await);
        let challenge = stage.begin_passkey(2).await;
        spoil(&mut authenticator);
        let assertion = authenticator.get(&challenge.options);
        assert!(
            still_passkey(stage.passkey(2, 1, assertion).await).refused,
            "{name}"
        );
        // Nobody guesses a signature: the codes of the card are not touched.
        assert_eq!(stage.account().await.wrong_codes, 0, "{name}");
    }
}

#[tokio::test]
async fn a_passkey_below_another_page_costs_no_try_and_a_code_is_offered() {
    type Frame = fn(&mut SoftwareAuthenticator);
    let rows: [(&str, Frame); 3] = [
        ("portal", |a| {
            a.top_origin = Some("https://evil.example".into())
        }),
        ("top", |a| {
            (a.cross_origin, a.top_origin) = (Some(false), None)
        }),
        ("silent", |a| (a.cross_origin, a.top_origin) = (None, None)),
    ];
    for (name, frame) in rows {
        let stage = stage(&format!("framed-{name}")).await;
        let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
        let challenge = stage.begin_passkey(1).await;
        frame(&mut authenticator);
        for id in 1..=7 {
            let assertion = authenticator.get(&challenge.options);
            let told = still_passkey(stage.passkey(1, id, assertion).await);
            assert_eq!((told.refused, told.wrong_page), (false, true), "{name}");
        }
        let code = still_code(stage.step(1, 8, Step::UseCode).await);
        assert_eq!((code.attempts_left, code.refused), (5, false), "{name}");
        let result = stage.prove(1).await;
        assert_eq!(result.status, AuthenticationStatus::Authenticated, "{name}");
    }
}

#[tokio::test]
async fn a_portal_that_the_order_names_may_be_around_the_shop() {
    let stage = stage("portal").await;
    let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
    authenticator.top_origin = Some("https://portal.example".into());
    let card = card(CODE_CARD);
    let named = [PARENT.to_owned(), "https://portal.example".to_owned()];
    let request = AuthenticationRequest {
        reference: payment(1),
        money: Money::new(4900, "EUR".parse().unwrap()),
        card: &card,
        payee: "Paper Lantern",
        wants_challenge: false,
        parent_origin: PARENT,
        order_origins: &named,
        reasons: Vec::new(),
    };
    let Progress::Passkey(asked) = stage.issuer.authenticate(request).await.unwrap() else {
        panic!("no passkey was asked for");
    };
    let assertion = authenticator.get(&asked.options);
    let result = done(stage.passkey(1, 1, assertion).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn the_phone_tells_of_a_new_passkey() {
    let stage = stage("told").await;
    stage.with_passkey(authenticator(ES256)).await;
    let told = stage.messages().await.remove(0);
    assert_eq!(told.code, None);
    assert!(told.text.contains("passkey was saved"), "{}", told.text);
}

#[tokio::test]
async fn what_was_checked_against_an_older_challenge_is_not_judged() {
    let stage = stage("outdated").await;
    let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
    let challenge = stage.begin_passkey(1).await;
    let older = stage.issuer.challenge(payment(1)).await.unwrap().unwrap();
    let assertion = authenticator.get(&challenge.options);
    let newer = still_passkey(stage.passkey(1, 1, "{}".into()).await);
    // The step read the challenge before the other one changed it.
    let step = stage.issuer.try_passkey(&older, "late".into(), &assertion);
    assert_eq!(still_passkey(step.await.unwrap()), newer);
    let kept = stage.issuer.challenge(payment(1)).await.unwrap().unwrap();
    assert_eq!(kept.attempts_left, 4);
}

#[tokio::test]
async fn one_signature_count_that_two_payments_bring_at_once_counts_for_one() {
    let stage = stage("counts-once").await;
    stage.with_passkey(authenticator(ES256)).await;
    for (number, is_right) in [(1, true), (2, false)] {
        stage.begin_passkey(number).await;
        let found = stage.issuer.challenge(payment(number)).await.unwrap();
        let found = found.unwrap();
        let expected = found.expected.clone();
        let try_it = values![found.reference, "passkey", 0_i64, expected, "next"];
        let trial = Trial {
            update: ChallengeUpdate {
                reference: found.reference,
                step: "step".into(),
                change: challenge::TRY,
                values: try_it.to_vec(),
                message: None,
            },
            // Both were checked while the count was lower.
            proof: Proof::Passkey {
                rp_id: "localhost".into(),
                sign_count: Some(1),
            },
            now_ms: stage.now_ms(),
        };
        let judged = stage
            .world
            .database
            .write(trial, |tx, trial| Box::pin(trial::judge(tx, trial)));
        let Granted::Now(judged) = judged.await.unwrap() else {
            panic!("{number} was not tried");
        };
        assert_eq!(judged.is_over(), is_right, "{number}");
        assert_eq!(judged.refused, !is_right, "{number}");
    }
}

#[tokio::test]
async fn five_wrong_passkeys_end_a_challenge_and_nothing_else() {
    let stage = stage("five-passkeys").await;
    stage.with_passkey(authenticator(ES256)).await;
    stage.begin_passkey(1).await;
    for id in 1..=4 {
        assert!(still_passkey(stage.passkey(1, id, "{}".into()).await).refused);
    }
    assert_failed(stage.passkey(1, 5, "{}".into()).await);
    assert_eq!(stage.account().await.wrong_codes, 0);
    stage.begin_passkey(2).await;
}

#[tokio::test]
async fn a_code_takes_the_place_of_a_passkey() {
    let stage = stage("fallback").await;
    let mut authenticator = stage.with_passkey(authenticator(ES256)).await;
    let challenge = stage.begin_passkey(1).await;
    let assertion = authenticator.get(&challenge.options);
    stage.passkey(1, 1, "{}".into()).await;
    let sent = stage.messages().await.len();
    let code = still_code(stage.step(1, 2, Step::UseCode).await);
    assert_eq!((code.attempts_left, code.resends_left), (4, 3));
    assert!(!code.refused);
    assert_eq!(still_code(stage.step(1, 2, Step::UseCode).await), code);
    assert_eq!(stage.messages().await.len(), sent + 1);
    // The passkey is not asked for any more, and what it signed is not looked at.
    assert_eq!(still_code(stage.passkey(1, 3, assertion).await), code);
    stage.pass(30 * SECOND);
    still_code(stage.step(1, 4, Step::Resend).await);
    let result = stage.prove(1).await;
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
    // There is one passkey already.
    assert_eq!(stage.offered(1).await, None);
}

#[tokio::test]
async fn giving_up_and_time_end_a_passkey_challenge() {
    let stage = stage("passkey-ends").await;
    stage.with_passkey(authenticator(ES256)).await;
    stage.begin_passkey(1).await;
    assert_failed(stage.step(1, 1, Step::Cancel).await);
    stage.begin_passkey(2).await;
    stage.pass(10 * MINUTE);
    assert_failed(stage.step(2, 1, Step::UseCode).await);
}

#[tokio::test]
async fn a_passkey_can_be_made_for_ten_minutes_after_a_right_code() {
    let stage = stage("offer").await;
    stage.begin_code(1).await;
    assert_eq!(stage.offered(1).await, None);
    stage.prove(1).await;
    let offered = stage.offered(1).await.unwrap();
    assert_eq!(stage.offered(1).await.as_ref(), Some(&offered));
    let options: Value = serde_json::from_str(&offered).unwrap();
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["attestation"], "none");
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    stage.pass(10 * MINUTE - 1);
    assert!(stage.offered(1).await.is_some());
    stage.pass(1);
    assert_eq!(stage.offered(1).await, None);
    let late = authenticator(ES256).create(&offered);
    assert!(!stage.enrol(1, &late).await);
    assert_eq!(stage.offered(99).await, None);
    assert!(!stage.enrol(99, &late).await);
}

#[tokio::test]
async fn nothing_is_offered_where_no_code_was_right() {
    let stage = stage("not-offered").await;
    stage.begin_with(1, 100, None).await;
    stage.begin_with(2, 4900, Some("frictionless")).await;
    stage.begin_code(3).await;
    stage.step(3, 1, Step::Cancel).await;
    for number in 1..=3 {
        assert_eq!(stage.offered(number).await, None, "{number}");
    }
}

#[tokio::test]
async fn what_a_new_passkey_has_to_sign_is_good_once() {
    let stage = stage("once").await;
    stage.begin_code(1).await;
    stage.prove(1).await;
    let first = stage.offered(1).await.unwrap();
    let mut stranger = authenticator(ES256);
    stranger.origin = "https://evil.example".into();
    assert!(!stage.enrol(1, &stranger.create(&first)).await);
    let mut good = authenticator(ES256);
    assert!(!stage.enrol(1, &good.create(&first)).await);
    let second = stage.offered(1).await.unwrap();
    assert_ne!(first, second);
    let made = good.create(&second);
    assert!(stage.enrol(1, &made).await);
    // Told again because the answer was lost: it is kept.
    assert!(stage.enrol(1, &made).await);
    let mut other = authenticator(ES256);
    other.credential_id = vec![8; 16];
    assert!(!stage.enrol(1, &other.create(&second)).await);
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
    let stage = stage_at("http://127.0.0.1:8787", "address").await;
    stage.begin_code(1).await;
    stage.prove(1).await;
    assert_eq!(stage.offered(1).await, None);
    assert!(!stage.enrol(1, "{}").await);
}
