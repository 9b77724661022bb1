//! Connections to either database, and what a statement can be run on.

use std::{
    io,
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{Database, PgPool, Postgres, Sqlite, SqlitePool, pool::PoolConnection};

use super::query;

/// The longest that a server in the network may take for one statement. Without an end, a machine that has vanished would keep
/// whoever asks waiting for a quarter of an hour.
const ANSWER: Duration = Duration::from_secs(30);

/// What a server in the network answers in time.
pub(in crate::store) async fn within<T>(
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within 30 s");
    tokio::time::timeout(ANSWER, asking).await.unwrap_or_else(|_| Err(sqlx::Error::Io(late())))
}

/// The connections to one database.
pub(in crate::store) struct Pools {
    /// For management: what is committed survives a power cut.
    pub(in crate::store) managing: Pool,
    /// For the writer: a commit does not wait for the disk. A power cut may cost the last receipts, and no more.
    pub(in crate::store) writing: Pool,
}

impl Pools {
    pub(in crate::store) async fn close(&self) {
        self.writing.close().await;
        self.managing.close().await;
    }
}

/// Some of the connections to one database.
#[derive(Debug, Clone)]
pub(in crate::store) enum Pool {
    Sqlite(SqlitePool),
    Postgres {
        pool: PgPool,
        /// The advisory lock under which its transactions come one after the other, as SQLite's do by themselves.
        turn: Option<i64>,
    },
}

impl Pool {
    /// A connection for statements of which each stands for itself.
    pub(in crate::store) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Connection::Sqlite(Held::Idle(pool.acquire().await?)),
            Self::Postgres { pool, .. } => Connection::Postgres(Held::Idle(pool.acquire().await?)),
        })
    }

    /// A transaction. On the pool for management none runs beside it: what it reads stays so until it ends. With SQLite
    /// that begins with its first statement that writes, which should be the first.
    pub(in crate::store) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let (connection, turn) = match self {
            Self::Sqlite(pool) => (Connection::Sqlite(Held::Busy(pool.begin().await?)), None),
            Self::Postgres { pool, turn } => {
                (Connection::Postgres(Held::Busy(within(pool.begin()).await?)), turn.as_ref())
            }
        };
        let mut transaction = Transaction(connection);
        if let Some(turn) = turn {
            // Given back by the end of the transaction.
            query("SELECT pg_advisory_xact_lock($1)").bind(turn).execute(&mut *transaction).await?;
        }
        Ok(transaction)
    }

    /// Waits for the connections to come back, and closes them.
    pub(in crate::store) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// A connection, with or without a transaction on it.
pub(in crate::store) enum Connection {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

/// What it was taken for.
pub(in crate::store) enum Held<D: Database> {
    Idle(PoolConnection<D>),
    Busy(sqlx::Transaction<'static, D>),
}

impl<D: Database> Held<D> {
    async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Idle(_) => Ok(()),
            Self::Busy(transaction) => transaction.commit().await,
        }
    }
}

impl<D: Database> Deref for Held<D> {
    type Target = D::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Idle(connection) => connection,
            Self::Busy(transaction) => transaction,
        }
    }
}

impl<D: Database> DerefMut for Held<D> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Idle(connection) => connection,
            Self::Busy(transaction) => transaction,
        }
    }
}

/// A connection with a transaction on it, which is rolled back unless it is committed.
pub(in crate::store) struct Transaction(Connection);

impl Transaction {
    pub(in crate::store) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0 {
            Connection::Sqlite(held) => held.commit().await,
            Connection::Postgres(held) => within(held.commit()).await,
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// What a statement can be run on.
pub(in crate::store) enum Target<'c> {
    /// Some connection of these.
    Pool(&'c Pool),
    /// This one.
    Connection(&'c mut Connection),
}

impl<'c> From<&'c Pool> for Target<'c> {
    fn from(pool: &'c Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut Connection> for Target<'c> {
    fn from(connection: &'c mut Connection) -> Self {
        Self::Connection(connection)
    }
}

impl<'c> Target<'c> {
    pub(super) async fn lend(self) -> Result<Lent<'c>, sqlx::Error> {
        Ok(match self {
            Self::Pool(pool) => Lent::Own(pool.acquire().await?),
            Self::Connection(connection) => Lent::Others(connection),
        })
    }
}

/// A connection for one statement.
pub(super) enum Lent<'c> {
    Own(Connection),
    Others(&'c mut Connection),
}

impl Deref for Lent<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Others(connection) => connection,
        }
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Others(connection) => connection,
        }
    }
}
