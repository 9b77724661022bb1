//! Statements for either database: written once, with `$n` for values, in the SQL that SQLite and PostgreSQL share. The
//! names are sqlx's, so that a file of the store reads as if there were one database; what differs between the
//! two is in `sqlite` and `postgres`. How a table is added is told in ARCHITECTURE.md.

mod connection;
mod row;
#[cfg(test)]
mod tests;
mod value;

use sqlx::{SqlSafeStr, SqlStr};

pub(super) use connection::{Connection, Pool, Pools, Target, Transaction, within};
pub(super) use row::Row;
use value::Value;

/// A statement without values yet. The text must be a constant, or be sworn to hold nothing that came from
/// outside ([`sqlx::AssertSqlSafe`]).
pub(super) fn query<'q>(text: impl SqlSafeStr) -> Query<'q> {
    Query { text: text.into_sql_str(), values: Vec::new() }
}

/// A statement and its values.
#[must_use = "a statement does nothing until it is executed"]
pub(super) struct Query<'q> {
    text: SqlStr,
    values: Vec<Value<'q>>,
}

/// What a statement did that answers no rows.
pub(super) struct Done {
    rows_affected: u64,
}

impl Done {
    /// Rows that were inserted, changed or deleted.
    pub(super) const fn rows_affected(&self) -> u64 {
        self.rows_affected
    }
}

/// Runs a statement on the database that the connection belongs to.
macro_rules! on_either {
    ($query:ident, $target:ident, |$bound:ident, $connection:ident| $act:expr) => {{
        let mut lent = $target.into().lend().await?;
        match &mut *lent {
            Connection::Sqlite(held) => {
                let ($bound, $connection) = (value::for_sqlite($query.text, $query.values), &mut **held);
                $act
            }
            Connection::Postgres(held) => {
                let ($bound, $connection) = (value::for_postgres($query.text, $query.values), &mut **held);
                within(async move { $act }).await
            }
        }
    }};
}

impl<'q> Query<'q> {
    /// Gives the next value: the first call is `$1`.
    pub(super) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs a statement that answers no rows.
    pub(super) async fn execute<'c>(self, on: impl Into<Target<'c>>) -> Result<Done, sqlx::Error> {
        on_either!(self, on, |bound, connection| {
            let rows_affected = bound.execute(connection).await?.rows_affected();
            Ok(Done { rows_affected })
        })
    }

    /// All rows of the answer.
    pub(super) async fn fetch_all<'c>(self, on: impl Into<Target<'c>>) -> Result<Vec<Row>, sqlx::Error> {
        on_either!(self, on, |bound, connection| {
            Ok(bound.fetch_all(connection).await?.into_iter().map(Row::from).collect())
        })
    }

    /// The first row of the answer, if there is one.
    pub(super) async fn fetch_optional<'c>(
        self,
        on: impl Into<Target<'c>>,
    ) -> Result<Option<Row>, sqlx::Error> {
        on_either!(self, on, |bound, connection| {
            Ok(bound.fetch_optional(connection).await?.map(Row::from))
        })
    }

    /// The first row of the answer; that there is none is an error.
    pub(super) async fn fetch_one<'c>(self, on: impl Into<Target<'c>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// Whether the database could not be reached or takes nothing now, whatever it was asked.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};

    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    // PostgreSQL's classes: lost connections, want of resources, an operator who stopped it. SQLite's codes are shorter.
    let class_says = code.len() == 5 && ["08", "53", "57"].iter().any(|class| code.starts_with(class));
    class_says || matches!(error, Io(_) | PoolTimedOut | Protocol(_) | Tls(_))
}
