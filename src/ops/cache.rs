//! Operations on the cache of answers.

use operations::cache::{CacheCleared, CacheReport};

use crate::engine::Engine;

/// Says what the cache holds and did.
#[must_use]
pub fn stats(engine: &Engine) -> CacheReport {
    let (kept, snapshot) = (engine.cached(), engine.snapshot());
    let settings = &snapshot.settings.cache;
    CacheReport {
        entries: kept.entries,
        bytes: kept.bytes,
        max_bytes: settings.max_bytes,
        ttl_seconds: settings.ttl.as_secs(),
        hits: kept.hits,
        misses: kept.misses,
    }
}

/// Throws every kept answer away.
#[must_use]
pub fn clear(engine: &Engine) -> CacheCleared {
    let kept = engine.clear_cache();
    CacheCleared { entries: kept.entries, bytes: kept.bytes }
}
