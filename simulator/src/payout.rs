//! Simulated payouts to merchants, which a tester can have returned.

use super::SimulatedBank;
use super::control::ControlError;
use super::fault::{PAYOUTS, RequestKind};
use super::simulation::Simulation;
use sealpay_protocol::iban;
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_protocol::money::Money;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{PayoutProvider, ProviderDecision, ProviderError, ProviderFuture};
use sealpay_storage::{ByName, Entity, Fault, Projection, Tx, entity, sql, values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Maximum number of payouts that are listed at once.
const LISTED: u32 = 200;

entity! {
    BankPayout in "bank_payouts" {
        id,
        merchant,
        account,
        money: (amount_minor, currency),
        state as ByName,
        reason,
        created_at_ms,
        returned_at_ms,
    }
}

/// The first request stands.
const PAY: &str = sql!(BankPayout::INSERT, "ON CONFLICT (id) DO NOTHING");

const BY_ID: &str = sql!(BankPayout::SELECT, "WHERE id = $1");

const NEWEST: &str = sql!(BankPayout::SELECT, "ORDER BY id DESC LIMIT $1");

const RETURN: &str = "UPDATE bank_payouts SET state = 'returned', reason = $2, returned_at_ms = $3
    WHERE id = $1 AND state = 'paid'";

const RETURNED: &str = "SELECT id, reason FROM bank_payouts
    WHERE state = 'returned' AND returned_at_ms <= $1 ORDER BY returned_at_ms, id LIMIT $2";

const ACKNOWLEDGE: &str = "UPDATE bank_payouts SET state = 'acknowledged'
    WHERE id = $1 AND state = 'returned'";

/// Why a merchant's bank returns a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// The account is closed (ISO 20022 `AC04`).
    AccountClosed,
    /// The account takes no money (`AC06`).
    AccountBlocked,
    /// There is no such account (`AC01`).
    AccountUnknown,
    /// The bank says nothing (`MS03`).
    NotSpecified,
}

sealpay_protocol::names! {
    ReturnReason {
        AccountClosed = "account_closed",
        AccountBlocked = "account_blocked",
        AccountUnknown = "account_unknown",
        NotSpecified = "not_specified",
    }
}

sealpay_protocol::read_by_name!(ReturnReason);

/// The state of a payout at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BankPayoutState {
    /// It was sent.
    Paid,
    /// It came back, and nobody has dealt with that yet.
    Returned,
    /// It came back, and that was dealt with.
    Acknowledged,
}

sealpay_protocol::names! {
    BankPayoutState {
        Paid = "paid",
        Returned = "returned",
        Acknowledged = "acknowledged",
    }
}

/// A payout at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPayout {
    /// The payout.
    pub id: PayoutId,
    /// The recipient.
    pub merchant: MerchantId,
    /// The recipient's account (ISO 13616).
    pub account: String,
    /// The amount.
    pub money: Money,
    /// The state.
    pub state: BankPayoutState,
    /// Why it was returned.
    pub reason: Option<String>,
    /// When it was sent, milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was returned, milliseconds since 1970.
    pub returned_at_ms: Option<i64>,
}

/// The bank that sends payouts.
#[derive(Debug, Clone)]
pub struct SimulatedPayouts {
    simulation: Arc<Simulation>,
}

/// Records a payout; gives the stored one, and whether it is new.
async fn record(tx: &mut Tx<'_>, payout: &BankPayout) -> Result<(BankPayout, bool), Fault> {
    let is_new = tx.execute(PAY, &payout.to_row()?).await? > 0;
    let stored = tx.get(BY_ID, &values![payout.id]).await?;
    let stored = stored.ok_or_else(|| Fault::Retry("a payout is gone".into()))?;
    Ok((stored, is_new))
}

impl SimulatedPayouts {
    pub(crate) const fn new(simulation: Arc<Simulation>) -> Self {
        Self { simulation }
    }

    async fn send(&self, request: PayoutRequest) -> Result<ProviderDecision, ProviderError> {
        let simulation = &self.simulation;
        let applied = simulation.receive(RequestKind::Payout, PAYOUTS, request.payout);
        let applied = applied.await?;
        let declined = |key: &str| Ok(ProviderDecision::declined(key));
        if iban::parse(&request.account).is_err() {
            return declined("invalid_number");
        }
        if request.money.amount_minor() <= 0 {
            return declined("invalid_amount");
        }
        let payout = BankPayout {
            id: request.payout,
            merchant: request.merchant,
            account: request.account,
            money: request.money,
            state: BankPayoutState::Paid,
            reason: None,
            created_at_ms: simulation.clock.now_ms_i64(),
            returned_at_ms: None,
        };
        let journal = &simulation.journal;
        let recorded = journal.write(payout, |tx, payout| Box::pin(record(tx, payout)));
        let (stored, is_new) = recorded.await?;
        applied.send_response(!is_new).await;
        if (stored.merchant, stored.money) == (request.merchant, request.money) {
            Ok(ProviderDecision::approved())
        } else {
            declined("duplicate_transaction")
        }
    }
}

impl PayoutProvider for SimulatedPayouts {
    fn default_account(&self, merchant: MerchantId) -> Option<String> {
        let merchant = merchant.to_string();
        let simulation = &self.simulation;
        Some(simulation.iban("payout account", merchant.as_bytes()))
    }

    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.send(request))
    }

    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        Box::pin(async move {
            let returned = self
                .simulation
                .journal
                .list(RETURNED, values![by_ms, limit]);
            let returned = returned.await?.into_iter();
            Ok(returned
                .map(|(payout, reason)| ReturnedPayout { payout, reason })
                .collect())
        })
    }

    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()> {
        Box::pin(async move {
            let acknowledged = self.simulation.journal.change(ACKNOWLEDGE, values![payout]);
            acknowledged.await.map(drop)
        })
    }
}

impl SimulatedBank {
    /// The newest payouts, newest first.
    pub async fn sent_payouts(&self, limit: u32) -> Result<Vec<BankPayout>, ProviderError> {
        let limit = values![limit.min(LISTED)];
        self.simulation.journal.list(NEWEST, limit).await
    }

    /// A payout.
    ///
    /// # Errors
    /// There is none, or the journal failed.
    pub async fn sent_payout(&self, id: PayoutId) -> Result<BankPayout, ControlError> {
        let found = self.simulation.journal.get(BY_ID, values![id]).await?;
        found.ok_or(ControlError::NotFound)
    }

    /// Returns a payout, as the merchant's bank would. One that is returned already stays as it is,
    /// with the first reason.
    ///
    /// # Errors
    /// There is none, or the journal failed.
    pub async fn return_payout(
        &self,
        id: PayoutId,
        reason: ReturnReason,
    ) -> Result<BankPayout, ControlError> {
        let now_ms = self.simulation.clock.now_ms_i64();
        let returned = values![id, reason.name(), now_ms];
        self.simulation.journal.change(RETURN, returned).await?;
        self.sent_payout(id).await
    }
}

#[cfg(test)]
mod tests;
