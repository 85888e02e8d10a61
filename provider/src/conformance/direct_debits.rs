//! Direct debit checks: the news of a collection is reported until it is acknowledged, and either
//! the merchant or the debtor has a refund.

use super::DebtorKind;
use super::run::{AMOUNT, CheckRun};
use crate::direct_debit::{
    CollectionNews, CollectionRequest, CollectionStatus, Debtor, DebtorAccount,
    DirectDebitProvider, Mandate, ReasonKind, Scheme, SequenceType,
};
use crate::modification::ModificationKind::{Capture, Refund, Void};
use crate::{Approval, CredentialReference, ProviderDecision};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sealpay_protocol::currency::Currency;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

/// Maximum number of news that a check reads at once.
const LIMIT: u32 = 100;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Days after which a collection is settled, returned or refunded at the latest.
pub(super) const SETTLED_WITHIN: u32 = 10;
const RETURNED_WITHIN: u32 = 14;
const REFUNDED_WITHIN: u32 = 8 * 7;

/// A mandate with valid check digits.
const CREDITOR: &str = "DE98ZZZ09999999999";

fn today(run: &CheckRun<'_>) -> Date {
    let now = Timestamp::from_millisecond(run.harness.now_ms());
    let now = now.unwrap_or_else(|error| run.fail(error));
    now.to_zoned(TimeZone::UTC).date()
}

pub(super) fn tomorrow(run: &CheckRun<'_>) -> Date {
    let tomorrow = today(run).tomorrow();
    tomorrow.unwrap_or_else(|error| run.fail(error))
}

pub(super) fn account<'a>(run: &CheckRun<'a>, kind: DebtorKind) -> Debtor<'a> {
    Debtor::Account(DebtorAccount {
        iban: run.harness.debtor(kind),
        holder: "Ada Approved",
    })
}

pub(super) fn request<'a>(
    run: &CheckRun<'_>,
    reference: PaymentId,
    sequence: SequenceType,
    debtor: Debtor<'a>,
) -> CollectionRequest<'a> {
    CollectionRequest {
        reference,
        money: Money::new(AMOUNT, euro(run)),
        mandate: Mandate {
            creditor: CREDITOR,
            reference: "SUITE-1",
            signed_on: today(run),
            scheme: Scheme::Core,
        },
        sequence,
        debtor,
        collect_on: tomorrow(run),
    }
}

pub(super) fn euro(run: &CheckRun<'_>) -> Currency {
    let euro = "EUR".parse();
    euro.unwrap_or_else(|_| run.fail("EUR is a currency"))
}

/// An accepted collection.
pub(super) struct Accepted {
    pub(super) reference: PaymentId,
    pub(super) approval: Approval,
}

impl Accepted {
    fn credential(&self, run: &CheckRun<'_>) -> CredentialReference {
        let stored = self.approval.credential.clone();
        stored.unwrap_or_else(|| run.fail("the first collection stored no account"))
    }
}

pub(super) async fn accepted(
    run: &CheckRun<'_>,
    debits: &dyn DirectDebitProvider,
    kind: DebtorKind,
    sequence: SequenceType,
) -> Accepted {
    let reference = run.payment();
    let request = request(run, reference, sequence, account(run, kind));
    let what = format!("the collection from {kind:?}");
    match run.approved(&what, debits.collect(request)).await {
        ProviderDecision::Approved(approval) => Accepted {
            reference,
            approval,
        },
        ProviderDecision::Declined(_) => run.fail(what),
    }
}

/// The news about a payment.
async fn news(
    run: &CheckRun<'_>,
    debits: &dyn DirectDebitProvider,
    reference: PaymentId,
) -> Vec<CollectionNews> {
    let found = debits.news(run.harness.now_ms(), LIMIT);
    let mut found = run.answer("the news", found).await;
    let in_order = found.is_sorted_by_key(|news| news.at_ms);
    run.ensure(in_order, "the news is not in the order of time");
    found.retain(|news| news.reference == reference);
    let is_dated = found.iter().all(|news| news.at_ms <= run.harness.now_ms());
    run.ensure(is_dated, "news has a date in the future");
    found
}

