//! Faults on purpose: what a tester ordered to go wrong, for the next few requests or for a share
//! of them.
//!
//! They stand in a table, so that two servers on one database misbehave together, and in memory,
//! so that nobody who ordered none pays for them.

use crate::database::{Database, DatabaseError, Row, values};
use sealpay_protocol::ids::PaymentId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use utoipa::ToSchema;

/// The issuing banks, all of them.
pub(super) const ISSUER: &str = "issuer";
/// Every acquirer and every issuer.
pub(super) const ANY: &str = "any";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It takes a while, drawn evenly between two bounds.
    Latency,
    /// The request is lost on the way: nothing is booked and nothing answered.
    NoAnswer,
    /// The request is booked and its answer lost.
    AnswerLost,
    /// The acquirer cannot be reached: nothing was sent, and another may be asked.
    AcquirerDown,
    /// The issuer cannot be reached: declined `issuer_unavailable`.
    IssuerDown,
}

impl FaultKind {
    const ALL: [Self; 5] = [
        Self::Latency,
        Self::NoAnswer,
        Self::AnswerLost,
        Self::AcquirerDown,
        Self::IssuerDown,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::NoAnswer => "no_answer",
            Self::AnswerLost => "answer_lost",
            Self::AcquirerDown => "acquirer_down",
            Self::IssuerDown => "issuer_down",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Lost messages are a matter of authorizations: whoever asks later what became of one has to
    /// get an answer some day.
    const fn strikes(self, request: Request) -> bool {
        match self {
            Self::Latency | Self::AcquirerDown => true,
            Self::NoAnswer | Self::AnswerLost | Self::IssuerDown => {
                matches!(request, Request::Authorization)
            }
        }
    }
}

/// A fault that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Its name.
    pub id: String,
    /// Whose fault it is: the name of an acquirer, `issuer` or `any`.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The shortest latency, milliseconds; zero for other kinds.
    pub min_ms: u32,
    /// The longest latency, milliseconds; zero for other kinds.
    pub max_ms: u32,
    /// How many requests it will still strike, where it was ordered for the next few.
    pub remaining: Option<u32>,
    /// Which share of payments it strikes, thousandths, where it was ordered for a share.
    pub share_per_mille: Option<u32>,
    /// What chooses them: the same seed strikes the same references.
    pub seed: Option<u32>,
    /// When it was ordered, milliseconds since 1970.
    pub created_at_ms: i64,
}

/// What somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// For money.
    Authorization,
    /// About a payment that is known: what became of it, to take it, to let it go.
    FollowUp,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Struck {
    /// Bounds of a latency, milliseconds. Several add up.
    pub(super) latencies_ms: Vec<(u32, u32)>,
    pub(super) lost: bool,
    pub(super) answer_lost: bool,
    pub(super) acquirer_down: bool,
    pub(super) issuer_down: bool,
}

impl Struck {
    fn by(&mut self, fault: &Fault) {
        match fault.kind {
            FaultKind::Latency => self.latencies_ms.push((fault.min_ms, fault.max_ms)),
            FaultKind::NoAnswer => self.lost = true,
            FaultKind::AnswerLost => self.answer_lost = true,
            FaultKind::AcquirerDown => self.acquirer_down = true,
            FaultKind::IssuerDown => self.issuer_down = true,
        }
    }
}

impl Fault {
    /// Whether it could strike a request to an acquirer, or to none.
    fn concerns(&self, request: Request, acquirer: Option<&str>) -> bool {
        let target = self.target.as_str();
        let issuer = target == ISSUER && request == Request::Authorization;
        let reached = match self.kind {
            FaultKind::AcquirerDown => acquirer.is_some_and(|name| target == name || target == ANY),
            _ => issuer || target == ANY || Some(target) == acquirer,
        };
        reached && self.kind.strikes(request)
    }

