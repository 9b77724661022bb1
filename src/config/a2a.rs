//! The section `a2a`: what agents find that connect by the Agent2Agent protocol, and what is kept of their tasks.

use std::time::Duration;

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::A2a;

const ENABLED: Key = Key::new("enabled", "`on` or `off`", "off");
const RETENTION: Key = Key::new("retention_days", "a whole number from 1 to 3650", "30");
const TASKS: Key = Key::new("max_tasks", "a whole number from 1 to 10000000", "10000");
const RUNNING: Key = Key::new("max_running", "a whole number from 1 to 100000", "2000");
const PUSH: Key = Key::new("push", "`on` or `off`", "off");
const PRIVATE: Key = Key::new("push_allow_private", "`on` or `off`", "on");

pub(super) static SECTION: Section =
    Section { name: "a2a", keys: &[ENABLED, RETENTION, TASKS, RUNNING, PUSH, PRIVATE] };

const DAY: u64 = 86_400;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> A2a {
    let default = A2a::default();
    let days = fields.number(sink, &RETENTION, 1..=3_650, default.retention.as_secs() / DAY);
    A2a {
        enabled: fields.choice(sink, &ENABLED, &SWITCH, default.enabled),
        retention: Duration::from_secs(days * DAY),
        tasks: fields.number(sink, &TASKS, 1..=10_000_000, default.tasks),
        running: fields.number(sink, &RUNNING, 1..=100_000, default.running),
        push: fields.choice(sink, &PUSH, &SWITCH, default.push),
        push_allow_private: fields.choice(sink, &PRIVATE, &SWITCH, default.push_allow_private),
    }
}
