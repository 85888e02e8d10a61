//! Faults that a tester requests, for the next few requests or for a share of them.
//!
//! They are in a table, so that two servers on one database apply them together, and in memory, so
//! that they cost nothing where there are none.

use super::journal::Journal;
use sealpay_provider::ProviderError;
use sealpay_storage::{ByName, Entity, Projection, entity, sql, values};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock};
use utoipa::ToSchema;

/// The issuing banks, all of them.
pub(crate) const ISSUER: &str = "issuer";
/// Every acquirer and every issuer.
pub(crate) const ANY: &str = "any";
/// The bank that pays merchants.
pub(crate) const PAYOUTS: &str = "payouts";

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It takes a while, drawn evenly between two bounds.
    Latency,
    /// The request is lost on the way: nothing is booked and nothing answered.
    RequestLost,
    /// The request is booked and its answer lost.
    ResponseLost,
    /// The acquirer cannot be reached: nothing was sent, and another may be asked.
    AcquirerDown,
    /// The issuer cannot be reached: declined `issuer_unavailable`.
    IssuerDown,
}

sealpay_protocol::names! {
    FaultKind {
        Latency = "latency",
        RequestLost = "request_lost",
        ResponseLost = "response_lost",
        AcquirerDown = "acquirer_down",
        IssuerDown = "issuer_down",
    }
}

sealpay_protocol::read_by_name!(FaultKind);

impl FaultKind {
    /// Inquiries are never lost: one must be answered at last.
    const fn applies_to(self, request: RequestKind) -> bool {
        match self {
            Self::Latency | Self::AcquirerDown => true,
            Self::RequestLost | Self::ResponseLost => !matches!(request, RequestKind::Inquiry),
            Self::IssuerDown => request.reaches_issuer(),
        }
    }
}

/// A fault that a tester has added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The id.
    pub id: String,
    /// What it applies to: the name of an acquirer, `simulated_wallet`, `simulated_transfer`,
    /// `simulated_debit`, `payouts`, `issuer` or `any`.
    pub target: String,
    /// The kind of fault.
    pub kind: FaultKind,
    /// The shortest latency, milliseconds; zero for other kinds.
    pub min_ms: u32,
    /// The longest latency, milliseconds; zero for other kinds.
    pub max_ms: u32,
    /// How many more requests it applies to, if it was added for the next few.
    pub remaining: Option<u32>,
    /// The share of payments, modifications and payouts that it applies to, thousandths,
    /// if it was added for a share.
    pub share_per_mille: Option<u32>,
    /// The seed that selects them: the same seed selects the same references.
    pub seed: Option<u32>,
    /// When it was added, milliseconds since 1970.
    pub created_at_ms: i64,
    /// What it was last applied to, if it was added for the next few requests: a payment, a
    /// modification, or a payout.
    #[serde(default)]
    pub last_struck: Option<String>,
}

/// What is requested of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// An authorization.
    Authorization,
    /// A capture, a void or an expiry.
    Completion,
    /// A refund.
    Refund,
    /// A payout to a merchant.
    Payout,
    /// An inquiry about a payment.
    Inquiry,
}

impl RequestKind {
    const fn reaches_issuer(self) -> bool {
        matches!(self, Self::Authorization | Self::Refund)
    }
}

/// Whether a message is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DropMode {
    /// It arrives.
    #[default]
    Never,
    /// It is lost the first time, because it belongs to the share of messages that are.
    First,
    /// It is lost whenever it is sent, and counted.
    Every,
}

/// The faults that apply to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AppliedFault {
    /// Bounds of each latency, milliseconds. Several add up.
    pub(crate) latencies_ms: Vec<(u32, u32)>,
    pub(crate) lost: DropMode,
    pub(crate) response_lost: DropMode,
    pub(crate) acquirer_down: bool,
    pub(crate) issuer_down: bool,
}

/// A connection on which no response ever arrives.
pub(crate) async fn pending_forever<T>() -> T {
    std::future::pending().await
}

impl AppliedFault {
    fn add(&mut self, fault: &Fault) {
        let drop = match fault.remaining {
            Some(_) => DropMode::Every,
            None => DropMode::First,
        };
        match fault.kind {
            FaultKind::Latency => self.latencies_ms.push((fault.min_ms, fault.max_ms)),
            FaultKind::RequestLost => self.lost = self.lost.max(drop),
            FaultKind::ResponseLost => self.response_lost = self.response_lost.max(drop),
            FaultKind::AcquirerDown => self.acquirer_down = true,
            FaultKind::IssuerDown => self.issuer_down = true,
        }
    }

    /// Sends the response. Never ends for one that is lost on its way.
    pub(crate) async fn send_response(&self, is_repeated: bool) {
        match self.response_lost {
            DropMode::Every => pending_forever().await,
            DropMode::First if !is_repeated => pending_forever().await,
            DropMode::First | DropMode::Never => {}
        }
    }
}

