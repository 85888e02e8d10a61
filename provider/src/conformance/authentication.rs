//! Authentication checks: one challenge for each reference, and each step counts once.

use super::CardKind;
use super::run::{AMOUNT, CheckRun};
use crate::authentication::{
    Authentication, AuthenticationRequest, AuthenticationStatus, CodeChallenge, Progress, Step,
    Stepped,
};
use crate::{Authenticator, CardSource, ProviderFuture};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;

const PAGE: &str = "https://shop.example";

fn authenticate<'a>(
    run: &CheckRun<'_>,
    authenticator: &'a dyn Authenticator,
    reference: PaymentId,
    card: &'a Card,
) -> ProviderFuture<'a, Progress> {
    authenticator.authenticate(AuthenticationRequest {
        reference,
        money: run.money(AMOUNT),
        source: CardSource::Card(card),
        brand: card.number.brand(),
        payee: "Paper Lantern",
        wants_challenge: false,
        parent_origin: PAGE,
        order_origins: &[],
        reasons: vec!["conformance".into()],
    })
}

/// Starts a challenge by one-time code; none without a card for it.
async fn challenge(
    run: &CheckRun<'_>,
    authenticator: &dyn Authenticator,
) -> Option<(PaymentId, CodeChallenge)> {
    let card = run.harness.card(CardKind::Challenged)?;
    let reference = run.payment();
    let call = authenticate(run, authenticator, reference, &card);
    match run.answer("the authentication", call).await {
        Progress::Code(code) => Some((reference, code)),
        other => run.fail(format!("the challenged card gives {other:?}")),
    }
}

async fn progress(
    run: &CheckRun<'_>,
    authenticator: &dyn Authenticator,
    of: PaymentId,
) -> Progress {
    let found = run.answer("the progress", authenticator.progress(of)).await;
    found.unwrap_or_else(|| run.fail("the progress of a known reference is none"))
}

async fn step(
    run: &CheckRun<'_>,
    authenticator: &dyn Authenticator,
    reference: PaymentId,
    step: Step,
) -> Progress {
    let call = authenticator.step(reference, run.attempt(), step);
    match run.answer("the step", call).await {
        Stepped::Progress(progress) => progress,
        other => run.fail(format!("the step: {other:?}")),
    }
}

/// Checks that the result fits into an authorization.
fn check_result(run: &CheckRun<'_>, result: &Authentication) {
    let is_indicator = result.eci.len() == 2 && result.eci.bytes().all(|b| b.is_ascii_digit());
    run.ensure(is_indicator, format!("the indicator {:?}", result.eci));
    let is_vouched_for = matches!(
        result.status,
        AuthenticationStatus::Authenticated | AuthenticationStatus::Attempted
    );
    let sentence = "a value belongs to what the issuer stands for, and to nothing else";
    run.same(sentence, &result.value.is_some(), &is_vouched_for);
    run.same(
        "the reasons",
        &result.reasons,
        &vec!["conformance".to_owned()],
    );
}

pub(super) async fn repeated_request_keeps_its_progress(run: &CheckRun<'_>) {
    for kind in [CardKind::Approved, CardKind::Challenged] {
        let Some(card) = run.harness.card(kind) else {
            continue;
        };
        let authenticator = run.authenticator().await;
        let reference = run.payment();
        let calls = (0..2).map(|_| authenticate(run, &*authenticator, reference, &card));
        let both = run.together("two requests at once", calls.collect()).await;
        let first = &both[0];
        run.same("two requests at once", &both[1], first);
        if let Progress::Done(result) = first {
            check_result(run, result);
        }
        for _ in 0..2 {
            let authenticator = run.authenticator().await;
            let call = authenticate(run, &*authenticator, reference, &card);
            let again = run.answer("the repeated request", call).await;
            run.same("the repeated request", &again, first);
            let stands = progress(run, &*authenticator, reference).await;
            run.same("the progress", &stands, first);
        }
    }
}

