//! The sessions that stand in this process: whose they are, when they were used, and who makes room.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use rmcp::{model::ClientJsonRpcMessage, transport::streamable_http_server::session::SessionId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// After how long without a request or an open stream a session leaves this process, in milliseconds. It stays written
/// down, and its client finds it again.
const IDLE_MS: i64 = 5 * 60_000;

/// How often it is written down that a session is in use, in milliseconds.
const NOTE_MS: i64 = 5 * 60_000;

/// All of them.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<SessionId, Entry>>);

struct Entry {
    owner: Arc<str>,
    used_at: i64,
    /// What of that is written down.
    noted_at: i64,
    kind: Kind,
}

enum Kind {
    /// Of streamable HTTP. `open` has a clone for each stream that is open, `served` one while somebody serves it.
    Streamable { open: Arc<()>, served: Weak<()> },
    /// Of the transport of 2024: its one stream, and where its client's messages go.
    Sse { messages: mpsc::Sender<ClientJsonRpcMessage>, ending: CancellationToken },
}

/// What a session is for somebody who names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Theirs, and in use.
    Theirs,
    /// Theirs, but nobody serves it any more.
    Ended,
    /// Not here, or another's.
    Elsewhere,
}

/// What there is to do about the sessions.
#[derive(Default)]
pub(super) struct Round {
    /// Those that leave this process.
    pub(super) idle: Vec<SessionId>,
    /// When others were used, to be written down.
    pub(super) used: Vec<(String, i64)>,
}

impl Entry {
    fn is_open(&self) -> bool {
        match &self.kind {
            Kind::Streamable { open, .. } => Arc::strong_count(open) > 1,
            Kind::Sse { .. } => true,
        }
    }

    fn is_served(&self) -> bool {
        match &self.kind {
            Kind::Streamable { served, .. } => served.strong_count() > 0,
            Kind::Sse { .. } => true,
        }
    }
}

impl Held {
    pub(super) fn take_in(&self, id: &SessionId, owner: Arc<str>, served: Weak<()>, now: i64) {
        let kind = Kind::Streamable { open: Arc::default(), served };
        self.lock().insert(Arc::clone(id), Entry { owner, used_at: now, noted_at: now, kind });
    }

    pub(super) fn take_in_sse(
        &self,
        id: &SessionId,
        owner: Arc<str>,
        messages: mpsc::Sender<ClientJsonRpcMessage>,
        ending: CancellationToken,
        now: i64,
    ) {
        let kind = Kind::Sse { messages, ending };
        self.lock().insert(Arc::clone(id), Entry { owner, used_at: now, noted_at: now, kind });
    }

    pub(super) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    /// What the session is for `caller`; it is used now, if it is theirs.
    pub(super) fn enter(&self, id: &str, caller: &str, now: i64) -> Standing {
        let mut held = self.lock();
        let theirs =
            |entry: &&mut Entry| *entry.owner == *caller && matches!(entry.kind, Kind::Streamable { .. });
        let Some(entry) = held.get_mut(id).filter(theirs) else { return Standing::Elsewhere };
        if !entry.is_served() {
            return Standing::Ended;
        }
        entry.used_at = now;
        Standing::Theirs
    }

    /// Where messages of the caller's session go, if it is one of the transport of 2024.
    pub(super) fn line(
        &self,
        id: &str,
        caller: &str,
        now: i64,
    ) -> Option<mpsc::Sender<ClientJsonRpcMessage>> {
        let mut held = self.lock();
        let entry = held.get_mut(id).filter(|entry| *entry.owner == *caller)?;
        let Kind::Sse { messages, .. } = &entry.kind else { return None };
        entry.used_at = now;
        Some(messages.clone())
    }

    pub(super) fn owner(&self, id: &str) -> Option<Arc<str>> {
        self.lock().get(id).map(|entry| Arc::clone(&entry.owner))
    }

    /// Whether somebody serves the session.
    pub(super) fn is_served(&self, id: &str) -> bool {
        self.lock().get(id).is_some_and(Entry::is_served)
    }

    /// What an open stream of the session holds.
    pub(super) fn open(&self, id: &str) -> Arc<()> {
        match self.lock().get(id).map(|entry| &entry.kind) {
            Some(Kind::Streamable { open, .. }) => Arc::clone(open),
            _ => Arc::default(),
        }
    }

    /// The session that makes room for another of `owner`'s, if there are `most`. It is one of the owner who has the most,
    /// the new one counted in; of several his own: so nobody pushes out others by opening many, and everybody gets a fair
    /// share. Of those it is one without open streams, and of these the one that was unused for longest. One of the
    /// transport of 2024 is ended by that.
    pub(super) fn one_too_many(&self, owner: &str, most: usize) -> Option<SessionId> {
        let mut held = self.lock();
        if held.len() < most {
            return None;
        }
        let shares = shares(&held);
        let (id, _) = held.iter().min_by_key(|(_, entry)| {
            let is_own = *entry.owner == *owner;
            let share = shares.get(&*entry.owner).copied().unwrap_or_default() + usize::from(is_own);
            (Reverse((share, is_own)), entry.is_open(), entry.used_at)
        })?;
        let id = Arc::clone(id);
        let entry = held.remove(&id)?;
        if let Kind::Sse { ending, .. } = entry.kind {
            ending.cancel();
        }
        Some(id)
    }

    /// Looks through all of them.
    pub(super) fn look(&self, now: i64) -> Round {
        let mut round = Round::default();
        for (id, entry) in self.lock().iter_mut() {
            if matches!(entry.kind, Kind::Sse { .. }) {
                continue;
            }
            if entry.is_open() {
                entry.used_at = now;
            }
            let leaves = now - entry.used_at >= IDLE_MS || !entry.is_served();
            if leaves {
                round.idle.push(Arc::clone(id));
            }
            if entry.used_at > entry.noted_at && (leaves || now - entry.noted_at >= NOTE_MS) {
                entry.noted_at = entry.used_at;
                round.used.push((id.to_string(), entry.used_at));
            }
        }
        round
    }

    /// Forgets all of them, and ends those of the transport of 2024. The others are to be ended by who asks.
    pub(super) fn end_all(&self) -> Vec<SessionId> {
        let mut streamable = Vec::new();
        for (id, entry) in self.lock().drain() {
            match entry.kind {
                Kind::Streamable { .. } => streamable.push(id),
                Kind::Sse { ending, .. } => ending.cancel(),
            }
        }
        streamable
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many each owner has.
fn shares(held: &HashMap<SessionId, Entry>) -> HashMap<Arc<str>, usize> {
    let mut shares = HashMap::new();
    for entry in held.values() {
        *shares.entry(Arc::clone(&entry.owner)).or_default() += 1;
    }
    shares
}
