//! The section `retention`: how long the hub keeps what it wrote down of requests.

use std::time::Duration;

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::Retention;

const DAYS: &str = "days from 0 to 36500, where 0 stands for no bound";
const RECEIPTS_ROWS: Key = Key::new("receipts_rows", "a whole number from 1000 to 1000000000", "1000000");
const RECEIPTS_DAYS: Key = Key::new("receipts_days", DAYS, "90");
const RECEIPTS_MB: Key = Key::new("receipts_mb", "a whole number from 1 to 1048576", "2048");
const PLANS_DAYS: Key = Key::new("plans_days", DAYS, "14");
const USAGE_HOURS_DAYS: Key = Key::new("usage_hours_days", DAYS, "90");
const USAGE_DAYS: Key = Key::new("usage_days", DAYS, "1825");
const SESSIONS_DAYS: Key = Key::new("sessions_days", DAYS, "90");

const AUDIT_ROWS: Key = Key::new("audit_rows", "a whole number from 1000 to 1000000000", "1000000");
const AUDIT_DAYS: Key = Key::new("audit_days", DAYS, "730");
const TOOL_CALLS_ROWS: Key = Key::new("tool_calls_rows", "a whole number from 1000 to 1000000000", "250000");
const TOOL_CALLS_DAYS: Key = Key::new("tool_calls_days", DAYS, "90");

pub(super) static SECTION: Section = Section {
    name: "retention",
    keys: &[
        RECEIPTS_ROWS,
        RECEIPTS_DAYS,
        RECEIPTS_MB,
        PLANS_DAYS,
        USAGE_HOURS_DAYS,
        USAGE_DAYS,
        SESSIONS_DAYS,
        AUDIT_ROWS,
        AUDIT_DAYS,
        TOOL_CALLS_ROWS,
        TOOL_CALLS_DAYS,
    ],
};

const MEGABYTE: u64 = 1024 * 1024;
const DAY: u64 = 24 * 60 * 60;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Retention {
    let default = Retention::default();
    Retention {
        receipts_rows: fields.number(sink, &RECEIPTS_ROWS, 1000..=1_000_000_000, default.receipts_rows),
        receipts_age: days(fields, sink, &RECEIPTS_DAYS, default.receipts_age),
        receipts_bytes: fields.number(sink, &RECEIPTS_MB, 1..=1_048_576, default.receipts_bytes / MEGABYTE)
            * MEGABYTE,
        plans_age: days(fields, sink, &PLANS_DAYS, default.plans_age),
        usage_hours_age: days(fields, sink, &USAGE_HOURS_DAYS, default.usage_hours_age),
        usage_age: days(fields, sink, &USAGE_DAYS, default.usage_age),
        sessions_age: days(fields, sink, &SESSIONS_DAYS, default.sessions_age),
        audit_rows: fields.number(sink, &AUDIT_ROWS, 1000..=1_000_000_000, default.audit_rows),
        audit_age: days(fields, sink, &AUDIT_DAYS, default.audit_age),
        tool_calls_rows: fields.number(sink, &TOOL_CALLS_ROWS, 1000..=1_000_000_000, default.tool_calls_rows),
        tool_calls_age: days(fields, sink, &TOOL_CALLS_DAYS, default.tool_calls_age),
    }
}

fn days(fields: &Fields<'_>, sink: &mut Sink, key: &Key, default: Option<Duration>) -> Option<Duration> {
    let default = default.map_or(0, |age| age.as_secs() / DAY);
    let days = fields.number(sink, key, 0..=36_500, default);
    (days > 0).then(|| Duration::from_secs(days * DAY))
}
