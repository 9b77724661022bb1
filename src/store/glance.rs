//! A look at the data directory from outside: nothing is changed, and nobody who uses it is disturbed.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use operations::backups::BackupView;

use super::{BackupProblem, SqlDocuments, StoreError, backups, seal::Sealer, sqlite};
use crate::ops::ports::Document;

/// What a look at a data directory found.
pub struct Glance {
    /// The last step of the schema that the database has.
    pub schema: i64,
    /// The last one that this program knows.
    pub latest: i64,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// What is damaged.
    pub damage: Vec<String>,
    /// What was made over the API.
    pub documents: Vec<Document>,
    /// How many of those cannot be decrypted.
    pub unreadable: usize,
    /// Whether there is a key to what is encrypted, or why it cannot be used.
    pub key: Result<bool, StoreError>,
    /// The backups, newest first.
    pub backups: Vec<BackupView>,
}

/// Looks at the SQLite database of a data directory; `None` when there is none.
///
/// # Errors
/// [`StoreError::Corrupt`] and others of a file that cannot be opened.
pub async fn glance(data_dir: &Path) -> Result<Option<Glance>, StoreError> {
    let path = data_dir.join("trivium.db");
    if !path.metadata().is_ok_and(|meta| meta.len() > 0) {
        return Ok(None);
    }
    let explained = |error| sqlite::explain(&path, error);
    let found = sqlite::inspect(&path, sqlite::Depth::Soundness).await.map_err(explained)?;
    let sealer = Arc::new(Sealer::new(data_dir));
    let key = sealer.is_there();
    let (mut documents, mut unreadable) = (Vec::new(), 0);
    if found.rows.contains_key("documents") && key.is_ok() {
        let pool = sqlite::look(&path, false).await.map_err(explained)?;
        let read = SqlDocuments::new(pool.clone(), sealer).read_all().await;
        pool.close().await;
        (documents, unreadable) = read?;
    }
    let folder = data_dir.to_owned();
    let listed = tokio::task::spawn_blocking(move || backups::list(&folder)).await;
    let listed: Result<_, BackupProblem> = listed.map_err(|_| StoreError::WriterStopped)?;
    Ok(Some(Glance {
        schema: found.schema,
        latest: sqlite::latest(),
        rows: found.rows,
        damage: found.damage,
        documents,
        unreadable,
        key,
        backups: listed?,
    }))
}
