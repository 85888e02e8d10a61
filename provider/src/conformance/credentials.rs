//! Checks of stored cards: each is stored once, charged by its reference, and revoked for good.

use super::run::{AMOUNT, CheckRun, DUPLICATES};
use super::source::{Series, storing};
use super::{CardKind, Payer, Transmission, describe};
use crate::credential::{CredentialStatus, Initiator};
use crate::modification::ModificationKind;
use crate::{
    AuthorizationRequest, CardSource, CredentialReference, CredentialUse, CredentialVault, Inquiry,
    PaymentProvider, ProviderDecision, ProviderError, ProviderFuture,
};
use sealpay_protocol::agreement::AgreementKind;
use sealpay_protocol::ids::PaymentId;
use sealpay_protocol::order::Capture;

pub(super) fn vault<'a>(
    run: &CheckRun<'_>,
    acquirer: &'a dyn PaymentProvider,
) -> &'a dyn CredentialVault {
    let vault = acquirer.credentials();
    vault.unwrap_or_else(|| run.fail("the capability is gone after a restart"))
}

/// Checks how many cards were stored since the number was read.
async fn stored_since(run: &CheckRun<'_>, what: &str, before: Option<usize>, expected: usize) {
    if let (Some(before), Some(now)) = (before, run.harness.stored_cards().await) {
        let found = now.saturating_sub(before);
        run.same(
            format!("{what}: the cards that were stored"),
            &found,
            &expected,
        );
    }
}

/// A payment of the suite's amount.
fn payment<'a>(
    run: &CheckRun<'_>,
    reference: PaymentId,
    source: CardSource<'a>,
    stored_credential: Option<CredentialUse<'a>>,
) -> AuthorizationRequest<'a> {
    AuthorizationRequest {
        reference,
        money: run.money(AMOUNT),
        capture: Capture::Automatic,
        source,
        authentication: None,
        stored_credential,
    }
}

/// A charge of a stored card.
pub(super) fn charge<'a>(
    run: &CheckRun<'_>,
    acquirer: &'a dyn PaymentProvider,
    series: &'a Series,
) -> ProviderFuture<'a, ProviderDecision> {
    let source = CardSource::Credential(&series.credential);
    let use_of_it = Some(series.charge());
    acquirer.authorize(payment(run, run.payment(), source, use_of_it))
}

const fn by_customer(store: bool) -> CredentialUse<'static> {
    CredentialUse {
        kind: AgreementKind::CardOnFile,
        initiator: Initiator::Customer,
        store,
        network_transaction_id: None,
    }
}

pub(super) async fn approved_payment_stores_its_card_once(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Approved);
    let acquirer = run.acquirer().await;
    let before = run.harness.stored_cards().await;
    let balance = run.balance(Payer::Card).await;
    let (reference, money) = (run.payment(), run.money(AMOUNT));
    let calls = (0..DUPLICATES).map(|_| acquirer.authorize(storing(reference, money, &card)));
    let decisions = run.together("duplicates at once", calls.collect()).await;
    run.all_approved("duplicates at once", &decisions);
    let first = decisions.into_iter().next();
    let first = first.unwrap_or_else(|| run.fail("there is no decision"));
    run.series("the payment that stores the card", first.clone());
    for _ in 0..2 {
        let acquirer = run.acquirer().await;
        let again = acquirer.authorize(storing(reference, money, &card));
        let again = run.approved("the repeated payment", again).await;
        run.same("the repeated payment", &again, &first);
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        run.same("the inquiry", &inquiry, &Inquiry::Answered(first.clone()));
    }
    stored_since(run, "one payment many times", before, 1).await;
    let what = "one payment that stores its card";
    run.moved(what, Payer::Card, balance, [0, AMOUNT]).await;
}

pub(super) async fn payment_stores_nothing_unless_it_is_requested(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Approved);
    let acquirer = run.acquirer().await;
    let before = run.harness.stored_cards().await;
    for use_of_it in [None, Some(by_customer(false))] {
        let source = CardSource::Card(&card);
        let request = payment(run, run.payment(), source, use_of_it);
        let what = "a payment that does not ask to store its card";
        let decision = run.approved(what, acquirer.authorize(request)).await;
        let ProviderDecision::Approved(approval) = decision else {
            continue;
        };
        run.same(what, &approval.credential, &None);
    }
    stored_since(run, "payments that store nothing", before, 0).await;
}

