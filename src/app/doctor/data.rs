//! The data folder: who may look into it, the database and its key, backups, and the space that is left.

use std::{io, path::Path};

use super::{Examination, Finding};
use crate::{
    app::now_ms,
    config::Boot,
    store::{self, Glance},
};

const GIB: u64 = 1024 * 1024 * 1024;
/// Below this a hub soon cannot write; below the larger one somebody should know.
const TOO_LITTLE: u64 = GIB / 10;
const LITTLE: u64 = GIB;

/// The folder itself.
pub(super) fn folder(boot: &Boot, found: &mut Examination) {
    const CHECK: &str = "data folder";
    let path = &boot.data_dir;
    let shown = path.display();
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            found.add(Finding::ok(CHECK, format!("{shown} is not there yet; the first start makes it")));
            return;
        }
        Err(error) => {
            let remedy = "give this user the right to look into it, or choose another with DATA_DIR";
            found.add(Finding::fail(CHECK, format!("{shown} cannot be read: {error}"), remedy));
            return;
        }
    };
    if let Some(mode) = open_to_others(&meta) {
        let text = format!("others may look into {shown} (mode {mode:o})");
        found.add(Finding::warn(CHECK, text, format!("chmod 700 {shown}")));
    }
    // A file of no name that anybody uses, and gone at once.
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    found.add(match written {
        Ok(()) => Finding::ok(CHECK, format!("{shown} can be written")),
        Err(error) => {
            let remedy = "give this user the right to write there, or choose another with DATA_DIR";
            Finding::fail(CHECK, format!("{shown} cannot be written: {error}"), remedy)
        }
    });
    if path.join("first-key.txt").exists() {
        let text = "the text of the first key is still in `first-key.txt`";
        found.add(Finding::warn(CHECK, text, "keep it somewhere safe, and delete the file"));
    }
}

#[cfg(unix)]
fn open_to_others(meta: &std::fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_meta: &std::fs::Metadata) -> Option<u32> {
    None
}

/// The database, and the key to what is encrypted in it.
pub(super) async fn store(boot: &Boot, found: &mut Examination) -> Option<Glance> {
    const CHECK: &str = "store";
    if boot.store_url.is_some() {
        let text = "a PostgreSQL database: it is checked by the hub when it starts, and not here";
        found.add(Finding::ok(CHECK, text));
        return None;
    }
    let glance = match store::glance(&boot.data_dir).await {
        Ok(Some(glance)) => glance,
        Ok(None) => {
            found.add(Finding::ok(CHECK, "there is none yet; the first start makes it"));
            return None;
        }
        Err(error) => {
            let remedy = "restore a backup: `trivium backups list`, `trivium backups restore NAME`";
            found.add(Finding::fail(CHECK, error.to_string(), remedy));
            return None;
        }
    };
    for damage in &glance.damage {
        let remedy = "stop the hub and restore a backup: `trivium backups restore NAME`";
        found.add(Finding::fail(CHECK, format!("the database is damaged: {damage}"), remedy));
    }
    let (schema, latest) = (glance.schema, glance.latest);
    match schema.cmp(&latest) {
        std::cmp::Ordering::Equal => found.add(Finding::ok(CHECK, format!("sound, schema {schema}"))),
        std::cmp::Ordering::Less => {
            let text = format!("sound, schema {schema}; this program brings it to {latest} when it starts");
            found.add(Finding::ok(CHECK, text));
        }
        std::cmp::Ordering::Greater => {
            let text = format!("its schema is {schema}, and this program knows those up to {latest}");
            found.add(Finding::fail(CHECK, text, "use the version that wrote it, or a newer one"));
        }
    }
    key(&glance, found);
    found.rows = glance.rows.iter().map(|(table, rows)| (table.clone(), *rows)).collect();
    Some(glance)
}

fn key(glance: &Glance, found: &mut Examination) {
    const CHECK: &str = "key file";
    found.add(match &glance.key {
        Ok(true) => Finding::ok(CHECK, "there, and for its owner alone"),
        Ok(false) if glance.documents.is_empty() => {
            Finding::ok(CHECK, "none yet; nothing is encrypted so far")
        }
        Ok(false) => {
            let remedy = "put `secret.key` back from a backup: what is encrypted cannot be read without it";
            Finding::fail(CHECK, "it is gone", remedy)
        }
        Err(error) => Finding::fail(CHECK, error.to_string(), "do what it says, and start the hub again"),
    });
}

/// Whether there is a backup of late.
pub(super) fn backups(boot: &Boot, glance: Option<&Glance>, found: &mut Examination) {
    const CHECK: &str = "backups";
    let Some(glance) = glance else { return };
    let newest = glance.backups.iter().map(|backup| backup.made_at).max();
    let Some(newest) = newest else {
        let remedy = "`trivium backups create` makes one; a hub that runs makes one a day by itself";
        found.add(Finding::warn(CHECK, "there is none", remedy));
        return;
    };
    let hours = (now_ms() - newest) / 3_600_000;
    let text = format!("{}, the newest {hours} h old", glance.backups.len());
    let late = boot.backups.every.is_some_and(|every| hours.unsigned_abs() > 2 * every.as_secs() / 3600 + 1);
    found.add(if late {
        Finding::warn(
            CHECK,
            text,
            "see in the hub's log why none was made since, or make one: `trivium backups create`",
        )
    } else {
        Finding::ok(CHECK, text)
    });
}

/// The space that is left on the disk.
pub(super) fn disk(boot: &Boot, found: &mut Examination) {
    const CHECK: &str = "disk";
    let Some(free) = boot.data_dir.ancestors().find_map(free_bytes) else { return };
    let text = format!("{:.1} GiB free", free as f64 / GIB as f64);
    let remedy = "make room, let fewer backups stay (`backups.keep`), or move the data folder";
    found.add(if free < TOO_LITTLE {
        Finding::fail(CHECK, text, remedy)
    } else if free < LITTLE {
        Finding::warn(CHECK, text, remedy)
    } else {
        Finding::ok(CHECK, text)
    });
}

/// `None` where the system does not say, such as for a folder that is not there yet.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_path: &Path) -> Option<u64> {
    None
}
