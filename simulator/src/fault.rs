//! Faults on purpose: what a tester ordered to go wrong, for the next few requests or for a share
//! of them.
//!
//! They stand in a table, so that two servers on one database misbehave together, and in memory,
//! so that nobody who ordered none pays for them.

use sealpay_storage::{Database, DatabaseError, Row, values};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock};
use utoipa::ToSchema;

/// The issuing banks, all of them.
pub(super) const ISSUER: &str = "issuer";
/// Every acquirer and every issuer.
pub(super) const ANY: &str = "any";
/// The bank that pays merchants.
pub(super) const PAYOUTS: &str = "payouts";

/// What goes wrong.
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
    /// No message is lost that only asks what became of something: that has to get an answer some
    /// day.
    const fn strikes(self, request: Request) -> bool {
        match self {
            Self::Latency | Self::AcquirerDown => true,
            Self::RequestLost | Self::ResponseLost => !matches!(request, Request::Inquiry),
            Self::IssuerDown => request.reaches_issuer(),
        }
    }
}

/// A fault that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Its name.
    pub id: String,
    /// Whose fault it is: the name of an acquirer, `simulated_wallet`, `simulated_transfer`,
    /// `payouts`, `issuer` or `any`.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The shortest latency, milliseconds; zero for other kinds.
    pub min_ms: u32,
    /// The longest latency, milliseconds; zero for other kinds.
    pub max_ms: u32,
    /// How many requests it will still strike, where it was ordered for the next few.
    pub remaining: Option<u32>,
    /// Which share of payments, of what is done to them and of payouts it strikes, thousandths,
    /// where it was ordered for a share.
    pub share_per_mille: Option<u32>,
    /// What chooses them: the same seed strikes the same references.
    pub seed: Option<u32>,
    /// When it was ordered, milliseconds since 1970.
    pub created_at_ms: i64,
    /// What it has struck last, where it was ordered for the next few requests: a payment, what is
    /// done to one, or a payout.
    #[serde(default)]
    pub last_struck: Option<String>,
}

/// What somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// For money.
    Authorization,
    /// To take held money, or to let it go.
    Completion,
    /// To give money back.
    Refund,
    /// To send a merchant money.
    Payout,
    /// What became of a payment.
    Inquiry,
}

impl Request {
    const fn reaches_issuer(self) -> bool {
        matches!(self, Self::Authorization | Self::Refund)
    }
}

/// Whether a message is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DropMode {
    /// It is not.
    #[default]
    None,
    /// It belongs to a share of all that is lost: the same one is not lost again.
    Once,
    /// It is, and counted.
    Each,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AppliedFault {
    /// Bounds of a latency, milliseconds. Several add up.
    pub(super) latencies_ms: Vec<(u32, u32)>,
    pub(super) lost: DropMode,
    pub(super) response_lost: DropMode,
    pub(super) acquirer_down: bool,
    pub(super) issuer_down: bool,
}

impl AppliedFault {
    fn by(&mut self, fault: &Fault) {
        let loss = match fault.remaining {
            Some(_) => DropMode::Each,
            None => DropMode::Once,
        };
        match fault.kind {
            FaultKind::Latency => self.latencies_ms.push((fault.min_ms, fault.max_ms)),
            FaultKind::RequestLost => self.lost = self.lost.max(loss),
            FaultKind::ResponseLost => self.response_lost = self.response_lost.max(loss),
            FaultKind::AcquirerDown => self.acquirer_down = true,
            FaultKind::IssuerDown => self.issuer_down = true,
        }
    }
}

impl Fault {
    /// Whether it could strike a request to a provider, or to none.
    fn concerns(&self, request: Request, provider: Option<&str>) -> bool {
        let target = self.target.as_str();
        let issuer = target == ISSUER && request.reaches_issuer();
        // Payouts come unasked: they take nothing of what was ordered for payments.
        let any = target == ANY && request != Request::Payout;
        let reached = match self.kind {
            FaultKind::AcquirerDown => provider.is_some_and(|name| target == name || any),
            _ => issuer || any || Some(target) == provider,
        };
        reached && self.kind.strikes(request)
    }

