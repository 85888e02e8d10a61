//! A simulated bank that sends merchants their money, and merchants' banks that can be told to send
//! it back.

use super::SimulatedBank;
use super::control::ControlError;
use super::fault::{DropMode, PAYOUTS, Request};
use super::world::{World, never, silent};
use sealpay_protocol::iban;
use sealpay_protocol::ids::{MerchantId, PayoutId};
use sealpay_protocol::money::Money;
use sealpay_provider::payout::{PayoutRequest, ReturnedPayout};
use sealpay_provider::{PayoutProvider, ProviderDecision, ProviderError, ProviderFuture};
use sealpay_storage::{DatabaseError, Fault, Row, Tx, Value, values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Maximum number of payouts that are shown at once.
const SHOWN: u32 = 200;

macro_rules! columns {
    () => {
        "id, merchant, account, amount_minor, currency, state, reason, created_at_ms, \
         returned_at_ms"
    };
}

/// The first order stands.
const PAY: &str = "INSERT INTO bank_payouts
    (id, merchant, account, amount_minor, currency, state, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, 'paid', $6) ON CONFLICT (id) DO NOTHING";

const ONE: &str = concat!("SELECT ", columns!(), " FROM bank_payouts WHERE id = $1");

const NEWEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM bank_payouts ORDER BY id DESC LIMIT $1"
);

const RETURN: &str = "UPDATE bank_payouts SET state = 'returned', reason = $2, returned_at_ms = $3
    WHERE id = $1 AND state = 'paid'";

const RETURNED: &str = "SELECT id, reason FROM bank_payouts
    WHERE state = 'returned' AND returned_at_ms <= $1 ORDER BY returned_at_ms, id LIMIT $2";

const ACKNOWLEDGE: &str = "UPDATE bank_payouts SET state = 'acknowledged'
    WHERE id = $1 AND state = 'returned'";

/// Why a merchant's bank sends a payout back.
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

/// Where a payout stands at the bank.
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

/// A payout as the bank knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPayout {
    /// The payout.
    pub id: PayoutId,
    /// Who was paid.
    pub merchant: MerchantId,
    /// Their account (ISO 13616).
    pub account: String,
    /// How much.
    pub money: Money,
    /// Where it stands.
    pub state: BankPayoutState,
    /// Why it came back, if it did.
    pub reason: Option<String>,
    /// When it was sent, milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it came back, milliseconds since 1970.
    pub returned_at_ms: Option<i64>,
}

fn payout(mut row: Row) -> Result<BankPayout, DatabaseError> {
    Ok(BankPayout {
        id: row.parsed()?,
        merchant: row.parsed()?,
        account: row.text()?,
        money: Money::new(row.integer()?, row.parsed()?),
        state: row.read(BankPayoutState::from_name)?,
        reason: row.optional_text()?,
        created_at_ms: row.integer()?,
        returned_at_ms: row.optional_integer()?,
    })
}

/// The bank that pays merchants.
#[derive(Debug, Clone)]
pub struct SimulatedPayouts {
    world: Arc<World>,
}

/// What is entered, and what it is read by afterwards.
struct Order {
    entry: [Value; 6],
    key: [Value; 1],
}

/// Enters a payout; gives the one that stands, and whether it stood before.
async fn enter(tx: &mut Tx<'_>, order: &Order) -> Result<(BankPayout, bool), Fault> {
    let is_new = tx.execute(PAY, &order.entry).await? > 0;
    let row = tx.optional(ONE, &order.key).await?;
    let row = row.ok_or_else(|| Fault::Retry("a payout was there and is gone".into()))?;
    Ok((payout(row)?, !is_new))
}

impl SimulatedPayouts {
    pub(super) const fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    async fn send(&self, request: PayoutRequest) -> Result<ProviderDecision, ProviderError> {
        let world = &self.world;
        let struck = world.struck(Request::Payout, Some(PAYOUTS), request.payout);
        let struck = struck.await?;
        world.wait(&struck).await;
        world.arrive(&struck, request.payout).await?;
        let refused = |key: &str| Ok(ProviderDecision::Declined(key.into()));
        if iban::parse(&request.account).is_err() {
            return refused("invalid_number");
        }
        if request.money.amount_minor() <= 0 {
            return refused("invalid_amount");
        }
        let order = Order {
            entry: values![
                request.payout,
                request.merchant,
                &request.account,
                request.money.amount_minor(),
                request.money.currency().code().to_owned(),
                world.clock.now_ms_i64(),
            ],
            key: values![request.payout],
        };
        let entered = world
            .database
            .write(order, |tx, order| Box::pin(enter(tx, order)));
        let (stands, is_repeated) = entered.await.map_err(silent)?;
        match struck.response_lost {
            DropMode::Each => return never().await,
            DropMode::Once if !is_repeated => return never().await,
            DropMode::Once | DropMode::None => {}
        }
        if (stands.merchant, stands.money) == (request.merchant, request.money) {
            Ok(ProviderDecision::Approved)
        } else {
            refused("duplicate_transaction")
        }
    }
}

impl PayoutProvider for SimulatedPayouts {
    fn default_account(&self, merchant: MerchantId) -> Option<String> {
        let merchant = merchant.to_string();
        Some(self.world.iban("payout account", merchant.as_bytes()))
    }

    fn pay(&self, request: PayoutRequest) -> ProviderFuture<'_, ProviderDecision> {
        Box::pin(self.send(request))
    }

    fn returned(&self, by_ms: i64, limit: u32) -> ProviderFuture<'_, Vec<ReturnedPayout>> {
        Box::pin(async move {
            let rows = self.world.database.rows(RETURNED, values![by_ms, limit]);
            let rows = rows.await.map_err(silent)?.into_iter();
            let returned = |mut row: Row| {
                Ok(ReturnedPayout {
                    payout: row.parsed()?,
                    reason: row.text()?,
                })
            };
            rows.map(returned).collect::<Result<_, _>>().map_err(silent)
        })
    }

    fn acknowledge_return(&self, payout: PayoutId) -> ProviderFuture<'_, ()> {
        Box::pin(async move {
            let done = self.world.database.execute(ACKNOWLEDGE, values![payout]);
            done.await.map(drop).map_err(silent)
        })
    }
}

impl SimulatedBank {
    /// The newest payouts, newest first.
    pub async fn sent_payouts(&self, limit: u32) -> Result<Vec<BankPayout>, ProviderError> {
        let rows = self
            .world
            .database
            .rows(NEWEST, values![limit.min(SHOWN)])
            .await;
        let rows = rows.map_err(silent)?.into_iter();
        rows.map(payout).collect::<Result<_, _>>().map_err(silent)
    }

    /// A payout.
    ///
    /// # Errors
    /// There is none, or the book did not do its work.
    pub async fn sent_payout(&self, id: PayoutId) -> Result<BankPayout, ControlError> {
        let row = self.world.database.row(ONE, values![id]).await;
        let row = row.map_err(silent)?.ok_or(ControlError::NotFound)?;
        Ok(payout(row).map_err(silent)?)
    }

    /// The merchant's bank sends a payout back. One that came back stays as it is, with the first
    /// reason.
    ///
    /// # Errors
    /// There is none, or the book did not do its work.
    pub async fn return_payout(
        &self,
        id: PayoutId,
        reason: ReturnReason,
    ) -> Result<BankPayout, ControlError> {
        let now_ms = self.world.clock.now_ms_i64();
        let back = values![id, reason.name(), now_ms];
        let returned = self.world.database.execute(RETURN, back).await;
        returned.map_err(silent)?;
        self.sent_payout(id).await
    }
}

#[cfg(test)]
mod tests;