pub(super) async fn declined_payment_stores_nothing(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Declined);
    let acquirer = run.acquirer().await;
    let before = run.harness.stored_cards().await;
    let reference = run.payment();
    for _ in 0..2 {
        let request = storing(reference, run.money(AMOUNT), &card);
        run.declined("the payment", acquirer.authorize(request))
            .await;
    }
    stored_since(run, "a declined payment", before, 0).await;
}

pub(super) async fn lost_payment_stores_its_card_once(run: &CheckRun<'_>) {
    for (transmission, expected) in [
        (Transmission::RequestLost, 0),
        (Transmission::ResponseLost, 1),
    ] {
        let card = run.card(CardKind::Approved);
        let acquirer = run.acquirer().await;
        let before = run.harness.stored_cards().await;
        let reference = run.payment();
        let again = || acquirer.authorize(storing(reference, run.money(AMOUNT), &card));
        let what = format!("a payment that meets {transmission:?}");
        run.next_message(transmission).await;
        run.unanswered(&what, again()).await;
        stored_since(run, &what, before, expected).await;
        match run.answer("the inquiry", acquirer.inquire(reference)).await {
            Inquiry::Answered(decision) if expected == 1 => {
                run.series("the inquiry", decision.clone());
                let repeated = run.decision("the repeated payment", again()).await;
                run.same("the repeated payment", &repeated, &decision);
            }
            Inquiry::NeverReceived if expected == 0 => {
                run.declined("the late payment", again()).await;
            }
            other => run.fail(format!("{what}: the inquiry says {other:?}")),
        }
        stored_since(run, &what, before, expected).await;
    }
}

pub(super) async fn merchant_names_the_series_and_charges_no_typed_card(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Approved);
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Approved).await;
    let before = run.harness.stored_cards().await;
    let balance = run.balance(Payer::Credential).await;
    let (typed, stored) = (
        CardSource::Card(&card),
        CardSource::Credential(&series.credential),
    );
    let unnamed = CredentialUse {
        network_transaction_id: None,
        ..series.charge()
    };
    let storing = CredentialUse {
        store: true,
        ..series.charge()
    };
    let rows = [
        ("a charge without its series", stored, Some(unnamed)),
        ("a charge that does not say what it is", stored, None),
        (
            "a typed card that the merchant charges",
            typed,
            Some(series.charge()),
        ),
        (
            "a typed card that the merchant stores",
            typed,
            Some(storing),
        ),
    ];
    for (what, source, use_of_it) in rows {
        let request = payment(run, run.payment(), source, use_of_it);
        run.declined(what, acquirer.authorize(request)).await;
    }
    stored_since(run, "declined charges", before, 0).await;
    run.moved("declined charges", Payer::Credential, balance, [0, 0])
        .await;
    run.approved("a charge of the series", charge(run, &*acquirer, &series))
        .await;
}

pub(super) async fn shopper_pays_with_a_stored_card(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Approved).await;
    let balance = run.balance(Payer::Credential).await;
    let source = CardSource::Credential(&series.credential);
    let use_of_it = Some(by_customer(false));
    let request = payment(run, run.payment(), source, use_of_it);
    let what = "the shopper's payment";
    let decision = run.approved(what, acquirer.authorize(request)).await;
    run.moved(what, Payer::Credential, balance, [0, AMOUNT])
        .await;
    // The merchant may continue from this payment as from the first one.
    let ProviderDecision::Approved(approval) = decision else {
        run.fail(format!("{what}: declined"))
    };
    let Some(network_transaction_id) = approval.network_transaction_id else {
        run.fail(format!("{what}: no network transaction id"))
    };
    let from_here = Series {
        network_transaction_id,
        ..series
    };
    let what = "a charge that names the shopper's payment";
    run.approved(what, charge(run, &*acquirer, &from_here))
        .await;
}

/// Checks that a charge is declined, or was not sent.
pub(super) async fn is_not_charged(
    run: &CheckRun<'_>,
    what: &str,
    acquirer: &dyn PaymentProvider,
    series: &Series,
) {
    match run.result(what, charge(run, acquirer, series)).await {
        Ok(decision) => {
            run.check_decision(what, &decision);
            run.ensure(!decision.is_approved(), format!("{what}: approved"));
        }
        Err(ProviderError::NotSent(_)) => {}
        Err(error) => run.fail(format!("{what}: {}", describe(&error))),
    }
}

