//! Whether all is well with a hub, its data and its machine: looked at from outside, without changing anything, whether or not a hub
//! runs. What is found is worded for the operator, and holds no secret.

mod configuration;
mod data;
mod machine;
mod online;
mod report;

use std::fmt;

use serde::Serialize;

use crate::config::{Boot, Loader, Source};
pub use report::report;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and something should be done.
    Warn,
    /// It does not work.
    Fail,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), remedy: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Warn, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn fail(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Fail, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// All that was found.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// In the order in which it was looked at.
    pub findings: Vec<Finding>,
    /// Rows by table, where the store could be read.
    pub rows: Vec<(String, u64)>,
    /// The settings that hold, secrets masked, where the configuration is valid.
    pub settings: String,
}

impl Examination {
    /// The worst of it.
    #[must_use]
    pub fn worst(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok)
    }

    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Looks at everything. `online`: also at the machines of the providers, without using any credential.
pub async fn examine(loader: &Loader, source: &Source, online: bool) -> Examination {
    let mut found = Examination::default();
    let configured = configuration::examine(loader, source, &mut found);
    // Where the file is broken, what flags, environment and defaults say is still worth a look.
    let boot: Option<Boot> = match &configured {
        Some(configured) => Some(configured.loaded.boot.clone()),
        None => loader.load(&Source::Nothing).ok().map(|loaded| loaded.boot),
    };
    if let Some(boot) = boot {
        data::folder(&boot, &mut found);
        let glance = data::store(&boot, &mut found).await;
        if let (Some(configured), Some(glance)) = (&configured, &glance) {
            configuration::documents(configured, glance, &mut found);
        }
        data::backups(&boot, glance.as_ref(), &mut found);
        data::disk(&boot, &mut found);
        machine::hub(&boot, &mut found).await;
        machine::exposure(&boot, &mut found);
    }
    machine::open_files(&mut found);
    machine::clock(&mut found);
    if let (true, Some(configured)) = (online, &configured) {
        online::providers(&configured.loaded.settings, &mut found).await;
    }
    found
}
