//! The section `idempotency`: what is remembered of requests with an `Idempotency-Key`, and for how long.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::Idempotency;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "off");
const TTL: Key = Key::new("ttl_seconds", "seconds from 1 to 2592000 (30 days)", "86400");
const LINGER: Key = Key::new("linger_seconds", "seconds from 0 to 3600", "60");
const MAX_KEYS: Key = Key::new("max_keys", "a whole number from 1 to 1000000", "10000");
const MAX: Key = Key::new("max_mb", "a whole number from 1 to 65536", "256");
const MAX_ITEM: Key = Key::new("max_item_mb", "a whole number from 1 to 256", "8");

pub(super) static SECTION: Section =
    Section { name: "idempotency", keys: &[ENABLED, TTL, LINGER, MAX_KEYS, MAX, MAX_ITEM] };

const MEGABYTE: u64 = 1024 * 1024;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Idempotency {
    let default = Idempotency::default();
    Idempotency {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        ttl: fields.seconds(sink, &TTL, 1.0..=2_592_000.0, default.ttl),
        linger: fields.seconds(sink, &LINGER, 0.0..=3600.0, default.linger),
        max_keys: fields.number(sink, &MAX_KEYS, 1..=1_000_000, default.max_keys),
        max_bytes: fields.number(sink, &MAX, 1..=65_536, default.max_bytes / MEGABYTE) * MEGABYTE,
        max_item_bytes: fields.number(sink, &MAX_ITEM, 1..=256, default.max_item_bytes / MEGABYTE) * MEGABYTE,
    }
}
