//! What depends on the simulated time, and when it is due.

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::payments::methods::{bank_transfer, sepa_debit};
use crate::settlements::close::{Cutoff, settle};
use crate::{
    agreements, disputes, instruments, invoices, modifications, payments, payouts, subscriptions,
};
use jiff::civil::Date;
use sealpay_protocol::limits::HOLD_LIFETIME_SECONDS;
use std::time::Duration;

/// Authorizations that the bank releases in one round.
const RELEASED_AT_ONCE: u32 = 64;
/// How long it looks away while others work.
const GLANCE: Duration = Duration::from_millis(5);
/// Maximum number of rounds without a pause; each processes one batch of everything.
const ROUNDS: usize = 4096;

/// The first time after another at which something is due, milliseconds since 1970.
///
/// # Errors
/// The store does not respond.
pub(super) async fn next(gateway: &Gateway, after_ms: u64) -> Result<Option<u64>, ApiError> {
    let store = &gateway.store;
    let after_ms = i64::try_from(after_ms).unwrap_or(i64::MAX);
    let held_ms = i64::try_from(HOLD_LIFETIME_SECONDS * 1000).unwrap_or(i64::MAX);
    let authorized = store.payments.authorized_after(after_ms - held_ms);
    let (subscriptions, invoices, payments, authorized, mandates, modifications, disputes, groups) =
        tokio::try_join!(
            store.subscriptions.next_due_ms(after_ms),
            store.invoices.next_due_ms(after_ms),
            store.payments.next_due_ms(after_ms),
            authorized,
            store.agreements.next_lapse_ms(after_ms),
            store.modifications.next_due_ms(after_ms),
            store.disputes.next_due_ms(after_ms),
            store.settlements.due_groups(Date::MAX),
        )?;
    let debits = super::bank(gateway)?.next_debit_news_ms(after_ms).await;
    let settlements = groups.iter().map(|group| group.closes_at_ms());
    let due = [
        subscriptions,
        invoices,
        payments,
        authorized.map(|made_ms| made_ms + held_ms),
        mandates,
        debits.map_err(ApiError::from)?,
        modifications,
        disputes,
        settlements.filter(|at_ms| *at_ms > after_ms).min(),
    ];
    let next_ms = due.into_iter().flatten().min();
    Ok(next_ms.and_then(|at_ms| u64::try_from(at_ms).ok()))
}

/// Does everything that is due now. Failed work is retried by the regular background tasks.
pub(super) async fn carry_out(gateway: &Gateway, is_patient: &mut bool) {
    for _ in 0..ROUNDS {
        let credited = later(bank_transfer::incoming::collect(gateway).await);
        let debited = later(sepa_debit::news::collect(gateway).await);
        let lapsed = later(agreements::revoke::end_lapsed(gateway).await);
        // A subscription does not expire while its first payment has no outcome.
        let recovered = later(payments::reconcile::recover(gateway).await);
        let renewed = later(subscriptions::renew::renew(gateway).await);
        let collected = later(invoices::collect::collect(gateway).await);
        let modified = later(modifications::reconcile::recover(gateway).await);
        let expired = later(modifications::expire::expire(gateway).await);
        release_lapsed(gateway).await;
        let updated = later(instruments::updater::collect(gateway).await);
        let lost = later(disputes::service::give_up(gateway).await);
        // Returned payouts are settled again, and may be due already.
        let closed = later(
            settle(gateway, Cutoff::Now)
                .await
                .map(|closed| closed.len()),
        );
        let paid = later(payouts::service::pay_out(gateway).await);
        let billed = renewed + collected + credited + debited + lapsed;
        let done = billed + modified + expired + recovered + updated + lost + closed + paid;
        if done == 0 && !wait_for_others(gateway, is_patient).await {
            break;
        }
    }
}

/// Waits for what another task or server has taken over and not finished, so that it ends at its own
/// time; returns whether there was anything. What a crash has left, or what fails, is not waited for
/// longer than a provider may take, and then no more.
async fn wait_for_others(gateway: &Gateway, is_patient: &mut bool) -> bool {
    if !*is_patient || !is_taken_over(gateway).await {
        return false;
    }
    let finished = async {
        while is_taken_over(gateway).await {
            tokio::time::sleep(GLANCE).await;
        }
    };
    let patience = gateway.settings.provider_timeout;
    *is_patient = tokio::time::timeout(patience, finished).await.is_ok();
    *is_patient
}

async fn is_taken_over(gateway: &Gateway) -> bool {
    let (store, now_ms) = (&gateway.store, gateway.clock.now_ms_i64());
    let counted = tokio::try_join!(
        store.subscriptions.count_leased(now_ms),
        store.invoices.count_leased(now_ms),
        store.payments.count_leased(now_ms),
    );
    // A store that does not respond is not waited for.
    counted.is_ok_and(|(subscriptions, invoices, payments)| subscriptions + invoices + payments > 0)
}

/// Releases expired authorizations at the bank, which would otherwise do so later by itself.
async fn release_lapsed(gateway: &Gateway) {
    let Ok(bank) = super::bank(gateway) else {
        return;
    };
    if let Err(error) = bank
        .expire_holds(gateway.clock.now_ms_i64(), RELEASED_AT_ONCE)
        .await
    {
        tracing::warn!(?error, "the bank releases lapsed authorizations later");
    }
}

/// Deliberately ignores a failure: due work stays due.
fn later(done: Result<usize, ApiError>) -> usize {
    done.unwrap_or_else(|error| {
        tracing::warn!(?error, "due work failed and will be retried");
        0
    })
}
