//! Authorization checks: each reference is authorized once, even if messages are lost.

use super::run::{AMOUNT, CheckRun, DUPLICATES};
use super::source::{PaymentSource, authorize};
use super::{CardKind, Payer, Transmission};
use crate::Inquiry;
use crate::modification::ModificationKind;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;

const CAPTURES: [Capture; 2] = [Capture::Automatic, Capture::Manual];

/// The authorized and captured amounts of an approval.
const fn moved(capture: Capture) -> [i64; 2] {
    match capture {
        Capture::Automatic => [0, AMOUNT],
        Capture::Manual => [AMOUNT, 0],
    }
}

pub(super) async fn repeated_authorization_reserves_once(run: &CheckRun<'_>, payer: Payer) {
    let yes = run.source(payer, CardKind::Approved).await;
    let no = run.source(payer, CardKind::Declined).await;
    let acquirer = run.acquirer().await;
    for capture in CAPTURES {
        let before = run.balance(payer).await;
        let (reference, refused) = (run.payment(), run.payment());
        let mut reason = None;
        for turn in ["the authorization", "the repeated authorization"] {
            let money = run.money(AMOUNT);
            let call = authorize(&*acquirer, reference, money, capture, &yes);
            run.approved(turn, call).await;
            let call = authorize(&*acquirer, refused, money, capture, &no);
            let decision = run.declined(turn, call).await;
            let first = reason.get_or_insert_with(|| decision.clone());
            run.same(turn, &decision, first);
        }
        let what = "one payment that was authorized twice";
        run.moved(what, payer, before, moved(capture)).await;
    }
}

pub(super) async fn concurrent_duplicates_reserve_once(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    for capture in CAPTURES {
        let before = run.balance(payer).await;
        let reference = run.payment();
        let money = run.money(AMOUNT);
        let calls = (0..DUPLICATES)
            .map(|_| authorize(&*acquirer, reference, money, capture, &source))
            .collect();
        let decisions = run.together("duplicates at once", calls).await;
        run.all_approved("duplicates at once", &decisions);
        let what = "duplicates at once";
        run.moved(what, payer, before, moved(capture)).await;
    }
}

pub(super) async fn another_amount_under_the_same_reference_reserves_nothing(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    let first = authorize(
        &*acquirer,
        reference,
        run.money(AMOUNT),
        Capture::Manual,
        &source,
    );
    let first = run.approved("the authorization", first).await;
    // The provider may repeat the approval or decline the second request.
    let more = run.money(AMOUNT * 2);
    let second = authorize(&*acquirer, reference, more, Capture::Manual, &source);
    run.decision("another amount", second).await;
    run.moved("another amount", payer, before, [AMOUNT, 0])
        .await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::Answered(first));
}

pub(super) async fn inquiry_gives_the_decision(run: &CheckRun<'_>, payer: Payer) {
    for kind in [CardKind::Approved, CardKind::Declined] {
        let source = run.source(payer, kind).await;
        let acquirer = run.acquirer().await;
        let reference = run.payment();
        let call = authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &source,
        );
        let decision = Inquiry::Answered(run.decision("the authorization", call).await);
        for turn in ["the inquiry", "the repeated inquiry"] {
            let inquiry = run.answer(turn, acquirer.inquire(reference)).await;
            run.same(turn, &inquiry, &decision);
        }
    }
}

pub(super) async fn repeated_authorization_after_a_void_reserves_nothing(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    let again = || {
        authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &source,
        )
    };
    let first = run.approved("the authorization", again()).await;
    let void = run.operation(reference, ModificationKind::Void, AMOUNT);
    run.approved("the void", acquirer.modify(void)).await;
    // The first decision stands, and so does the void.
    let repeated = "the authorization repeated after its void";
    let again = run.approved(repeated, again()).await;
    run.same(repeated, &again, &first);
    run.moved(repeated, payer, before, [0, 0]).await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    let what = "the inquiry after the void";
    run.same(what, &inquiry, &Inquiry::Answered(first));
}

/// Checks that a reference unknown to an inquiry stays unknown, and that its late request is
/// declined.
async fn is_tombstoned(
    run: &CheckRun<'_>,
    payer: Payer,
    source: &PaymentSource,
    reference: PaymentId,
) {
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    for capture in CAPTURES {
        let money = run.money(AMOUNT);
        let delayed = authorize(&*acquirer, reference, money, capture, source);
        run.declined("the request that arrives after the inquiry", delayed)
            .await;
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        let what = "the inquiry after the request was rejected";
        run.same(what, &inquiry, &Inquiry::NeverReceived);
    }
    let what = "the request that arrives after the inquiry";
    run.moved(what, payer, before, [0, 0]).await;
}

