//! Authorization checks: each reference is authorized once, even if messages are lost.

use super::run::{AMOUNT, CheckRun, DUPLICATES};
use super::{CardKind, Payer, Transmission};
use crate::modification::ModificationKind;
use crate::{AuthorizationRequest, Inquiry, PaymentProvider, ProviderDecision, ProviderFuture};
use sealpay_protocol::card::Card;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;
use sealpay_protocol::order::Capture;

const CAPTURES: [Capture; 2] = [Capture::Automatic, Capture::Manual];

pub(super) fn authorize<'a>(
    acquirer: &'a dyn PaymentProvider,
    reference: PaymentId,
    money: Money,
    capture: Capture,
    card: &'a Card,
) -> ProviderFuture<'a, ProviderDecision> {
    acquirer.authorize(AuthorizationRequest {
        reference,
        money,
        capture,
        card,
        authentication: None,
    })
}

/// The authorized and captured amounts of an approval.
const fn moved(capture: Capture) -> [i64; 2] {
    match capture {
        Capture::Automatic => [0, AMOUNT],
        Capture::Manual => [AMOUNT, 0],
    }
}

pub(super) async fn repeated_authorization_reserves_once(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let (yes, no) = (run.card(CardKind::Approved), run.card(CardKind::Declined));
    for capture in CAPTURES {
        let before = run.balance(Payer::Card).await;
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
        run.moved(what, Payer::Card, before, moved(capture)).await;
    }
}

pub(super) async fn concurrent_duplicates_reserve_once(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    for capture in CAPTURES {
        let before = run.balance(Payer::Card).await;
        let reference = run.payment();
        let money = run.money(AMOUNT);
        let calls = (0..DUPLICATES)
            .map(|_| authorize(&*acquirer, reference, money, capture, &card))
            .collect();
        for decision in run.together("duplicates at once", calls).await {
            run.same("duplicates at once", &decision, &ProviderDecision::Approved);
        }
        let what = "duplicates at once";
        run.moved(what, Payer::Card, before, moved(capture)).await;
    }
}

pub(super) async fn another_amount_under_the_same_reference_reserves_nothing(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    let first = authorize(
        &*acquirer,
        reference,
        run.money(AMOUNT),
        Capture::Manual,
        &card,
    );
    run.approved("the authorization", first).await;
    // The provider may repeat the approval or decline the second request.
    let more = run.money(AMOUNT * 2);
    let second = authorize(&*acquirer, reference, more, Capture::Manual, &card);
    run.decision("another amount", second).await;
    run.moved("another amount", Payer::Card, before, [AMOUNT, 0])
        .await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    let stands = Inquiry::Answered(ProviderDecision::Approved);
    run.same("the inquiry", &inquiry, &stands);
}

pub(super) async fn inquiry_gives_the_decision(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    for kind in [CardKind::Approved, CardKind::Declined] {
        let card = run.card(kind);
        let reference = run.payment();
        let call = authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &card,
        );
        let decision = Inquiry::Answered(run.decision("the authorization", call).await);
        for turn in ["the inquiry", "the repeated inquiry"] {
            let inquiry = run.answer(turn, acquirer.inquire(reference)).await;
            run.same(turn, &inquiry, &decision);
        }
    }
}

pub(super) async fn repeated_authorization_after_a_void_reserves_nothing(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    let again = || {
        authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &card,
        )
    };
    run.approved("the authorization", again()).await;
    let void = run.operation(reference, ModificationKind::Void, AMOUNT);
    run.approved("the void", acquirer.modify(void)).await;
    // The first decision stands, and so does the void.
    let repeated = "the authorization repeated after its void";
    run.approved(repeated, again()).await;
    run.moved(repeated, Payer::Card, before, [0, 0]).await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    let approved = Inquiry::Answered(ProviderDecision::Approved);
    run.same("the inquiry after the void", &inquiry, &approved);
}

/// Checks that a reference unknown to an inquiry stays unknown, and that its late request is
/// declined.
async fn is_tombstoned(run: &CheckRun<'_>, acquirer: &dyn PaymentProvider, reference: PaymentId) {
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    for capture in CAPTURES {
        let delayed = authorize(acquirer, reference, run.money(AMOUNT), capture, &card);
        run.declined("the request that arrives after the inquiry", delayed)
            .await;
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        let what = "the inquiry after the request was rejected";
        run.same(what, &inquiry, &Inquiry::NeverReceived);
    }
    let what = "the request that arrives after the inquiry";
    run.moved(what, Payer::Card, before, [0, 0]).await;
}

