//! `manifest.json` in a backup: what it says of itself, for this program and for later ones.

use std::{fs, io::Write, path::Path};

use operations::backups::BackupView;
use serde::{Deserialize, Serialize};

use super::{BackupProblem, at};
use crate::store::data_dir::private_file;

const FILE: &str = "manifest.json";
/// How a backup is laid out. Higher numbers are for layouts that this program cannot read.
const LAYOUT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Manifest {
    layout: u32,
    #[serde(flatten)]
    backup: serde_json::Value,
}

pub(super) fn write(folder: &Path, backup: &BackupView) -> Result<(), BackupProblem> {
    let path = folder.join(FILE);
    let write = || {
        let manifest = Manifest { layout: LAYOUT, backup: serde_json::to_value(backup)? };
        let mut file = private_file(&path)?;
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
        file.sync_all()
    };
    write().map_err(at(&path))
}

pub(super) fn read(folder: &Path) -> Result<BackupView, BackupProblem> {
    let path = folder.join(FILE);
    let unreadable = |reason: String| BackupProblem::Unreadable { path: folder.to_owned(), reason };
    let text = fs::read(&path).map_err(|error| unreadable(format!("`{FILE}` cannot be read ({error})")))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| unreadable(format!("`{FILE}` is damaged ({error})")))?;
    if manifest.layout != LAYOUT {
        return Err(unreadable("it was made by a newer Trivium".to_owned()));
    }
    serde_json::from_value(manifest.backup)
        .map_err(|error| unreadable(format!("`{FILE}` is damaged ({error})")))
}
