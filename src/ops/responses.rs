//! Responses that callers can come back to: those that the hub keeps itself, whole, and where providers keep others.
//! What a caller may find is its own alone; for anybody else it does not exist. Requests and answers of the Responses
//! API are the surface's; how rows are kept and encrypted is the store's.

mod payload;

use std::sync::Arc;

use operations::Scope;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    OpError,
    error::require,
    ports::{ResponseLocation, ResponseStore, ResponseStoreError, StoredResponse, Whereabouts},
};
use crate::engine::{caller::Caller, pipeline::Keeper, ports::Clock, settings::Keeping};
use payload::Turn;

/// How long it is remembered which connection keeps a response: 30 days, as long as OpenAI keeps one, in
/// milliseconds.
const LOCATION_TTL_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Responses in one conversation. No model reads one as long as this.
const MAX_TURNS: usize = 2000;
/// Items of one conversation, in bytes of JSON.
const MAX_CHAIN_BYTES: usize = 16 * 1024 * 1024;
/// Conversations that are put together at a time: each may take some times its bytes in memory while it is.
const CHAINS: usize = 2;
/// Ids that providers give are shorter by far. A response with a longer one is not located.
const MAX_ID: usize = 512;

/// What the operator wants kept, as it is now.
pub type Policy = Box<dyn Fn() -> Keeping + Send + Sync>;

/// Keeps, finds and deletes responses.
#[derive(Clone)]
pub struct Responses {
    inner: Arc<Inner>,
}

struct Inner {
    chains: Semaphore,
    store: Arc<dyn ResponseStore>,
    clock: Arc<dyn Clock>,
    policy: Policy,
}

/// A response that the hub keeps. Not to be printed: it is what people said.
#[derive(Clone, PartialEq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// The id of the response that it went on from.
    pub previous: Option<String>,
    /// The input items of its own request, without those of earlier responses.
    pub input: Vec<Value>,
    /// The response object, with its `output`.
    pub response: Value,
}

/// Where a response is.
pub enum Found {
    /// Here, and this is it.
    Here(Kept),
    /// At a provider: the account that has it.
    At(Keeper),
}

impl Responses {
    /// On this store. `policy` is asked each time, so that a reload takes effect.
    #[must_use]
    pub fn new(store: Arc<dyn ResponseStore>, clock: Arc<dyn Clock>, policy: Policy) -> Self {
        let chains = Semaphore::new(CHAINS);
        Self { inner: Arc::new(Inner { chains, store, clock, policy }) }
    }

    /// Whether the hub keeps responses. To be asked when a request arrives: what is promised then is kept even if
    /// the setting changes meanwhile.
    #[must_use]
    pub fn keeps(&self) -> bool {
        (self.inner.policy)().keep
    }

    /// Keeps a response, in place of an earlier one of the same id and caller. When this is answered, it is durable.
    /// Older responses may have given way to it.
    ///
    /// # Errors
    /// [`OpError::TooLarge`] beyond the bounds that the operator has set; [`OpError`] otherwise.
    pub async fn keep(&self, caller: &Caller, kept: Kept) -> Result<(), OpError> {
        require(caller, Scope::ExecuteCompletions)?;
        let keeping = (self.inner.policy)();
        let id: Arc<str> = kept.id.as_str().into();
        // Megabytes of JSON are written beside the runtime, not on it.
        let payload = tokio::task::spawn_blocking(move || payload::write(kept));
        let payload = payload.await.map_err(|_| OpError::Interrupted)?.map_err(unwritable)?;
        let most = keeping.max_item_bytes.min(keeping.max_bytes);
        if payload.len() as u64 > most {
            return Err(too_large(most));
        }
        let now = self.inner.clock.now();
        let ttl = i64::try_from(keeping.ttl.as_millis()).unwrap_or(i64::MAX);
        let owner = Arc::clone(&caller.id);
        let response =
            StoredResponse { owner, id, created_at: now, expires_at: now.saturating_add(ttl), payload };
        self.inner.store.keep(response, keeping.max_bytes).await.map_err(|error| match error {
            ResponseStoreError::TooLarge => too_large(keeping.max_bytes),
            error @ ResponseStoreError::Failed(_) => failed(error),
        })
    }

