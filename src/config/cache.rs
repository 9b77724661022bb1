//! The section `cache`: which answers are given again to requests that are the same.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::Cache;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "on");
const JOIN: Key = Key::new("join", "`on` or `off`", "on");
const TTL: Key = Key::new("ttl_seconds", "seconds from 1 to 2592000 (30 days)", "1800");
const MAX: Key = Key::new("max_mb", "a whole number from 1 to 65536", "64");
const MAX_ENTRY: Key = Key::new("max_entry_kb", "a whole number from 1 to 65536", "1024");

pub(super) static SECTION: Section = Section { name: "cache", keys: &[ENABLED, JOIN, TTL, MAX, MAX_ENTRY] };

const KILOBYTE: u64 = 1024;
const MEGABYTE: u64 = 1024 * KILOBYTE;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Cache {
    let default = Cache::default();
    let max_bytes = fields.number(sink, &MAX, 1..=65_536, default.max_bytes / MEGABYTE) * MEGABYTE;
    let entry = fields.number(sink, &MAX_ENTRY, 1..=65_536, default.max_entry_bytes / KILOBYTE) * KILOBYTE;
    Cache {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        join: fields.choice(sink, &JOIN, &SWITCH, default.join),
        ttl: fields.seconds(sink, &TTL, 1.0..=2_592_000.0, default.ttl),
        max_bytes,
        // One answer must not push out all the others.
        max_entry_bytes: entry.min(max_bytes / 8),
    }
}
