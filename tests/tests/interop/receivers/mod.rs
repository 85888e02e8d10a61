//! The receivers that merchants copy: every delivery of a real verifier is processed once, and
//! nothing else.

mod deliveries;
mod forgery;
mod program;
mod verdicts;

use forgery::{Forged, MERCHANT, Signer};
use harness::folder::Folder;
use program::{Language, Receiver};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

const TAKEN: (u16, &str) = (204, "");
const ID: (u16, &str) = (400, "webhook-id is missing or malformed");
const TIMESTAMP: (u16, &str) = (400, "webhook-timestamp is missing or malformed");
const LIST: (u16, &str) = (400, "webhook-signature is missing or malformed");
const CLOCK: (u16, &str) = (400, "the timestamp is too far from the clock");
const SECRET: (u16, &str) = (400, "no v1 signature fits an accepted secret");
const KEY: (u16, &str) = (400, "no v1a signature fits an accepted key");
const LONG: (u16, &str) = (400, "the body is longer than 65536 bytes");
const OTHER_MODE: (u16, &str) = (400, "the event is of the other mode");
const OTHER: (u16, &str) = (400, "the event is of another merchant");
const NO_EVENT: (u16, &str) = (400, "the body is signed, but it is not an event");

/// What a receiver is told: whose events it takes, secrets and keys, and where the verifier's keys
/// are.
fn settings(
    merchant: &str,
    secrets: &[&str],
    keys: &[&str],
    verifier: &str,
) -> Vec<(&'static str, String)> {
    vec![
        ("SEALPAY_MERCHANT", merchant.to_owned()),
        ("SEALPAY_MODE", "test".to_owned()),
        ("SEALPAY_WEBHOOK_SECRETS", secrets.join(" ")),
        ("SEALPAY_WEBHOOK_KEYS", keys.join(" ")),
        ("SEALPAY_VERIFIER", verifier.to_owned()),
    ]
}

#[track_caller]
fn assert_answer(answer: (u16, String), expected: (u16, &str), what: &str) {
    assert_eq!((answer.0, answer.1.as_str()), expected, "{what}");
}

/// Neither a secret nor a signature stands in what it says.
fn nothing_secret_was_said(receiver: &Receiver, secrets: &[&str], deliveries: &[&Forged]) {
    let log = receiver.log();
    for secret in secrets {
        assert!(!log.contains(secret.trim_start_matches("whsec_")), "{log}");
    }
    for delivery in deliveries {
        for entry in delivery.signature.split(' ') {
            let bytes = entry.split(',').nth(1).filter(|text| text.len() > 40);
            assert!(bytes.is_none_or(|text| !log.contains(text)), "{log}");
        }
    }
}

/// Whether a program that is to end by itself ended well, and everything it said.
fn ended(mut command: Command) -> (bool, String) {
    let (output, errors) = (Stdio::piped(), Stdio::piped());
    let mut child = command.stdout(output).stderr(errors).spawn().unwrap();
    for _ in 0..1500 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // One that still runs would be waited for without end; killing the others changes nothing.
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().ok();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        was_running || output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A receiver that could verify nothing does not start, and does not say what it was given.
fn does_not_start_without_secrets_and_keys(language: Language, test: &str) {
    let Some(call) = language.call(test) else {
        return;
    };
    let good = Signer::new();
    let (secret, key) = (good.secret_text(), good.key_text());
    let spoilt = secret.replacen("whsec_", "whsec_?", 1);
    let seed = spoilt.trim_start_matches("whsec_?");
    #[rustfmt::skip]
    let rows = [
        (settings("", &[&secret], &[&key], ""), "no merchant"),
        (settings(MERCHANT, &[], &[&key], ""), "no secret"),
        (settings(MERCHANT, &[&secret], &[], ""), "no key"),
        (settings(MERCHANT, &[&spoilt], &[&key], ""), "a spoilt secret"),
        (settings(MERCHANT, &[&secret[..40]], &[&key], ""), "half a secret"),
        (settings(MERCHANT, &[&secret], &["whpk_AAAA"], ""), "a short key"),
        (settings(MERCHANT, &[&secret], &[], "http://127.0.0.1:9"), "no verifier"),
    ];
    for (settings, what) in rows {
        let (is_well, said) = ended(call.with(&settings));
        assert!(!is_well, "{what}");
        assert!(!said.trim().is_empty(), "{what}");
        assert!(!said.contains(&seed[..20]), "{what}: {said}");
    }
}

/// What could not be worked on comes again; of copies that come together the second waits.
fn works_again_after_a_failure_and_once_after_that(
    language: Language,
    test: &str,
    (name, text): (&str, &str),
) {
    let Some(call) = language.call(test) else {
        return;
    };
    let folder = Folder::new("inbox");
    let (is_well, said) = ended(call.script(name, text, &folder));
    assert!(is_well, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let together = json!(["processed", "duplicate", "stale"]);
    assert_eq!(said, json!(["busy", together, ["evt_1", "evt_1"]]));
}

#[test]
fn node_receiver_retries_after_a_failure_and_processes_once() {
    let test = "node_receiver_retries_after_a_failure_and_processes_once";
    let script = ("inbox.mjs", include_str!("inbox.mjs"));
    works_again_after_a_failure_and_once_after_that(Language::Node, test, script);
}

#[test]
fn python_receiver_retries_after_a_failure_and_processes_once() {
    let test = "python_receiver_retries_after_a_failure_and_processes_once";
    let script = ("inbox.py", include_str!("inbox.py"));
    works_again_after_a_failure_and_once_after_that(Language::Python, test, script);
}

/// A receiver returns the challenge once it has verified that the verifier sent it.
async fn answers_a_challenge(language: Language, test: &str) {
    verdicts::answers_a_challenge(language, test).await;
}

#[tokio::test]
async fn node_receiver_answers_a_verification_challenge() {
    answers_a_challenge(
        Language::Node,
        "node_receiver_answers_a_verification_challenge",
    )
    .await;
}

#[tokio::test]
async fn python_receiver_answers_a_verification_challenge() {
    answers_a_challenge(
        Language::Python,
        "python_receiver_answers_a_verification_challenge",
    )
    .await;
}

#[tokio::test]
async fn rust_receiver_answers_a_verification_challenge() {
    answers_a_challenge(
        Language::Rust,
        "rust_receiver_answers_a_verification_challenge",
    )
    .await;
}

macro_rules! receivers {
    ($($language:ident $takes:ident $judges:ident $drops:ident $starts:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $takes() {
            let language = Language::$language;
            deliveries::takes_what_the_verifier_sends_and_nothing_else(language, stringify!($takes)).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $judges() {
            verdicts::judges_what_is_rightly_signed(Language::$language, stringify!($judges)).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $drops() {
            verdicts::drops_what_is_stale(Language::$language, stringify!($drops)).await;
        }

        #[test]
        fn $starts() {
            does_not_start_without_secrets_and_keys(Language::$language, stringify!($starts));
        }
    )*};
}

receivers! {
    Node
    node_takes_what_the_verifier_sends_and_nothing_else
    node_judges_what_is_rightly_signed
    node_drops_what_is_stale
    node_does_not_start_without_secrets_and_keys
    Python
    python_takes_what_the_verifier_sends_and_nothing_else
    python_judges_what_is_rightly_signed
    python_drops_what_is_stale
    python_does_not_start_without_secrets_and_keys
    Rust
    rust_takes_what_the_verifier_sends_and_nothing_else
    rust_judges_what_is_rightly_signed
    rust_drops_what_is_stale
    rust_does_not_start_without_secrets_and_keys
}