    /// Notes that the provider of a connection keeps a response, so that requests that go on from it go there. Never
    /// blocks or fails: a `kill -9` may cost those of the last 100 ms, and of a hundred thousand the oldest goes.
    pub fn locate(&self, caller: &Caller, id: &str, connection: &Arc<str>, fingerprint: u64) {
        if id.len() > MAX_ID {
            return;
        }
        self.inner.store.locate(ResponseLocation {
            owner: Arc::clone(&caller.id),
            id: id.into(),
            connection: Arc::clone(connection),
            fingerprint,
            expires_at: self.inner.clock.now().saturating_add(LOCATION_TTL_MS),
        });
    }

    /// Where the caller's response of this id is. `None` also when it is somebody else's, or ended.
    ///
    /// # Errors
    /// [`OpError::Lost`] when it is here and this program does not understand it; [`OpError`] otherwise.
    pub async fn find(&self, caller: &Caller, id: &str) -> Result<Option<Found>, OpError> {
        require(caller, Scope::ExecuteCompletions)?;
        match self.inner.whereabouts(caller, id).await? {
            Some(Whereabouts::Here(bytes)) => {
                let kept = payload::read(id, &bytes).map_err(|_| lost(id))?;
                Ok(Some(Found::Here(kept)))
            }
            Some(Whereabouts::There(location)) => {
                let ResponseLocation { connection, fingerprint, .. } = location;
                Ok(Some(Found::At(Keeper { connection, fingerprint })))
            }
            None => Ok(None),
        }
    }

    /// Deletes the caller's response of this id, or forgets where it is; says whether there was one. What a provider
    /// keeps is not deleted there. Responses that went on from it can still be had, but their conversation is lost.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<bool, OpError> {
        require(caller, Scope::ExecuteCompletions)?;
        let now = self.inner.clock.now();
        self.inner.store.delete(Arc::clone(&caller.id), id.into(), now).await.map_err(failed)
    }

    /// Every item of the conversation up to this response and with it, oldest first: the input and the output of each
    /// response. `None` when the hub does not keep the response itself.
    ///
    /// # Errors
    /// [`OpError::Lost`] when an earlier response is gone; [`OpError::TooLarge`] when the conversation is longer than
    /// anything could be done with; [`OpError`] otherwise.
    pub async fn chain(&self, caller: &Caller, id: &str) -> Result<Option<Vec<Value>>, OpError> {
        require(caller, Scope::ExecuteCompletions)?;
        let _turn = self.inner.chains.acquire().await.map_err(|_| OpError::Interrupted)?;
        let mut turns: Vec<Turn> = Vec::new();
        let mut bytes = 0_usize;
        let mut next = Some(id.to_owned());
        while let Some(id) = next {
            let payload = match self.inner.whereabouts(caller, &id).await? {
                Some(Whereabouts::Here(payload)) => payload,
                _ if turns.is_empty() => return Ok(None),
                _ => return Err(lost(&id)),
            };
            if turns.len() >= MAX_TURNS {
                return Err(OpError::TooLarge {
                    noun: "conversation",
                    most: MAX_TURNS as u64,
                    unit: "responses",
                });
            }
            let mut turn = payload::read_turn(&payload).map_err(|_| lost(&id))?;
            bytes = bytes.saturating_add(turn.bytes);
            if bytes > MAX_CHAIN_BYTES {
                return Err(OpError::TooLarge {
                    noun: "conversation",
                    most: MAX_CHAIN_BYTES as u64,
                    unit: "bytes",
                });
            }
            next = turn.previous.take();
            turns.push(turn);
        }
        Ok(Some(turns.into_iter().rev().flat_map(Turn::items).collect()))
    }

    /// Deletes what has ended, and what is more than the operator wants kept. For the app to call now and then.
    ///
    /// # Errors
    /// [`OpError::Store`]; the next call tries again.
    pub async fn sweep(&self) -> Result<(), OpError> {
        let now = self.inner.clock.now();
        let most = (self.inner.policy)().max_bytes;
        self.inner.store.sweep(now, most).await.map(drop).map_err(failed)
    }
}

impl Inner {
    async fn whereabouts(&self, caller: &Caller, id: &str) -> Result<Option<Whereabouts>, OpError> {
        let now = self.clock.now();
        self.store.find(Arc::clone(&caller.id), id.into(), now).await.map_err(failed)
    }
}

fn lost(id: &str) -> OpError {
    OpError::Lost { noun: "response", name: id.to_owned() }
}

fn too_large(most: u64) -> OpError {
    OpError::TooLarge { noun: "response", most, unit: "bytes" }
}

fn failed(error: ResponseStoreError) -> OpError {
    OpError::Store(Box::new(error))
}

fn unwritable(error: serde_json::Error) -> OpError {
    OpError::Store(Box::new(error))
}

#[cfg(test)]
mod tests;
