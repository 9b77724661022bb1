//! One call for requests that are the same and under way at the same time: the first is put to a provider, on a task of
//! its own, and all get its answer. Whoever leaves leaves the others their answer; when nobody is left the call ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::key::Key;
use crate::engine::{pipeline::Served, refusal::Refusal};

/// Requests that wait for one answer. One more is put to a provider by itself.
const WAITING: usize = 256;

/// What all get.
pub(super) type Outcome = Result<Whole, Refusal>;

/// A whole answer.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    /// Who serves it.
    pub(super) served: Option<Served>,
    /// All of it.
    pub(super) body: Bytes,
}

type Channel = watch::Sender<Option<Arc<Outcome>>>;

/// The calls under way that may be joined. No more than requests that were let in.
#[derive(Default)]
pub(in crate::engine) struct Joins {
    calls: Mutex<HashMap<Key, Arc<Channel>>>,
}

/// What a request is to a call.
pub(super) enum Role {
    /// It makes the call.
    First(Lead, Waiting),
    /// It waits for another's.
    Later(Waiting),
    /// Too many wait already.
    Alone,
}

/// The one who makes the call. Dropped without a word, it leaves those who wait to make it anew.
pub(super) struct Lead {
    joins: Arc<Joins>,
    key: Key,
    channel: Arc<Channel>,
}

/// One who waits.
pub(super) struct Waiting(watch::Receiver<Option<Arc<Outcome>>>);

impl Joins {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Channel>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the call of a key, or begins it.
    pub(super) fn join(self: &Arc<Self>, key: Key) -> Role {
        let mut calls = self.lock();
        if let Some(channel) = calls.get(&key) {
            if channel.receiver_count() >= WAITING {
                return Role::Alone;
            }
            return Role::Later(Waiting(channel.subscribe()));
        }
        let channel = Arc::new(watch::Sender::new(None));
        let waiting = Waiting(channel.subscribe());
        calls.insert(key, Arc::clone(&channel));
        Role::First(Lead { joins: Arc::clone(self), key, channel }, waiting)
    }
}

impl Lead {
    /// Tells everybody who waits.
    pub(super) fn tell(self, outcome: Outcome) {
        self.channel.send_replace(Some(Arc::new(outcome)));
    }

    /// Waits until nobody waits.
    pub(super) async fn left(&self) {
        self.channel.closed().await;
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.joins.lock().remove(&self.key);
    }
}

impl Waiting {
    /// The answer; `None` when whoever made the call was stopped before there was one.
    pub(super) async fn outcome(&mut self) -> Option<Arc<Outcome>> {
        let outcome = self.0.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }
}