pub(super) async fn unknown_reference_has_no_challenge(run: &CheckRun<'_>) {
    let authenticator = run.authenticator().await;
    let unknown = run.payment();
    let found = run
        .answer("the progress", authenticator.progress(unknown))
        .await;
    run.same("the progress of an unknown reference", &found, &None);
    for step in [
        Step::Code("000000".into()),
        Step::Passkey("{}".into()),
        Step::Resend,
        Step::UseCode,
        Step::Cancel,
    ] {
        let call = authenticator.step(unknown, run.attempt(), step);
        let stepped = run.answer("the step", call).await;
        run.same("a step of an unknown reference", &stepped, &Stepped::Closed);
    }
    let options = run
        .answer("the options", authenticator.enrolment(unknown))
        .await;
    run.same("the options of an unknown reference", &options, &None);
    let stored = run
        .answer("the passkey", authenticator.enrol(unknown, "{}"))
        .await;
    run.same("a passkey of an unknown reference", &stored, &false);
}

pub(super) async fn right_code_authenticates(run: &CheckRun<'_>) {
    let authenticator = run.authenticator().await;
    let Some((reference, _)) = challenge(run, &*authenticator).await else {
        return;
    };
    let code = Step::Code(run.harness.one_time_code(reference).await);
    let authenticator = run.authenticator().await;
    let done = step(run, &*authenticator, reference, code.clone()).await;
    let Progress::Done(result) = &done else {
        run.fail(format!("the right code: {done:?}"));
    };
    run.same(
        "the status",
        &result.status,
        &AuthenticationStatus::Authenticated,
    );
    check_result(run, result);
    // No later step changes the result.
    let steps = [
        code,
        Step::Code("no code".into()),
        Step::Resend,
        Step::Cancel,
    ];
    for step in steps {
        let authenticator = run.authenticator().await;
        let call = authenticator.step(reference, run.attempt(), step.clone());
        match run.answer("a step after the end", call).await {
            Stepped::Closed => {}
            Stepped::Progress(stands) => run.same("a step after the end", &stands, &done),
            Stepped::ResendNotAllowed(_) => run.fail("a step after the end asks for a code"),
        }
        let stands = progress(run, &*authenticator, reference).await;
        run.same("the progress after the end", &stands, &done);
    }
}

pub(super) async fn wrong_code_is_counted_once(run: &CheckRun<'_>) {
    let authenticator = run.authenticator().await;
    let Some((reference, before)) = challenge(run, &*authenticator).await else {
        return;
    };
    let attempt = run.attempt();
    let wrong = Step::Code("no code".into());
    for _ in 0..3 {
        let authenticator = run.authenticator().await;
        let call = authenticator.step(reference, attempt, wrong.clone());
        let stepped = run.answer("the wrong code", call).await;
        let Stepped::Progress(Progress::Code(code)) = stepped else {
            run.fail(format!("the wrong code: {stepped:?}"));
        };
        run.ensure(code.refused, "the wrong code is not refused");
        let left = before.attempts_left.saturating_sub(1);
        run.same("the attempts left", &code.attempts_left, &left);
    }
    let code = Step::Code(run.harness.one_time_code(reference).await);
    let authenticator = run.authenticator().await;
    let done = step(run, &*authenticator, reference, code).await;
    let is_done = matches!(
        &done,
        Progress::Done(result) if result.status == AuthenticationStatus::Authenticated
    );
    run.ensure(
        is_done,
        format!("the right code after a wrong one: {done:?}"),
    );
}

pub(super) async fn cancelled_challenge_permits_no_authorization(run: &CheckRun<'_>) {
    let authenticator = run.authenticator().await;
    let Some((reference, _)) = challenge(run, &*authenticator).await else {
        return;
    };
    let code = run.harness.one_time_code(reference).await;
    let done = step(run, &*authenticator, reference, Step::Cancel).await;
    let Progress::Done(result) = &done else {
        run.fail(format!("the cancelled challenge: {done:?}"));
    };
    check_result(run, result);
    let may = result.status.may_be_authorized();
    run.ensure(
        !may,
        format!("the cancelled challenge: {:?}", result.status),
    );
    let authenticator = run.authenticator().await;
    let call = authenticator.step(reference, run.attempt(), Step::Code(code));
    run.answer("the right code after it was cancelled", call)
        .await;
    let stands = progress(run, &*authenticator, reference).await;
    run.same("the progress after it was cancelled", &stands, &done);
}
