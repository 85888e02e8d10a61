//! Runs statements on SQLite.

use super::error::{DatabaseError, Fault};
use super::value::{Row, Value};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};
use std::borrow::Cow;

pub(super) fn execute(connection: &Connection, sql: &str, values: &[Value]) -> Result<u64, Fault> {
    let changed = bound(connection, sql, values)
        .and_then(|mut statement| statement.raw_execute())
        .map_err(failed)?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

pub(super) fn query(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, Fault> {
    let mut statement = bound(connection, sql, values).map_err(failed)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let columns = (0..width).map(|index| read(row.get_ref(index).map_err(failed)?));
        found.push(Row::new(columns.collect::<Result<_, Fault>>()?));
    }
    Ok(found)
}

/// Binds by name, because SQLite numbers `$2` as 1 if it appears first.
fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    values: &[Value],
) -> rusqlite::Result<CachedStatement<'c>> {
    if values.len() > PARAMETERS.len() {
        let too_many = rusqlite::Error::InvalidParameterCount(values.len(), PARAMETERS.len());
        return Err(too_many);
    }
    let mut statement = connection.prepare_cached(sql)?;
    for (value, name) in values.iter().zip(PARAMETERS) {
        let index = statement.parameter_index(name)?;
        let index = index.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.into()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}

const PARAMETERS: [&str; 32] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28",
    "$29", "$30", "$31", "$32",
];

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Fault> {
    match value {
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(Cow::Owned(text.into()))),
            Err(_) => Err(DatabaseError::Corrupt("a text is not UTF-8".into()).into()),
        },
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(DatabaseError::Corrupt("a column is neither text nor integer".into()).into())
        }
    }
}

fn failed(error: rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        // Only the time limit interrupts a statement.
        Some(ErrorCode::OperationInterrupted) => DatabaseError::TooLong.into(),
        Some(ErrorCode::ConstraintViolation) => DatabaseError::Corrupt(error.to_string()).into(),
        _ => unavailable(error).into(),
    }
}

pub(super) fn unavailable(error: rusqlite::Error) -> DatabaseError {
    DatabaseError::Unavailable(error.to_string())
}