pub(super) async fn unknown_reference_is_tombstoned_by_an_inquiry(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let reference = run.payment();
    for turn in ["the inquiry", "the repeated inquiry"] {
        let inquiry = run.answer(turn, acquirer.inquire(reference)).await;
        run.same(turn, &inquiry, &Inquiry::NeverReceived);
    }
    is_tombstoned(run, &*acquirer, reference).await;
    let acquirer = run.acquirer().await;
    is_tombstoned(run, &*acquirer, reference).await;
}

pub(super) async fn lost_request_was_never_received(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    run.next_message(Transmission::RequestLost).await;
    let call = authorize(
        &*acquirer,
        reference,
        run.money(AMOUNT),
        Capture::Manual,
        &card,
    );
    run.unanswered("the lost request", call).await;
    run.moved("the lost request", Payer::Card, before, [0, 0])
        .await;
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    is_tombstoned(run, &*acquirer, reference).await;
}

pub(super) async fn lost_response_is_found_by_an_inquiry(run: &CheckRun<'_>) {
    for (kind, sums) in [
        (CardKind::Approved, [AMOUNT, 0]),
        (CardKind::Declined, [0, 0]),
    ] {
        let acquirer = run.acquirer().await;
        let card = run.card(kind);
        let before = run.balance(Payer::Card).await;
        let reference = run.payment();
        let again = || {
            authorize(
                &*acquirer,
                reference,
                run.money(AMOUNT),
                Capture::Manual,
                &card,
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
        let is_approved = decision == ProviderDecision::Approved;
        run.same("an approval", &is_approved, &(kind == CardKind::Approved));
        let repeated = run.decision("the repeated request", again()).await;
        run.same("the repeated request", &repeated, &decision);
        run.moved("the lost response", Payer::Card, before, sums)
            .await;
    }
}

pub(super) async fn late_request_finds_the_tombstone(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    run.next_message(Transmission::Late).await;
    let money = run.money(AMOUNT);
    let call = authorize(&*acquirer, reference, money, Capture::Manual, &card);
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
        run.check_reason("the late request", &decision);
        let is_declined = matches!(decision, ProviderDecision::Declined(_));
        run.ensure(
            is_declined,
            "the late request is approved after the inquiry",
        );
    }
    run.moved("the late request", Payer::Card, before, [0, 0])
        .await;
    is_tombstoned(run, &*acquirer, reference).await;
}

pub(super) async fn late_answer_is_the_one_that_an_inquiry_gives(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    run.next_message(Transmission::Late).await;
    let money = run.money(AMOUNT);
    let call = authorize(&*acquirer, reference, money, Capture::Manual, &card);
    let call = run.late(call).await;
    let decision = run.answer("the late request", call).await;
    run.same("the late answer", &decision, &ProviderDecision::Approved);
    let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::Answered(decision));
    run.moved("the late answer", Payer::Card, before, [AMOUNT, 0])
        .await;
}

pub(super) async fn overtaken_request_reserves_nothing_more(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let card = run.card(CardKind::Approved);
    let before = run.balance(Payer::Card).await;
    let reference = run.payment();
    let again = || {
        authorize(
            &*acquirer,
            reference,
            run.money(AMOUNT),
            Capture::Manual,
            &card,
        )
    };
    run.next_message(Transmission::Late).await;
    let late = run.late(again()).await;
    run.approved("the repeated request", again()).await;
    if let Ok(decision) = run.result("the late request", late).await {
        let approved = ProviderDecision::Approved;
        run.same("the late request", &decision, &approved);
    }
    let what = "a request that was overtaken";
    run.moved(what, Payer::Card, before, [AMOUNT, 0]).await;
}

pub(super) async fn decisions_survive_a_restart(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Card).await;
    for (kind, captured_minor) in [(CardKind::Declined, 0), (CardKind::Approved, AMOUNT)] {
        let card = run.card(kind);
        let reference = run.payment();
        let first = {
            let acquirer = run.acquirer().await;
            let money = run.money(AMOUNT);
            let call = authorize(&*acquirer, reference, money, Capture::Automatic, &card);
            run.decision("the authorization", call).await
        };
        for _ in 0..2 {
            let acquirer = run.acquirer().await;
            let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
            let what = "the inquiry after a restart";
            run.same(what, &inquiry, &Inquiry::Answered(first.clone()));
            let money = run.money(AMOUNT);
            let call = authorize(&*acquirer, reference, money, Capture::Automatic, &card);
            let repeated = run.decision("the request after a restart", call).await;
            run.same("the request after a restart", &repeated, &first);
        }
        let what = "one payment over two restarts";
        run.moved(what, Payer::Card, before, [0, captured_minor])
            .await;
    }
}