    /// Whether it strikes a reference, for one that was ordered for a share.
    fn chooses(&self, reference: PaymentId) -> bool {
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

const COLUMNS: &str = "SELECT id, target, kind, min_ms, max_ms, remaining, share_per_mille, seed,
    created_at_ms FROM bank_faults WHERE remaining IS NULL OR remaining > 0
    ORDER BY created_at_ms, id";

const ADD: &str = "INSERT INTO bank_faults
    (id, target, kind, min_ms, max_ms, remaining, share_per_mille, seed, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Two servers that consume one fault strike exactly as often as was ordered.
const CONSUME: &str =
    "UPDATE bank_faults SET remaining = remaining - 1 WHERE id = $1 AND remaining > 0";

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
    })
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
        let rows = database.rows(COLUMNS, []).await?;
        let faults = rows.into_iter().map(fault).collect::<Result<Vec<_>, _>>()?;
        self.keep(faults.clone());
        Ok(faults)
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
            .execute("DELETE FROM bank_faults WHERE remaining = 0", [])
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
        acquirer: Option<&str>,
        reference: PaymentId,
    ) -> Result<Struck, DatabaseError> {
        let mut struck = Struck::default();
        let faults = self.current();
        for fault in faults
            .iter()
            .filter(|fault| fault.concerns(request, acquirer))
        {
            let strikes = if fault.remaining.is_some() {
                self.consume(database, &fault.id).await?
            } else {
                fault.chooses(reference)
            };
            if strikes {
                struck.by(fault);
            }
        }
        Ok(struck)
    }

    async fn consume(&self, database: &Database, id: &str) -> Result<bool, DatabaseError> {
        let consumed = database.change(CONSUME, values![id.to_owned()]).await?;
        if !consumed {
            let others = self.current();
            let others = others.iter().filter(|fault| fault.id != id);
            self.keep(others.cloned().collect());
        }
        Ok(consumed)
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY, Fault, FaultKind, Faults, ISSUER, Request, Struck};
    use crate::provider::simulated::world::tests::{TestFolder, database};
    use sealpay_protocol::ids::PaymentId;

    fn fault(target: &str, kind: FaultKind) -> Fault {
        Fault {
            id: format!("{target}-{}", kind.name()),
            target: target.into(),
            kind,
            min_ms: 1,
            max_ms: 2,
            remaining: Some(1),
            share_per_mille: None,
            seed: None,
            created_at_ms: 0,
        }
    }

    fn reference(number: u8) -> PaymentId {
        PaymentId::new(u64::from(number), [number; 10])
    }

    #[test]
    fn a_fault_strikes_whom_it_was_ordered_for() {
        use FaultKind::{AcquirerDown, AnswerLost, IssuerDown, Latency, NoAnswer};
        use Request::{Authorization, FollowUp};
        let rows = [
            (ANY, NoAnswer, Authorization, Some("harbor"), true),
            (ANY, NoAnswer, Authorization, None, true),
            (ANY, NoAnswer, FollowUp, Some("harbor"), false),
            ("harbor", AnswerLost, Authorization, Some("harbor"), true),
            ("harbor", AnswerLost, Authorization, Some("meridian"), false),
            ("harbor", AnswerLost, Authorization, None, false),
            (ISSUER, IssuerDown, Authorization, Some("harbor"), true),
            (ISSUER, IssuerDown, Authorization, None, true),
            (ISSUER, IssuerDown, FollowUp, Some("harbor"), false),
            ("harbor", AcquirerDown, Authorization, Some("harbor"), true),
            ("harbor", AcquirerDown, FollowUp, Some("harbor"), true),
            ("harbor", AcquirerDown, FollowUp, Some("meridian"), false),
            (ANY, AcquirerDown, Authorization, None, false),
            (ISSUER, Latency, FollowUp, Some("harbor"), false),
            (ANY, Latency, FollowUp, Some("harbor"), true),
        ];
        for (target, kind, request, acquirer, expected) in rows {
            let concerns = fault(target, kind).concerns(request, acquirer);
            assert_eq!(
                concerns, expected,
                "{target} {kind:?} {request:?} {acquirer:?}"
            );
        }
    }

    #[test]
    fn a_share_is_a_function_of_seed_and_reference() {
        let share = |per_mille, seed| Fault {
            remaining: None,
            share_per_mille: Some(per_mille),
            seed: Some(seed),
            ..fault(ANY, FaultKind::NoAnswer)
        };
        let struck = |per_mille, seed| -> Vec<u8> {
            let all = (0..=255).filter(|number| share(per_mille, seed).chooses(reference(*number)));
            all.collect()
        };
        assert_eq!(struck(0, 1), Vec::<u8>::new());
        assert_eq!(struck(1000, 1).len(), 256);
        let half = struck(500, 1);
        assert!((90..170).contains(&half.len()), "{}", half.len());
        assert_eq!(half, struck(500, 1));
        assert_ne!(half, struck(500, 2));
    }

    #[tokio::test]
    async fn two_servers_together_strike_as_often_as_was_ordered() {
        let folder = TestFolder::new("faults");
        let database = database(&folder).await;
        let (one, other) = (Faults::default(), Faults::default());
        let ordered = Fault {
            remaining: Some(5),
            ..fault("harbor", FaultKind::NoAnswer)
        };
        one.add(&database, &ordered).await.unwrap();
        other.refresh(&database).await.unwrap();
        let mut strikes = 0;
        for number in 0..10 {
            for server in [&one, &other] {
                let request = Request::Authorization;
                let struck = server.strike(&database, request, Some("harbor"), reference(number));
                strikes += usize::from(struck.await.unwrap().lost);
            }
        }
        assert_eq!(strikes, 5);
        assert!(one.current().is_empty() && other.current().is_empty());
        assert!(one.refresh(&database).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn faults_are_kept_as_ordered_and_go_when_removed() {
        let folder = TestFolder::new("faults-kept");
        let database = database(&folder).await;
        let faults = Faults::default();
        let share = Fault {
            remaining: None,
            share_per_mille: Some(1000),
            seed: Some(u32::MAX),
            ..fault(ANY, FaultKind::Latency)
        };
        let down = fault("harbor", FaultKind::AcquirerDown);
        for fault in [&share, &down] {
            faults.add(&database, fault).await.unwrap();
        }
        let kept = faults.refresh(&database).await.unwrap();
        assert_eq!(kept, [share.clone(), down.clone()]);
        let struck = faults.strike(&database, Request::FollowUp, Some("harbor"), reference(1));
        let expected = Struck {
            latencies_ms: vec![(1, 2)],
            acquirer_down: true,
            ..Struck::default()
        };
        assert_eq!(struck.await.unwrap(), expected);
        assert!(faults.remove(&database, &share.id).await.unwrap());
        assert!(!faults.remove(&database, &share.id).await.unwrap());
        let struck = faults.strike(&database, Request::FollowUp, Some("harbor"), reference(2));
        assert_eq!(struck.await.unwrap(), Struck::default());
        assert!(faults.remove_all(&database).await.unwrap());
        assert!(faults.current().is_empty());
    }
}
