//! A PostgreSQL database as a SQLite file with the same tables, and back. So a backup is one file of one kind whatever the store
//! is: it is verified in one way, needs no other program that would have to be there and of the server's version, and moves a
//! hub from one database to the other. Both are named here, beside their own files, because this is about the two.

use std::path::Path;

use sqlx::{AssertSqlSafe, PgTransaction, Row as _, SqliteConnection};

use super::{
    StoreError,
    sql::{self, Connection, Pool, Query, Row, within},
    sqlite,
};

/// Rows that are read at a time; of tables with texts of any length, fewer.
const STEP: usize = 500;
const HEAVY_STEP: usize = 16;
/// Values in one statement: PostgreSQL takes 65,535, SQLite 32,766.
const VALUES: usize = 10_000;

/// A table, as SQLite's schema has it.
struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    kind: Kind,
    /// Whether the database gives numbers to rows here.
    numbers: bool,
}

/// What values are, as the store binds them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Real,
    Text,
    Bytes,
}

/// Copies everything into a new file, as of one moment. Nobody who reads or writes has to wait.
pub(super) async fn to_file(from: &Pool, file: &Path) -> Result<(), StoreError> {
    let Pool::Postgres { pool, .. } = from else { return Ok(()) };
    let pools = sqlite::open(file).await?;
    let done = async {
        let tables = tables(&pools.managing).await?;
        let mut source = within(pool.begin()).await?;
        let one_moment = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        within(sqlx::query(one_moment).execute(&mut *source)).await?;
        let mut target = pools.managing.begin().await?;
        for table in &tables {
            empty(&mut target, table).await?;
            from_server(table, &mut source, &mut target).await?;
        }
        target.commit().await
    };
    let done: Result<(), sqlx::Error> = done.await;
    pools.close().await;
    Ok(done?)
}

/// Whether nobody has used the database yet.
pub(super) async fn is_unused(pool: &Pool) -> Result<bool, sqlx::Error> {
    let query = "SELECT (SELECT COUNT(*) FROM api_keys) + (SELECT COUNT(*) FROM documents) + (SELECT COUNT(*) FROM audit) \
                 + (SELECT COUNT(*) FROM receipts)";
    Ok(sql::query(query).fetch_one(pool).await?.try_get::<i64, _>(0)? == 0)
}

/// Copies everything from a file, whose schema is brought up to date, into a database that nobody has used: all or nothing.
pub(super) async fn from_file(file: &Path, to: &Pool) -> Result<(), StoreError> {
    let pools = sqlite::open(file).await?;
    let done = async {
        let tables = tables(&pools.managing).await?;
        let mut source = pools.managing.acquire().await?;
        let mut target = to.begin().await?;
        for table in &tables {
            empty(&mut target, table).await?;
            if let Connection::Sqlite(source) = &mut source {
                out_of_file(table, source, &mut target).await?;
            }
            go_on_counting(table, &mut target).await?;
        }
        target.commit().await
    };
    let done: Result<(), sqlx::Error> = done.await;
    pools.close().await;
    Ok(done?)
}