/// The next news about a payment within some days, acknowledged.
pub(super) async fn next_news(
    run: &CheckRun<'_>,
    debits: &dyn DirectDebitProvider,
    reference: PaymentId,
    days: u32,
) -> Option<CollectionStatus> {
    for _ in 0..=days {
        if let Some(found) = news(run, debits, reference).await.first() {
            let call = debits.acknowledge(&found.id);
            run.answer("the acknowledgement", call).await;
            return Some(found.status);
        }
        run.harness.advance_clock(DAY_MS);
    }
    None
}

async fn settled(
    run: &CheckRun<'_>,
    debits: &dyn DirectDebitProvider,
    kind: DebtorKind,
) -> PaymentId {
    let accepted = accepted(run, debits, kind, SequenceType::Ooff).await;
    let status = next_news(run, debits, accepted.reference, SETTLED_WITHIN).await;
    run.same("the news", &status, &Some(CollectionStatus::Settled));
    accepted.reference
}

/// Fails unless a refund is declined, the same way each time.
pub(super) async fn is_not_refundable(
    run: &CheckRun<'_>,
    what: &str,
    reference: PaymentId,
    amount: i64,
) {
    let debits = run.direct_debits().await;
    let refund = run.operation(reference, Refund, amount);
    let first = run.declined(what, debits.modify(refund)).await;
    let debits = run.direct_debits().await;
    let again = run.declined(what, debits.modify(refund)).await;
    run.same(what, &again, &first);
}

pub(super) async fn settlement_is_reported_until_it_is_acknowledged(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let accepted = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Ooff).await;
    let early = news(run, &*debits, accepted.reference).await;
    run.same("the news before the collection date", &early, &Vec::new());
    run.harness
        .advance_clock(DAY_MS * i64::from(SETTLED_WITHIN));
    let mut first: Option<CollectionNews> = None;
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        let found = news(run, &*debits, accepted.reference).await;
        let [settled] = &found[..] else {
            run.fail(format!("the news of one collection: {found:?}"))
        };
        run.same("the news", &settled.status, &CollectionStatus::Settled);
        let before = first.get_or_insert_with(|| settled.clone());
        run.same("the repeated news", settled, before);
    }
    let id = first.map(|news| news.id).unwrap_or_default();
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        run.answer("the acknowledgement", debits.acknowledge(&id))
            .await;
        let unknown = debits.acknowledge("an id that no news has");
        run.answer("the acknowledgement of unknown news", unknown)
            .await;
        let found = news(run, &*debits, accepted.reference).await;
        run.same("acknowledged news", &found, &Vec::new());
    }
}

pub(super) async fn rejected_collection_is_never_settled(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let accepted = accepted(run, &*debits, DebtorKind::Rejected, SequenceType::Ooff).await;
    let status = next_news(run, &*debits, accepted.reference, SETTLED_WITHIN).await;
    match status {
        Some(CollectionStatus::Rejected(code)) if code.is_for(ReasonKind::Reject) => {}
        status => run.fail(format!("the news of a rejected collection: {status:?}")),
    }
    let debits = run.direct_debits().await;
    let more = next_news(run, &*debits, accepted.reference, REFUNDED_WITHIN).await;
    run.same("the news after a rejection", &more, &None);
    is_not_refundable(
        run,
        "a refund of a rejected collection",
        accepted.reference,
        1,
    )
    .await;
}

pub(super) async fn returned_collection_cannot_be_refunded(run: &CheckRun<'_>) {
    for (kind, days) in [
        (DebtorKind::Returned, RETURNED_WITHIN),
        (DebtorKind::Refunded, REFUNDED_WITHIN),
    ] {
        let debits = run.direct_debits().await;
        let reference = settled(run, &*debits, kind).await;
        let status = next_news(run, &*debits, reference, days).await;
        let is_right = match (kind, status) {
            (DebtorKind::Returned, Some(CollectionStatus::Returned(code))) => {
                code.is_for(ReasonKind::Return)
            }
            (DebtorKind::Refunded, Some(CollectionStatus::Refunded(code))) => {
                code.is_for(ReasonKind::Refund)
            }
            _ => false,
        };
        run.ensure(is_right, format!("the news from {kind:?}: {status:?}"));
        is_not_refundable(run, "a refund of what was returned", reference, AMOUNT).await;
    }
}

