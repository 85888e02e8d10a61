//! Checks of captures, voids and refunds, for payments that are authorized first: cards and
//! wallets.

use super::run::{AMOUNT, CheckRun, DUPLICATES};
use super::source::authorize;
use super::{Balance, CardKind, Payer, Transmission};
use crate::modification::ModificationKind::{self, Expiry, Refund, Void};
use crate::wallet::WalletRequest;
use crate::{Inquiry, ModificationRequest, PaymentOperations, ProviderDecision};
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;
use std::sync::Arc;

/// How long a shopper has on the wallet's page, milliseconds.
pub(super) const PAGE_LIFETIME_MS: i64 = 10 * 60 * 1000;

const TAKE: ModificationKind = ModificationKind::Capture;

async fn operations(run: &CheckRun<'_>, payer: Payer) -> Arc<dyn PaymentOperations> {
    match payer {
        Payer::Card | Payer::Credential => run.acquirer().await,
        Payer::Wallet => run.wallet().await,
    }
}

/// Authorizes a payment; returns the payer's balance before it.
async fn authorize_for(run: &CheckRun<'_>, payer: Payer, reference: PaymentId) -> Option<Balance> {
    let money = run.money(AMOUNT);
    match payer {
        Payer::Card | Payer::Credential => {
            let source = run.source(payer, CardKind::Approved).await;
            let before = run.balance(payer).await;
            let acquirer = run.acquirer().await;
            let call = authorize(&*acquirer, reference, money, Capture::Manual, &source);
            run.approved("the authorization", call).await;
            before
        }
        Payer::Wallet => {
            let before = run.balance(payer).await;
            let wallet = run.wallet().await;
            let request = WalletRequest {
                reference,
                money,
                capture: Capture::Manual,
                payee: "Paper Lantern",
                expires_at_ms: run.harness.now_ms() + PAGE_LIFETIME_MS,
            };
            let page = run.answer("the start", wallet.start(request)).await;
            run.harness.confirm(&page).await;
            let inquiry = run.answer("the inquiry", wallet.inquire(reference)).await;
            let is_approved =
                matches!(&inquiry, Inquiry::Answered(decision) if decision.is_approved());
            let what = "the inquiry after the confirmation";
            run.ensure(is_approved, format!("{what}: {inquiry:?}"));
            before
        }
    }
}

/// An authorized payment, its operations, and the payer's balance before it.
struct AuthorizedPayment<'a> {
    run: &'a CheckRun<'a>,
    payer: Payer,
    reference: PaymentId,
    operations: Arc<dyn PaymentOperations>,
    before: Option<Balance>,
}

impl<'a> AuthorizedPayment<'a> {
    async fn authorized(run: &'a CheckRun<'a>, payer: Payer) -> Self {
        let reference = run.payment();
        let before = authorize_for(run, payer, reference).await;
        let payment = Self {
            run,
            payer,
            reference,
            operations: operations(run, payer).await,
            before,
        };
        payment.stands("the authorization", [AMOUNT, 0]).await;
        payment
    }

    fn request(&self, kind: ModificationKind, amount_minor: i64) -> ModificationRequest {
        self.run.operation(self.reference, kind, amount_minor)
    }

    fn final_capture(&self, amount_minor: i64) -> ModificationRequest {
        ModificationRequest {
            is_final: true,
            ..self.request(TAKE, amount_minor)
        }
    }

    /// Checks the authorized and captured amounts.
    async fn stands(&self, what: &str, sums: [i64; 2]) {
        self.run.moved(what, self.payer, self.before, sums).await;
    }

    async fn approved(
        &self,
        what: &str,
        request: ModificationRequest,
        sums: [i64; 2],
    ) -> ProviderDecision {
        let call = self.operations.modify(request);
        let decision = self.run.approved(what, call).await;
        self.stands(what, sums).await;
        decision
    }

    async fn declined(&self, what: &str, request: ModificationRequest, sums: [i64; 2]) {
        let first = self
            .run
            .declined(what, self.operations.modify(request))
            .await;
        let again = self
            .run
            .declined(what, self.operations.modify(request))
            .await;
        self.run
            .same("the reason when it is repeated", &again, &first);
        self.stands(what, sums).await;
    }
}

pub(super) async fn partial_captures_and_a_final_one_release_the_rest(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    let part = payment.request(TAKE, 3_000);
    payment
        .approved("a partial capture", part, [7_000, 3_000])
        .await;
    let part = payment.request(TAKE, 1_000);
    payment
        .approved("another partial capture", part, [6_000, 4_000])
        .await;
    let last = payment.final_capture(2_000);
    payment
        .approved("the final capture", last, [0, 6_000])
        .await;
    let late = payment.request(TAKE, 1);
    payment
        .declined("a capture after the final one", late, [0, 6_000])
        .await;

    let payment = AuthorizedPayment::authorized(run, payer).await;
    let whole = payment.request(TAKE, AMOUNT);
    payment
        .approved("a capture of the whole", whole, [0, AMOUNT])
        .await;
    let void = payment.request(Void, AMOUNT);
    payment
        .declined("a void of what was captured in full", void, [0, AMOUNT])
        .await;
}