pub(super) async fn unknown_reference_is_tombstoned_by_an_inquiry(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let reference = run.payment();
    for turn in ["the inquiry", "the repeated inquiry"] {
        let inquiry = run.answer(turn, acquirer.inquire(reference)).await;
        run.same(turn, &inquiry, &Inquiry::NeverReceived);
    }
    for _ in 0..2 {
        is_tombstoned(run, payer, &source, reference).await;
    }
}

pub(super) async fn lost_request_was_never_received(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    run.next_message(Transmission::RequestLost).await;
    let call = authorize(
        &*acquirer,
        reference,
        run.money(AMOUNT),
        Capture::Manual,
        &source,
    );
    run.unanswered("the lost request", call).await;
    run.moved("the lost request", payer, before, [0, 0]).await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    is_tombstoned(run, payer, &source, reference).await;
}

pub(super) async fn lost_response_is_found_by_an_inquiry(run: &CheckRun<'_>, payer: Payer) {
    for (kind, sums) in [
        (CardKind::Approved, [AMOUNT, 0]),
        (CardKind::Declined, [0, 0]),
    ] {
        let source = run.source(payer, kind).await;
        let acquirer = run.acquirer().await;
        let before = run.balance(payer).await;
        let reference = run.payment();
        let again = || {
            authorize(
                &*acquirer,
                reference,
                run.money(AMOUNT),
                Capture::Manual,
                &source,
            )
        };
        run.next_message(Transmission::ResponseLost).await;
        run.unanswered("the request whose response is lost", again())
            .await;
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        let Inquiry::Answered(decision) = inquiry else {
            run.fail(format!(
                "the inquiry: {inquiry:?}, though the request arrived"
            ));
        };
        let expected = kind == CardKind::Approved;
        run.same("an approval", &decision.is_approved(), &expected);
        let repeated = run.decision("the repeated request", again()).await;
        run.same("the repeated request", &repeated, &decision);
        run.moved("the lost response", payer, before, sums).await;
    }
}

pub(super) async fn late_request_finds_the_tombstone(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    run.next_message(Transmission::Late).await;
    let money = run.money(AMOUNT);
    let call = authorize(&*acquirer, reference, money, Capture::Manual, &source);
    let call = run.late(call).await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    if let Inquiry::Answered(first) = &inquiry {
        // On a slow machine the request may arrive before the inquiry; then the inquiry's result
        // counts.
        let late = run.answer("the late request", call).await;
        run.same("the late answer", &late, first);
        return;
    }
    run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    if let Ok(decision) = run.result("the late request", call).await {
        run.check_decision("the late request", &decision);
        run.ensure(
            !decision.is_approved(),
            "the late request is approved after the inquiry",
        );
    }
    run.moved("the late request", payer, before, [0, 0]).await;
    is_tombstoned(run, payer, &source, reference).await;
}

pub(super) async fn late_answer_is_the_one_that_an_inquiry_gives(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    run.next_message(Transmission::Late).await;
    let money = run.money(AMOUNT);
    let call = authorize(&*acquirer, reference, money, Capture::Manual, &source);
    let call = run.late(call).await;
    let decision = run.approved("the late answer", call).await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::Answered(decision));
    run.moved("the late answer", payer, before, [AMOUNT, 0])
        .await;
}

pub(super) async fn overtaken_request_reserves_nothing_more(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    let acquirer = run.acquirer().await;
    let before = run.balance(payer).await;
    let reference = run.payment();
    let again = || {
        authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &source,
        )
    };
    run.next_message(Transmission::Late).await;
    let late = run.late(again()).await;
    let first = run.approved("the repeated request", again()).await;
    if let Ok(decision) = run.result("the late request", late).await {
        run.same("the late request", &decision, &first);
    }
    let what = "a request that was overtaken";
    run.moved(what, payer, before, [AMOUNT, 0]).await;
}

pub(super) async fn decisions_survive_a_restart(run: &CheckRun<'_>, payer: Payer) {
    for (kind, captured_minor) in [(CardKind::Declined, 0), (CardKind::Approved, AMOUNT)] {
        let source = run.source(payer, kind).await;
        let before = run.balance(payer).await;
        let reference = run.payment();
        let first = {
            let acquirer = run.acquirer().await;
            let money = run.money(AMOUNT);
            let call = authorize(&*acquirer, reference, money, Capture::Automatic, &source);
            run.decision("the authorization", call).await
        };
        for _ in 0..2 {
            let acquirer = run.acquirer().await;
            let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
            let what = "the inquiry after a restart";
            run.same(what, &inquiry, &Inquiry::Answered(first.clone()));
            let money = run.money(AMOUNT);
            let call = authorize(&*acquirer, reference, money, Capture::Automatic, &source);
            let repeated = run.decision("the request after a restart", call).await;
            run.same("the request after a restart", &repeated, &first);
        }
        let what = "one payment over two restarts";
        run.moved(what, payer, before, [0, captured_minor]).await;
    }
}
