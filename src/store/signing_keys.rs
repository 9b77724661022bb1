//! Keys to sign with, in the database, sealed. What they sign is not known here.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::{
    StoreError,
    responses::beside,
    seal::Sealer,
    sql::{self, Pool},
};
use crate::ops::ports::{SigningKeyStore, SigningKeyStoreError};

/// The keys of one database.
#[derive(Clone)]
pub struct SqlSigningKeys {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl SqlSigningKeys {
    pub(super) const fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    async fn kept(&self, name: String, fresh: Vec<u8>, now: i64) -> Result<Vec<u8>, StoreError> {
        // Sealing makes the file of the key where there is none yet.
        let (sealer, bound) = (Arc::clone(&self.sealer), name.clone());
        let sealed = tokio::task::spawn_blocking(move || sealer.seal(&places(&bound), fresh));
        let sealed = sealed.await.unwrap_or(Err(StoreError::WriterStopped))?;
        let mut transaction = self.pool.begin().await?;
        sql::query(
            "INSERT INTO signing_keys (name, created_at, sealed) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.clone())
        .bind(now)
        .bind(sealed.clone())
        .execute(&mut *transaction)
        .await?;
        let row = sql::query("SELECT sealed FROM signing_keys WHERE name = $1").bind(name.clone());
        let there: Vec<u8> = row.fetch_one(&mut *transaction).await?.try_get("sealed")?;
        let opened = self.open(&name, there).await?;
        let key = if let Some(key) = opened {
            key
        } else {
            let query = sql::query("UPDATE signing_keys SET created_at = $2, sealed = $3 WHERE name = $1");
            query.bind(name.clone()).bind(now).bind(sealed.clone()).execute(&mut *transaction).await?;
            self.open(&name, sealed).await?.unwrap_or_default()
        };
        transaction.commit().await?;
        Ok(key)
    }

    async fn open(&self, name: &str, sealed: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let (sealer, name) = (Arc::clone(&self.sealer), name.to_owned());
        beside(sealed, move |sealed| sealer.open(&places(&name), sealed)).await
    }
}

/// What a sealed key is bound to.
const fn places(name: &str) -> [&str; 2] {
    ["signing", name]
}

impl SigningKeyStore for SqlSigningKeys {
    fn keep(
        &self,
        name: String,
        fresh: Vec<u8>,
        now: i64,
    ) -> BoxFuture<'_, Result<Vec<u8>, SigningKeyStoreError>> {
        Box::pin(async move {
            self.kept(name, fresh, now).await.map_err(|error| SigningKeyStoreError(Box::new(error)))
        })
    }
}