pub(super) async fn refunded_collection_is_not_returned(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = settled(run, &*debits, DebtorKind::Refunded).await;
    let refund = run.operation(reference, Refund, 1);
    run.approved("a refund", debits.modify(refund)).await;
    let more = next_news(run, &*debits, reference, 2 * REFUNDED_WITHIN).await;
    run.same("the news after a refund by the merchant", &more, &None);
}

pub(super) async fn refunds_end_at_the_settled_amount(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let accepted = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Ooff).await;
    let early = run.operation(accepted.reference, Refund, AMOUNT);
    run.declined("a refund before the settlement", debits.modify(early))
        .await;
    let reference = settled(run, &*debits, DebtorKind::Settled).await;
    for (what, payment, kind, amount) in [
        ("a refund of an unknown payment", run.payment(), Refund, 1),
        ("a refund of nothing", reference, Refund, 0),
        ("a refund above the amount", reference, Refund, AMOUNT + 1),
        ("a capture", reference, Capture, 1),
        ("a void after the settlement", reference, Void, AMOUNT),
    ] {
        let wanted = run.operation(payment, kind, amount);
        let first = run.declined(what, debits.modify(wanted)).await;
        let again = run.declined(what, debits.modify(wanted)).await;
        run.same(what, &again, &first);
    }
    let part = run.operation(reference, Refund, AMOUNT - 1);
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        run.approved("a repeated partial refund", debits.modify(part))
            .await;
    }
    is_not_refundable(run, "a refund above the rest", reference, 2).await;
    let debits = run.direct_debits().await;
    let rest = run.operation(reference, Refund, 1);
    let calls = (0..2).map(|_| debits.modify(rest)).collect();
    let what = "a refund of the rest, twice at once";
    let decisions = run.together(what, calls).await;
    run.all_approved(what, &decisions);
    is_not_refundable(run, "a refund of what was refunded", reference, 1).await;
}

pub(super) async fn void_cancels_a_collection(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let accepted = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Ooff).await;
    let void = run.operation(accepted.reference, Void, AMOUNT);
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        run.approved("the void", debits.modify(void)).await;
    }
    let debits = run.direct_debits().await;
    let more = next_news(run, &*debits, accepted.reference, SETTLED_WITHIN).await;
    run.same("the news after a void", &more, &None);
}

pub(super) async fn stored_account_is_collected_from(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let first = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Frst).await;
    let credential = first.credential(run);
    for sequence in [SequenceType::Rcur, SequenceType::Fnal] {
        let debits = run.direct_debits().await;
        let reference = run.payment();
        let later = request(run, reference, sequence, Debtor::Credential(&credential));
        let decision = run.approved("a later collection", debits.collect(later));
        let stores = matches!(decision.await,
            ProviderDecision::Approved(approval) if approval.credential.is_some());
        run.ensure(!stores, "a later collection stored the account again");
        let status = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
        run.same("the news", &status, &Some(CollectionStatus::Settled));
    }
}

pub(super) async fn revoked_mandate_is_not_collected_from(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let first = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Frst).await;
    let credential = first.credential(run);
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        run.answer("the revocation", debits.revoke(&credential))
            .await;
        let debits = run.direct_debits().await;
        let debtor = Debtor::Credential(&credential);
        let later = request(run, run.payment(), SequenceType::Rcur, debtor);
        let what = "a collection after the revocation";
        run.declined(what, debits.collect(later)).await;
    }
    let debits = run.direct_debits().await;
    let unknown = CredentialReference::new("no-such-credential");
    let unknown = unknown.unwrap_or_else(|error| run.fail(error));
    run.answer(
        "the revocation of an unknown credential",
        debits.revoke(&unknown),
    )
    .await;
    let status = next_news(run, &*debits, first.reference, SETTLED_WITHIN).await;
    run.same(
        "the accepted collection",
        &status,
        &Some(CollectionStatus::Settled),
    );
}
