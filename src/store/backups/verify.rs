//! Whether a backup can be put back: the file is the one that was written, the database is sound, its schema is known, no row is
//! missing, and what is encrypted in it can be read.

use std::{path::Path, sync::Arc};

use operations::backups::{BackupVerdict, BackupView};

use super::{BackupProblem, DATABASE, beside, files, manifest};
use crate::store::{StoreError, seal, seal::Sealer, sealed, sqlite};

/// Looks at the backup in a folder. A backup without the key is read with the key of `data_dir`.
pub(super) async fn verify(folder: &Path, data_dir: &Path) -> Result<BackupVerdict, StoreError> {
    let (at, file) = (folder.to_owned(), folder.join(DATABASE));
    let (said, bytes, sha256) = beside(move || {
        let said = manifest::read(&at)?;
        let (bytes, sha256) = files::digest(&file)?;
        Ok((said, bytes, sha256))
    })
    .await?;
    let mut problems = Vec::new();
    if (bytes, &sha256) != (said.bytes, &said.sha256) {
        problems.push(
            "its database is not the file that was written: it was changed or damaged since".to_owned(),
        );
    }
    let mut verdict = BackupVerdict {
        name: said.name.clone(),
        whole: false,
        problems: Vec::new(),
        schema: said.schema,
        rows: said.rows.clone(),
        unreadable: 0,
    };
    match sqlite::inspect(&folder.join(DATABASE), sqlite::Depth::Everything).await {
        Ok(found) => {
            compare(&said, &found, &mut problems);
            verdict.schema = found.schema;
            verdict.rows = found.rows;
        }
        Err(error) => problems.push(format!("its database cannot be opened ({error})")),
    }
    if problems.is_empty() {
        verdict.unreadable = encrypted(folder, data_dir, &verdict, said.has_key, &mut problems).await?;
    }
    verdict.whole = problems.is_empty();
    verdict.problems = problems;
    Ok(verdict)
}

fn compare(said: &BackupView, found: &sqlite::Inspection, problems: &mut Vec<String>) {
    problems.extend(found.damage.iter().map(|damage| format!("its database is damaged ({damage})")));
    if found.schema == 0 || found.schema > sqlite::latest() {
        let (schema, latest) = (found.schema, sqlite::latest());
        problems.push(format!(
            "its schema has step {schema}, and this program knows those up to {latest}: use the version that made it \
             ({}) or a newer one",
            said.program
        ));
    }
    if said.rows != found.rows {
        problems.push("it has not the rows that it had when it was made".to_owned());
    }
}

/// Whether everything that is encrypted can be read with the key beside it; how much cannot.
async fn encrypted(
    folder: &Path,
    data_dir: &Path,
    verdict: &BackupVerdict,
    has_key: bool,
    problems: &mut Vec<String>,
) -> Result<u64, StoreError> {
    let keys = if has_key { folder } else { data_dir };
    if has_key && !folder.join(seal::FILE).exists() {
        problems.push(format!("its key, `{}`, is gone", seal::FILE));
        return Ok(0);
    }
    let path = folder.join(DATABASE);
    let unusable = |source| BackupProblem::Copy { path: path.clone(), source };
    let pool = sqlite::look(&path, true).await.map_err(unusable)?;
    let sealer = Arc::new(Sealer::new(keys));
    let found = match pool.acquire().await {
        Ok(mut connection) => {
            sealed::look(&mut connection, &sealer, |table| verdict.rows.contains_key(table)).await
        }
        Err(error) => Err(error.into()),
    };
    pool.close().await;
    let found = found?;
    if found.is_serious() {
        let places = found.lost_places();
        problems.push(if has_key {
            format!("what is encrypted in it cannot be read with the key beside it ({places})")
        } else {
            let key = seal::FILE;
            format!(
                "it was made without the key, and the `{key}` of this data folder is another or missing ({places})"
            )
        });
    }
    Ok(found.lost_rows())
}
