//! Rows that one server at a time works on. A column says until when a row is taken. A server takes
//! it over by naming the moment that it has read there; of several that do, one succeeds.

use sealpay_storage::{Database, DatabaseError, Entity, Fault, Statement, Tx, Value, values};

/// A row with an `id` and a lease, as long as it is open; [`leased!`] says when that is.
pub(crate) trait Leased: Entity + Send + 'static {
    /// Those that are open and whose lease has ended by `$1`: `$2` that wait longest.
    const OPEN: &'static str;

    /// Gives one, `$1`, whose lease is still the one that was seen, `$2`, another lease, `$3`.
    const TAKE: &'static str;
}

/// Gives an entity its lease. The condition has to be that of the table's partial index, word for
/// word: otherwise SQLite does not use the index.
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
        }
    };
}

pub(crate) use leased;

/// What is open and nobody's by a moment, milliseconds since 1970; what waits longest first.
pub(crate) async fn open<T: Leased>(
    database: &Database,
    by_ms: i64,
    limit: u32,
) -> Result<Vec<T>, DatabaseError> {
    database.list(T::OPEN, values![by_ms, limit]).await
}

/// Takes one over from the lease that was seen to another; as it stands now, or nothing when somebody
/// else has it, or it is not open any more.
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

/// Of rows that were seen to be due, those that are the caller's now: `take` changes a row whose lease
/// is still the one that was seen.
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
