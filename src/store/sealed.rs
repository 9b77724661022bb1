//! Everything that is encrypted in a database, table by table: whether it can be read, and sealing it anew when the key is
//! changed. How each row is sealed where it is written is said there; the test of this file holds the two together.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::AssertSqlSafe;

use super::{
    StoreError,
    responses::beside,
    seal::Sealer,
    sql::{self, Connection, Row},
};

/// Rows that are held at a time. Each may be a megabyte or more.
const STEP: i64 = 32;

/// A column with something encrypted.
struct Sealed {
    table: &'static str,
    column: &'static str,
    /// The first thing that it is bound to.
    kind: &'static str,
    /// The columns with the others, in their order.
    places: &'static [&'static str],
    /// The column that numbers the rows. Tables without one are small.
    number: Option<&'static str>,
    /// Whether it is kept until somebody deletes it, and does not end by itself.
    lasting: bool,
}

const ALL: [Sealed; 10] = [
    Sealed {
        table: "documents",
        column: "sealed",
        kind: "document",
        places: &["section", "id"],
        number: None,
        lasting: true,
    },
    Sealed {
        table: "document_changes",
        column: "sealed_before",
        kind: "document",
        places: &["section", "id"],
        number: Some("change"),
        lasting: true,
    },
    Sealed {
        table: "oauth_credentials",
        column: "sealed",
        kind: "oauth",
        places: &["connection"],
        number: None,
        lasting: true,
    },
    Sealed {
        table: "oauth_logins",
        column: "sealed",
        kind: "login",
        places: &["login", "connection"],
        number: None,
        lasting: false,
    },
    Sealed {
        table: "responses",
        column: "sealed",
        kind: "response",
        places: &["owner", "id"],
        number: Some("seq"),
        lasting: false,
    },
    Sealed {
        table: "idempotency_claims",
        column: "sealed",
        kind: "idempotency",
        places: &["owner", "id"],
        number: Some("seq"),
        lasting: false,
    },
    Sealed {
        table: "captures",
        column: "sealed",
        kind: "capture",
        places: &["request_id"],
        number: Some("seq"),
        lasting: false,
    },
    Sealed {
        table: "task_entries",
        column: "sealed",
        kind: "task",
        places: &["task"],
        number: Some("nr"),
        lasting: false,
    },
    Sealed {
        table: "task_hooks",
        column: "sealed",
        kind: "task_hook",
        places: &["task", "id"],
        number: Some("nr"),
        lasting: false,
    },
    // Another one is made when it is lost.
    Sealed {
        table: "signing_keys",
        column: "sealed",
        kind: "signing",
        places: &["name"],
        number: None,
        lasting: false,
    },
];

/// What can be read, and what cannot.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Rows that can be read.
    pub rows: u64,
    /// Rows that cannot, by table.
    pub lost: BTreeMap<&'static str, u64>,
}

impl Readable {
    /// How many cannot be read.
    #[must_use]
    pub fn lost_rows(&self) -> u64 {
        self.lost.values().sum()
    }

    /// Where those are, for people.
    #[must_use]
    pub fn lost_places(&self) -> String {
        let places: Vec<String> = self.lost.iter().map(|(table, rows)| format!("{table}: {rows}")).collect();
        places.join(", ")
    }

    /// Whether the key is another one, or what nobody could make anew is lost. Answers and captures that cannot be read any more
    /// go away by themselves.
    pub(super) fn is_serious(&self) -> bool {
        let lasting = |table: &str| ALL.iter().any(|one| one.table == table && one.lasting);
        self.rows == 0 && !self.lost.is_empty() || self.lost.keys().any(|table| lasting(table))
    }
}

