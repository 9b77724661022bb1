//! The section `store`: where the hub keeps what it must not forget.

use std::path::{Path, PathBuf};

use super::{
    effective::Sink,
    env::Env,
    fields::Fields,
    origin::Origin,
    schema::{Key, Section},
};

const DATA_DIR: Key = Key::new("data_dir", "a folder", "/var/lib/trivium").short("DATA_DIR");

pub(super) static SECTION: Section = Section { name: "store", keys: &[DATA_DIR] };

pub(super) fn read(fields: &Fields<'_>, env: &Env, sink: &mut Sink) -> PathBuf {
    let (folder, origin) = match fields.text(sink, &DATA_DIR) {
        Some(written) => (resolve(&written.value, &written.origin, env), written.origin),
        None => (default(fields, env, sink), Origin::Default),
    };
    sink.holds(fields.path_of(&DATA_DIR), &DATA_DIR, folder.display().to_string(), origin);
    folder
}

/// A relative folder in the file is seen from the file, one from the environment or a flag from the
/// current directory: each from where its writer stood.
fn resolve(written: &str, origin: &Origin, env: &Env) -> PathBuf {
    if let (Some(rest), Some(home)) = (written.strip_prefix("~/"), &env.folders().home) {
        return home.join(rest);
    }
    match origin {
        Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")).join(written),
        _ => env.seen_from_here(written),
    }
}

fn default(fields: &Fields<'_>, env: &Env, sink: &mut Sink) -> PathBuf {
    if let Some(folder) = &env.folders().data {
        return folder.clone();
    }
    sink.problems.error(
        &fields.path_of(&DATA_DIR),
        fields.origin(),
        "there is no folder for the store: this account has no home",
        "set DATA_DIR, or `store.data_dir` in the file, to a folder that the hub may write to",
    );
    PathBuf::new()
}
