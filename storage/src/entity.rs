//! Macros that generate the `SELECT`, the `INSERT` and both conversions of a type from one column
//! list.

/// Maps a type to the rows of a table: its fields, each with a [`Codec`](crate::Codec) if it is not
/// [`Plain`](crate::Plain), and with column names if they differ from the field name.
#[macro_export]
macro_rules! entity {
    ($name:ident in $table:literal { $($fields:tt)* }) => {
        $crate::fields!(entity $name ($table) [] $($fields)*);
    };
}

/// Maps a type to the result of a `SELECT`: as [`entity!`](macro@crate::entity), but a column may
/// be any expression, and nothing is inserted.
#[macro_export]
macro_rules! projection {
    ($name:ident from $table:literal { $($fields:tt)* }) => {
        $crate::fields!(projection $name ($table) [] $($fields)*);
    };
}

/// Maps a type to several columns of other types' rows.
#[macro_export]
macro_rules! columns {
    ($name:ident { $($fields:tt)* }) => {
        $crate::fields!(columns $name () [] $($fields)*);
    };
}

/// Assigns codec and columns to each field, and implements the traits.
#[doc(hidden)]
#[macro_export]
macro_rules! fields {
    ($what:ident $name:ident $table:tt [$($done:tt)*]
        $field:ident as $codec:ty: ($($column:tt),*) $(, $($rest:tt)*)?) => {
        $crate::fields!($what $name $table [$($done)* { $field ($codec) $($column)* }] $($($rest)*)?);
    };
    ($what:ident $name:ident $table:tt [$($done:tt)*]
        $field:ident as $codec:ty $(, $($rest:tt)*)?) => {
        $crate::fields!($what $name $table [$($done)* { $field ($codec) $field }] $($($rest)*)?);
    };
    ($what:ident $name:ident $table:tt [$($done:tt)*]
        $field:ident: ($($column:tt),+) $(, $($rest:tt)*)?) => {
        $crate::fields!($what $name $table
            [$($done)* { $field ($crate::Plain) $($column)+ }] $($($rest)*)?);
    };
    ($what:ident $name:ident $table:tt [$($done:tt)*]
        $field:ident $(, $($rest:tt)*)?) => {
        $crate::fields!($what $name $table
            [$($done)* { $field ($crate::Plain) $field }] $($($rest)*)?);
    };
    (entity $name:ident ($table:literal)
        [$({ $field:ident ($codec:ty) $($column:ident)* })+]) => {
        $crate::fields!(projection $name ($table) [$({ $field ($codec) $($column)* })+]);

        impl $crate::Entity for $name {
            type Values = [$crate::Value; $crate::sql::count(&[$($(stringify!($column),)*)+])];

            const WIDTH: usize = $crate::sql::count(&[$($(stringify!($column),)*)+]);

            const INSERT: &'static str = $crate::sql!(
                concat!("INSERT INTO ", $table, " ("),
                <$name as $crate::Projection>::COLUMNS,
                ") VALUES (",
                $crate::sql::placeholders($crate::sql::count(&[$($(stringify!($column),)*)+])),
                ") "
            );

            fn to_row(&self) -> Result<Self::Values, $crate::DatabaseError> {
                $(let [$($column),*] = <$codec as $crate::Codec<
                    _,
                    { $crate::sql::count(&[$(stringify!($column)),*]) },
                >>::write(&self.$field)?;)+
                Ok([$($($column,)*)+])
            }
        }
    };
    (projection $name:ident ($table:literal)
        [$({ $field:ident ($codec:ty) $($column:tt)* })+]) => {
        impl $crate::FromRow for $name {
            fn from_row(row: &mut $crate::Row) -> Result<Self, $crate::DatabaseError> {
                Ok(Self {
                    $($field: <$codec as $crate::Codec<
                        _,
                        { $crate::sql::count(&[$(stringify!($column)),*]) },
                    >>::read(row)?,)+
                })
            }
        }

        impl $crate::Projection for $name {
            const COLUMNS: &'static str = $crate::sql::list(concat!(
                $($(", ", $crate::column!($column),)*)+
            ));

            const SELECT: &'static str = $crate::sql!(
                "SELECT ",
                <$name as $crate::Projection>::COLUMNS,
                concat!(" FROM ", $table, " ")
            );
        }
    };
    (columns $name:ident () [$({ $field:ident ($codec:ty) $($column:ident)* })+]) => {
        impl $crate::Codec<$name, { $crate::sql::count(&[$($(stringify!($column),)*)+]) }>
            for $crate::Plain
        {
            fn write(
                value: &$name,
            ) -> Result<
                [$crate::Value; $crate::sql::count(&[$($(stringify!($column),)*)+])],
                $crate::DatabaseError,
            > {
                $(let [$($column),*] = <$codec as $crate::Codec<
                    _,
                    { $crate::sql::count(&[$(stringify!($column)),*]) },
                >>::write(&value.$field)?;)+
                Ok([$($($column,)*)+])
            }

            fn read(row: &mut $crate::Row) -> Result<$name, $crate::DatabaseError> {
                Ok($name {
                    $($field: <$codec as $crate::Codec<
                        _,
                        { $crate::sql::count(&[$(stringify!($column)),*]) },
                    >>::read(row)?,)+
                })
            }
        }
    };
}

