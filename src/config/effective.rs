//! What holds in the end, and where each value came from. How it is shown lives in `render`.

use super::{
    mask::{REDACTED, is_secret_name},
    origin::Origin,
    problem::Problems,
    schema::Key,
};

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Its path, as in `server.port`.
    pub path: String,
    /// Its value; secrets as `[redacted]`.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What reading a configuration brings forth beside the settings.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) problems: Problems,
    pub(super) effective: Vec<Effective>,
}

impl Sink {
    /// Notes a value that holds.
    pub(super) fn holds(&mut self, path: String, key: &Key, value: impl Into<String>, origin: Origin) {
        let value = if key.secret { REDACTED.to_owned() } else { value.into() };
        self.effective.push(Effective { path, value, origin });
    }

    /// Notes that a setting without a default was not written.
    pub(super) fn holds_not(&mut self, path: String, origin: Origin) {
        self.effective.push(Effective { path, value: "not set".to_owned(), origin });
    }

    /// Notes a value whose name the user chose, or of which a secret part was taken out.
    pub(super) fn holds_named(&mut self, path: String, name: &str, value: &str, origin: Origin) {
        let value = if is_secret_name(name) { REDACTED } else { value }.to_owned();
        self.effective.push(Effective { path, value, origin });
    }
}
