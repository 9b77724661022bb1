//! The process environment: the only place that reads it. Everything else is handed this map, so that
//! tests need no global state. `.env` files are not read.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Environment variables, and the folders that the operating system derives from them.
#[derive(Clone, Default)]
pub struct Env {
    vars: BTreeMap<String, String>,
    folders: Folders,
}

/// Where a user keeps things. All are optional: a service account may have no home.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// The current directory; relative paths start here. Empty means just that.
    pub current: PathBuf,
    /// The user's home, which `~/` in `store.data_dir` stands for.
    pub home: Option<PathBuf>,
    /// The folder that may hold `trivium.yaml`.
    pub config: Option<PathBuf>,
    /// The folder that holds the store unless another is set.
    pub data: Option<PathBuf>,
}

impl Env {
    /// The environment of this process. Variables that are not UTF-8 count as unset.
    #[must_use]
    pub fn from_process() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let project = directories::ProjectDirs::from("", "", "trivium");
        let base = directories::BaseDirs::new();
        let folders = Folders {
            current: PathBuf::new(),
            home: base.as_ref().map(|base| base.home_dir().to_owned()),
            config: project.as_ref().map(|project| project.config_dir().to_owned()),
            data: project.as_ref().map(|project| project.data_dir().to_owned()),
        };
        Self { vars, folders }
    }

    /// An environment made of these variables and folders.
    #[must_use]
    pub fn new<N, V>(vars: impl IntoIterator<Item = (N, V)>, folders: Folders) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        Self { vars: vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect(), folders }
    }

    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// A variable's value, where an empty one counts as unset, as container tools pass it.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    /// The same with further variables. Those that are there stay.
    pub(super) fn with<'v>(&self, variables: impl Iterator<Item = (&'v str, &'v str)>) -> Self {
        let mut env = self.clone();
        for (name, value) in variables {
            env.vars.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        env
    }

    /// The user's folders.
    #[must_use]
    pub const fn folders(&self) -> &Folders {
        &self.folders
    }

    /// A path as seen from the current directory.
    pub(super) fn seen_from_here(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folders.current.join(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Values may be credentials, so only names are printed.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("vars", &self.vars.keys().collect::<Vec<_>>())
            .field("folders", &self.folders)
            .finish()
    }
}
