//! Wallet checks: one page for each reference, confirmed at most once.

use super::run::{AMOUNT, CheckRun};
use super::{Payer, operations::PAGE_LIFETIME_MS};
use crate::wallet::WalletRequest;
use crate::{Inquiry, ProviderDecision, ProviderFuture, WalletProvider};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use std::future::poll_fn;
use std::task::Poll;

fn start<'a>(
    run: &CheckRun<'_>,
    wallet: &'a dyn WalletProvider,
    reference: PaymentId,
) -> ProviderFuture<'a, String> {
    wallet.start(WalletRequest {
        reference,
        money: run.money(AMOUNT),
        capture: Capture::Automatic,
        payee: "Paper Lantern",
        expires_at_ms: run.harness.now_ms() + PAGE_LIFETIME_MS,
    })
}

async fn inquire(run: &CheckRun<'_>, wallet: &dyn WalletProvider, reference: PaymentId) -> Inquiry {
    run.answer("the inquiry", wallet.inquire(reference)).await
}

fn is_paid(inquiry: &Inquiry) -> bool {
    matches!(inquiry, Inquiry::Answered(decision) if decision.is_approved())
}

/// Checks that two inquiries find a decline with the same reason.
async fn is_declined(run: &CheckRun<'_>, what: &str, reference: PaymentId) {
    let mut first = None;
    for _ in 0..2 {
        let wallet = run.wallet().await;
        let inquiry = inquire(run, &*wallet, reference).await;
        match &inquiry {
            Inquiry::Answered(decision @ ProviderDecision::Declined(_)) => {
                run.check_decision(what, decision);
            }
            other => run.fail(format!("{what}: the inquiry says {other:?}")),
        }
        let first = first.get_or_insert_with(|| inquiry.clone());
        run.same(format!("{what}: the repeated inquiry"), &inquiry, first);
    }
}

pub(super) async fn repeated_start_gives_the_same_page(run: &CheckRun<'_>) {
    let wallet = run.wallet().await;
    run.ensure(!wallet.name().is_empty(), "it has no name");
    let (reference, other) = (run.payment(), run.payment());
    let page = run
        .answer("the start", start(run, &*wallet, reference))
        .await;
    let another = run
        .answer("another start", start(run, &*wallet, other))
        .await;
    run.ensure(page != another, "two payments have one page");
    for _ in 0..2 {
        let wallet = run.wallet().await;
        let again = run
            .answer("the repeated start", start(run, &*wallet, reference))
            .await;
        run.same("the page of the repeated start", &again, &page);
        let found = run.answer("the page", wallet.page(reference)).await;
        run.same("the page", &found, &Some(page.clone()));
        let inquiry = inquire(run, &*wallet, reference).await;
        run.same(
            "the inquiry before a confirmation",
            &inquiry,
            &Inquiry::Waiting,
        );
    }
    let wallet = run.wallet().await;
    let unknown = run.answer("the page", wallet.page(run.payment())).await;
    run.same("the page of an unknown reference", &unknown, &None);
}

/// The caller stops before it records the start; the shopper confirms meanwhile.
pub(super) async fn confirmation_before_the_start_was_recorded_counts_once(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Wallet).await;
    let reference = run.payment();
    let wallet = run.wallet().await;
    let page = run
        .answer("the start", start(run, &*wallet, reference))
        .await;
    drop(wallet);
    run.harness.confirm(&page).await;
    run.harness.confirm(&page).await;
    let mut first = None;
    for _ in 0..2 {
        let wallet = run.wallet().await;
        let inquiry = inquire(run, &*wallet, reference).await;
        let what = "the inquiry after a restart";
        run.ensure(is_paid(&inquiry), format!("{what}: {inquiry:?}"));
        let approved = &*first.get_or_insert_with(|| inquiry.clone());
        run.same(what, &inquiry, approved);
        let again = run
            .answer("the repeated start", start(run, &*wallet, reference))
            .await;
        run.same("the page of the repeated start", &again, &page);
        run.harness.confirm(&page).await;
        let withdrawn = run
            .answer("the withdrawal", wallet.withdraw(reference))
            .await;
        run.same(
            "the withdrawal after the confirmation",
            &withdrawn,
            approved,
        );
    }
    let what = "one confirmed payment";
    run.moved(what, Payer::Wallet, before, [0, AMOUNT]).await;
}

