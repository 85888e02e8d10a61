//! The mapping between types and columns. One column list generates a table's `SELECT`, its
//! `INSERT`, and both conversions between a value and its row.
//!
//! A row is read from its first column to its last, in the order of that list, without looking up
//! names.

use super::error::DatabaseError;
use super::postgres_statement::Statement;
use super::value::{Row, Value};
use sealpay_protocol::Named;
use sealpay_protocol::encoding::{array_from_base64url, base64url};
use sealpay_protocol::money::Money;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

/// A type that is stored in one column.
pub trait Column: Sized {
    /// Converts to the stored value.
    fn to_value(&self) -> Result<Value, DatabaseError>;

    /// Converts from the stored value; none if it is not valid for this type.
    fn from_value(value: Value) -> Option<Self>;
}

impl Column for String {
    fn to_value(&self) -> Result<Value, DatabaseError> {
        Ok(self.into())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl Column for bool {
    fn to_value(&self) -> Result<Value, DatabaseError> {
        Ok(Value::Integer(i64::from(*self)))
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

/// Stored as base64url.
impl<const N: usize> Column for [u8; N] {
    fn to_value(&self) -> Result<Value, DatabaseError> {
        Ok(base64url(self).into())
    }

    fn from_value(value: Value) -> Option<Self> {
        array_from_base64url(&String::from_value(value)?)
    }
}

impl<T: Column> Column for Option<T> {
    fn to_value(&self) -> Result<Value, DatabaseError> {
        self.as_ref().map_or(Ok(Value::Null), T::to_value)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Column for $number {
            fn to_value(&self) -> Result<Value, DatabaseError> {
                super::value::integer(*self).map(Value::Integer)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Integer(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

numbers!(i64, u32, u64, usize);

/// How a field is stored in `N` columns.
pub trait Codec<T, const N: usize> {
    /// Converts to the stored values.
    fn write(value: &T) -> Result<[Value; N], DatabaseError>;

    /// Reads the next columns of a row.
    fn read(row: &mut Row) -> Result<T, DatabaseError>;
}

/// The default codec: one column, or the columns of the type's parts.
#[derive(Debug)]
pub struct Plain;

impl<T: Column> Codec<T, 1> for Plain {
    fn write(value: &T) -> Result<[Value; 1], DatabaseError> {
        value.to_value().map(|value| [value])
    }

    fn read(row: &mut Row) -> Result<T, DatabaseError> {
        row.take()
    }
}

impl Codec<Money, 2> for Plain {
    fn write(money: &Money) -> Result<[Value; 2], DatabaseError> {
        Ok([money.amount_minor().into(), money.currency().into()])
    }

    fn read(row: &mut Row) -> Result<Money, DatabaseError> {
        Ok(Money::new(row.take()?, row.take()?))
    }
}

/// Both columns are null or neither.
impl<A: Column, B: Column> Codec<Option<(A, B)>, 2> for Plain {
    fn write(pair: &Option<(A, B)>) -> Result<[Value; 2], DatabaseError> {
        match pair {
            Some((first, second)) => Ok([first.to_value()?, second.to_value()?]),
            None => Ok([Value::Null, Value::Null]),
        }
    }

    fn read(row: &mut Row) -> Result<Option<(A, B)>, DatabaseError> {
        Ok(row.take::<Option<A>>()?.zip(row.take()?))
    }
}

/// Stores an enum by name.
#[derive(Debug)]
pub struct ByName;

impl<T: Named> Codec<T, 1> for ByName {
    fn write(value: &T) -> Result<[Value; 1], DatabaseError> {
        Ok([value.name().into()])
    }

    fn read(row: &mut Row) -> Result<T, DatabaseError> {
        row.take_as(|name: String| T::from_name(&name))
    }
}

/// Stores an optional enum by name; none is `NULL`.
#[derive(Debug)]
pub struct ByOptionalName;

impl<T: Named> Codec<Option<T>, 1> for ByOptionalName {
    fn write(value: &Option<T>) -> Result<[Value; 1], DatabaseError> {
        value.as_ref().map_or(Ok([Value::Null]), ByName::write)
    }

    fn read(row: &mut Row) -> Result<Option<T>, DatabaseError> {
        let value = |name: String| T::from_name(&name);
        row.take_as(|name: Option<String>| name.map_or(Some(None), |name| value(name).map(Some)))
    }
}

/// Stores the `Display` text; reads it with `FromStr`.
#[derive(Debug)]
pub struct AsText;

impl<T: Display + FromStr> Codec<T, 1> for AsText {
    fn write(value: &T) -> Result<[Value; 1], DatabaseError> {
        Ok([value.to_string().into()])
    }

    fn read(row: &mut Row) -> Result<T, DatabaseError> {
        row.take_as(|text: String| text.parse().ok())
    }
}

/// Stores JSON, which no statement queries.
#[derive(Debug)]
pub struct AsJson;

impl<T: Serialize + DeserializeOwned> Codec<T, 1> for AsJson {
    fn write(value: &T) -> Result<[Value; 1], DatabaseError> {
        let text = serde_json::to_string(value);
        let text = text.map_err(|error| DatabaseError::Corrupt(error.to_string()))?;
        Ok([Value::Text(Cow::Owned(text))])
    }

    fn read(row: &mut Row) -> Result<T, DatabaseError> {
        row.take_as(|text: String| serde_json::from_str(&text).ok())
    }
}

/// Stores optional JSON; none is `NULL`.
#[derive(Debug)]
pub struct AsOptionalJson;

impl<T: Serialize + DeserializeOwned> Codec<Option<T>, 1> for AsOptionalJson {
    fn write(value: &Option<T>) -> Result<[Value; 1], DatabaseError> {
        value.as_ref().map_or(Ok([Value::Null]), AsJson::write)
    }

    fn read(row: &mut Row) -> Result<Option<T>, DatabaseError> {
        let value = |text: String| serde_json::from_str(&text).ok();
        row.take_as(|text: Option<String>| text.map_or(Some(None), |text| value(text).map(Some)))
    }
}

/// Not stored; reads as the default value.
#[derive(Debug)]
pub struct Empty;

impl<T: Default> Codec<T, 0> for Empty {
    fn write(_: &T) -> Result<[Value; 0], DatabaseError> {
        Ok([])
    }

    fn read(_: &mut Row) -> Result<T, DatabaseError> {
        Ok(T::default())
    }
}

/// A type that is read from a row.
pub trait FromRow: Sized {
    /// Reads the next columns of a row.
    fn from_row(row: &mut Row) -> Result<Self, DatabaseError>;
}

macro_rules! tuples {
    ($(($($column:ident),*)),*) => {$(
        impl<$($column: Column),*> FromRow for ($($column,)*) {
            fn from_row(row: &mut Row) -> Result<Self, DatabaseError> {
                Ok(($(row.take::<$column>()?,)*))
            }
        }
    )*};
}

tuples!((A), (A, B), (A, B, C), (A, B, C, D));

/// A row with one additional column at the end.
#[derive(Debug)]
pub struct With<T, C>(pub T, pub C);

impl<T: FromRow, C: Column> FromRow for With<T, C> {
    fn from_row(row: &mut Row) -> Result<Self, DatabaseError> {
        Ok(Self(T::from_row(row)?, row.take()?))
    }
}

/// A type with the column list of a `SELECT`.
pub trait Projection: FromRow {
    /// Column names or expressions, separated by commas.
    const COLUMNS: &'static str;

    /// `SELECT` these columns `FROM` their table; a condition may be appended.
    const SELECT: &'static str;
}

/// A row of a table.
pub trait Entity: Projection {
    /// The values of a row.
    type Values: AsRef<[Value]> + Send + Sync + 'static;

    /// The number of columns.
    const WIDTH: usize;

    /// `INSERT INTO` the table, with a placeholder for each column; an `ON CONFLICT` clause may be
    /// appended.
    const INSERT: &'static str;

    /// Converts to the values of a row.
    fn to_row(&self) -> Result<Self::Values, DatabaseError>;
}

/// Converts several values to rows.
pub fn to_rows<'a, T: Entity + 'a>(
    values: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<T::Values>, DatabaseError> {
    values.into_iter().map(T::to_row).collect()
}

/// The statement that inserts a row.
pub fn insert<T: Entity>(row: &T::Values) -> Statement<'_> {
    (T::INSERT, row.as_ref())
}
