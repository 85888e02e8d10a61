//! One-time codes: right, wrong, late, sent again, guessed.

use super::{
    CODE_CARD, MINUTE, ORIGIN, PARENT, SECOND, Stage, another, assert_failed, card, done, payment,
    stage, step_id, still_code,
};
use crate::authentication::code::draw;
use crate::world::World;
use crate::world::tests::{TestFolder, database};
use sealpay_protocol::money::Money;
use sealpay_protocol::secret::Secret;
use sealpay_provider::Authenticator;
use sealpay_provider::authentication::{AuthenticationRequest, Progress, Step, Stepped};
use sealpay_provider::authentication::{AuthenticationStatus, ChallengeKind};
use sealpay_system::Rng;
use std::collections::HashSet;
use std::sync::Arc;

#[tokio::test]
async fn a_right_code_is_accepted_once() {
    let stage = stage("right").await;
    let challenge = stage.begin_code(1).await;
    let now_ms = stage.now_ms();
    assert!(challenge.sent_to.starts_with("•••• "), "{challenge:?}");
    assert_eq!((challenge.attempts_left, challenge.resends_left), (5, 3));
    assert_eq!(challenge.resend_at_ms, now_ms + 30_000);
    assert_eq!(challenge.expires_at_ms, now_ms + 300_000);
    assert!(!challenge.refused);
    let message = stage.messages().await.remove(0);
    let code = message.code.clone().unwrap();
    assert_eq!(code.len(), 6);
    assert_eq!(message.phone, stage.account().await.phone);
    let text = format!(
        "{code} is your code to pay 49.00 EUR to Paper Lantern. Never share it with anyone."
    );
    assert_eq!(message.text, text);
    let result = done(stage.code(1, 1, &code).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
    assert_eq!(result.eci, "05");
    // The step that arrives again hears the same; another one finds nothing to do.
    assert_eq!(done(stage.code(1, 1, &code).await), result);
    assert_eq!(stage.code(1, 2, &code).await, Stepped::Closed);
    let progress = stage.issuer.progress(payment(1)).await.unwrap();
    assert_eq!(progress, Some(Progress::Done(result)));
    assert_eq!(stage.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn every_failure_is_refused_alike() {
    // Wrong, malformed, of another payment, replaced, expired.
    let stage = stage("alike").await;
    stage.begin_code(2).await;
    let others = stage.newest_code().await;
    stage.begin_code(1).await;
    let first = stage.newest_code().await;
    let mut seen = HashSet::new();
    let mut refuse = |stepped: Stepped| {
        let challenge = still_code(stepped);
        assert!(challenge.refused);
        seen.insert(challenge.attempts_left);
    };
    refuse(stage.code(1, 1, &another(&first)).await);
    refuse(stage.code(1, 2, "12 34\u{0}5😀").await);
    refuse(stage.code(1, 3, &others).await);
    stage.pass(30 * SECOND);
    let resent = still_code(stage.step(1, 4, Step::Resend).await);
    assert!(!resent.refused);
    let second = stage.newest_code().await;
    assert_ne!(first, second);
    refuse(stage.code(1, 5, &first).await);
    assert_eq!(seen, HashSet::from([4, 3, 2, 1]));
    let result = done(stage.code(1, 6, &second).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes_and_a_challenge_for_ten() {
    let stage = stage("late").await;
    stage.begin_code(1).await;
    let code = stage.newest_code().await;
    stage.pass(5 * MINUTE);
    assert!(still_code(stage.code(1, 1, &code).await).refused);
    let resent = still_code(stage.step(1, 2, Step::Resend).await);
    assert_eq!(resent.expires_at_ms, stage.now_ms() + 300_000);
    stage.pass(4 * MINUTE);
    let resent = still_code(stage.step(1, 3, Step::Resend).await);
    // The whole challenge ends a minute from now, and the code with it.
    assert_eq!(resent.expires_at_ms, stage.now_ms() + 60_000);
    stage.pass(MINUTE);
    let code = stage.newest_code().await;
    assert_failed(stage.code(1, 4, &code).await);
    assert_eq!(stage.code(1, 5, &code).await, Stepped::Closed);

    // The last moment is good enough.
    stage.begin_code(2).await;
    let code = stage.newest_code().await;
    stage.pass(5 * MINUTE - 1);
    let result = done(stage.code(2, 1, &code).await);
    assert_eq!(result.status, AuthenticationStatus::Authenticated);

    stage.begin_code(3).await;
    stage.pass(10 * MINUTE);
    let Some(Progress::Done(result)) = stage.issuer.progress(payment(3)).await.unwrap() else {
        panic!("the challenge is not over");
    };
    assert_eq!(result.status, AuthenticationStatus::NotAuthenticated);
    assert_eq!(result.challenge, Some(ChallengeKind::Code));
}

#[tokio::test]
async fn another_code_is_sent_after_thirty_seconds_and_three_times() {
    let stage = stage("resend").await;
    let begun = stage.begin_code(1).await;
    let refused = stage.step(1, 1, Step::Resend).await;
    assert_eq!(refused, Stepped::ResendNotAllowed(begun.clone()));
    stage.pass(30 * SECOND - 1);
    let refused = stage.step(1, 2, Step::Resend).await;
    assert_eq!(refused, Stepped::ResendNotAllowed(begun));
    stage.pass(1);
    for id in 3..6 {
        let resent = still_code(stage.step(1, id, Step::Resend).await);
        assert_eq!(resent.resends_left, u32::from(5 - id));
        assert_eq!(resent.resend_at_ms, stage.now_ms() + 30_000);
        // The same step again sends nothing.
        let again = still_code(stage.step(1, id, Step::Resend).await);
        assert_eq!(again, resent);
        stage.pass(30 * SECOND);
    }
    assert!(matches!(
        stage.step(1, 6, Step::Resend).await,
        Stepped::ResendNotAllowed(_)
    ));
    // An error that is asked for again is still one, though it would be granted by now.
    assert!(matches!(
        stage.step(1, 2, Step::Resend).await,
        Stepped::ResendNotAllowed(_)
    ));
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 4);
    let codes: HashSet<_> = messages.iter().map(|message| &message.code).collect();
    assert_eq!(codes.len(), 4);
    assert!(messages.is_sorted_by(|a, b| a.created_at_ms >= b.created_at_ms));
    for (id, old) in (10_u8..).zip(&messages[1..]) {
        let refused = still_code(stage.code(1, id, old.code.as_deref().unwrap()).await);
        assert!(refused.refused);
    }
    stage.prove(1).await;
    assert_eq!(stage.step(1, 7, Step::Resend).await, Stepped::Closed);
}

#[tokio::test]
async fn five_wrong_codes_end_the_challenge_and_pause_the_codes() {
    let stage = stage("paused").await;
    stage.begin_code(1).await;
    let code = stage.newest_code().await;
    let wrong = another(&code);
    for (id, left) in [(1, 4), (2, 3), (3, 2), (4, 1)] {
        let refused = still_code(stage.code(1, id, &wrong).await);
        assert_eq!((refused.refused, refused.attempts_left), (true, left));
        // The same step again is not counted again.
        let again = still_code(stage.code(1, id, &wrong).await);
        assert_eq!(again.attempts_left, left);
    }
    assert_failed(stage.code(1, 5, &wrong).await);
    assert_eq!(stage.code(1, 6, &code).await, Stepped::Closed);
    assert!(stage.account().await.refuses_codes(stage.now_ms()));
    let Progress::Done(result) = stage.begin(2).await else {
        panic!("a code was asked for in a pause");
    };
    assert_eq!(result.status, AuthenticationStatus::Rejected);
    // What needs no code goes on.
    let Progress::Done(result) = stage.begin_with(3, 1000, None).await else {
        panic!("a code was asked for below thirty euros");
    };
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
}

#[tokio::test]
async fn a_pause_ends_and_the_next_one_in_a_row_is_longer() {
    let stage = stage("pauses").await;
    let minute = 60 * 1000;
    let mut number = 0;
    for minutes in [5, 15, 30, 60, 60] {
        number += 1;
        stage.begin_code(number).await;
        let wrong = another(&stage.newest_code().await);
        for id in 1..=5 {
            stage.code(number, id, &wrong).await;
        }
        stage.pass(minutes * minute - 1);
        number += 1;
        let progress = stage.begin(number).await;
        assert!(
            matches!(progress, Progress::Done(_)),
            "{minutes}: {progress:?}"
        );
        stage.pass(1);
        number += 1;
        assert_eq!(stage.begin_code(number).await.attempts_left, 5, "{minutes}");
    }
    // A right code makes the next pause the first again.
    let result = stage.prove(number).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    number += 1;
    stage.begin_code(number).await;
    let wrong = another(&stage.newest_code().await);
    for id in 1..=5 {
        stage.code(number, id, &wrong).await;
    }
    stage.pass(5 * minute);
    assert_eq!(stage.begin_code(number + 1).await.attempts_left, 5);
}

#[tokio::test]
async fn a_phone_gets_ten_codes_in_an_hour_and_no_more() {
    let stage = stage("messages").await;
    for number in 1..=10 {
        stage.begin_code(number).await;
    }
    let Progress::Done(result) = stage.begin(11).await else {
        panic!("an eleventh code was sent");
    };
    assert_eq!(result.status, AuthenticationStatus::Rejected);
    assert_eq!(stage.messages().await.len(), 10);
    // Nor is one sent again; what was sent is still good.
    stage.pass(31_000);
    let refused = stage.step(1, 1, Step::Resend).await;
    assert!(
        matches!(refused, Stepped::ResendNotAllowed(_)),
        "{refused:?}"
    );
    assert_eq!(stage.messages().await.len(), 10);
    let result = stage.prove(10).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    stage.pass(60 * 60 * 1000);
    stage.begin_code(12).await;
    assert_eq!(stage.messages().await.len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_payments_at_once_send_ten_codes() {
    let stage = stage("flood").await;
    let mut tasks = Vec::new();
    for number in 1..=30 {
        let issuer = stage.issuer.clone();
        tasks.push(tokio::spawn(async move {
            let card = card(CODE_CARD);
            let request = AuthenticationRequest {
                reference: payment(number),
                money: Money::new(4900, "EUR".parse().unwrap()),
                card: &card,
                payee: "Paper Lantern",
                wants_challenge: false,
                parent_origin: PARENT,
                order_origins: &[],
                reasons: Vec::new(),
            };
            issuer.authenticate(request).await.unwrap()
        }));
    }
    let mut asked = 0;
    for task in tasks {
        asked += usize::from(matches!(task.await.unwrap(), Progress::Code(_)));
    }
    assert_eq!((asked, stage.messages().await.len()), (10, 10));
}

#[tokio::test]
async fn wrong_codes_are_counted_over_all_payments_of_a_card_until_one_is_right() {
    let stage = stage("in-a-row").await;
    for number in 1..=4 {
        stage.begin_code(number).await;
        let code = stage.newest_code().await;
        stage.code(number, 1, &another(&code)).await;
        stage.step(number, 2, Step::Cancel).await;
    }
    // One try is left, and it is the right one.
    assert_eq!(stage.begin_code(5).await.attempts_left, 1);
    let result = stage.prove(5).await;
    assert_eq!(result.status, AuthenticationStatus::Authenticated);
    assert_eq!(stage.account().await.wrong_codes, 0);
    assert_eq!(stage.begin_code(6).await.attempts_left, 5);
    // A challenge that is open while the account is locked elsewhere ends with its next try.
    let code = stage.newest_code().await;
    stage.begin_code(7).await;
    let wrong = another(&stage.newest_code().await);
    for id in 1..=5 {
        stage.code(7, id, &wrong).await;
    }
    assert!(stage.account().await.refuses_codes(stage.now_ms()));
    assert_failed(stage.code(6, 1, &code).await);
}

#[tokio::test]
async fn giving_up_ends_a_challenge() {
    let stage = stage("cancel").await;
    stage.begin_code(1).await;
    let code = stage.newest_code().await;
    assert_failed(stage.step(1, 1, Step::Cancel).await);
    assert_failed(stage.step(1, 1, Step::Cancel).await);
    assert_eq!(stage.step(1, 2, Step::Cancel).await, Stepped::Closed);
    assert_eq!(stage.code(1, 3, &code).await, Stepped::Closed);
    assert_eq!(stage.code(99, 1, &code).await, Stepped::Closed);
    assert_eq!(stage.account().await.wrong_codes, 0);
    let offered = stage.issuer.enrolment(payment(1)).await.unwrap();
    assert_eq!(offered, None);
}

#[tokio::test]
async fn a_step_that_does_not_fit_is_not_counted() {
    let stage = stage("misfit").await;
    let begun = stage.begin_code(1).await;
    let rows = [Step::Passkey("{}".into()), Step::UseCode];
    for (id, step) in (1_u8..).zip(rows) {
        assert_eq!(still_code(stage.step(1, id, step).await), begun);
    }
    assert_eq!(stage.account().await.wrong_codes, 0);
    assert_eq!(stage.messages().await.len(), 1);
}

async fn guess_at_once(stage: &Stage, payments: &[u8], guesses: u8) -> usize {
    let mut tasks = Vec::new();
    for payment_number in payments {
        for guess in 0..guesses {
            let issuer = stage.issuer.clone();
            let reference = payment(*payment_number);
            let id = step_id(guess);
            let code = format!("{:06}", u32::from(guess) + 7_000);
            tasks.push(tokio::spawn(async move {
                issuer.step(reference, id, Step::Code(code)).await.unwrap()
            }));
        }
    }
    let mut looked_at = 0;
    for task in tasks {
        if task.await.unwrap() != Stepped::Closed {
            looked_at += 1;
        }
    }
    looked_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_guesses_at_once_are_five() {
    let stage = stage("fifty").await;
    stage.begin_code(1).await;
    guess_at_once(&stage, &[1], 50).await;
    let tried = stage.world.database.row(
        "SELECT attempts_left, (SELECT wrong_codes FROM bank_accounts WHERE id = account),
         (SELECT COUNT(*) FROM bank_challenge_steps) FROM bank_challenges",
        [],
    );
    let mut tried = tried.await.unwrap().unwrap();
    let counts = [0; 3].map(|_: i32| tried.integer().unwrap());
    assert_eq!(counts, [0, 5, 5]);
    let Some(Progress::Done(result)) = stage.issuer.progress(payment(1)).await.unwrap() else {
        panic!("the challenge is not over");
    };
    assert_eq!(result.status, AuthenticationStatus::NotAuthenticated);
    assert!(stage.account().await.refuses_codes(stage.now_ms()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_guesses_at_once_over_ten_payments_are_five() {
    let stage = stage("spread").await;
    for number in 1..=10 {
        stage.begin_code(number).await;
    }
    let numbers: Vec<u8> = (1..=10).collect();
    guess_at_once(&stage, &numbers, 5).await;
    assert_eq!(stage.account().await.wrong_codes, 5);
    for number in numbers {
        let progress = stage.issuer.progress(payment(number)).await.unwrap();
        let Some(Progress::Done(result)) = progress else {
            panic!("{number} is not over");
        };
        assert_eq!(result.status, AuthenticationStatus::NotAuthenticated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_code_many_times_at_once_is_accepted_once() {
    let stage = stage("right-at-once").await;
    stage.begin_code(1).await;
    let code = stage.newest_code().await;
    let tasks: Vec<_> = (0..5)
        .map(|id| {
            let issuer = stage.issuer.clone();
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
    assert_eq!(stage.account().await.wrong_codes, 0);
}

#[tokio::test]
async fn a_message_is_forgotten_after_a_day() {
    let stage = stage("forgotten").await;
    stage.begin_code(1).await;
    stage.pass(24 * 60 * MINUTE);
    stage.begin_code(2).await;
    assert_eq!(stage.messages().await.len(), 2);
    stage.pass(1);
    stage.begin_code(3).await;
    assert_eq!(stage.messages().await.len(), 2);
}

#[tokio::test]
async fn codes_have_six_digits_each_as_likely_as_the_others() {
    let stage = stage("drawn").await;
    let mut first_digits = [0_u32; 10];
    for _ in 0..2000 {
        let code = draw(&stage.world);
        assert_eq!(code.len(), 6);
        let digit = code.chars().next().and_then(|digit| digit.to_digit(10));
        first_digits[usize::try_from(digit.unwrap()).unwrap()] += 1;
    }
    for (digit, count) in first_digits.iter().enumerate() {
        assert!((120..280).contains(count), "{digit} came {count} times");
    }
}

#[tokio::test]
async fn a_source_that_always_says_the_same_still_gives_a_code() {
    for byte in [0, u8::MAX] {
        let folder = TestFolder::new(&format!("same-{byte}"));
        let world = Arc::new(World::new(
            database(&folder).await,
            Secret::new([9; 32]),
            ORIGIN.parse().unwrap(),
            sealpay_system::Clock::new(|| 0),
            Rng::new(move |bytes| bytes.fill(byte)),
        ));
        assert_eq!(draw(&world).len(), 6);
    }
}