pub(super) async fn refused_request_is_declined(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Wallet).await;
    let wallet = run.wallet().await;
    let reference = run.payment();
    let page = run
        .answer("the start", start(run, &*wallet, reference))
        .await;
    run.harness.refuse(&page).await;
    is_declined(run, "a refused request", reference).await;
    run.harness.confirm(&page).await;
    is_declined(run, "a request confirmed after it was refused", reference).await;
    run.moved("a refused request", Payer::Wallet, before, [0, 0])
        .await;
}

pub(super) async fn request_expires(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Wallet).await;
    let wallet = run.wallet().await;
    let reference = run.payment();
    let page = run
        .answer("the start", start(run, &*wallet, reference))
        .await;
    run.harness.advance_clock(PAGE_LIFETIME_MS - 1);
    let inquiry = inquire(run, &*wallet, reference).await;
    run.same("the inquiry in time", &inquiry, &Inquiry::Waiting);
    run.harness.advance_clock(1);
    run.harness.confirm(&page).await;
    is_declined(run, "an expired request", reference).await;
    run.harness.confirm(&page).await;
    is_declined(run, "a request confirmed after it expired", reference).await;
    run.moved("an expired request", Payer::Wallet, before, [0, 0])
        .await;
}

pub(super) async fn withdrawn_request_cannot_be_confirmed(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Wallet).await;
    let wallet = run.wallet().await;
    let reference = run.payment();
    let page = run
        .answer("the start", start(run, &*wallet, reference))
        .await;
    let mut first = None;
    for turn in ["the withdrawal", "the repeated withdrawal"] {
        let found = run.answer(turn, wallet.withdraw(reference)).await;
        let is_declined = matches!(&found, Inquiry::Answered(ProviderDecision::Declined(_)));
        run.ensure(is_declined, format!("{turn}: {found:?}"));
        let first = first.get_or_insert_with(|| found.clone());
        run.same(turn, &found, first);
        run.harness.confirm(&page).await;
    }
    is_declined(run, "a withdrawn request", reference).await;
    run.moved("a withdrawn request", Payer::Wallet, before, [0, 0])
        .await;
}

pub(super) async fn withdrawal_and_confirmation_at_once_agree(run: &CheckRun<'_>) {
    for turn in 0..10 {
        let before = run.balance(Payer::Wallet).await;
        let wallet = run.wallet().await;
        let reference = run.payment();
        let page = run
            .answer("the start", start(run, &*wallet, reference))
            .await;
        let mut confirming = run.harness.confirm(&page);
        let mut withdrawing = wallet.withdraw(reference);
        let (mut is_confirmed, mut withdrawn) = (false, None);
        poll_fn(|context| {
            let mut confirm = |context: &mut _| {
                is_confirmed = is_confirmed || confirming.as_mut().poll(context).is_ready();
            };
            if turn % 2 == 0 {
                confirm(context);
            }
            if withdrawn.is_none()
                && let Poll::Ready(answer) = withdrawing.as_mut().poll(context)
            {
                withdrawn = Some(answer);
            }
            if turn % 2 == 1 {
                confirm(context);
            }
            match is_confirmed && withdrawn.is_some() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        let Some(Ok(withdrawn)) = withdrawn else {
            run.fail("the withdrawal has no answer");
        };
        let inquiry = inquire(run, &*wallet, reference).await;
        run.same("the inquiry after both", &inquiry, &withdrawn);
        let sums = [0, if is_paid(&inquiry) { AMOUNT } else { 0 }];
        run.moved("both at once", Payer::Wallet, before, sums).await;
    }
}

pub(super) async fn unknown_reference_is_tombstoned(run: &CheckRun<'_>) {
    let before = run.balance(Payer::Wallet).await;
    for withdraws in [false, true] {
        let wallet = run.wallet().await;
        let reference = run.payment();
        let asked = match withdraws {
            false => wallet.inquire(reference),
            true => wallet.withdraw(reference),
        };
        let found = run.answer("the first question", asked).await;
        run.same("an unknown reference", &found, &Inquiry::NeverReceived);
        let wallet = run.wallet().await;
        // The delayed start may be rejected, or return a page where nothing can be confirmed.
        let mut delayed = start(run, &*wallet, reference);
        if let Some(Ok(page)) = run.wait(&mut delayed).await {
            run.harness.confirm(&page).await;
        }
        let inquiry = inquire(run, &*wallet, reference).await;
        let what = "the inquiry after the delayed start";
        run.same(what, &inquiry, &Inquiry::NeverReceived);
    }
    run.moved("a delayed start", Payer::Wallet, before, [0, 0])
        .await;
}
