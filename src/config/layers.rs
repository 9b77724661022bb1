//! What overrides the file, strongest first: command line, short environment names, `TRIVIUM__SECTION__KEY`.
//! The file and the defaults below it are read by `fields`.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    env::Env,
    node::Node,
    origin::Origin,
    problem::Problems,
    schema::{self, nearest, variable},
};

/// What the command line says. There is no flag for secrets: other users can see a command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--log-level`.
    pub log_level: Option<String>,
    /// `--log-format`.
    pub log_format: Option<String>,
}

/// Values by path that replace what the file says.
#[derive(Debug, Default)]
pub(super) struct Overlay(BTreeMap<String, Node>);

impl Overlay {
    pub(super) fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// Reads the environment and the command line; later writers are stronger.
    pub(super) fn new(env: &Env, flags: &Overrides, problems: &mut Problems) -> Self {
        let mut overlay = Self::default();
        overlay.long_names(env, problems);
        for (path, key) in schema::overridable() {
            if let Some((name, value)) = key.short.and_then(|name| Some((name, env.filled(name)?))) {
                overlay.0.insert(path, Node::text(value, Origin::Env(name.to_owned())));
            }
        }
        overlay.flags(flags);
        overlay
    }

    fn long_names(&mut self, env: &Env, problems: &mut Problems) {
        for (name, value) in env.iter() {
            let upper = name.to_ascii_uppercase();
            let Some(rest) = upper.strip_prefix("TRIVIUM__") else { continue };
            let path = rest.to_ascii_lowercase().replace("__", ".");
            let origin = Origin::Env(name.to_owned());
            if !schema::overridable().any(|(known, _)| known == path) {
                unknown(name, &path, &origin, problems);
            } else if value.trim().is_empty() {
                // Container tools pass a variable that nobody filled in as an empty one.
            } else if let Some(first) = self.0.get(&path) {
                let message = format!("{name} and {} are the same setting", first.origin);
                problems.error(&path, &origin, message, "unset one of them");
            } else {
                self.0.insert(path, Node::text(value, origin));
            }
        }
    }

    fn flags(&mut self, flags: &Overrides) {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let given = [
            ("server.host", "--host", flags.host.clone()),
            ("server.port", "--port", flags.port.map(|port| port.to_string())),
            ("store.data_dir", "--data-dir", flags.data_dir.as_ref().map(text)),
            ("log.level", "--log-level", flags.log_level.clone()),
            ("log.format", "--log-format", flags.log_format.clone()),
        ];
        for (path, flag, value) in given {
            if let Some(value) = value {
                self.0.insert(path.to_owned(), Node::text(value, Origin::Flag(flag)));
            }
        }
    }
}

fn unknown(name: &str, path: &str, origin: &Origin, problems: &mut Problems) {
    let message = format!("{name} names no setting");
    if path == "providers" || path.starts_with("providers.") {
        let remedy =
            "declare providers in the file, and write `${NAME}` where a value is to come from outside";
        problems.error(path, origin, message, remedy);
        return;
    }
    let known: Vec<String> = schema::overridable().map(|(path, _)| path).collect();
    let meant = schema::home_of(path.rsplit('.').next().unwrap_or(path))
        .or_else(|| nearest(path, known.iter().map(String::as_str)).map(str::to_owned));
    let remedy = match meant {
        Some(path) => format!("did you mean {}?", variable(&path)),
        None => "unset it; see docs/configuration.md for the names".to_owned(),
    };
    problems.error(path, origin, message, remedy);
}