/// Looks at all of it. `has` says which tables there are, as an older database lacks some.
pub(super) async fn look(
    connection: &mut Connection,
    sealer: &Arc<Sealer>,
    has: impl Fn(&str) -> bool,
) -> Result<Readable, StoreError> {
    let mut found = Readable::default();
    for sealed in ALL.iter().filter(|sealed| has(sealed.table)) {
        sealed.walk(connection, sealer, &mut found, false).await?;
    }
    Ok(found)
}

/// Seals all of it anew, with the key that seals now. What cannot be read stays as it is.
pub(super) async fn seal_anew(
    connection: &mut Connection,
    sealer: &Arc<Sealer>,
) -> Result<Readable, StoreError> {
    let mut found = Readable::default();
    for sealed in &ALL {
        sealed.walk(connection, sealer, &mut found, true).await?;
    }
    Ok(found)
}

impl Sealed {
    async fn walk(
        &self,
        connection: &mut Connection,
        sealer: &Arc<Sealer>,
        found: &mut Readable,
        anew: bool,
    ) -> Result<(), StoreError> {
        let mut after = i64::MIN;
        loop {
            let rows = self.rows(connection, after).await?;
            for row in &rows {
                let places = self.places_of(row)?;
                let (own, bound) = (Arc::clone(sealer), places.clone());
                let work = move |sealed| {
                    let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
                    let opened = own.open(&bound, sealed)?;
                    opened.map(|plain| if anew { own.seal(&bound, plain) } else { Ok(plain) }).transpose()
                };
                match beside(row.try_get(self.column)?, work).await? {
                    None => *found.lost.entry(self.table).or_default() += 1,
                    Some(sealed) => {
                        found.rows += 1;
                        if anew {
                            self.put(connection, row, &places, sealed).await?;
                        }
                    }
                }
            }
            match (self.number, rows.last()) {
                (Some(number), Some(last)) => after = last.try_get(number)?,
                _ => return Ok(()),
            }
        }
    }

    /// The next rows; of a table without numbers, all.
    async fn rows(&self, connection: &mut Connection, after: i64) -> Result<Vec<Row>, sqlx::Error> {
        let Self { table, column, number, .. } = self;
        let columns =
            self.places.iter().chain([column]).chain(number).copied().collect::<Vec<_>>().join(", ");
        let text = format!("SELECT {columns} FROM {table} WHERE {column} IS NOT NULL");
        // Safe: the names are constants of this file.
        match number {
            None => sql::query(AssertSqlSafe(text)).fetch_all(connection).await,
            Some(number) => {
                let text = format!("{text} AND {number} > $1 ORDER BY {number} LIMIT $2");
                sql::query(AssertSqlSafe(text)).bind(after).bind(STEP).fetch_all(connection).await
            }
        }
    }

    fn places_of(&self, row: &Row) -> Result<Vec<String>, sqlx::Error> {
        let rest = self.places.iter().map(|place| row.try_get::<String, _>(*place));
        std::iter::once(Ok(self.kind.to_owned())).chain(rest).collect()
    }

    async fn put(
        &self,
        connection: &mut Connection,
        row: &Row,
        places: &[String],
        sealed: Vec<u8>,
    ) -> Result<(), sqlx::Error> {
        let Self { table, column, number, .. } = self;
        let done = match number {
            Some(number) => {
                let text = format!("UPDATE {table} SET {column} = $1 WHERE {number} = $2");
                let query = sql::query(AssertSqlSafe(text)).bind(sealed);
                query.bind(row.try_get::<i64, _>(*number)?).execute(connection).await?
            }
            None => {
                let same = self.places.iter().zip(2..).map(|(place, at)| format!("{place} = ${at}"));
                let same = same.collect::<Vec<_>>().join(" AND ");
                let text = format!("UPDATE {table} SET {column} = $1 WHERE {same}");
                let query = sql::query(AssertSqlSafe(text)).bind(sealed);
                let query = places.iter().skip(1).fold(query, |query, place| query.bind(place));
                query.execute(connection).await?
            }
        };
        if done.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }
}

#[cfg(test)]
mod tests;
