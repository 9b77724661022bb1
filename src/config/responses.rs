//! The section `responses`: what the hub keeps of Responses with `store`, and for how long.

use std::time::Duration;

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::Keeping;

const KEEP: Key = Key::new("keep", "`on` or `off`", "on");
const TTL: Key = Key::new("ttl_seconds", "seconds from 60 to 31536000 (a year)", "2592000");
const MAX: Key = Key::new("max_mb", "a whole number from 1 to 65536", "256");
const MAX_ITEM: Key = Key::new("max_item_mb", "a whole number from 1 to 256", "8");

pub(super) static SECTION: Section = Section { name: "responses", keys: &[KEEP, TTL, MAX, MAX_ITEM] };

const MEGABYTE: u64 = 1024 * 1024;
const YEAR: f64 = 31_536_000.0;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Keeping {
    let default = Keeping::default();
    let keep = fields.choice(sink, &KEEP, &SWITCH, default.keep);
    let ttl: Duration = fields.seconds(sink, &TTL, 60.0..=YEAR, default.ttl);
    let max_bytes = fields.number(sink, &MAX, 1..=65_536, default.max_bytes / MEGABYTE) * MEGABYTE;
    let max_item_bytes =
        fields.number(sink, &MAX_ITEM, 1..=256, default.max_item_bytes / MEGABYTE) * MEGABYTE;
    Keeping { keep, ttl, max_bytes, max_item_bytes }
}
