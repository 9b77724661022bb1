//! The list of prices that was fetched last. What is in it is said in `ops`.

use futures_core::future::BoxFuture;

use super::sql::{self, Pool};
use crate::ops::ports::{FetchedList, PriceListError, PriceListStore};

/// The lists of one database: one, or none.
#[derive(Debug, Clone)]
pub struct SqlPriceLists {
    pool: Pool,
}

impl SqlPriceLists {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn write(&self, list: FetchedList) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        sql::query("DELETE FROM price_lists").execute(&mut *transaction).await?;
        let query = sql::query("INSERT INTO price_lists (url, fetched_at, body) VALUES ($1, $2, $3)");
        let query = query.bind(list.url).bind(list.fetched_at).bind(list.body);
        query.execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn read(&self, url: String) -> Result<Option<FetchedList>, sqlx::Error> {
        let query = sql::query("SELECT fetched_at, body FROM price_lists WHERE url = $1").bind(&url);
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        let (fetched_at, body) = (row.try_get("fetched_at")?, row.try_get("body")?);
        Ok(Some(FetchedList { url, fetched_at, body }))
    }
}

impl PriceListStore for SqlPriceLists {
    fn put(&self, list: FetchedList) -> BoxFuture<'_, Result<(), PriceListError>> {
        Box::pin(async move { self.write(list).await.map_err(failed) })
    }

    fn fetched_from(&self, url: String) -> BoxFuture<'_, Result<Option<FetchedList>, PriceListError>> {
        Box::pin(async move { self.read(url).await.map_err(failed) })
    }
}

fn failed(error: sqlx::Error) -> PriceListError {
    PriceListError(Box::new(error))
}
