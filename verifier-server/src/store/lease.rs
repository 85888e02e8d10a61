//! Leases: rows that one server at a time processes. A column has the end of the lease. A server
//! takes over a row by a conditional update with the value that it read; one of several concurrent
//! servers succeeds.

use sealpay_storage::{Database, DatabaseError, Entity, Fault, Statement, Tx, Value, values};

/// A row with an `id` and a lease while it is open; [`leased!`] defines the condition.
pub(crate) trait Leased: Entity + Send + 'static {
    /// Open rows whose lease has ended by `$1`, at most `$2`, longest waiting first.
    const OPEN: &'static str;

    /// Sets the lease of row `$1` to `$3` if it is still `$2`.
    const TAKE: &'static str;

    /// The key of the row, and the end of its lease.
    fn key(&self) -> (Value, i64);
}

/// Implements leases for an entity. The condition must equal that of the table's partial index
/// exactly, otherwise SQLite does not use the index.
macro_rules! leased {
    ($name:ident in $table:literal where $is_open:literal) => {
        impl $crate::store::lease::Leased for $name {
            const OPEN: &'static str = sealpay_storage::sql!(
                <$name as sealpay_storage::Projection>::SELECT,
                concat!("WHERE ", $is_open, " AND lease_until_ms <= $1 "),
                "ORDER BY lease_until_ms LIMIT $2"
            );

            const TAKE: &'static str = sealpay_storage::sql!(
                concat!("UPDATE ", $table, " SET lease_until_ms = $3 "),
                concat!("WHERE id = $1 AND lease_until_ms = $2 AND ", $is_open),
                " RETURNING ",
                <$name as sealpay_storage::Projection>::COLUMNS
            );

            fn key(&self) -> (sealpay_storage::Value, i64) {
                (self.id.into(), self.lease_until_ms)
            }
        }
    };
}

pub(crate) use leased;

/// Open rows without a lease at a time, milliseconds since 1970; longest waiting first.
pub(crate) async fn open<T: Leased>(
    database: &Database,
    by_ms: i64,
    limit: u32,
) -> Result<Vec<T>, DatabaseError> {
    database.list(T::OPEN, values![by_ms, limit]).await
}

/// Takes over a row whose lease is still as seen; returns the current row, or none if another
/// server has it or it is not open any more.
pub(crate) async fn take<T: Leased>(
    database: &Database,
    id: impl Into<Value>,
    (from_ms, until_ms): (i64, i64),
) -> Result<Option<T>, DatabaseError> {
    let wanted = values![id.into(), from_ms, until_ms];
    database
        .write(wanted, |tx, wanted| Box::pin(tx.get(T::TAKE, wanted)))
        .await
}

/// Takes over open rows without a lease at a time, until another, in one transaction; longest
/// waiting first. They are returned as they were before, with their own due times.
pub(crate) async fn claim<T: Leased>(
    database: &Database,
    by_ms: i64,
    until_ms: i64,
    limit: u32,
) -> Result<Vec<T>, DatabaseError> {
    // Most calls find nothing, and do not disturb the writer.
    let due: Vec<T> = open(database, by_ms, limit).await?;
    if due.is_empty() {
        return Ok(due);
    }
    let keys: Vec<_> = due.iter().map(Leased::key).collect();
    database
        .write((keys, until_ms), |tx, (keys, until_ms)| {
            Box::pin(async move {
                let mut taken = Vec::with_capacity(keys.len());
                for (id, from_ms) in keys {
                    let wanted = values![id.clone(), *from_ms, *until_ms];
                    taken.extend(tx.get::<T>(T::TAKE, &wanted).await?);
                }
                Ok(taken)
            })
        })
        .await
}

/// Takes over due rows; returns those whose lease was still as seen by `take`.
pub(crate) async fn take_all<T, const N: usize>(
    tx: &mut Tx<'_>,
    due: Vec<T>,
    take: &'static str,
    wanted: impl Fn(&T) -> [Value; N],
) -> Result<Vec<T>, Fault> {
    let wanted: Vec<_> = due.iter().map(wanted).collect();
    let statements: Vec<Statement<'_>> = wanted
        .iter()
        .map(|values| (take, values.as_slice()))
        .collect();
    let taken = tx.execute_together(&statements).await?;
    let taken = due.into_iter().zip(taken);
    Ok(taken
        .filter_map(|(row, changed)| (changed == 1).then_some(row))
        .collect())
}
