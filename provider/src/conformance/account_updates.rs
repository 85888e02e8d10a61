//! Checks of the account updater: what it says about a stored card, and that its news is reported
//! until it is acknowledged.

use super::credentials::{charge, is_not_charged, vault};
use super::run::CheckRun;
use super::{CardKind, CardNews};
use crate::credential::{CredentialStatus, CredentialUpdate};
use crate::{CredentialReference, CredentialVault, PaymentProvider};
use sealpay_protocol::card::{Brand, Card};

/// Maximum number of reports that a check reads at once.
const LIMIT: u32 = 100;

/// Checks that a status is that of a card; returns what identifies it.
async fn current(
    run: &CheckRun<'_>,
    vault: &dyn CredentialVault,
    credential: &CredentialReference,
    card: &Card,
) -> String {
    let status = run.answer("the status", vault.status(credential)).await;
    let CredentialStatus::Current(found) = status else {
        run.fail(format!("the status: {status:?}"))
    };
    let brand = card.number.brand().map_or("unknown", Brand::slug);
    run.same("the brand", &found.brand.as_str(), &brand);
    run.same(
        "the last four digits",
        &found.last4.as_str(),
        &card.number.last_four(),
    );
    run.same("the expiry", &found.expiry, &card.expiry.year_month());
    let is_number = found.account.contains(card.number.digits());
    run.ensure(
        !found.account.is_empty() && !is_number,
        "the account is no opaque name",
    );
    found.account
}

pub(super) async fn status_describes_the_card(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Approved);
    let other = run.card(CardKind::Updated);
    let mut accounts = Vec::new();
    for (kind, card) in [
        (CardKind::Approved, &card),
        (CardKind::Approved, &card),
        (CardKind::Updated, &other),
    ] {
        let acquirer = run.acquirer().await;
        let series = run.store(&*acquirer, kind).await;
        let acquirer = run.acquirer().await;
        let vault = vault(run, &*acquirer);
        accounts.push(current(run, vault, &series.credential, card).await);
    }
    let same = accounts.first() == accounts.get(1);
    run.ensure(same, "the same card has two accounts");
    let differ = accounts.first() != accounts.get(2);
    run.ensure(differ, "two cards have the same account");
}

/// The news about a credential.
async fn news(
    run: &CheckRun<'_>,
    acquirer: &dyn PaymentProvider,
    by_ms: i64,
    credential: &CredentialReference,
) -> Vec<CredentialUpdate> {
    let found = vault(run, acquirer).updates(by_ms, LIMIT);
    let mut found = run.answer("the news", found).await;
    let in_order = found.is_sorted_by_key(|update| update.at_ms);
    run.ensure(in_order, "the news is not in the order of time");
    found.retain(|update| update.credential == *credential);
    found
}

pub(super) async fn replaced_card_is_charged_under_the_same_reference(run: &CheckRun<'_>) {
    let card = run.card(CardKind::Updated);
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Updated).await;
    let credential = &series.credential;
    let before = current(run, vault(run, &*acquirer), credential, &card).await;
    run.harness.advance_clock(1_000);
    run.harness
        .update_card(credential, CardNews::Replaced)
        .await;
    for _ in 0..2 {
        let acquirer = run.acquirer().await;
        let status = vault(run, &*acquirer).status(credential);
        let status = run.answer("the status", status).await;
        let CredentialStatus::Replaced(replaced) = &status else {
            run.fail(format!("the status of a replaced card: {status:?}"))
        };
        run.ensure(replaced.account != before, "the new card is the old one");
        let now_ms = run.harness.now_ms();
        let found = news(run, &*acquirer, now_ms, credential).await;
        let statuses: Vec<_> = found.into_iter().map(|update| update.status).collect();
        run.same("the news", &statuses, &vec![status]);
        run.approved("a charge of the new card", charge(run, &*acquirer, &series))
            .await;
    }
}

pub(super) async fn news_is_reported_until_it_is_acknowledged(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Updated).await;
    let credential = &series.credential;
    let early_ms = run.harness.now_ms();
    run.harness.advance_clock(1_000);
    run.harness
        .update_card(credential, CardNews::ContactCardholder)
        .await;
    let early = news(run, &*acquirer, early_ms, credential).await;
    run.same("the news up to an earlier moment", &early, &Vec::new());
    let mut first = None;
    for _ in 0..2 {
        let acquirer = run.acquirer().await;
        let now_ms = run.harness.now_ms();
        let found = news(run, &*acquirer, now_ms, credential).await;
        let [update] = &found[..] else {
            run.fail(format!(
                "there is one piece of news, and these are reported: {found:?}"
            ));
        };
        run.same(
            "the news",
            &update.status,
            &CredentialStatus::ContactCardholder,
        );
        let first = first.get_or_insert_with(|| update.clone());
        run.same("the repeated news", update, first);
    }
    let id = first.map(|update| update.id).unwrap_or_default();
    for _ in 0..2 {
        let acquirer = run.acquirer().await;
        let acknowledged = vault(run, &*acquirer).acknowledge(&id);
        run.answer("the acknowledgement", acknowledged).await;
        let now_ms = run.harness.now_ms();
        let found = news(run, &*acquirer, now_ms, credential).await;
        run.same("the news after the acknowledgement", &found, &Vec::new());
    }
    let acquirer = run.acquirer().await;
    let found = news(run, &*acquirer, run.harness.now_ms(), credential).await;
    run.same("the news after a restart", &found, &Vec::new());
}

pub(super) async fn closed_account_is_not_charged(run: &CheckRun<'_>) {
    let acquirer = run.acquirer().await;
    let series = run.store(&*acquirer, CardKind::Updated).await;
    let credential = &series.credential;
    run.harness.update_card(credential, CardNews::Closed).await;
    let acquirer = run.acquirer().await;
    let status = run
        .answer("the status", vault(run, &*acquirer).status(credential))
        .await;
    run.same("the status", &status, &CredentialStatus::Closed);
    let found = news(run, &*acquirer, run.harness.now_ms(), credential).await;
    let statuses: Vec<_> = found.into_iter().map(|update| update.status).collect();
    run.same("the news", &statuses, &vec![CredentialStatus::Closed]);
    is_not_charged(run, "a charge of a closed account", &*acquirer, &series).await;
}
