//! Payouts: the bank is told of each until it has answered, and says which came back.

use super::gateway::Gateway;
use super::read::Page;
use super::settlement_view::{self, PayoutRecord, page};
use crate::domain::booking;
use crate::domain::settlement::{Payout, PayoutState};
use crate::gate::refusal::{Code, Refusal};
use crate::provider::payout::{PayoutRequest, ReturnedPayout};
use crate::provider::{Answer, Silence};
pub use crate::store::PayoutFilter;
use sealpay_protocol::ids::{EventId, MerchantId};
use sealpay_protocol::money::Money;
use std::time::Duration;

/// How many payouts are looked at in one go.
const BATCH: u32 = 64;

/// How long after the bank's time is up somebody else may ask again, milliseconds.
const MARGIN_MS: i64 = 1000;

/// Payouts of the merchant, newest first.
///
/// # Errors
/// A refusal when the store does not answer.
pub async fn list(
    gateway: &Gateway,
    merchant: MerchantId,
    mut filter: PayoutFilter,
) -> Result<Page<PayoutRecord>, Refusal> {
    let limit = filter.limit;
    filter.limit = limit.saturating_add(1);
    let rows = gateway.store.payouts(merchant, &filter).await?;
    Ok(page(rows, limit, |row| PayoutRecord::of(&row)))
}

/// A payout of the merchant.
///
/// # Errors
/// [`Code::NotFound`], also for somebody else's payout.
pub async fn one(
    gateway: &Gateway,
    merchant: MerchantId,
    id: &str,
) -> Result<PayoutRecord, Refusal> {
    let id = id.parse().map_err(|_| Refusal::new(Code::NotFound))?;
    let payout = gateway.store.payout(merchant, id).await?;
    let payout = payout.ok_or(Refusal::new(Code::NotFound))?;
    Ok(PayoutRecord::of(&payout))
}

/// Tells the bank of every payout that it was not told of, and asks which came back; how many have
/// moved.
///
/// # Errors
/// A refusal when the store or the bank does not answer; what has moved stays so.
pub async fn pay_out(gateway: &Gateway) -> Result<usize, Refusal> {
    let mut moved = 0;
    loop {
        let before = moved;
        let now_ms = gateway.clock.now_ms_i64();
        for payout in gateway.store.open_payouts(now_ms, BATCH).await? {
            match pay(gateway, &payout).await {
                Ok(has_moved) => moved += usize::from(has_moved),
                Err(refusal) => {
                    tracing::error!(payout = %payout.id, ?refusal, "a payout is made later");
                }
            }
        }
        moved += take_back(gateway).await?;
        if moved == before {
            break;
        }
    }
    if moved > 0 {
        gateway.wake_outbox();
    }
    Ok(moved)
}

/// Tells the bank of one payout. It never pays the same one twice, so that a crash after it has paid
/// and before that is written down costs one more question.
async fn pay(gateway: &Gateway, payout: &Payout) -> Result<bool, Refusal> {
    let patience = gateway.settings.provider_timeout.as_millis();
    let patience_ms = i64::try_from(patience).unwrap_or(i64::MAX);
    let lease_ms = gateway.clock.now_ms_i64().saturating_add(patience_ms);
    let lease_ms = lease_ms.saturating_add(MARGIN_MS);
    if !gateway.store.lease_payout(payout, lease_ms).await? {
        return Ok(false);
    }
    let request = PayoutRequest {
        payout: payout.id,
        merchant: payout.merchant,
        account: payout.account.clone(),
        money: Money::new(payout.amount_minor, payout.currency),
    };
    match gateway.within(gateway.providers.payouts.pay(request)).await {
        Ok(Answer::Approved) => keep(gateway, payout, PayoutState::Paid, None).await,
        // What the bank does not send is owed again, as if it had come back.
        Ok(Answer::Declined(reason)) => {
            keep(gateway, payout, PayoutState::Returned, Some(reason)).await
        }
        Err(Silence::NotSent(reason) | Silence::Unknown(reason)) => {
            tracing::warn!(payout = %payout.id, reason, "the bank is asked again");
            Ok(false)
        }
    }
}

/// Takes payouts back that the merchant's bank has returned. A return is acknowledged only once it
/// is written down: until then the bank tells it again.
async fn take_back(gateway: &Gateway) -> Result<usize, Refusal> {
    let now_ms = gateway.clock.now_ms_i64();
    let asked = gateway.providers.payouts.returned(now_ms, BATCH);
    let returned = gateway.within(asked).await.map_err(unheard)?;
    let mut taken = 0;
    for returned in &returned {
        match take_one_back(gateway, returned).await {
            Ok(()) => {
                let said = gateway
                    .providers
                    .payouts
                    .acknowledge_return(returned.payout);
                gateway.within(said).await.map_err(unheard)?;
                taken += 1;
            }
            // One that cannot be taken back does not keep the others waiting.
            Err(refusal) => {
                tracing::error!(payout = %returned.payout, ?refusal, "a return is looked at later");
            }
        }
    }
    Ok(taken)
}

fn unheard(silence: Silence) -> Refusal {
    let (Silence::NotSent(reason) | Silence::Unknown(reason)) = silence;
    Refusal::because(Code::Internal, reason)
}

async fn take_one_back(gateway: &Gateway, returned: &ReturnedPayout) -> Result<(), Refusal> {
    loop {
        let stored = gateway.store.payout_by_id(returned.payout).await?;
        let payout = stored
            .ok_or_else(|| Refusal::because(Code::Internal, "nobody knows the returned payout"))?;
        if payout.state == PayoutState::Returned {
            return Ok(());
        }
        let reason = Some(returned.reason.clone());
        // Otherwise somebody else has moved it in between: once more, from where it is now.
        if keep(gateway, &payout, PayoutState::Returned, reason).await? {
            return Ok(());
        }
    }
}

/// Writes down what became of a payout; says whether that was news.
async fn keep(
    gateway: &Gateway,
    payout: &Payout,
    state: PayoutState,
    failure: Option<String>,
) -> Result<bool, Refusal> {
    if !payout.state.may_become(state) {
        let reason = format!("{} may not become {}", payout.state.name(), state.name());
        return Err(Refusal::because(Code::Internal, reason));
    }
    let mut after = payout.clone();
    after.state = state;
    after.failure = failure;
    after.updated_at_ms = gateway.clock.now_ms_i64();
    let record = PayoutRecord::of(&after);
    let event = EventId::new(gateway.clock.now_ms(), gateway.entropy.bytes());
    // The first event of a payout that never was paid is that it came back.
    let sequence = if payout.state == PayoutState::Paid {
        2
    } else {
        1
    };
    let event = settlement_view::payout_moved(event, sequence, &after, record)
        .map_err(|error| Refusal::because(Code::Internal, error))?;
    let booking = (state == PayoutState::Returned)
        .then(|| booking::of_payout_return(gateway.naming(), &after));
    let changed = gateway
        .store
        .change_payout(payout, &after, &event, booking.as_ref())
        .await?;
    if changed {
        tracing::info!(payout = %payout.id, state = state.name(), failure = after.failure,
            "a payout has moved");
    }
    Ok(changed)
}

/// Pays out again and again, until dropped.
pub async fn run(gateway: &Gateway, every: Duration) {
    loop {
        if let Err(refusal) = pay_out(gateway).await {
            tracing::error!(
                ?refusal,
                "payouts could not be looked at and will be tried again"
            );
        }
        tokio::time::sleep(every).await;
    }
}
