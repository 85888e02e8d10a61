//! One-time codes: right, wrong, late, sent again, guessed.

use super::{CODE_CARD, MINUTE, ORIGIN, SECOND, TestBank, another, assert_failed, card, done};
use super::{euros, payment, request, step_id, still_code, test};
use crate::authentication::code::draw;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_provider::authentication::{Progress, Step, Stepped};
use sealpay_system::Rng;
use std::collections::HashSet;

impl TestBank {
    /// The result of a payment without a challenge.
    async fn begin_done(&self, number: u8) -> AuthenticationStatus {
        done(Stepped::Progress(self.begin(number).await)).status
    }

    /// The result of a challenge that is over.
    async fn over(&self, number: u8) -> AuthenticationStatus {
        let progress = self.issuer().progress(payment(number)).await.unwrap();
        done(Stepped::Progress(progress.unwrap())).status
    }

    /// Enters five wrong codes.
    async fn guess_five(&self, number: u8) {
        let wrong = another(&self.newest_code().await);
        for id in 1..=5 {
            self.code(number, id, &wrong).await;
        }
    }
}

#[tokio::test]
async fn a_right_code_is_accepted_once() {
    let test = test("right").await;
    let challenge = test.begin_code(1).await;
    let now_ms = test.now_ms();
    assert!(challenge.sent_to.starts_with("•••• "), "{challenge:?}");
    assert_eq!((challenge.attempts_left, challenge.resends_left), (5, 3));
    assert_eq!(challenge.resend_at_ms, now_ms + 30_000);
    assert_eq!(challenge.expires_at_ms, now_ms + 300_000);
    assert!(!challenge.refused);
    let message = test.messages().await.remove(0);
    let code = message.code.clone().unwrap();
    assert_eq!(code.len(), 6);
    assert_eq!(message.phone, test.account().await.phone);
    let text = format!(
        "{code} is your code to pay 49.00 EUR to Paper Lantern. Never share it with anyone."
    );
    assert_eq!(message.text, text);
    let result = done(test.code(1, 1, &code).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
    assert_eq!(result.eci, "05");
    // A repeated step has the same response; another step finds no open challenge.
    assert_eq!(done(test.code(1, 1, &code).await), result);
    assert_eq!(test.code(1, 2, &code).await, Stepped::Closed);
    let progress = test.issuer().progress(payment(1)).await.unwrap();
    assert_eq!(progress, Some(Progress::Done(result)));
    assert_eq!(test.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn every_failure_is_refused_alike() {
    // Wrong, malformed, of another payment, replaced, expired.
    let test = test("alike").await;
    test.begin_code(2).await;
    let others = test.newest_code().await;
    test.begin_code(1).await;
    let first = test.newest_code().await;
    let mut seen = HashSet::new();
    let mut refuse = |stepped: Stepped| {
        let challenge = still_code(stepped);
        assert!(challenge.refused);
        seen.insert(challenge.attempts_left);
    };
    refuse(test.code(1, 1, &another(&first)).await);
    refuse(test.code(1, 2, "12 34\u{0}5😀").await);
    refuse(test.code(1, 3, &others).await);
    test.advance(30 * SECOND);
    let resent = still_code(test.step(1, 4, Step::Resend).await);
    assert!(!resent.refused);
    let second = test.newest_code().await;
    assert_ne!(first, second);
    refuse(test.code(1, 5, &first).await);
    assert_eq!(seen, HashSet::from([4, 3, 2, 1]));
    let result = done(test.code(1, 6, &second).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn a_code_expires_after_five_minutes_and_a_challenge_after_ten() {
    let test = test("late").await;
    test.begin_code(1).await;
    let code = test.newest_code().await;
    test.advance(5 * MINUTE);
    assert!(still_code(test.code(1, 1, &code).await).refused);
    let resent = still_code(test.step(1, 2, Step::Resend).await);
    assert_eq!(resent.expires_at_ms, test.now_ms() + 300_000);
    test.advance(4 * MINUTE);
    let resent = still_code(test.step(1, 3, Step::Resend).await);
    // The whole challenge ends a minute from now, and the code with it.
    assert_eq!(resent.expires_at_ms, test.now_ms() + 60_000);
    test.advance(MINUTE);
    let code = test.newest_code().await;
    assert_failed(test.code(1, 4, &code).await);
    assert_eq!(test.code(1, 5, &code).await, Stepped::Closed);

    // The last millisecond counts.
    test.begin_code(2).await;
    let code = test.newest_code().await;
    test.advance(5 * MINUTE - 1);
    let result = done(test.code(2, 1, &code).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);

    test.begin_code(3).await;
    test.advance(10 * MINUTE);
    let progress = test.issuer().progress(payment(3)).await.unwrap();
    let result = done(Stepped::Progress(progress.unwrap()));
    assert_eq!(result.status, AuthenticationStatus::NotAuthenticated);
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
}

#[tokio::test]
async fn another_code_is_sent_after_thirty_seconds_and_three_times() {
    let test = test("resend").await;
    let challenge = test.begin_code(1).await;
    let refused = test.step(1, 1, Step::Resend).await;
    assert_eq!(refused, Stepped::ResendNotAllowed(challenge.clone()));
    test.advance(30 * SECOND - 1);
    let refused = test.step(1, 2, Step::Resend).await;
    assert_eq!(refused, Stepped::ResendNotAllowed(challenge));
    test.advance(1);
    for id in 3..6 {
        let resent = still_code(test.step(1, id, Step::Resend).await);
        assert_eq!(resent.resends_left, u32::from(5 - id));
        assert_eq!(resent.resend_at_ms, test.now_ms() + 30_000);
        // A repeated step sends nothing.
        let again = still_code(test.step(1, id, Step::Resend).await);
        assert_eq!(again, resent);
        test.advance(30 * SECOND);
    }
    assert!(matches!(
        test.step(1, 6, Step::Resend).await,
        Stepped::ResendNotAllowed(_)
    ));
    // A repeated step keeps its error, though another code would be allowed by now.
    assert!(matches!(
        test.step(1, 2, Step::Resend).await,
        Stepped::ResendNotAllowed(_)
    ));
    let messages = test.messages().await;
    assert_eq!(messages.len(), 4);
    let codes: HashSet<_> = messages.iter().map(|message| &message.code).collect();
    assert_eq!(codes.len(), 4);
    assert!(messages.is_sorted_by(|a, b| a.created_at_ms >= b.created_at_ms));
    for (id, old) in (10_u8..).zip(&messages[1..]) {
        let refused = still_code(test.code(1, id, old.code.as_deref().unwrap()).await);
        assert!(refused.refused);
    }
    test.enter_code(1).await;
    assert_eq!(test.step(1, 7, Step::Resend).await, Stepped::Closed);
}

#[tokio::test]
async fn five_wrong_codes_end_the_challenge_and_pause_the_codes() {
    let test = test("paused").await;
    test.begin_code(1).await;
    let code = test.newest_code().await;
    let wrong = another(&code);
    for (id, left) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
        let refused = still_code(test.code(1, id, &wrong).await);
        assert_eq!((refused.refused, refused.attempts_left), (true, left));
        // A repeated step is not counted again.
        let again = still_code(test.code(1, id, &wrong).await);
        assert_eq!(again.attempts_left, left);
    }
    assert_failed(test.code(1, 5, &wrong).await);
    assert_eq!(test.code(1, 6, &code).await, Stepped::Closed);
    assert!(test.account().await.refuses_codes(test.now_ms()));
    assert_eq!(test.begin_done(2).await, AuthenticationStatus::Rejected);
    // A payment without a code goes on.
    let result = done(Stepped::Progress(test.begin_with(3, 1000, None).await));
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn a_pause_ends_and_the_next_one_in_a_row_is_longer() {
    let test = test("pauses").await;
    let minute = 60 * 1000;
    let mut number = 0;
    for minutes in [5, 15, 30, 60, 60] {
        number += 1;
        test.begin_code(number).await;
        test.guess_five(number).await;
        test.advance(minutes * minute - 1);
        number += 1;
        test.begin_done(number).await;
        test.advance(1);
        number += 1;
        assert_eq!(test.begin_code(number).await.attempts_left, 5, "{minutes}");
    }
    // After a right code, the next pause is the first again.
    let result = test.enter_code(number).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    number += 1;
    test.begin_code(number).await;
    test.guess_five(number).await;
    test.advance(5 * minute);
    assert_eq!(test.begin_code(number + 1).await.attempts_left, 5);
}

#[tokio::test]
async fn a_phone_gets_at_most_ten_codes_in_an_hour() {
    let test = test("messages").await;
    for number in 1..=10 {
        test.begin_code(number).await;
    }
    assert_eq!(test.begin_done(11).await, AuthenticationStatus::Rejected);
    assert_eq!(test.messages().await.len(), 10);
    // No code is sent again, and the last one is still accepted.
    test.advance(31_000);
    let refused = test.step(1, 1, Step::Resend).await;
    assert!(
        matches!(refused, Stepped::ResendNotAllowed(_)),
        "{refused:?}"
    );
    assert_eq!(test.messages().await.len(), 10);
    let result = test.enter_code(10).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    test.advance(60 * 60 * 1000);
    test.begin_code(12).await;
    assert_eq!(test.messages().await.len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_payments_at_once_send_ten_codes() {
    let test = test("flood").await;
    let mut tasks = Vec::new();
    for number in 1..=30 {
        let issuer = test.issuer();
        tasks.push(tokio::spawn(async move {
            let card = card(CODE_CARD);
            let request = request(number, euros(4900), &card);
            issuer.authenticate(request).await.unwrap()
        }));
    }
    let mut challenges = 0;
    for task in tasks {
        challenges += usize::from(matches!(task.await.unwrap(), Progress::Code(_)));
    }
    assert_eq!((challenges, test.messages().await.len()), (10, 10));
}

#[tokio::test]
async fn wrong_codes_are_counted_over_all_payments_of_a_card_until_one_is_right() {
    let test = test("in-a-row").await;
    for number in 1..=4 {
        test.begin_code(number).await;
        let code = test.newest_code().await;
        test.code(number, 1, &another(&code)).await;
        test.step(number, 2, Step::Cancel).await;
    }
    // One attempt is left, with the right code.
    assert_eq!(test.begin_code(5).await.attempts_left, 1);
    let result = test.enter_code(5).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    assert_eq!(test.account().await.wrong_codes, 0);
    assert_eq!(test.begin_code(6).await.attempts_left, 5);
    // A challenge that is open while the account is locked elsewhere ends with its next try.
    let code = test.newest_code().await;
    test.begin_code(7).await;
    test.guess_five(7).await;
    assert!(test.account().await.refuses_codes(test.now_ms()));
    assert_failed(test.code(6, 1, &code).await);
}

#[tokio::test]
async fn cancelling_ends_a_challenge() {
    let test = test("cancel").await;
    test.begin_code(1).await;
    let code = test.newest_code().await;
    assert_failed(test.step(1, 1, Step::Cancel).await);
    assert_failed(test.step(1, 1, Step::Cancel).await);
    assert_eq!(test.step(1, 2, Step::Cancel).await, Stepped::Closed);
    assert_eq!(test.code(1, 3, &code).await, Stepped::Closed);
    assert_eq!(test.code(99, 1, &code).await, Stepped::Closed);
    assert_eq!(test.account().await.wrong_codes, 0);
    let offered = test.issuer().enrolment(payment(1)).await.unwrap();
    assert_eq!(offered, None);
}

#[tokio::test]
async fn a_step_of_another_challenge_is_not_counted() {
    let test = test("misfit").await;
    let challenge = test.begin_code(1).await;
    let rows = [Step::Passkey("{}".into()), Step::UseCode];
    for (id, step) in (1_u8..).zip(rows) {
        assert_eq!(still_code(test.step(1, id, step).await), challenge);
    }
    assert_eq!(test.account().await.wrong_codes, 0);
    assert_eq!(test.messages().await.len(), 1);
}

async fn guess_at_once(test: &TestBank, payments: &[u8], guesses: u8) {
    let mut tasks = Vec::new();
    for payment_number in payments {
        for guess in 0..guesses {
            let issuer = test.issuer();
            let reference = payment(*payment_number);
            let id = step_id(guess);
            let code = format!("{:06}", u32::from(guess) + 7_000);
            tasks.push(tokio::spawn(async move {
                issuer.step(reference, id, Step::Code(code)).await.unwrap()
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_guesses_at_once_are_five() {
    let test = test("fifty").await;
    test.begin_code(1).await;
    guess_at_once(&test, &[1], 50).await;
    let counts = test.simulation.journal.get(
        "SELECT attempts_left, (SELECT wrong_codes FROM bank_accounts WHERE id = account),
         (SELECT COUNT(*) FROM bank_challenge_steps) FROM bank_challenges",
        [],
    );
    let counts: Option<(u32, u32, u32)> = counts.await.unwrap();
    assert_eq!(counts, Some((0, 5, 5)));
    assert_eq!(test.over(1).await, AuthenticationStatus::NotAuthenticated);
    assert!(test.account().await.refuses_codes(test.now_ms()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_guesses_at_once_over_ten_payments_are_five() {
    let test = test("spread").await;
    for number in 1..=10 {
        test.begin_code(number).await;
    }
    let numbers: Vec<u8> = (1..=10).collect();
    guess_at_once(&test, &numbers, 5).await;
    assert_eq!(test.account().await.wrong_codes, 5);
    for number in numbers {
        let status = test.over(number).await;
        assert_eq!(status, AuthenticationStatus::NotAuthenticated, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_code_many_times_at_once_is_accepted_once() {
    let test = test("right-at-once").await;
    test.begin_code(1).await;
    let code = test.newest_code().await;
    let tasks: Vec<_> = (0..5)
        .map(|id| {
            let issuer = test.issuer();
            let step = Step::Code(code.clone());
            tokio::spawn(async move { issuer.step(payment(1), step_id(id), step).await.unwrap() })
        })
        .collect();
    for task in tasks {
        match task.await.unwrap() {
            Stepped::Closed => (),
            stepped => {
                let status = done(stepped).status;
                assert_eq!(status, AuthenticationStatus::Authenticated);
            }
        }
    }
    assert_eq!(test.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn a_message_is_deleted_after_a_day() {
    let test = test("forgotten").await;
    test.begin_code(1).await;
    test.advance(24 * 60 * MINUTE);
    test.begin_code(2).await;
    assert_eq!(test.messages().await.len(), 2);
    test.advance(1);
    test.begin_code(3).await;
    assert_eq!(test.messages().await.len(), 2);
}

#[tokio::test]
async fn codes_have_six_digits_and_are_equally_likely() {
    let test = test("drawn").await;
    let mut first_digits = [0_u32; 10];
    for _ in 0..2000 {
        let code = draw(&test.simulation);
        assert_eq!(code.len(), 6);
        let digit = code.chars().next().and_then(|digit| digit.to_digit(10));
        first_digits[usize::try_from(digit.unwrap()).unwrap()] += 1;
    }
    for (digit, count) in first_digits.iter().enumerate() {
        assert!((120..280).contains(count), "{digit} came {count} times");
    }
}

#[tokio::test]
async fn a_constant_source_of_randomness_still_gives_a_code() {
    for byte in [0, u8::MAX] {
        let rng = Rng::new(move |bytes| bytes.fill(byte));
        let test = TestBank::at(ORIGIN, &format!("constant-{byte}"), rng).await;
        assert_eq!(draw(&test.simulation).len(), 6);
    }
}
