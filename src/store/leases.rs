//! Leases of budgets in the database. They are committed before they are used, on the connection whose commits survive a power
//! cut; what they mean is the engine's.

use super::sql::{self, Pool, Row};
use crate::engine::{
    ports::{LeaseError, LeaseRecord, LeaseStore},
    settings::Usd,
};
use futures_core::future::BoxFuture;

/// The leases of one database.
#[derive(Debug, Clone)]
pub struct SqlLeases {
    pool: Pool,
}

impl SqlLeases {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn all(&self, since: i64) -> Result<Vec<LeaseRecord>, sqlx::Error> {
        sql::query("DELETE FROM budget_leases WHERE window_at < $1").bind(since).execute(&self.pool).await?;
        let query =
            "SELECT budget, holder, window_at, leased_pico FROM budget_leases ORDER BY budget, holder";
        let rows = sql::query(query).fetch_all(&self.pool).await?;
        rows.iter().map(record).collect()
    }

    async fn write(&self, leases: &[LeaseRecord]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for lease in leases {
            sql::query(
                "INSERT INTO budget_leases (budget, holder, window_at, leased_pico) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (budget, holder) DO UPDATE SET window_at = excluded.window_at, \
                 leased_pico = excluded.leased_pico",
            )
            .bind(&*lease.budget)
            .bind(&*lease.holder)
            .bind(lease.window)
            // SQL integers are signed; half of the largest amount is still nine million dollars.
            .bind(i64::try_from(lease.leased.pico()).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}

impl LeaseStore for SqlLeases {
    fn load(&self, since: i64) -> BoxFuture<'_, Result<Vec<LeaseRecord>, LeaseError>> {
        Box::pin(async move { self.all(since).await.map_err(failed) })
    }

    fn put(&self, leases: Vec<LeaseRecord>) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move { self.write(&leases).await.map_err(failed) })
    }
}

fn record(row: &Row) -> Result<LeaseRecord, sqlx::Error> {
    Ok(LeaseRecord {
        budget: row.try_get::<&str, _>("budget")?.into(),
        holder: row.try_get::<&str, _>("holder")?.into(),
        window: row.try_get("window_at")?,
        leased: Usd::from_pico(u64::try_from(row.try_get::<i64, _>("leased_pico")?).unwrap_or_default()),
    })
}

fn failed(error: sqlx::Error) -> LeaseError {
    LeaseError(Box::new(error))
}