/// A column by name, or an expression in quotes.
#[doc(hidden)]
#[macro_export]
macro_rules! column {
    ($column:ident) => {
        stringify!($column)
    };
    ($expression:literal) => {
        $expression
    };
}

#[cfg(test)]
mod tests {
    use crate::values;
    use crate::{
        AsOptionalJson, AsText, ByName, Column, Empty, Entity, FromRow, Projection, Row, Value,
    };
    use sealpay_protocol::ids::PaymentId;
    use sealpay_protocol::method::Method;
    use sealpay_protocol::money::Money;
    use std::net::Ipv4Addr;

    #[derive(Debug, Clone, PartialEq)]
    struct Fees {
        scheme_minor: i64,
        processor_minor: u32,
    }

    columns! {
        Fees {
            scheme_minor,
            processor_minor,
        }
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Charge {
        id: PaymentId,
        money: Money,
        method: Method,
        fees: Fees,
        address: Ipv4Addr,
        items: Option<Vec<u8>>,
        is_final: bool,
        previous: Option<(String, i64)>,
        digest: [u8; 2],
        notes: Vec<String>,
    }

    entity! {
        Charge in "charges" {
            id,
            money: (amount_minor, currency),
            method as ByName,
            fees: (scheme_minor, processor_minor),
            address as AsText: (source),
            items as AsOptionalJson,
            is_final,
            previous: (previous_secret, previous_until_ms),
            digest,
            notes as Empty: (),
        }
    }

    #[derive(Debug, PartialEq)]
    struct Total {
        payments: u64,
        method: Method,
    }

    projection! {
        Total from "charges c" {
            payments: ("COUNT(*)"),
            method as ByName: ("c.method"),
        }
    }

    fn charge() -> Charge {
        Charge {
            id: PaymentId::new(7, [1; 10]),
            money: Money::new(-500, "EUR".parse().unwrap()),
            method: Method::Wallet,
            fees: Fees {
                scheme_minor: -3,
                processor_minor: 4,
            },
            address: Ipv4Addr::LOCALHOST,
            items: Some(vec![1, 2]),
            is_final: true,
            previous: None,
            digest: [0xfb, 0xff],
            notes: Vec::new(),
        }
    }

    #[test]
    fn one_list_generates_select_and_insert() {
        let columns = "id, amount_minor, currency, method, scheme_minor, processor_minor, source, \
                       items, is_final, previous_secret, previous_until_ms, digest";
        assert_eq!(Charge::COLUMNS, columns);
        assert_eq!(Charge::SELECT, format!("SELECT {columns} FROM charges "));
        let placeholders = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12";
        assert_eq!(
            Charge::INSERT,
            format!("INSERT INTO charges ({columns}) VALUES ({placeholders}) ")
        );
        assert_eq!(Total::SELECT, "SELECT COUNT(*), c.method FROM charges c ");
    }

    #[test]
    fn rows_round_trip() {
        let written = charge().to_row().unwrap();
        let expected: [Value; 12] = values![
            charge().id,
            -500_i64,
            "EUR",
            "wallet",
            -3_i64,
            4_i64,
            "127.0.0.1",
            "[1,2]",
            1_i64,
            None::<i64>,
            None::<i64>,
            "-_8",
        ];
        assert_eq!(written, expected);
        let mut row = Row::new(written.to_vec());
        assert_eq!(Charge::from_row(&mut row), Ok(charge()));

        let other = Charge {
            items: None,
            previous: Some(("secret".into(), 5)),
            ..charge()
        };
        let mut row = Row::new(other.to_row().unwrap().to_vec());
        assert_eq!(Charge::from_row(&mut row), Ok(other));
    }

    #[test]
    fn invalid_values_are_rejected_with_their_column() {
        let rows = [
            (0, Value::Integer(1)),
            (3, "cheque".into()),
            (5, Value::Integer(-1)),
            (6, "localhost".into()),
            (7, "[300]".into()),
            (8, Value::Null),
            (11, "-_9".into()),
        ];
        for (place, value) in rows {
            let mut row = charge().to_row().unwrap();
            row[place] = value;
            let error = Charge::from_row(&mut Row::new(row.to_vec())).unwrap_err();
            let place = format!("column {} of 12", place + 1);
            assert!(error.to_string().contains(&place), "{error}: {place}");
        }
        assert!(u64::MAX.to_value().is_err());
    }

    #[test]
    fn expression_columns_are_read_like_others() {
        let mut row = Row::new(values![3_i64, "card"].to_vec());
        let total = Total {
            payments: 3,
            method: Method::Card,
        };
        assert_eq!(Total::from_row(&mut row), Ok(total));
        let mut row = Row::new(values!["a", None::<i64>].to_vec());
        let pair: Result<(String, Option<i64>), _> = FromRow::from_row(&mut row);
        assert_eq!(pair, Ok(("a".into(), None)));
    }
}
