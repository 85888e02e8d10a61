//! Bank transfer checks: one set of instructions for each payment, and every credit is reported
//! once.

use super::Transmission;
use super::run::{AMOUNT, CheckRun};
use crate::creditor_reference::{meant_by, plain};
use crate::modification::ModificationKind::{Capture, Refund, Void};
use crate::transfer::{CollectionAccount, IncomingCredit, TransferRequest};
use crate::{ProviderFuture, TransferProvider};
use sealpay_protocol::check_digits;
use sealpay_protocol::ids::PaymentId;

/// Maximum number of credits that a check reads at once.
const LIMIT: u32 = 100;

fn start<'a>(
    run: &CheckRun<'_>,
    transfers: &'a dyn TransferProvider,
    reference: PaymentId,
) -> ProviderFuture<'a, CollectionAccount> {
    transfers.start(TransferRequest {
        reference,
        money: run.money(AMOUNT),
    })
}

/// The credits with a reference that have arrived by now.
async fn arrived(
    run: &CheckRun<'_>,
    transfers: &dyn TransferProvider,
    account: &CollectionAccount,
) -> Vec<IncomingCredit> {
    let expected = plain(&account.reference);
    let found = transfers.arrivals(run.harness.now_ms(), LIMIT);
    let mut credits = run.answer("the arrivals", found).await;
    credits.retain(|credit| meant_by(&credit.reference).contains(&expected));
    credits
}

pub(super) async fn repeated_start_gives_the_same_instructions(run: &CheckRun<'_>) {
    let transfers = run.transfers().await;
    run.ensure(!transfers.name().is_empty(), "it has no name");
    let (reference, other) = (run.payment(), run.payment());
    let account = run
        .answer("the start", start(run, &*transfers, reference))
        .await;
    run.ensure(!account.holder.is_empty(), "the account has no holder");
    let has_iban = check_digits::are_right(&account.iban) && account.iban.len() >= 15;
    run.ensure(has_iban, format!("{} is not an IBAN", account.iban));
    let has_bic = matches!(account.bic.len(), 8 | 11);
    run.ensure(has_bic, format!("{} is no BIC", account.bic));
    let is_found = meant_by(&account.reference).contains(&plain(&account.reference));
    let is_creditor_reference =
        account.reference.starts_with("RF") && check_digits::are_right(&plain(&account.reference));
    let sentence = format!("{} is no creditor reference (ISO 11649)", account.reference);
    run.ensure(is_found && is_creditor_reference, sentence);
    let another = run
        .answer("another start", start(run, &*transfers, other))
        .await;
    let differ = another.reference != account.reference;
    run.ensure(differ, "two payments have one creditor reference");
    for _ in 0..2 {
        let transfers = run.transfers().await;
        let again = run
            .answer("the repeated start", start(run, &*transfers, reference))
            .await;
        run.same("the instructions of the repeated start", &again, &account);
    }
}

/// The credit arrives before the caller has recorded the instructions.
pub(super) async fn credit_before_the_start_was_recorded_arrives_once(run: &CheckRun<'_>) {
    let reference = run.payment();
    let transfers = run.transfers().await;
    let account = run
        .answer("the start", start(run, &*transfers, reference))
        .await;
    drop(transfers);
    run.harness.send_credit(&account, run.money(AMOUNT)).await;
    let mut id = String::new();
    for _ in 0..2 {
        let transfers = run.transfers().await;
        let again = run
            .answer("the repeated start", start(run, &*transfers, reference))
            .await;
        run.same("the instructions of the repeated start", &again, &account);
        let credits = arrived(run, &*transfers, &account).await;
        let [credit] = &credits[..] else {
            run.fail(format!(
                "one credit was sent, and these arrived: {credits:?}"
            ));
        };
        run.same("the credited amount", &credit.money, &run.money(AMOUNT));
        let is_dated = credit.arrived_at_ms <= run.harness.now_ms();
        run.ensure(is_dated, "the credit has a date in the future");
        if id.is_empty() {
            id.clone_from(&credit.id);
        }
        run.same("the id of the credit", &credit.id, &id);
    }
    let transfers = run.transfers().await;
    for _ in 0..2 {
        let call = transfers.acknowledge(&id, false);
        run.answer("the acknowledgement", call).await;
        let credits = arrived(run, &*transfers, &account).await;
        run.same(
            "what arrived after the acknowledgement",
            &credits,
            &Vec::new(),
        );
    }
    let transfers = run.transfers().await;
    let credits = arrived(run, &*transfers, &account).await;
    run.same("what arrived after a restart", &credits, &Vec::new());
}