pub(super) async fn unknown_credential_is_not_charged(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let vault = vault(run, &*acquirer);
    let stored = run.store(&*acquirer, CardKind::Approved).await;
    let unknown = CredentialReference::new("conformance-unknown");
    let unknown = unknown.unwrap_or_else(|error| run.fail(error));
    let series = Series {
        credential: unknown,
        ..stored
    };
    is_not_charged(run, "an unknown credential", &*acquirer, &series).await;
    let status = run
        .answer("the status", vault.status(&series.credential))
        .await;
    run.same("the status", &status, &CredentialStatus::Unknown);
    let revoked = vault.revoke(&series.credential);
    run.answer("the revocation of an unknown credential", revoked)
        .await;
    let acknowledged = vault.acknowledge("conformance-unknown");
    run.answer("the acknowledgement of unknown news", acknowledged)
        .await;
}

pub(super) async fn revoked_credential_is_not_charged(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Approved).await;
    let reference = run.payment();
    let source = CardSource::Credential(&series.credential);
    let request = || payment(run, reference, source, Some(series.charge()));
    let first = run
        .approved("a charge", acquirer.authorize(request()))
        .await;
    let balance = run.balance(Payer::Credential).await;
    for _ in 0..2 {
        let acquirer = run.acquirer().await;
        let vault = vault(run, &*acquirer);
        run.answer("the revocation", vault.revoke(&series.credential))
            .await;
        is_not_charged(run, "a charge after it", &*acquirer, &series).await;
        let use_of_it = Some(by_customer(false));
        let by_shopper = payment(run, run.payment(), source, use_of_it);
        let what = "the shopper's payment after it";
        run.declined(what, acquirer.authorize(by_shopper)).await;
        let status = run
            .answer("the status", vault.status(&series.credential))
            .await;
        run.same("the status", &status, &CredentialStatus::Unknown);
        // The earlier decision stands.
        let again = run
            .approved("the repeated charge", acquirer.authorize(request()))
            .await;
        run.same("the repeated charge", &again, &first);
    }
    let what = "charges after the revocation";
    run.moved(what, Payer::Credential, balance, [0, 0]).await;
    let acquirer = run.acquirer().await;
    is_not_charged(run, "a charge after a restart", &*acquirer, &series).await;
    let refund = run.operation(reference, ModificationKind::Refund, AMOUNT);
    run.approved("a refund after it", acquirer.modify(refund))
        .await;
    run.moved(
        "a refund after it",
        Payer::Credential,
        balance,
        [0, -AMOUNT],
    )
    .await;
}

pub(super) async fn revocation_and_charge_at_once_agree(run: &CheckRun<'_>) {
    for charges_first in [true, false] {
        let acquirer = run.acquirer().await;
        let vault = vault(run, &*acquirer);
        let series = run.store(&*acquirer, CardKind::Approved).await;
        let balance = run.balance(Payer::Credential).await;
        let reference = run.payment();
        let source = CardSource::Credential(&series.credential);
        let use_of_it = Some(series.charge());
        let request = payment(run, reference, source, use_of_it);
        let charging = acquirer.authorize(request);
        let charging: ProviderFuture<'_, Option<ProviderDecision>> =
            Box::pin(async move { charging.await.map(Some) });
        let revoking = vault.revoke(&series.credential);
        let revoking: ProviderFuture<'_, Option<ProviderDecision>> =
            Box::pin(async move { revoking.await.map(|()| None) });
        let calls = match charges_first {
            true => vec![charging, revoking],
            false => vec![revoking, charging],
        };
        let both = run.together("a charge and a revocation", calls).await;
        let decision = both.into_iter().flatten().next();
        let decision = decision.unwrap_or_else(|| run.fail("the charge has no decision"));
        run.check_decision("the charge", &decision);
        let sums = [0, if decision.is_approved() { AMOUNT } else { 0 }];
        run.moved("both at once", Payer::Credential, balance, sums)
            .await;
        let inquiry = run.answer("the inquiry", acquirer.inquire(reference)).await;
        run.same("the inquiry", &inquiry, &Inquiry::Answered(decision));
        is_not_charged(run, "a charge after both", &*acquirer, &series).await;
    }
}