pub(super) async fn capture_above_the_authorized_amount_is_declined(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    for amount_minor in [AMOUNT + 1, 0, -1] {
        for request in [
            payment.request(TAKE, amount_minor),
            payment.final_capture(amount_minor),
        ] {
            let what = format!("a capture of {amount_minor}");
            payment.declined(&what, request, [AMOUNT, 0]).await;
        }
    }
    let foreign = ModificationRequest {
        money: run.other_money(1_000),
        ..payment.request(TAKE, 1_000)
    };
    let what = "a capture in another currency";
    payment.declined(what, foreign, [AMOUNT, 0]).await;
    let part = payment.request(TAKE, 4_000);
    payment
        .approved("a partial capture", part, [6_000, 4_000])
        .await;
    let more = payment.request(TAKE, 6_001);
    payment
        .declined("a capture above the rest", more, [6_000, 4_000])
        .await;
    let rest = payment.request(TAKE, 6_000);
    payment
        .approved("a capture of the rest", rest, [0, AMOUNT])
        .await;
}

pub(super) async fn void_keeps_what_was_captured(run: &CheckRun<'_>, payer: Payer) {
    for kind in [Void, Expiry] {
        let payment = AuthorizedPayment::authorized(run, payer).await;
        let part = payment.request(TAKE, 4_000);
        payment
            .approved("a partial capture", part, [6_000, 4_000])
            .await;
        let void = payment.request(kind, 6_000);
        payment
            .approved("a void of the rest", void, [0, 4_000])
            .await;
        let late = payment.request(TAKE, 1_000);
        payment
            .declined("a capture after the void", late, [0, 4_000])
            .await;
        let back = payment.request(Refund, 4_000);
        payment
            .approved("a refund of what was captured", back, [0, 0])
            .await;
    }
}

pub(super) async fn void_releases_an_authorization_once(run: &CheckRun<'_>, payer: Payer) {
    for kind in [Void, Expiry] {
        let payment = AuthorizedPayment::authorized(run, payer).await;
        let void = payment.request(kind, AMOUNT);
        payment.approved("the void", void, [0, 0]).await;
        // Both an approval and a decline are permitted.
        let second = payment.operations.modify(payment.request(kind, AMOUNT));
        run.decision("another void", second).await;
        payment.stands("another void", [0, 0]).await;
        let late = payment.request(TAKE, 1);
        payment
            .declined("a capture after the void", late, [0, 0])
            .await;
        let back = payment.request(Refund, 1);
        payment
            .declined("a refund after the void", back, [0, 0])
            .await;
    }
}

pub(super) async fn void_of_an_unknown_payment_is_a_tombstone(run: &CheckRun<'_>, payer: Payer) {
    let source = run.source(payer, CardKind::Approved).await;
    for kind in [Void, Expiry] {
        let acquirer = run.acquirer().await;
        let before = run.balance(payer).await;
        let reference = run.payment();
        for early in [TAKE, Refund] {
            let request = run.operation(run.payment(), early, 1);
            run.declined(
                "an operation on an unknown payment",
                acquirer.modify(request),
            )
            .await;
        }
        let request = run.operation(reference, kind, AMOUNT);
        run.approved("the void of an unknown payment", acquirer.modify(request))
            .await;
        let acquirer = run.acquirer().await;
        let money = run.money(AMOUNT);
        let delayed = authorize(&*acquirer, reference, money, Capture::Automatic, &source);
        run.declined("the request that arrives after its void", delayed)
            .await;
        let what = "the request that arrives after its void";
        run.moved(what, payer, before, [0, 0]).await;
    }
}

pub(super) async fn refunds_end_at_the_captured_amount(run: &CheckRun<'_>, payer: Payer) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    let early = payment.request(Refund, 1);
    payment
        .declined("a refund before a capture", early, [AMOUNT, 0])
        .await;
    let last = payment.final_capture(6_000);
    payment
        .approved("the final capture", last, [0, 6_000])
        .await;
    for amount_minor in [6_001, 0, -1] {
        let what = format!("a refund of {amount_minor}");
        let request = payment.request(Refund, amount_minor);
        payment.declined(&what, request, [0, 6_000]).await;
    }
    let foreign = ModificationRequest {
        money: run.other_money(1_000),
        ..payment.request(Refund, 1_000)
    };
    let what = "a refund in another currency";
    payment.declined(what, foreign, [0, 6_000]).await;
    let part = payment.request(Refund, 2_500);
    payment.approved("a partial refund", part, [0, 3_500]).await;
    let more = payment.request(Refund, 3_501);
    payment
        .declined("a refund above the rest", more, [0, 3_500])
        .await;
    let rest = payment.request(Refund, 3_500);
    payment.approved("a refund of the rest", rest, [0, 0]).await;
    let more = payment.request(Refund, 1);
    payment
        .declined("a refund of what was refunded", more, [0, 0])
        .await;
}