    /// Whether it strikes a reference, for one that was ordered for a share.
    fn chooses(&self, reference: impl Display) -> bool {
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

macro_rules! columns {
    () => {
        "SELECT id, target, kind, min_ms, max_ms, remaining, share_per_mille, seed, created_at_ms, \
         last_struck FROM bank_faults WHERE "
    };
}

const IN_FORCE: &str = concat!(
    columns!(),
    "remaining IS NULL OR remaining > 0 ORDER BY created_at_ms, id"
);

/// Those that have struck as often as was ordered, the newest first.
const SPENT: &str = concat!(
    columns!(),
    "remaining = 0 ORDER BY created_at_ms DESC, id LIMIT 10"
);

const ADD: &str = "INSERT INTO bank_faults
    (id, target, kind, min_ms, max_ms, remaining, share_per_mille, seed, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// How long it is remembered what a spent fault has struck, milliseconds.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

const FORGET: &str = "DELETE FROM bank_faults WHERE remaining = 0 AND created_at_ms < $1";

/// Two servers that consume one fault strike exactly as often as was ordered.
const CONSUME: &str = "UPDATE bank_faults SET remaining = remaining - 1, last_struck = $2
    WHERE id = $1 AND remaining > 0";

fn fault(mut row: Row) -> Result<Fault, DatabaseError> {
    let narrow = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    Ok(Fault {
        id: row.text()?,
        target: row.text()?,
        kind: row.read(FaultKind::from_name)?,
        min_ms: row.number()?,
        max_ms: row.number()?,
        remaining: narrow(row.optional_integer()?),
        share_per_mille: narrow(row.optional_integer()?),
        seed: narrow(row.optional_integer()?),
        created_at_ms: row.integer()?,
        last_struck: row.optional_text()?,
    })
}

async fn read(database: &Database, statement: &'static str) -> Result<Vec<Fault>, DatabaseError> {
    let rows = database.rows(statement, []).await?;
    rows.into_iter().map(fault).collect()
}

/// The faults that are in force.
#[derive(Debug, Default)]
pub(super) struct Faults(RwLock<Arc<[Fault]>>);

impl Faults {
    fn current(&self) -> Arc<[Fault]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, faults: Vec<Fault>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = faults.into();
    }

    /// Reads them from the table, which another server may have written.
    pub(super) async fn refresh(&self, database: &Database) -> Result<Vec<Fault>, DatabaseError> {
        let faults = read(database, IN_FORCE).await?;
        self.keep(faults.clone());
        Ok(faults)
    }

    /// Those that have struck as often as was ordered, and what they struck last.
    pub(super) async fn spent(database: &Database) -> Result<Vec<Fault>, DatabaseError> {
        read(database, SPENT).await
    }

    pub(super) async fn add(
        &self,
        database: &Database,
        fault: &Fault,
    ) -> Result<(), DatabaseError> {
        let values = values![
            &fault.id,
            &fault.target,
            fault.kind.name(),
            fault.min_ms,
            fault.max_ms,
            fault.remaining,
            fault.share_per_mille,
            fault.seed,
            fault.created_at_ms,
        ];
        database
            .execute(FORGET, values![fault.created_at_ms - REMEMBERED_MS])
            .await?;
        database.execute(ADD, values).await?;
        self.refresh(database).await.map(drop)
    }

    /// Says whether there was one of that name.
    pub(super) async fn remove(
        &self,
        database: &Database,
        id: &str,
    ) -> Result<bool, DatabaseError> {
        let id = values![id.to_owned()];
        let removed = database
            .change("DELETE FROM bank_faults WHERE id = $1", id)
            .await?;
        self.refresh(database).await?;
        Ok(removed)
    }

    /// Says whether there were any.
    pub(super) async fn remove_all(&self, database: &Database) -> Result<bool, DatabaseError> {
        let removed = database.change("DELETE FROM bank_faults", []).await?;
        self.keep(Vec::new());
        Ok(removed)
    }

    /// What goes wrong with a request. No table is asked while no fault concerns it.
    pub(super) async fn strike(
        &self,
        database: &Database,
        request: Request,
        provider: Option<&str>,
        reference: impl Display + Copy,
    ) -> Result<AppliedFault, DatabaseError> {
        let mut struck = AppliedFault::default();
        let faults = self.current();
        for fault in faults
            .iter()
            .filter(|fault| fault.concerns(request, provider))
        {
            let strikes = if fault.remaining.is_some() {
                self.consume(database, &fault.id, reference).await?
            } else {
                fault.chooses(reference)
            };
            if strikes {
                struck.by(fault);
            }
        }
        Ok(struck)
    }

    async fn consume(
        &self,
        database: &Database,
        id: &str,
        reference: impl Display,
    ) -> Result<bool, DatabaseError> {
        let struck = values![id.to_owned(), reference.to_string()];
        let consumed = database.change(CONSUME, struck).await?;
        if !consumed {
            let others = self.current();
            let others = others.iter().filter(|fault| fault.id != id);
            self.keep(others.cloned().collect());
        }
        Ok(consumed)
    }
}

#[cfg(test)]
mod tests;
