//! One hub at a time: an advisory lock on the database, held by a connection that does nothing else. The server gives it
//! back when the connection ends, however that comes. A connection that is lost is made anew; the hub serves on
//! meanwhile.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{ConnectOptions, Connection, PgConnection, Row, postgres::PgConnectOptions};
use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::problem::{PostgresProblem, explain};
use crate::store::events;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection may take to say that it lives.
const ANSWER: Duration = Duration::from_secs(5);
/// A hub that has just ended may not have been noticed by the server yet.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// The pause before a lost connection is made anew; doubles with each failure.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// The lock of this process. Dropping it gives it back.
pub(in crate::store) struct HubLock {
    keeper: AbortHandle,
}

impl HubLock {
    /// Takes the lock of the database's schema; also answers the number of the lock that transactions take in turn.
    pub(super) async fn take(
        options: &PgConnectOptions,
        server: &str,
        look_every: Duration,
    ) -> Result<(Self, i64), PostgresProblem> {
        let mut connection = connect(options).await?;
        let schema = sqlx::query("SELECT current_schema()::text").fetch_one(&mut connection).await;
        let schema: Option<String> = schema.and_then(|row| row.try_get(0)).map_err(explain)?;
        let schema = schema.ok_or(PostgresProblem::NoSchema)?;
        let id = number("hub", &schema);
        let mut tries = 1;
        while !try_lock(&mut connection, id).await.map_err(explain)? {
            if tries == TRIES {
                return Err(PostgresProblem::InUse { hub: holder(&mut connection, id).await });
            }
            tries += 1;
            sleep(BETWEEN_TRIES).await;
        }
        let kept = Kept { options: options.clone(), server: server.to_owned(), id, look_every };
        let keeper = tokio::spawn(kept.keep(connection)).abort_handle();
        Ok((Self { keeper }, number("turn", &schema)))
    }

    /// Gives the lock back.
    pub(in crate::store) fn release(&self) {
        self.keeper.abort();
    }
}

impl Drop for HubLock {
    fn drop(&mut self) {
        self.release();
    }
}

/// What is needed to take the lock again.
struct Kept {
    options: PgConnectOptions,
    server: String,
    id: i64,
    look_every: Duration,
}

impl Kept {
    async fn keep(self, mut connection: PgConnection) {
        loop {
            sleep(self.look_every).await;
            if timeout(ANSWER, connection.ping()).await.is_ok_and(|answer| answer.is_ok()) {
                continue;
            }
            events::lock_lost(&self.server);
            connection = self.take_again().await;
            events::lock_taken_again(&self.server);
        }
    }

    async fn take_again(&self) -> PgConnection {
        let mut pause = RETRY;
        let mut failures = 0_u32;
        loop {
            sleep(pause).await;
            match self.try_again().await {
                Ok(connection) => return connection,
                Err(problem) => {
                    failures = failures.saturating_add(1);
                    events::lock_not_taken(&self.server, &problem, failures);
                }
            }
            pause = LONGEST_RETRY.min(pause.saturating_mul(2));
        }
    }

    async fn try_again(&self) -> Result<PgConnection, PostgresProblem> {
        let mut connection = connect(&self.options).await?;
        if try_lock(&mut connection, self.id).await.map_err(explain)? {
            return Ok(connection);
        }
        Err(PostgresProblem::InUse { hub: holder(&mut connection, self.id).await })
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, PostgresProblem> {
    match timeout(CONNECT, options.connect()).await {
        Ok(connected) => connected.map_err(explain),
        Err(_) => Err(PostgresProblem::Silent(CONNECT.as_secs())),
    }
}

async fn try_lock(connection: &mut PgConnection, id: i64) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT pg_try_advisory_lock($1)").bind(id).fetch_one(connection).await?.try_get(0)
}

/// Who has the lock, as far as the server tells.
async fn holder(connection: &mut PgConnection, id: i64) -> String {
    // The lock's number is shown in two halves.
    let query = sqlx::query(
        "SELECT COALESCE(host(a.client_addr), 'the server''s own machine') || ' since ' || \
         to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((l.classid::bigint << 32) | l.objid::bigint) = $1 LIMIT 1",
    );
    let found = query.bind(id).fetch_optional(connection).await.ok().flatten();
    let found = found.and_then(|row| row.try_get::<Option<String>, _>(0).ok().flatten());
    found.map_or_else(|| "the server does not say where".to_owned(), |place| format!("from {place}"))
}

/// A lock's number: each schema of a database is one of its own, and other programs' numbers are not met by chance.
fn number(purpose: &str, schema: &str) -> i64 {
    let hash = Sha256::digest(format!("trivium {purpose} {schema}"));
    hash.first_chunk().copied().map_or(0, i64::from_be_bytes)
}
