//! Direct debit checks: a collection is made once, whatever becomes of its messages.

use super::direct_debits::{
    SETTLED_WITHIN, accepted, account, euro, is_not_refundable, next_news, request, tomorrow,
};
use super::run::{AMOUNT, CheckRun, DUPLICATES};
use super::{DebtorKind, Transmission};
use crate::direct_debit::{CollectionStatus, Debtor, DebtorAccount, SequenceType};
use crate::modification::ModificationKind::Void;
use crate::{CredentialReference, Inquiry, ProviderDecision};
use jiff::civil::Weekday;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::money::Money;

pub(super) async fn repeated_collection_is_made_once(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    run.ensure(!debits.name().is_empty(), "it has no name");
    let first = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Frst).await;
    let decision = ProviderDecision::Approved(first.approval.clone());
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        let again = request(
            run,
            first.reference,
            SequenceType::Frst,
            account(run, DebtorKind::Settled),
        );
        let again = run.decision("the repeated collection", debits.collect(again));
        run.same("the repeated collection", &again.await, &decision);
    }
    let debits = run.direct_debits().await;
    let status = next_news(run, &*debits, first.reference, SETTLED_WITHIN).await;
    run.same("the news", &status, &Some(CollectionStatus::Settled));
    let more = next_news(run, &*debits, first.reference, SETTLED_WITHIN).await;
    run.same("the news of repeated collections", &more, &None);
}

pub(super) async fn concurrent_duplicate_collections_are_made_once(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    let calls = (0..DUPLICATES).map(|_| {
        let debtor = account(run, DebtorKind::Settled);
        debits.collect(request(run, reference, SequenceType::Ooff, debtor))
    });
    let what = "duplicate collections";
    let decisions = run.together(what, calls.collect()).await;
    run.all_approved(what, &decisions);
    let status = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
    run.same("the news", &status, &Some(CollectionStatus::Settled));
    let more = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
    run.same("the news of duplicates", &more, &None);
}

pub(super) async fn another_amount_under_the_same_reference_collects_nothing(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let first = accepted(run, &*debits, DebtorKind::Settled, SequenceType::Ooff).await;
    let debtor = account(run, DebtorKind::Settled);
    let mut another = request(run, first.reference, SequenceType::Ooff, debtor);
    another.money = Money::new(2 * AMOUNT, euro(run));
    run.decision("the collection of another amount", debits.collect(another))
        .await;
    let status = next_news(run, &*debits, first.reference, SETTLED_WITHIN).await;
    run.same("the news", &status, &Some(CollectionStatus::Settled));
    let what = "a refund above the first amount";
    is_not_refundable(run, what, first.reference, AMOUNT + 1).await;
}

pub(super) async fn collection_date_is_possible(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    for kind in [SequenceType::Ooff, SequenceType::Frst] {
        let requested = tomorrow(run);
        let accepted = accepted(run, &*debits, DebtorKind::Settled, kind).await;
        let found = accepted.approval.collection_date;
        let date = found.unwrap_or_else(|| run.fail("the approval has no collection date"));
        run.ensure(date >= requested, "it is collected before its time");
        run.ensure(
            !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
            "it is collected on a weekend",
        );
        let stores = accepted.approval.credential.is_some();
        run.same(
            "whether it stored the account",
            &stores,
            &(kind == SequenceType::Frst),
        );
    }
}

