//! Answers that were made once and given again: from the cache, and to requests that are the same and under way at the same
//! time. Also the receipts of answers that a surface gives again.

mod cache;
mod join;
mod key;
mod rules;
mod serve;

pub use cache::Kept;
pub use rules::Freshness;
pub use serve::Cached;

pub(super) use cache::Recorder;
pub(super) use rules::Rules;

use std::sync::Arc;

use canon::Dialect;

use self::{cache::Cache, join::Joins};

use super::{
    caller::Caller,
    pipeline::Engine,
    receipt::Reuse,
    refusal::Refusal,
    settings,
    settle::{Opening, Settlement},
};

/// What requests share.
pub(super) struct Shared {
    pub(super) cache: Arc<Cache>,
    joins: Arc<Joins>,
}

impl Shared {
    pub(super) fn new(settings: &settings::Cache) -> Self {
        Self { cache: Arc::new(Cache::new(settings)), joins: Arc::default() }
    }
}

/// What a receipt says of a request that is answered with an answer made for another.
#[derive(Debug, Clone)]
pub struct Reused {
    /// The hub's request id.
    pub id: String,
    /// The client's own request id.
    pub client_request_id: Option<String>,
    /// The dialect in which the client spoke.
    pub dialect: Dialect,
    /// The model as the client named it.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
}

/// The receipt of such a request in the making. Dropped before its end, it says that the client left.
pub struct Tab {
    settlement: Settlement,
    status: u16,
}

impl Engine {
    /// What the cache of answers holds and did.
    #[must_use]
    pub fn cached(&self) -> Kept {
        self.reuse.cache.kept()
    }

    /// Throws every kept answer away; says what that was.
    pub fn clear_cache(&self) -> Kept {
        let kept = self.reuse.cache.kept();
        self.reuse.cache.clear();
        kept
    }

    /// Opens the receipt of a request that is answered with an answer made for another.
    #[must_use]
    pub fn reuse(&self, asked: Reused, caller: &Caller, how: Reuse) -> Tab {
        let Reused { id, client_request_id, dialect, model, stream } = asked;
        let at = self.clock().now();
        let opening =
            Opening { id, at, client_request_id, dialect, model, session: None, trace: None, stream };
        let mut settlement = self.free(opening, caller);
        settlement.reused(how);
        Tab { settlement, status: 200 }
    }
}

impl Tab {
    /// Notes the status that the client is given.
    pub fn status(&mut self, status: u16) {
        self.status = status;
    }

    /// Counts bytes of answer.
    pub fn gave(&mut self, bytes: usize) {
        self.settlement.meter.gave(bytes);
    }

    /// The client got the whole answer.
    pub fn complete(mut self) {
        self.settlement.complete_with(self.status);
    }

    /// The client got an error instead.
    pub fn refuse(mut self, refusal: &Refusal) {
        self.settlement.refuse(refusal);
    }
}
