//! The section `store`: where the hub keeps what it must not forget.

use std::path::{Path, PathBuf};

use url::Url;

use super::{
    effective::Sink,
    env::Env,
    fields::{Fields, Written},
    origin::Origin,
    schema::{Key, Section, nearest},
};
use crate::engine::settings::Secret;

const DATA_DIR: Key = Key::new("data_dir", "a folder", "/var/lib/trivium").short("DATA_DIR");
const URL: Key =
    Key::new("url", "`sqlite` or an address as text", "postgres://trivium@localhost/trivium").secret();

pub(super) static SECTION: Section = Section { name: "store", keys: &[DATA_DIR, URL] };

/// The database in a file of the data directory.
const SQLITE: &str = "sqlite";
/// What an address may say behind its `?`: the words of PostgreSQL's own, as far as the driver knows them.
const PARAMETERS: [&str; 13] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Where things are kept.
pub(super) struct Place {
    pub(super) data_dir: PathBuf,
    /// The PostgreSQL database; none: SQLite in the data directory.
    pub(super) url: Option<Secret>,
}

pub(super) fn read(fields: &Fields<'_>, env: &Env, sink: &mut Sink) -> Place {
    let (data_dir, origin) = match fields.text(sink, &DATA_DIR) {
        Some(written) => (resolve(&written.value, &written.origin, env), written.origin),
        None => (default(fields, env, sink), Origin::Default),
    };
    sink.holds(fields.path_of(&DATA_DIR), &DATA_DIR, data_dir.display().to_string(), origin);
    Place { data_dir, url: url(fields, sink) }
}

fn url(fields: &Fields<'_>, sink: &mut Sink) -> Option<Secret> {
    let path = fields.path_of(&URL);
    let written = fields.text(sink, &URL).filter(|text| !text.value.trim().is_empty());
    let Some(Written { value, origin }) = written.filter(|text| text.value.trim() != SQLITE) else {
        sink.holds_named(path, URL.name, SQLITE, Origin::Default);
        return None;
    };
    let value = value.trim();
    match check(value) {
        Ok(shown) => sink.holds_named(path, URL.name, &shown, origin),
        Err((message, remedy)) => sink.problems.error(&path, &origin, message, remedy),
    }
    Some(Secret::new(value))
}

/// The address without what may be secret in it; or what is wrong with it and what to do. Neither quotes it.
fn check(value: &str) -> Result<String, (String, String)> {
    const FORM: &str = "postgres://user:password@host:5432/database";
    let wrong = |message: &str, remedy: String| (message.to_owned(), remedy);
    let mut url = Url::parse(value).map_err(|error| {
        let remedy = format!(
            "write `{SQLITE}`, or {FORM} with `%40` for `@`, `%2F` for `/`, `%23` for `#` in the password"
        );
        wrong(&format!("this is no address ({error})"), remedy)
    })?;
    match url.scheme() {
        "postgres" | "postgresql" => {}
        "sqlite" | "file" => {
            let remedy = format!("write `{SQLITE}`; `store.data_dir` says in which folder the file is");
            return Err(wrong("a SQLite database has no address here", remedy));
        }
        _ => {
            let remedy = format!("write `{SQLITE}`, or {FORM}");
            return Err(wrong("the store is SQLite or PostgreSQL, and this is neither", remedy));
        }
    }
    if url.path().trim_matches('/').is_empty() && !url.query_pairs().any(|(name, _)| name == "dbname") {
        return Err(wrong("the address names no database", format!("write it as {FORM}")));
    }
    for (name, value) in url.query_pairs() {
        parameter(&name, &value)?;
    }
    // The host is there: a scheme with a host of its own can do without a password.
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.into())
}

fn parameter(name: &str, value: &str) -> Result<(), (String, String)> {
    if !(PARAMETERS.contains(&name) || name.starts_with("options[")) {
        let known = PARAMETERS.join(", ");
        let remedy = match nearest(name, PARAMETERS) {
            Some(near) => format!("did you mean `{near}`? Known behind `?`: {known}"),
            None => format!("remove it; known behind `?`: {known}"),
        };
        return Err(("the address has a parameter that is not known".to_owned(), remedy));
    }
    if name == "sslmode" && !SSL_MODES.contains(&value) {
        let remedy = format!("write one of {}", SSL_MODES.join(", "));
        return Err(("`sslmode` is none of those that there are".to_owned(), remedy));
    }
    Ok(())
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
