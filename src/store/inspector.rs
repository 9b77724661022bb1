//! A look at the database while the hub uses it, and what can be put in order without stopping it. What is particular to each
//! database is in `sqlite` and `postgres`.

use std::path::{Path, PathBuf};

use futures_core::future::BoxFuture;

use super::{postgres, sql::Pool, sqlite};
use crate::ops::ports::{InspectError, Inspected, Inspector};

/// Looks at one database.
pub struct SqlInspector {
    pool: Pool,
    /// The file, where it is one.
    file: PathBuf,
}

impl SqlInspector {
    pub(super) const fn new(pool: Pool, file: PathBuf) -> Self {
        Self { pool, file }
    }

    async fn look(&self, repair: bool) -> Result<Inspected, sqlx::Error> {
        let Pool::Sqlite(_) = &self.pool else { return postgres::inspect(&self.pool, repair).await };
        if repair {
            sqlite::mend(&self.pool).await?;
        }
        let found = sqlite::inspect(&self.file, sqlite::Depth::Soundness).await?;
        let mut log = self.file.clone().into_os_string();
        log.push("-wal");
        Ok(Inspected {
            kind: "sqlite",
            damage: found.damage,
            bytes: size(&self.file).await,
            log_bytes: size(Path::new(&log)).await,
            schema: found.schema,
            latest: sqlite::latest(),
        })
    }
}

impl Inspector for SqlInspector {
    fn inspect(&self, repair: bool) -> BoxFuture<'_, Result<Inspected, InspectError>> {
        Box::pin(async move { self.look(repair).await.map_err(|error| InspectError(Box::new(error))) })
    }
}

async fn size(path: &Path) -> Option<u64> {
    Some(tokio::fs::metadata(path).await.ok()?.len())
}