pub(super) async fn refund_releases_what_is_still_authorized(run: &CheckRun<'_>, payer: Payer) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    let part = payment.request(TAKE, 4_000);
    payment
        .approved("a partial capture", part, [6_000, 4_000])
        .await;
    let back = payment.request(Refund, 1_000);
    payment
        .approved("a refund after it", back, [0, 3_000])
        .await;
    let late = payment.request(TAKE, 1);
    payment
        .declined("a capture after a refund", late, [0, 3_000])
        .await;
}

/// The operations of a payment, each with the authorized and captured amounts after it.
fn life(payment: &AuthorizedPayment<'_>) -> [(ModificationRequest, [i64; 2]); 3] {
    [
        (payment.request(TAKE, 3_000), [7_000, 3_000]),
        (payment.request(Void, 7_000), [0, 3_000]),
        (payment.request(Refund, 1_000), [0, 2_000]),
    ]
}

pub(super) async fn repeated_operation_is_done_once(run: &CheckRun<'_>, payer: Payer) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    for (request, sums) in life(&payment) {
        let what = format!("a repeated {}", request.kind.name());
        let first = payment.approved(&what, request, sums).await;
        for _ in 0..2 {
            let again = payment.approved(&what, request, sums).await;
            run.same(&what, &again, &first);
        }
    }
}

pub(super) async fn concurrent_duplicate_operations_are_done_once(
    run: &CheckRun<'_>,
    payer: Payer,
) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    for (request, sums) in life(&payment) {
        let what = format!("one {} many times at once", request.kind.name());
        let calls = (0..DUPLICATES).map(|_| payment.operations.modify(request));
        let decisions = run.together(&what, calls.collect()).await;
        run.all_approved(&what, &decisions);
        payment.stands(&what, sums).await;
    }
    // Concurrent operations cannot take more in total than is available.
    let payment = AuthorizedPayment::authorized(run, payer).await;
    let calls = (0..DUPLICATES).map(|_| payment.operations.modify(payment.request(TAKE, 4_000)));
    let decisions = run.together("captures at once", calls.collect()).await;
    let approved = decisions.iter().filter(|decision| decision.is_approved());
    run.same("captures of 4000 of 10000 at once", &approved.count(), &2);
    payment.stands("captures at once", [2_000, 8_000]).await;
}

pub(super) async fn declined_operation_stays_declined(run: &CheckRun<'_>, payer: Payer) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    let early = payment.request(Refund, 1_000);
    let first = run
        .declined(
            "a refund before a capture",
            payment.operations.modify(early),
        )
        .await;
    let whole = payment.request(TAKE, AMOUNT);
    payment
        .approved("a capture of the whole", whole, [0, AMOUNT])
        .await;
    let operations = operations(run, payer).await;
    let again = run
        .declined("the same refund after it", operations.modify(early))
        .await;
    run.same("the reason of the same refund", &again, &first);
    payment
        .stands("the same refund after a capture", [0, AMOUNT])
        .await;
}

pub(super) async fn lost_operation_is_done_when_it_is_repeated(run: &CheckRun<'_>, payer: Payer) {
    for transmission in [Transmission::RequestLost, Transmission::ResponseLost] {
        let payment = AuthorizedPayment::authorized(run, payer).await;
        let mut before = [AMOUNT, 0];
        for (request, sums) in life(&payment) {
            let what = format!("a {} that meets {transmission:?}", request.kind.name());
            run.next_message(transmission).await;
            run.unanswered(&what, payment.operations.modify(request))
                .await;
            let stands = match transmission {
                Transmission::ResponseLost => sums,
                Transmission::RequestLost | Transmission::Late => before,
            };
            payment.stands(&what, stands).await;
            payment.approved(&what, request, sums).await;
            payment.approved(&what, request, sums).await;
            before = sums;
        }
    }
}

pub(super) async fn overtaken_operation_does_nothing_more(run: &CheckRun<'_>, payer: Payer) {
    let payment = AuthorizedPayment::authorized(run, payer).await;
    for (request, sums) in life(&payment) {
        let what = format!("a {} that was overtaken", request.kind.name());
        run.next_message(Transmission::Late).await;
        let late = run.late(payment.operations.modify(request)).await;
        let first = payment.approved(&what, request, sums).await;
        if let Ok(decision) = run.result(&what, late).await {
            run.same(&what, &decision, &first);
        }
        payment.stands(&what, sums).await;
    }
}

pub(super) async fn operations_survive_a_restart(run: &CheckRun<'_>, payer: Payer) {
    let mut payment = AuthorizedPayment::authorized(run, payer).await;
    let life = life(&payment);
    for (place, (request, sums)) in life.iter().enumerate() {
        payment.operations = operations(run, payer).await;
        payment
            .approved("an operation after a restart", *request, *sums)
            .await;
        payment.operations = operations(run, payer).await;
        for (earlier, _) in &life[..=place] {
            payment
                .approved("an earlier operation after a restart", *earlier, *sums)
                .await;
        }
    }
}
