//! A connection: one account at one provider.

use std::{collections::BTreeMap, sync::Arc};

use canon::Dialect;

use super::{Provider, Secret};

/// One account at one provider, ready to be used.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The id that the user gave it.
    pub id: Arc<str>,
    /// Whose account it is.
    pub provider: Arc<Provider>,
    /// The credential; `None` for servers that want none.
    pub credential: Option<Secret>,
    /// Base URL per dialect, variables filled in, without a trailing slash.
    pub endpoints: BTreeMap<Dialect, String>,
    /// What it serves.
    pub models: Models,
    /// Lower is tried earlier; equals keep the order of the file.
    pub priority: i32,
    /// Changes when the credential or an endpoint does, so that what was learned of the old account
    /// is not held against the new one. Not reversible, and not unique across installations.
    pub fingerprint: u64,
}

/// The models of a connection.
#[derive(Debug, Clone)]
pub struct Models {
    /// Ids that are listed, in order; the first one is the connection's own choice for `multirouter-auto`.
    pub listed: Vec<Arc<str>>,
    /// Whether ids that are not listed are accepted under the connection's prefix. True when the user
    /// wrote no `models`, so that the list is the catalogue's, which is never complete.
    pub open: bool,
}
