//! Looking at a SQLite file without changing it, and copying one while others write to it.

use std::{collections::BTreeMap, path::Path};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{BUSY_TIMEOUT, MIGRATIONS, Pool, private_file};

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Depth {
    /// The step of the schema.
    Schema,
    /// How many rows there are, too.
    Counts,
    /// Whether the pages are sound, too; not whether each index agrees with its table. For a database in use.
    Soundness,
    /// All of it.
    Everything,
}

/// What was found.
#[derive(Debug, Default)]
pub(in crate::store) struct Inspection {
    /// The last step of the schema; 0 when there is none.
    pub(in crate::store) schema: i64,
    /// Rows by table.
    pub(in crate::store) rows: BTreeMap<String, u64>,
    /// What is damaged.
    pub(in crate::store) damage: Vec<String>,
}

/// The last step of the schema that this program knows.
pub(in crate::store) fn latest() -> i64 {
    MIGRATIONS.iter().map(|step| step.version).max().unwrap_or_default()
}

/// Copies the database into a new file that only its owner may read: as of one moment, without the space of deleted rows.
/// Nobody who writes has to wait.
pub(in crate::store) async fn copy(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let target = to
        .to_str()
        .ok_or_else(|| sqlx::Error::Configuration("the path of the data folder is not UTF-8 text".into()))?;
    // Made here, because SQLite would leave its mode to the umask.
    private_file(to).map_err(sqlx::Error::Io)?;
    let options =
        SqliteConnectOptions::new().filename(from).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
    let mut source = options.connect().await?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await?;
    source.close().await
}

/// Opens a file for reading. A file that nobody writes to, such as a backup, is opened without any trace beside it.
pub(in crate::store) async fn look(path: &Path, nobody_writes: bool) -> Result<Pool, sqlx::Error> {
    let options = looking(path, nobody_writes);
    Ok(Pool::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_with(options).await?))
}

fn looking(path: &Path, nobody_writes: bool) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    options.immutable(nobody_writes).disable_statement_logging()
}

/// Looks at a file. A database in use is looked at as it is at this moment.
pub(in crate::store) async fn inspect(path: &Path, depth: Depth) -> Result<Inspection, sqlx::Error> {
    let is_copy = matches!(depth, Depth::Counts | Depth::Everything);
    let mut connection = looking(path, is_copy).connect().await?;
    let found = inspect_on(&mut connection, depth).await;
    connection.close().await?;
    found
}

async fn inspect_on(connection: &mut SqliteConnection, depth: Depth) -> Result<Inspection, sqlx::Error> {
    let mut found = Inspection::default();
    let check = match depth {
        Depth::Schema | Depth::Counts => None,
        Depth::Soundness => Some("PRAGMA quick_check(10)"),
        Depth::Everything => Some("PRAGMA integrity_check(10)"),
    };
    if let Some(check) = check {
        let said = sqlx::query(check).fetch_all(&mut *connection).await?;
        let said: Vec<String> = said.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        found.damage = said.into_iter().filter(|line| line != "ok").collect();
    }
    let names =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let tables = sqlx::query(names).fetch_all(&mut *connection).await?;
    for table in &tables {
        let name: String = table.try_get(0)?;
        if name == "_sqlx_migrations" {
            let query = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success = 1";
            found.schema = sqlx::query(query).fetch_one(&mut *connection).await?.try_get(0)?;
        } else if depth != Depth::Schema {
            // The name is the database's own, and quoted: a file from elsewhere can hold any.
            let query = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{}\"", name.replace('"', "\"\"")));
            let rows: i64 = sqlx::query(query).fetch_one(&mut *connection).await?.try_get(0)?;
            found.rows.insert(name, rows.cast_unsigned());
        }
    }
    Ok(found)
}
