//! What providers tell of their windows, and what of all windows outlives the process.

use std::sync::Arc;

use crate::engine::settings::{Span, Unit};

/// What one answer, or one refusal, tells of one window of the account that it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The window's name: one for each that a provider tells of at the same time.
    pub name: &'static str,
    /// What it counts; `None`: a share of something that the provider does not tell.
    pub unit: Option<Unit>,
    /// How long it is, where that is known.
    pub span: Option<Span>,
    /// Whether it is about the model that was asked alone.
    pub of_model: bool,
    /// How much fits, in the unit's parts, where that is known.
    pub limit: Option<u64>,
    /// The share that is used, from 0 to 1.
    pub used: f64,
    /// When it is whole again, in milliseconds since the Unix epoch, where that is known.
    pub resets_at: Option<i64>,
    /// Whether it fills evenly until then, instead of at once.
    pub refills: bool,
    /// Whether this is a refusal's reason: nothing more is to be had before [`Self::resets_at`].
    pub exhausted: bool,
}

/// The state of a window, for the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRecord {
    /// The connection's id.
    pub connection: Arc<str>,
    /// The window's name, alone of its kind for the connection and the model.
    pub name: Arc<str>,
    /// The model, when only that one is meant.
    pub model: Option<Arc<str>>,
    /// [`crate::engine::settings::Connection::fingerprint`] at that time: what another account used is void.
    pub fingerprint: u64,
    /// How much fits, in the unit's parts, for people who look.
    pub limit: Option<u64>,
    /// How much is used: in the unit's parts, or in millionths of the whole where the limit is not known. May be more
    /// than was really used, and is never less than what was used when the record was made.
    pub used: u64,
    /// When the record was made, in milliseconds since the Unix epoch.
    pub as_of: i64,
    /// When nothing of it matters any more.
    pub resets_at: i64,
    /// The rest, in words of the ledger.
    pub state: String,
}

/// Somewhere to keep windows, so that they survive a restart.
pub trait WindowSink: Send + Sync {
    /// Keeps a window's state, in place of an earlier one of the same connection, name and model. Never blocks.
    fn window(&self, record: WindowRecord);
}
