//! Sends each payout to the bank until it responds, and processes returned payouts.

use super::account::account_of;
use super::model::{Payout, PayoutState};
pub use super::store::PayoutFilter;
use super::view::{self, PayoutRecord};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::Gateway;
use crate::http::paging::{self, Page};
use crate::ledger::posting;
use crate::store::Store;
use crate::worker::{self, Lease};
use futures_util::stream::{self, StreamExt};
use sealpay_protocol::ids::MerchantId;
use sealpay_protocol::money::Money;
use sealpay_provider::ProviderDecision;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};

/// Maximum number of payouts in one batch.
const BATCH: u32 = 64;

/// Maximum number of concurrent payout requests.
const AT_ONCE: usize = 16;

/// Maximum number of returns requested at once, if earlier ones stay unknown.
const RETURNS_MOST: u32 = 64 * BATCH;

/// How long a payout waits before its merchant's account is checked again, milliseconds.
const NO_ACCOUNT_MS: i64 = 60 * 1000;

/// The merchant's payouts, newest first.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    filter: PayoutFilter,
) -> Result<Page<PayoutRecord>, ApiError> {
    let scans = filter.currency.is_some() || filter.state.is_some();
    let rows =
        move |store: Store, filter| async move { store.payouts.list(merchant, &filter).await };
    let record = |row| PayoutRecord::new(&row, gateway.livemode());
    paging::read(gateway, (merchant, scans), filter, rows, record).await
}

