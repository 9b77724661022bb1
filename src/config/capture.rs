//! The section `capture`: whether messages are kept word for word.

use std::time::Duration;

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::Capture;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "on");
const PAYLOAD_KB: Key = Key::new("payload_kb", "a whole number from 1 to 1024", "64");
const TOTAL_MB: Key = Key::new("total_mb", "a whole number from 16 to 1048576", "256");
const DAYS: Key = Key::new("days", "a whole number of days from 1 to 3650", "7");

pub(super) static SECTION: Section =
    Section { name: "capture", keys: &[ENABLED, PAYLOAD_KB, TOTAL_MB, DAYS] };

const KILOBYTE: usize = 1024;
const MEGABYTE: u64 = 1024 * 1024;
const DAY: u64 = 24 * 60 * 60;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Capture {
    let default = Capture::default();
    let payload = fields.number(sink, &PAYLOAD_KB, 1..=1024, default.payload_bytes / KILOBYTE);
    let total = fields.number(sink, &TOTAL_MB, 16..=1_048_576, default.total_bytes / MEGABYTE);
    let days = fields.number(sink, &DAYS, 1..=3650, default.age.as_secs() / DAY);
    Capture {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        payload_bytes: payload * KILOBYTE,
        total_bytes: total * MEGABYTE,
        age: Duration::from_secs(days * DAY),
    }
}
