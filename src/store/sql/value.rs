//! Values of statements. There are four kinds, and both databases store them alike.

use std::{borrow::Cow, sync::Arc};

use sqlx::{Postgres, SqlStr, Sqlite, postgres::PgArguments, query::Query, sqlite::SqliteArguments};

/// A value, or NULL, which has a kind too: PostgreSQL wants to know of what it is the absence.
pub(in crate::store) enum Value<'q> {
    /// All numbers that are whole, times, and truth values as 0 and 1: `INTEGER` and `BIGINT`.
    Whole(Option<i64>),
    /// `REAL` and `DOUBLE PRECISION`.
    Real(Option<f64>),
    /// `TEXT`.
    Text(Option<Cow<'q, str>>),
    /// `BLOB` and `BYTEA`.
    Bytes(Option<Cow<'q, [u8]>>),
}

/// The statement for SQLite.
pub(super) fn for_sqlite<'a>(text: SqlStr, values: Vec<Value<'_>>) -> Query<'a, Sqlite, SqliteArguments> {
    values.into_iter().fold(sqlx::query(text), |query, value| match value {
        Value::Whole(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Text(value) => query.bind(value.map(Cow::into_owned)),
        Value::Bytes(value) => query.bind(value.map(Cow::into_owned)),
    })
}

/// The statement for PostgreSQL.
pub(super) fn for_postgres<'a>(text: SqlStr, values: Vec<Value<'_>>) -> Query<'a, Postgres, PgArguments> {
    values.into_iter().fold(sqlx::query(text), |query, value| match value {
        Value::Whole(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Text(value) => query.bind(value.map(storable)),
        Value::Bytes(value) => query.bind(value.as_deref()),
    })
}

/// PostgreSQL refuses the character NUL in texts, and a client may well send one.
fn storable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

/// `From` for types and for their options.
macro_rules! values {
    ($($kind:ident: $(($type:ty, $of:expr)),*;)*) => {
        $($(
            impl<'q> From<$type> for Value<'q> {
                fn from(value: $type) -> Self {
                    Self::$kind(Some($of(value)))
                }
            }

            impl<'q> From<Option<$type>> for Value<'q> {
                fn from(value: Option<$type>) -> Self {
                    Self::$kind(value.map($of))
                }
            }
        )*)*
    };
}

values! {
    Whole: (i64, |value| value), (&i64, |value: &i64| *value), (u32, i64::from), (u16, i64::from), (bool, i64::from);
    Real: (f64, |value| value);
    Text: (&'q str, Cow::Borrowed), (&'q String, |value: &'q String| Cow::Borrowed(value.as_str())), (String, Cow::Owned),
        (Arc<str>, |value: Arc<str>| Cow::Owned(value.as_ref().to_owned()));
    Bytes: (&'q [u8], Cow::Borrowed), (Vec<u8>, Cow::Owned);
}