/// Every table but the list of the schema's steps.
async fn tables(pool: &Pool) -> Result<Vec<Table>, sqlx::Error> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                 AND name <> '_sqlx_migrations' ORDER BY name";
    let mut tables = Vec::new();
    for row in sql::query(query).fetch_all(pool).await? {
        let name: String = row.try_get(0)?;
        let columns = "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid";
        let columns = sql::query(columns).bind(&name).fetch_all(pool).await?;
        let columns = columns.iter().map(Column::of).collect::<Result<Vec<_>, _>>()?;
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

/// What the schema's steps put in is in the copy, too.
async fn empty(target: &mut Connection, table: &Table) -> Result<(), sqlx::Error> {
    // Safe, here and below: names are those of the program's own schema.
    let query = AssertSqlSafe(format!("DELETE FROM {}", table.name));
    sql::query(query).execute(target).await.map(drop)
}

async fn from_server(
    table: &Table,
    source: &mut PgTransaction<'static>,
    target: &mut Connection,
) -> Result<(), sqlx::Error> {
    // A cursor of its own for each: statements are prepared once for their text, with the columns that they had then.
    let (columns, name) = (table.names(), &table.name);
    let declare = format!("DECLARE copied_{name} NO SCROLL CURSOR FOR SELECT {columns} FROM {name}");
    within(sqlx::query(AssertSqlSafe(declare)).execute(&mut **source)).await?;
    let fetch = format!("FETCH {} FROM copied_{name}", table.step());
    loop {
        let rows = within(sqlx::query(AssertSqlSafe(fetch.clone())).fetch_all(&mut **source)).await?;
        if rows.is_empty() {
            break;
        }
        table.insert(target, &rows.into_iter().map(Row::from).collect::<Vec<_>>()).await?;
    }
    let close = format!("CLOSE copied_{name}");
    within(sqlx::query(AssertSqlSafe(close)).execute(&mut **source)).await.map(drop)
}

async fn out_of_file(
    table: &Table,
    source: &mut SqliteConnection,
    target: &mut Connection,
) -> Result<(), sqlx::Error> {
    let (columns, name, step) = (table.names(), &table.name, table.step());
    let select = format!("SELECT {columns}, rowid FROM {name} WHERE rowid > $1 ORDER BY rowid LIMIT {step}");
    let mut after = i64::MIN;
    loop {
        let rows = sqlx::query(AssertSqlSafe(select.clone())).bind(after).fetch_all(&mut *source).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.try_get(table.columns.len())?;
        table.insert(target, &rows.into_iter().map(Row::from).collect::<Vec<_>>()).await?;
    }
}

/// PostgreSQL gives numbers from a sequence of its own, which knows nothing of rows that brought theirs.
async fn go_on_counting(table: &Table, target: &mut Connection) -> Result<(), sqlx::Error> {
    for column in table.columns.iter().filter(|column| column.numbers) {
        let (table, column) = (&table.name, &column.name);
        let query = format!(
            "SELECT setval(pg_get_serial_sequence($1, $2), GREATEST(MAX({column}), 1), MAX({column}) IS NOT NULL) FROM {table}"
        );
        sql::query(AssertSqlSafe(query)).bind(table).bind(column).fetch_one(&mut *target).await?;
    }
    Ok(())
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn step(&self) -> usize {
        let heavy = self.columns.iter().any(|column| column.kind == Kind::Bytes);
        if heavy { HEAVY_STEP } else { STEP }
    }

    async fn insert(&self, target: &mut Connection, rows: &[Row]) -> Result<(), sqlx::Error> {
        let width = self.columns.len().max(1);
        for some in rows.chunks((VALUES / width).max(1)) {
            let group = |row: usize| {
                let marks = (1..=width).map(|at| format!("${}", row * width + at));
                format!("({})", marks.collect::<Vec<_>>().join(", "))
            };
            let groups = (0..some.len()).map(group).collect::<Vec<_>>().join(", ");
            let text = format!("INSERT INTO {} ({}) VALUES {groups}", self.name, self.names());
            let mut query = sql::query(AssertSqlSafe(text));
            for row in some {
                for (at, column) in self.columns.iter().enumerate() {
                    query = column.bound(query, row, at)?;
                }
            }
            query.execute(&mut *target).await?;
        }
        Ok(())
    }
}

impl Column {
    fn of(row: &Row) -> Result<Self, sqlx::Error> {
        let kind = match row.try_get::<&str, _>("type")? {
            "REAL" => Kind::Real,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            _ => Kind::Whole,
        };
        let is_key = row.try_get::<i64, _>("pk")? > 0;
        Ok(Self { name: row.try_get("name")?, kind, numbers: is_key && kind == Kind::Whole })
    }

    fn bound<'q>(&self, query: Query<'q>, row: &Row, at: usize) -> Result<Query<'q>, sqlx::Error> {
        Ok(match self.kind {
            Kind::Whole => query.bind(row.try_get::<Option<i64>, _>(at)?),
            Kind::Real => query.bind(row.try_get::<Option<f64>, _>(at)?),
            Kind::Text => query.bind(row.try_get::<Option<String>, _>(at)?),
            Kind::Bytes => query.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
        })
    }
}

#[cfg(test)]
mod tests;
