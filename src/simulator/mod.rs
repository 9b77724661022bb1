//! A provider that is none: it speaks its vendors' dialects truthfully and fails as its script says.
//!
//! It serves people who want to try their routing, and the tests. It uses nothing else of this crate and none of the
//! protocol crates, and writes the wire by its own hand: if it shared code with what it tests, errors would cancel out.
//! Listening on an address and printing are the command line's affair.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

mod account;
mod admin;
mod ask;
mod chat;
mod clock;
mod dice;
mod door;
mod fault;
mod fields;
mod gemini;
mod headers;
mod log;
mod messages;
mod models;
mod names;
mod oauth;
mod plain;
mod player;
mod problem;
mod receive;
mod refusals;
mod reply;
mod responses;
mod route;
mod schema;
mod script;
mod seal;
mod serve;
mod speech;
mod staging;
mod store;
mod subscription;
#[cfg(test)]
mod tests;
mod ticket;

pub use fault::{Fault, Rule};
pub use log::{Entry, Outcome, Stats};
pub use oauth::{OAuthFault, OAuthScript, OAuthStats};
pub use player::ConnectionCut;
pub use script::{Behaviour, Limit, Quirk, Rate, RetryAfter, Script, ScriptError, WindowStart};
pub use subscription::{Allotment, Subscription, Told};

use account::{Account, Turn};
use axum::http::HeaderMap;
use clock::Clock;
use log::Journal;
use names::Named;
use problem::Problem;
use store::Memory;

/// What is called with each request, when its answer has ended.
pub type Hook = Arc<dyn Fn(&Entry) + Send + Sync>;

/// How to build a simulator.
#[derive(Clone, Default)]
pub struct Options {
    /// What it does.
    pub script: Script,
    /// What makes its answers and its chances repeat.
    pub seed: u64,
    /// A file to which each finished request is appended, as a line of JSON.
    pub log: Option<PathBuf>,
    /// What is called with each finished request.
    pub on_request: Option<Hook>,
}

/// The log file could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the log file {path}: {source}")]
pub struct LogFileError {
    path: String,
    source: std::io::Error,
}

/// A simulated provider. Clones are handles to the same one.
#[derive(Clone)]
pub struct Simulator {
    world: Arc<World>,
}

/// What all handles share.
struct World {
    seed: u64,
    clock: Clock,
    script: RwLock<Script>,
    accounts: Mutex<HashMap<String, Account>>,
    journal: Mutex<Journal>,
    memory: Mutex<Memory>,
    desk: Mutex<oauth::Desk>,
    on_request: Option<Hook>,
}

/// Keys whose use is remembered one by one; all further ones share one account.
const ACCOUNTS: usize = 10_000;

impl Simulator {
    /// A simulator that plays this script.
    #[must_use]
    pub fn new(script: Script, seed: u64) -> Self {
        Self::build(script, seed, None, None)
    }

    /// A simulator with all there is to choose.
    ///
    /// # Errors
    /// If the log file cannot be opened.
    pub fn from_options(options: Options) -> Result<Self, LogFileError> {
        let Options { script, seed, log, on_request } = options;
        let file = log
            .map(|path| {
                let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
                opened.map_err(|source| LogFileError { path: path.display().to_string(), source })
            })
            .transpose()?;
        Ok(Self::build(script, seed, file, on_request))
    }

    fn build(script: Script, seed: u64, file: Option<std::fs::File>, on_request: Option<Hook>) -> Self {
        let journal = Mutex::new(Journal::new(script.log_entries, script.log_bytes, file));
        let clock = Clock::start(script.epoch);
        let accounts = Mutex::default();
        Self {
            world: Arc::new(World {
                seed,
                clock,
                script: RwLock::new(script),
                accounts,
                journal,
                memory: Mutex::default(),
                desk: Mutex::default(),
                on_request,
            }),
        }
    }

    /// The requests so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.world.journal().entries()
    }

    /// Forgets the log and the counts; limits stay as used as they are.
    pub fn clear_log(&self) {
        self.world.journal().clear();
    }

    /// The counts so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.world.journal().stats()
    }

    /// Replaces the behaviour of a key, which begins anew, or (`None`) that of all keys without one of their own.
    pub fn set_behaviour(&self, key: Option<&str>, behaviour: Behaviour) {
        let mut script = self.world.script.write().unwrap_or_else(PoisonError::into_inner);
        match key {
            Some(key) => {
                script.keys.insert(key.to_owned(), behaviour);
                self.world.accounts().remove(key);
            }
            None => script.default = behaviour,
        }
    }

    /// Replaces the models on offer.
    pub fn set_models<I: IntoIterator<Item: Into<String>>>(&self, models: I) {
        let mut script = self.world.script.write().unwrap_or_else(PoisonError::into_inner);
        script.models = Some(models.into_iter().map(Into::into).collect());
    }

    fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }
}

impl World {
    fn script(&self) -> RwLockReadGuard<'_, Script> {
        self.script.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, oauth::Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a key is to be served: as the script says, as its name says, or as all others are.
    fn behaviour(&self, key: &str) -> Result<Behaviour, Problem> {
        let script = self.script();
        if let Some(listed) = script.keys.get(key) {
            return Ok(listed.clone());
        }
        let refused = match names::behaviour(key, &script.default) {
            Named::Yes(behaviour) => return Ok(*behaviour),
            Named::No if !script.known_keys_only => return Ok(script.default.clone()),
            Named::No => "Incorrect API key provided: the script does not list it.".to_owned(),
            Named::Unknown(word) => format!("Incorrect API key provided: `{word}` names no behaviour."),
        };
        Err(Problem::new(401, refused, "invalid_request_error", None, Some("invalid_api_key")))
    }

    /// Takes one request from a key's account.
    fn turn(&self, key: &str, behaviour: &Behaviour) -> Turn {
        self.with_account(key, |account| account.turn(behaviour, self.seed, key))
    }

    /// Tells of the windows of an account that has a subscription.
    fn tell(&self, key: &str, behaviour: &Behaviour, headers: &mut HeaderMap) {
        if let Some(plan) = &behaviour.subscription {
            self.with_account(key, |account| account.spent.tell(plan, &self.clock, headers));
        }
    }

    fn with_account<T>(&self, key: &str, act: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts();
        let shared = accounts.len() >= ACCOUNTS && !accounts.contains_key(key);
        act(accounts.entry(if shared { String::new() } else { key.to_owned() }).or_default())
    }
}