pub(super) async fn arrivals_come_oldest_first_and_in_time(run: &CheckRun<'_>) {
    let transfers = run.transfers().await;
    let reference = run.payment();
    let account = run
        .answer("the start", start(run, &*transfers, reference))
        .await;
    let first_ms = run.harness.now_ms();
    for amount_minor in [1_000, 2_000, 3_000] {
        run.harness
            .send_credit(&account, run.money(amount_minor))
            .await;
        run.harness.advance_clock(1_000);
    }
    let all = arrived(run, &*transfers, &account).await;
    let amounts: Vec<_> = all
        .iter()
        .map(|credit| credit.money.amount_minor())
        .collect();
    run.same("the amounts in order", &amounts, &vec![1_000, 2_000, 3_000]);
    let early = run
        .answer("the arrivals", transfers.arrivals(first_ms, LIMIT))
        .await;
    let early = early.iter().filter(|credit| all.contains(credit)).count();
    run.same("what arrived by the moment of the first credit", &early, &1);
    let now_ms = run.harness.now_ms();
    let some = run
        .answer("the arrivals", transfers.arrivals(now_ms, 2))
        .await;
    run.same("the arrivals of a limit of two", &some.len(), &2);
    for credit in &all {
        let call = transfers.acknowledge(&credit.id, false);
        run.answer("the acknowledgement", call).await;
    }
    let unknown = transfers.acknowledge("an id that no credit has", true);
    run.answer("the acknowledgement of an unknown credit", unknown)
        .await;
}

/// A payment with an acknowledged credit of its whole amount.
async fn paid(run: &CheckRun<'_>, transfers: &dyn TransferProvider, returned: bool) -> PaymentId {
    let reference = run.payment();
    let account = run
        .answer("the start", start(run, transfers, reference))
        .await;
    run.harness.send_credit(&account, run.money(AMOUNT)).await;
    for credit in arrived(run, transfers, &account).await {
        let call = transfers.acknowledge(&credit.id, returned);
        run.answer("the acknowledgement", call).await;
    }
    reference
}

pub(super) async fn returned_credit_cannot_be_refunded(run: &CheckRun<'_>) {
    let transfers = run.transfers().await;
    let reference = paid(run, &*transfers, true).await;
    let refund = run.operation(reference, Refund, 1);
    let first = run
        .declined("a refund of what was returned", transfers.modify(refund))
        .await;
    let transfers = run.transfers().await;
    let again = run
        .declined("the repeated refund", transfers.modify(refund))
        .await;
    run.same("the reason when it is repeated", &again, &first);
}

pub(super) async fn refunds_end_at_what_arrived(run: &CheckRun<'_>) {
    let transfers = run.transfers().await;
    let unpaid = run.payment();
    run.answer("the start", start(run, &*transfers, unpaid))
        .await;
    let reference = paid(run, &*transfers, false).await;
    for (what, payment, kind, amount_minor) in [
        ("a refund before a credit", unpaid, Refund, 1),
        ("a refund of an unknown payment", run.payment(), Refund, 1),
        ("a refund of nothing", reference, Refund, 0),
        ("a refund above the credit", reference, Refund, AMOUNT + 1),
        ("a capture of a transfer", reference, Capture, 1),
        ("a void of a transfer", reference, Void, 1),
    ] {
        let request = run.operation(payment, kind, amount_minor);
        let first = run.declined(what, transfers.modify(request)).await;
        let again = run.declined(what, transfers.modify(request)).await;
        run.same(what, &again, &first);
    }
    let part = run.operation(reference, Refund, 4_000);
    for _ in 0..2 {
        let transfers = run.transfers().await;
        run.approved("a repeated partial refund", transfers.modify(part))
            .await;
    }
    let transfers = run.transfers().await;
    let more = run.operation(reference, Refund, 6_001);
    run.declined("a refund above the rest", transfers.modify(more))
        .await;
    let rest = run.operation(reference, Refund, 6_000);
    let calls = (0..2).map(|_| transfers.modify(rest)).collect();
    let what = "a refund of the rest, twice at once";
    let decisions = run.together(what, calls).await;
    run.all_approved(what, &decisions);
    let more = run.operation(reference, Refund, 1);
    run.declined("a refund of what was refunded", transfers.modify(more))
        .await;
}

pub(super) async fn lost_refund_is_done_when_it_is_repeated(run: &CheckRun<'_>) {
    for transmission in [Transmission::RequestLost, Transmission::ResponseLost] {
        let transfers = run.transfers().await;
        let reference = paid(run, &*transfers, false).await;
        let refund = run.operation(reference, Refund, 6_000);
        let what = format!("a refund that meets {transmission:?}");
        run.next_message(transmission).await;
        run.unanswered(&what, transfers.modify(refund)).await;
        let transfers = run.transfers().await;
        for _ in 0..2 {
            run.approved(&what, transfers.modify(refund)).await;
        }
        let more = run.operation(reference, Refund, 6_000);
        run.declined("a refund above the rest", transfers.modify(more))
            .await;
    }
}