/// A payout of the merchant.
///
/// # Errors
/// [`ErrorCode::NotFound`], also for another merchant's payout.
pub async fn get(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<PayoutRecord, ApiError> {
    let id = id.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let payout = gateway.store.payouts.get_owned(merchant, id).await?;
    let payout = payout.ok_or(ApiError::new(ErrorCode::NotFound))?;
    Ok(PayoutRecord::new(&payout, gateway.livemode()))
}

/// Sends all pending payouts to the bank and queries returned ones; returns how many changed.
///
/// # Errors
/// The store or the bank does not respond; completed changes stay.
pub async fn pay_out(gateway: &Gateway) -> Result<usize, ApiError> {
    let mut moved = 0;
    loop {
        // Concurrently, because a bank that is slow to pay may still report returns quickly.
        let (paid, returned) = tokio::join!(pay_some(gateway), reverse_returned(gateway));
        let now_moved: usize = [&paid, &returned].into_iter().flatten().sum();
        if now_moved > 0 {
            gateway.wake_outbox();
        }
        moved += now_moved;
        paid.and(returned)?;
        if now_moved == 0 {
            return Ok(moved);
        }
    }
}

/// Sends the longest waiting payouts, several at a time, so that one without a response delays few
/// others.
async fn pay_some(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let open = gateway.store.payouts.open(now_ms, BATCH).await?;
    let paying = stream::iter(open).map(async |payout: Payout| match pay(gateway, &payout).await {
        Ok(has_moved) => usize::from(has_moved),
        Err(error) => {
            worker::retries("a payout", &payout.id, &error);
            0
        }
    });
    let paid = paying.buffer_unordered(AT_ONCE);
    Ok(paid.fold(0, async |sum, one| sum + one).await)
}

/// Sends one payout. The bank never pays the same one twice, so after a crash it is simply sent
/// again.
async fn pay(gateway: &Gateway, payout: &Payout) -> Result<bool, ApiError> {
    let Some(payout) = with_account(gateway, payout).await? else {
        return Ok(false);
    };
    let payout = &payout;
    let lease = Lease::within(gateway.settings.provider_timeout);
    let lease_ms = lease.until_ms(gateway.clock.now_ms_i64());
    if !gateway.store.payouts.lease(payout, lease_ms).await? {
        return Ok(false);
    }
    let request = PayoutRequest {
        payout: payout.id,
        merchant: payout.merchant,
        account: payout.account.clone(),
        money: Money::new(payout.amount_minor, payout.currency),
    };
    match gateway.within(gateway.providers.payouts.pay(request)).await {
        Ok(ProviderDecision::Approved(_)) => record(gateway, payout, PayoutState::Paid, None).await,
        // A declined payout is owed again, like a returned one.
        Ok(ProviderDecision::Declined(rejection)) => {
            let reason = Some(rejection.reason);
            record(gateway, payout, PayoutState::Returned, reason).await
        }
        Err(error) => {
            tracing::warn!(payout = %payout.id, ?error, "the bank is asked again");
            Ok(false)
        }
    }
}

/// The payout with its account. A payout made before an account was set waits for one.
async fn with_account(gateway: &Gateway, payout: &Payout) -> Result<Option<Payout>, ApiError> {
    if !payout.account.is_empty() {
        return Ok(Some(payout.clone()));
    }
    let store = &gateway.store;
    let merchant = store.merchants.get(payout.merchant).await?;
    let account = merchant.and_then(|merchant| account_of(gateway, &merchant));
    let Some(account) = account else {
        let until_ms = gateway.clock.now_ms_i64().saturating_add(NO_ACCOUNT_MS);
        store.payouts.lease(payout, until_ms).await?;
        tracing::warn!(payout = %payout.id, merchant = %payout.merchant,
            "the merchant has no payout account: set one with `merchant set-payout-account`");
        return Ok(None);
    };
    let named = store.payouts.name_account(payout, &account).await?;
    Ok(named.then(|| Payout {
        account,
        ..payout.clone()
    }))
}

/// Processes payouts returned by the merchant's bank. A return is acknowledged only after it is
/// recorded; until then the bank reports it again. Unknown payouts, as after restoring a backup,
/// are skipped and never acknowledged, because they may be known again once their settlements are
/// closed again.
async fn reverse_returned(gateway: &Gateway) -> Result<usize, ApiError> {
    let now_ms = gateway.clock.now_ms_i64();
    let mut limit = BATCH;
    loop {
        let asked = gateway.providers.payouts.returned(now_ms, limit);
        let returned = gateway.within(asked).await?;
        let (mut taken, mut unknown) = (0, 0);
        for returned in &returned {
            match take_one_back(gateway, returned).await {
                Ok(TakenBack::Done) => taken += 1,
                Ok(TakenBack::Unknown) => unknown += 1,
                // A failed return does not block the others.
                Err(error) => {
                    let payout = returned.payout;
                    worker::retries("a returned payout", &payout, &error);
                }
            }
        }
        if unknown > 0 {
            tracing::warn!(unknown, "the bank reports unknown returned payouts");
        }
        // If skipped returns fill the limit, more are requested.
        let is_full = returned.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        if taken > 0 || !is_full || limit >= RETURNS_MOST {
            return Ok(taken);
        }
        limit = limit.saturating_mul(8);
    }
}

enum TakenBack {
    /// Recorded and acknowledged.
    Done,
    /// The payout does not exist.
    Unknown,
}

async fn take_one_back(
    gateway: &Gateway,
    returned: &ReturnedPayout,
) -> Result<TakenBack, ApiError> {
    loop {
        let Some(payout) = gateway.store.payouts.get(returned.payout).await? else {
            return Ok(TakenBack::Unknown);
        };
        let reason = Some(returned.reason.clone());
        // Otherwise the payout was changed concurrently: try again from its new state.
        if payout.state == PayoutState::Returned
            || record(gateway, &payout, PayoutState::Returned, reason).await?
        {
            break;
        }
    }
    let bank = &gateway.providers.payouts;
    let acknowledged = gateway.within(bank.acknowledge_return(returned.payout));
    acknowledged.await?;
    Ok(TakenBack::Done)
}

/// Records the outcome of a payout; returns whether it changed.
async fn record(
    gateway: &Gateway,
    payout: &Payout,
    state: PayoutState,
    failure: Option<String>,
) -> Result<bool, ApiError> {
    if !payout.state.may_become(state) {
        let reason = format!("{} may not become {}", payout.state.name(), state.name());
        return Err(ApiError::because(ErrorCode::Internal, reason));
    }
    let mut after = payout.clone();
    after.state = state;
    after.failure = failure;
    after.updated_at_ms = gateway.clock.now_ms_i64();
    let event = gateway.event_id();
    // If a payout was never paid, its return is its first event.
    let sequence = if payout.state == PayoutState::Paid {
        2
    } else {
        1
    };
    let event = view::event(event, sequence, &after, gateway.livemode())?;
    let posting = (state == PayoutState::Returned)
        .then(|| posting::of_payout_return(&gateway.posting_context(None), &after));
    let changed = gateway
        .store
        .payouts
        .change(payout, &after, &event, posting.as_ref())
        .await?;
    if changed {
        tracing::info!(payout = %payout.id, state = state.name(), failure = after.failure,
            "a payout changed its state");
    }
    Ok(changed)
}