pub(super) async fn impossible_collection_is_declined(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let debtor = |iban| {
        Debtor::Account(DebtorAccount {
            iban,
            holder: "Ada Approved",
        })
    };
    let good = account(run, DebtorKind::Settled);
    let unknown = CredentialReference::new("no-such-credential");
    let unknown = unknown.unwrap_or_else(|error| run.fail(error));
    let ordinary = |debtor| request(run, run.payment(), SequenceType::Ooff, debtor);
    let other = run.other_money(AMOUNT);
    let other = Some(other).filter(|money| money.currency() != euro(run));
    let of_reference = |reference| {
        let mut wanted = ordinary(good);
        wanted.mandate.reference = reference;
        wanted
    };
    let mut rows = vec![
        (
            "wrong check digits",
            ordinary(debtor("DE88370400440532013000")),
        ),
        (
            "an IBAN that is too short",
            ordinary(debtor("DE8937040044053201300")),
        ),
        (
            "an account outside of SEPA",
            ordinary(debtor("TR330006100519786457841326")),
        ),
        (
            "an unknown credential",
            ordinary(Debtor::Credential(&unknown)),
        ),
        ("an empty mandate reference", of_reference("")),
        ("a mandate reference of slashes", of_reference("//1")),
        (
            "a debtor who is declined at once",
            ordinary(account(run, DebtorKind::Declined)),
        ),
    ];
    for amount in [0, -1] {
        let mut wanted = ordinary(good);
        wanted.money = Money::new(amount, euro(run));
        rows.push(("an amount that is not positive", wanted));
    }
    if let Some(other) = other {
        let mut wanted = ordinary(good);
        wanted.money = other;
        rows.push(("another currency", wanted));
    }
    for (what, wanted) in rows {
        let first = run.declined(what, debits.collect(wanted)).await;
        let again = run.declined(what, debits.collect(wanted)).await;
        run.same(what, &again, &first);
        let more = next_news(run, &*debits, wanted.reference, 0).await;
        run.same(what, &more, &None);
    }
}

pub(super) async fn unknown_collection_is_tombstoned_by_an_inquiry(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    for _ in 0..2 {
        let inquiry = run.answer("the inquiry", debits.inquire(reference)).await;
        run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    }
    is_tombstoned(run, reference).await;
}

async fn is_tombstoned(run: &CheckRun<'_>, reference: PaymentId) {
    let debits = run.direct_debits().await;
    let debtor = account(run, DebtorKind::Settled);
    let late = request(run, reference, SequenceType::Ooff, debtor);
    run.declined("the request after the inquiry", debits.collect(late))
        .await;
    let more = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
    run.same("the news of a tombstone", &more, &None);
}

pub(super) async fn void_of_an_unknown_collection_is_a_tombstone(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    let void = run.operation(reference, Void, AMOUNT);
    run.approved("the void", debits.modify(void)).await;
    is_tombstoned(run, reference).await;
}

pub(super) async fn lost_collection_was_never_received(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    let debtor = account(run, DebtorKind::Settled);
    let lost = request(run, reference, SequenceType::Ooff, debtor);
    run.next_message(Transmission::RequestLost).await;
    run.unanswered("the collection", debits.collect(lost)).await;
    let debits = run.direct_debits().await;
    let inquiry = run.answer("the inquiry", debits.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    is_tombstoned(run, reference).await;
}

pub(super) async fn lost_acceptance_is_found_by_an_inquiry(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    let debtor = account(run, DebtorKind::Settled);
    let wanted = request(run, reference, SequenceType::Frst, debtor);
    run.next_message(Transmission::ResponseLost).await;
    run.unanswered("the collection", debits.collect(wanted))
        .await;
    let mut found = None;
    for _ in 0..2 {
        let debits = run.direct_debits().await;
        let inquiry = run.answer("the inquiry", debits.inquire(reference)).await;
        let Inquiry::Answered(ProviderDecision::Approved(approval)) = inquiry else {
            run.fail(format!("the inquiry: {inquiry:?}"))
        };
        let names = approval.credential.is_some() && approval.collection_date.is_some();
        run.ensure(names, "the decision has no credential or no date");
        let before = found.get_or_insert_with(|| approval.clone());
        run.same("the decision", &approval, before);
    }
    let debits = run.direct_debits().await;
    let status = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
    run.same("the news", &status, &Some(CollectionStatus::Settled));
    let inquiry = run.answer("the inquiry", debits.inquire(reference)).await;
    let approval = found.map(ProviderDecision::Approved).map(Inquiry::Answered);
    run.same("the inquiry after it settled", &Some(inquiry), &approval);
}

pub(super) async fn late_collection_finds_the_tombstone(run: &CheckRun<'_>) {
    let debits = run.direct_debits().await;
    let reference = run.payment();
    let debtor = account(run, DebtorKind::Settled);
    let wanted = request(run, reference, SequenceType::Ooff, debtor);
    run.next_message(Transmission::Late).await;
    let late = run.late(debits.collect(wanted)).await;
    let inquiry = run.answer("the inquiry", debits.inquire(reference)).await;
    run.same("the inquiry", &inquiry, &Inquiry::NeverReceived);
    run.declined("the late collection", late).await;
    let more = next_news(run, &*debits, reference, SETTLED_WITHIN).await;
    run.same("the news of a late collection", &more, &None);
}
