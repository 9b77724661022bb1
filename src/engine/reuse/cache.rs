//! Answers in memory, bounded by their bytes: those that are asked for again stay, the others give way. Nothing of it is
//! written, and nothing survives a restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use quick_cache::{OptionsBuilder, Weighter, sync};

use super::key::Key;
use crate::engine::{pipeline::Served, ports::Clock, settings};

/// What an entry takes beside its body, generously, in bytes.
const ENTRY: u64 = 1024;

/// Answers of about this size are expected, in bytes. Only for the first allocation.
const USUAL: u64 = 16 * 1024;

/// The kept answers of one engine.
pub(in crate::engine) struct Cache {
    entries: Entries,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What the cache holds, and what it did since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Answers.
    pub entries: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// Requests that were answered from it.
    pub hits: u64,
    /// Requests that asked it in vain.
    pub misses: u64,
}

type Entries = sync::Cache<Key, Arc<Entry>, Weight>;

/// A kept answer.
pub(super) struct Entry {
    /// Who served it.
    pub(super) served: Served,
    /// The whole of it as it was sent.
    pub(super) body: Bytes,
    /// When it was complete, in milliseconds since the Unix epoch.
    made_at: i64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Entry>> for Weight {
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        ENTRY + entry.body.len() as u64
    }
}

impl Cache {
    pub(in crate::engine) fn new(settings: &settings::Cache) -> Self {
        let usual = usize::try_from(settings.max_bytes / USUAL).unwrap_or(usize::MAX).clamp(16, 4096);
        let mut options = OptionsBuilder::new();
        // Few parts, so that a large answer fits into one of them.
        options.shards(4).weight_capacity(settings.max_bytes).estimated_items_capacity(usual);
        let entries = match options.build() {
            Ok(options) => Entries::with_options(
                options,
                Weight,
                quick_cache::DefaultHashBuilder::default(),
                sync::DefaultLifecycle::default(),
            ),
            // Only where one of the three is not said.
            Err(_) => Entries::with_weighter(usual, settings.max_bytes, Weight),
        };
        Self { entries, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Takes new bounds.
    pub(in crate::engine) fn resize(&self, settings: &settings::Cache) {
        if self.entries.capacity() != settings.max_bytes {
            self.entries.set_capacity(settings.max_bytes);
        }
    }

    /// The answer of a key, if it is not older than `most`, and its age.
    pub(super) fn get(&self, key: &Key, most: Duration, now: i64) -> Option<(Arc<Entry>, Duration)> {
        let found = self.entries.get(key).and_then(|entry| {
            let age = Duration::from_millis(now.saturating_sub(entry.made_at).max(0).unsigned_abs());
            (age < most).then_some((entry, age))
        });
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// What it holds and did.
    pub(super) fn kept(&self) -> Kept {
        Kept {
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// Throws everything away.
    pub(super) fn clear(&self) {
        self.entries.clear();
    }
}

/// Writes along an answer that is to be kept.
pub(in crate::engine) struct Recorder {
    cache: Arc<Cache>,
    key: Key,
    clock: Arc<dyn Clock>,
    most: u64,
    /// `None` once it is more than may be kept.
    body: Option<BytesMut>,
    served: Option<Served>,
}

impl Recorder {
    pub(super) fn new(
        cache: Arc<Cache>,
        key: Key,
        clock: Arc<dyn Clock>,
        settings: &settings::Cache,
    ) -> Self {
        Self { cache, key, clock, most: settings.max_entry_bytes, body: Some(BytesMut::new()), served: None }
    }

    /// Notes what goes to the client.
    pub(in crate::engine) fn add(&mut self, bytes: &[u8]) {
        let Some(body) = &mut self.body else { return };
        if (body.len() + bytes.len()) as u64 > self.most {
            self.body = None;
        } else {
            body.extend_from_slice(bytes);
        }
    }

    /// Begins anew: the client got nothing of it.
    pub(in crate::engine) fn forget(&mut self) {
        self.body = Some(BytesMut::new());
    }

    /// Notes who serves the answer.
    pub(in crate::engine) fn serve(&mut self, served: Served) {
        self.served = Some(served);
    }

    /// The client got it whole: keeps it.
    pub(in crate::engine) fn keep(self) {
        let (Some(body), Some(served)) = (self.body, self.served) else { return };
        // A copy of its length: what it grew by beyond that would not be counted.
        let body = Bytes::copy_from_slice(&body);
        let entry = Entry { served, body, made_at: self.clock.now() };
        self.cache.entries.insert(self.key, Arc::new(entry));
    }
}

impl std::fmt::Debug for Recorder {
    /// Without the answer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