impl Fault {
    /// Whether it can apply to a request to a provider, or to none.
    fn matches(&self, request: RequestKind, provider: Option<&str>) -> bool {
        let target = self.target.as_str();
        let issuer = target == ISSUER && request.reaches_issuer();
        // Payouts are sent on a schedule: they use up nothing of the faults for payments.
        let any = target == ANY && request != RequestKind::Payout;
        let reached = match self.kind {
            FaultKind::AcquirerDown => provider.is_some_and(|name| target == name || any),
            _ => issuer || any || Some(target) == provider,
        };
        reached && self.kind.applies_to(request)
    }

    /// Whether a reference belongs to the share of a fault that has one.
    fn selects(&self, reference: impl Display) -> bool {
        let (Some(share), Some(seed)) = (self.share_per_mille, self.seed) else {
            return false;
        };
        let mut hash = Sha256::new();
        hash.update(b"sealpay fault");
        hash.update(seed.to_be_bytes());
        hash.update(reference.to_string());
        let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
        u32::from_be_bytes([a, b, c, d]) % 1000 < share
    }
}

entity! {
    Fault in "bank_faults" {
        id,
        target,
        kind as ByName,
        min_ms,
        max_ms,
        remaining,
        share_per_mille,
        seed,
        created_at_ms,
        last_struck,
    }
}

const IN_FORCE: &str = sql!(
    Fault::SELECT,
    "WHERE remaining IS NULL OR remaining > 0 ORDER BY created_at_ms, id"
);

const SPENT: &str = sql!(
    Fault::SELECT,
    "WHERE remaining = 0 ORDER BY created_at_ms DESC, id LIMIT 10"
);

/// How long a spent fault is listed, milliseconds.
const RETENTION_MS: i64 = 60 * 60 * 1000;

const PURGE: &str = "DELETE FROM bank_faults WHERE remaining = 0 AND created_at_ms < $1";

/// Two servers that consume one fault apply it exactly as often as was requested.
const CONSUME: &str = "UPDATE bank_faults SET remaining = remaining - 1, last_struck = $2
    WHERE id = $1 AND remaining > 0";

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(RwLock<Arc<[Fault]>>);

impl Faults {
    fn current(&self) -> Arc<[Fault]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, faults: Vec<Fault>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = faults.into();
    }

    /// Reads them from the table, which another server may have changed.
    pub(crate) async fn refresh(&self, journal: &Journal) -> Result<Vec<Fault>, ProviderError> {
        let faults: Vec<Fault> = journal.list(IN_FORCE, []).await?;
        self.set(faults.clone());
        Ok(faults)
    }

    /// Those that have applied as often as was requested, the newest first.
    pub(crate) async fn spent(journal: &Journal) -> Result<Vec<Fault>, ProviderError> {
        journal.list(SPENT, []).await
    }

    pub(crate) async fn add(&self, journal: &Journal, fault: &Fault) -> Result<(), ProviderError> {
        let spent_before = fault.created_at_ms - RETENTION_MS;
        journal.change(PURGE, values![spent_before]).await?;
        journal.add(Fault::INSERT, fault).await?;
        self.refresh(journal).await.map(drop)
    }

    /// Says whether there was one with this id.
    pub(crate) async fn remove(&self, journal: &Journal, id: &str) -> Result<bool, ProviderError> {
        let delete = "DELETE FROM bank_faults WHERE id = $1";
        let removed = journal.change(delete, values![id.to_owned()]).await?;
        self.refresh(journal).await?;
        Ok(removed)
    }

    pub(crate) async fn remove_all(&self, journal: &Journal) -> Result<(), ProviderError> {
        journal.change("DELETE FROM bank_faults", []).await?;
        self.set(Vec::new());
        Ok(())
    }

    /// The faults that apply to a request. Reads no table unless one of them counts requests.
    pub(crate) async fn apply(
        &self,
        journal: &Journal,
        request: RequestKind,
        provider: Option<&str>,
        reference: impl Display + Copy,
    ) -> Result<AppliedFault, ProviderError> {
        let mut applied = AppliedFault::default();
        for fault in self.current().iter() {
            if !fault.matches(request, provider) {
                continue;
            }
            let applies = if fault.remaining.is_some() {
                self.consume(journal, &fault.id, reference).await?
            } else {
                fault.selects(reference)
            };
            if applies {
                applied.add(fault);
            }
        }
        Ok(applied)
    }

    async fn consume(
        &self,
        journal: &Journal,
        id: &str,
        reference: impl Display,
    ) -> Result<bool, ProviderError> {
        let values = values![id.to_owned(), reference.to_string()];
        let is_consumed = journal.change(CONSUME, values).await?;
        if !is_consumed {
            let faults = self.current();
            let others = faults.iter().filter(|fault| fault.id != id);
            self.set(others.cloned().collect());
        }
        Ok(is_consumed)
    }
}

#[cfg(test)]
mod tests;
