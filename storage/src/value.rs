//! Arguments and results of statements: text and integers only.

use super::columns::{Column, FromRow};
use super::error::DatabaseError;
use sealpay_protocol::currency::Currency;
use std::borrow::Cow;
use std::str::FromStr;

/// A column value. Only two column types are used, which both databases support alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `TEXT`, in UTF-8 and without NUL.
    Text(Cow<'static, str>),
    /// `BIGINT`: numbers, amounts, times, and booleans as 0 or 1.
    Integer(i64),
    /// `NULL`.
    Null,
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Cow::Owned(text.clone()))
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(is_true: bool) -> Self {
        Self::Integer(i64::from(is_true))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! texts {
    ($($id:ty),*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Text(Cow::Owned(id.to_string()))
            }
        }

        impl Column for $id {
            fn to_value(&self) -> Result<Value, DatabaseError> {
                Ok((*self).into())
            }

            fn from_value(value: Value) -> Option<Self> {
                String::from_value(value)?.parse().ok()
            }
        }
    )*};
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {
        texts!($(sealpay_protocol::ids::$name),*);
    };
}

texts!(Currency);
sealpay_protocol::for_each_id!(identifiers);

/// The arguments of a statement; the first is `$1`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::Value::from($value)),*]
    };
}

/// Converts a count or a time to its stored form.
pub fn integer<N: TryInto<i64>>(number: N) -> Result<i64, DatabaseError> {
    number
        .try_into()
        .map_err(|_| DatabaseError::Corrupt("a number has more than 63 bits".into()))
}

/// A row, read from its first column to its last in the order of the `SELECT`.
#[derive(Debug)]
pub struct Row {
    columns: std::vec::IntoIter<Value>,
    width: usize,
}

impl Row {
    /// Makes a row from its column values.
    #[must_use]
    pub fn new(columns: Vec<Value>) -> Self {
        Self {
            width: columns.len(),
            columns: columns.into_iter(),
        }
    }

    /// Reads the whole row as a `T`.
    pub fn read_as<T: FromRow>(mut self) -> Result<T, DatabaseError> {
        T::from_row(&mut self)
    }

    /// The next column.
    pub fn take<T: Column>(&mut self) -> Result<T, DatabaseError> {
        self.take_as(Some)
    }

    /// The next column, converted with `read`.
    pub fn take_as<T: Column, U>(
        &mut self,
        read: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, DatabaseError> {
        let value = self.columns.next().and_then(T::from_value);
        value
            .and_then(read)
            .ok_or_else(|| self.unexpected("what it should be"))
    }

    fn unexpected(&self, expected: &str) -> DatabaseError {
        let column = self.width - self.columns.len();
        DatabaseError::Corrupt(format!(
            "column {column} of {} is not {expected}",
            self.width
        ))
    }

    /// The next column, a text or null.
    pub fn optional_text(&mut self) -> Result<Option<String>, DatabaseError> {
        match self.columns.next() {
            Some(Value::Text(text)) => Ok(Some(text.into_owned())),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected("a text or null")),
        }
    }

    /// The next column, a text.
    pub fn text(&mut self) -> Result<String, DatabaseError> {
        match self.columns.next() {
            Some(Value::Text(text)) => Ok(text.into_owned()),
            _ => Err(self.unexpected("a text")),
        }
    }

    /// The next column, an integer or null.
    pub fn optional_integer(&mut self) -> Result<Option<i64>, DatabaseError> {
        match self.columns.next() {
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected("an integer or null")),
        }
    }

    /// The next column, an integer.
    pub fn integer(&mut self) -> Result<i64, DatabaseError> {
        match self.columns.next() {
            Some(Value::Integer(number)) => Ok(number),
            _ => Err(self.unexpected("an integer")),
        }
    }

    /// The next column, as an integer of a narrower or unsigned type.
    pub fn number<N: TryFrom<i64>>(&mut self) -> Result<N, DatabaseError> {
        let number = self.integer()?;
        N::try_from(number).map_err(|_| self.unexpected("within its range"))
    }

    /// The next column, a text parsed with `FromStr`, such as an identifier.
    pub fn parsed<T: FromStr>(&mut self) -> Result<T, DatabaseError> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| self.unexpected("what it should be"))
    }

    /// The next column, a non-negative number of 32 bits.
    pub fn small(&mut self) -> Result<u32, DatabaseError> {
        let number = self.integer()?;
        u32::try_from(number).map_err(|_| self.unexpected("a small number"))
    }

    /// The next column, a parsed text or null.
    pub fn optional_parsed<T: FromStr>(&mut self) -> Result<Option<T>, DatabaseError> {
        let text = self.optional_text()?;
        text.map(|text| {
            text.parse()
                .map_err(|_| self.unexpected("what it should be"))
        })
        .transpose()
    }

    /// The next column, a text parsed with `read`.
    pub fn read<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, DatabaseError> {
        let text = self.text()?;
        read(&text).ok_or_else(|| self.unexpected("what it should be"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Value};
    use crate::DatabaseError;

    #[test]
    fn columns_of_another_type_are_named_in_the_error() {
        let mut row = Row::new(values!["a text", 5_i64].to_vec());
        assert_eq!(row.text().unwrap(), "a text");
        let refused = row.text().unwrap_err();
        assert_eq!(
            refused,
            DatabaseError::Corrupt("column 2 of 2 is not a text".into())
        );
    }

    #[test]
    fn reading_past_the_last_column_is_an_error() {
        let mut row = Row::new(vec![Value::Null]);
        assert_eq!(row.optional_integer(), Ok(None));
        assert!(row.optional_integer().is_err());
    }
}
