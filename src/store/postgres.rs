//! Opening a PostgreSQL database: its connections, its schema, and the lock that keeps other hubs away. Statements are in
//! the files of their aggregates, in the SQL that SQLite shares.

mod lock;
mod problem;
#[cfg(test)]
mod tests;

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    StoreError,
    sql::{Pool, Pools},
};
use crate::{engine::settings::Secret, ops::ports::Inspected};
pub(super) use lock::HubLock;
pub use problem::PostgresProblem;

// A step that has been released is never edited; a new file is only noticed when this one is compiled again.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// Connections for management: few at a time ask, and transactions come one after the other anyway.
const MANAGING: u32 = 4;
/// Between two looks at whether the lock is still held.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a statement waits for a connection while the server is away.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connects to the database, takes its lock, and brings its schema up to date.
///
/// A commit of management is on the server's disk before it is answered, as its configuration says; one of the writer's
/// is not waited for (`synchronous_commit` is off), so that a crash of the server may cost the last receipts.
pub(super) async fn open(url: &Secret) -> Result<(Pools, HubLock), StoreError> {
    let options = PgConnectOptions::from_str(url.expose()).map_err(|error| StoreError::Postgres {
        // Nothing of a text that is no address can be shown: a password may be anywhere in it.
        server: "[unreadable]".to_owned(),
        problem: PostgresProblem::Address(error),
    })?;
    let options = options.disable_statement_logging();
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("trivium"),
    };
    let server = server(&options);
    let failed = |problem| StoreError::Postgres { server: server.clone(), problem };
    let (lock, turn) = HubLock::take(&options, &server, LOOK_EVERY).await.map_err(failed)?;
    let managing = pool(options.clone(), MANAGING).await.map_err(|error| failed(problem::explain(error)))?;
    MIGRATIONS.run(&managing).await.map_err(|error| failed(problem::explain_migration(error)))?;
    let writing = options.options([("synchronous_commit", "off")]);
    let writing = pool(writing, 1).await.map_err(|error| failed(problem::explain(error)))?;
    let pools = Pools {
        managing: Pool::Postgres { pool: managing, turn: Some(turn) },
        writing: Pool::Postgres { pool: writing, turn: None },
    };
    Ok((pools, lock))
}

/// How the database is, as far as its server tells: that it can be read, its size and its schema. Whether its pages are sound
/// is the server's business. To repair is to refresh what its planner knows.
pub(super) async fn inspect(pool: &Pool, repair: bool) -> Result<Inspected, sqlx::Error> {
    let Pool::Postgres { pool, .. } = pool else { return Ok(Inspected::default()) };
    if repair {
        sqlx::query("ANALYZE").execute(pool).await?;
    }
    let bytes: i64 =
        sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(pool).await?;
    let steps = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
    Ok(Inspected {
        kind: "postgres",
        damage: Vec::new(),
        bytes: u64::try_from(bytes).ok(),
        log_bytes: None,
        schema: sqlx::query_scalar(steps).fetch_one(pool).await?,
        latest: MIGRATIONS.iter().map(|step| step.version).max().unwrap_or_default(),
    })
}

async fn pool(options: PgConnectOptions, connections: u32) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .max_lifetime(None)
        // A server goes away between two statements: a connection is asked whether it lives before it is used.
        .test_before_acquire(true)
        .connect_with(options)
        .await
}

/// What the database is called in messages: never the password.
fn server(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{database} at {}", socket.display()),
        None => format!("{database} at {}:{}", options.get_host(), options.get_port()),
    }
}
