//! How much and how fast an account is used: `limits`, `windows` and `pace`.

use std::time::Duration;

use super::{PACE, WINDOWS, limits};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, mismatch},
        layers::Overlay,
        node::{Node, Value},
        schema::{Key, SWITCH, Section},
    },
    engine::settings::{Allowance, Heed, Pace, Quota},
};

const FIVE_HOURS: Key = Key::new("5h", "`on` or `off`", "on");
const WEEKLY: Key = Key::new("weekly", "`on` or `off`", "off");
const THRESHOLD: Key = Key::new("threshold", "a share from 0.01 to 1", "0.9");
const WARN: Key = Key::new("warn", "a share from 0.01 to 1", "0.8");

static HEED: Section = Section { name: "windows", keys: &[FIVE_HOURS, WEEKLY, THRESHOLD, WARN] };

const PRESET: Key = Key::new("preset", "`steady` or `single-file`", "steady");
const PER_MINUTE: Key = Key::new("requests_per_minute", "a whole number from 1 to 100000", "100");
const GAP: Key = Key::new("gap_seconds", "seconds from 0 to 3600", "0.2");
const CONCURRENT: Key = Key::new("concurrent", "a whole number from 1 to 100000", "10");
const MAX_WAIT: Key = Key::new("max_wait_seconds", "seconds from 0 to 3600", "120");
const QUEUE: Key = Key::new("queue", "a whole number from 0 to 100000", "100");

static SPEED: Section =
    Section { name: "pace", keys: &[PRESET, PER_MINUTE, GAP, CONCURRENT, MAX_WAIT, QUEUE] };

const HOUR: f64 = 3600.0;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Allowance {
    let quota = Quota { limits: limits::read(fields, sink), heed: heed(fields, sink) };
    Allowance { quota, pace: pace(fields, sink) }
}

/// The mapping below a key, if one is written.
fn mapping<'a>(fields: &Fields<'a>, key: &Key, sink: &mut Sink) -> Option<&'a Node> {
    let node = fields.node(key)?;
    if matches!(node.value, Value::Map(_)) {
        return Some(node);
    }
    mismatch(sink, &fields.path_of(key), key, node);
    None
}

fn heed(fields: &Fields<'_>, sink: &mut Sink) -> Heed {
    let default = Heed::default();
    let Some(node) = mapping(fields, &WINDOWS, sink) else { return default };
    let overlay = Overlay::default();
    let fields = Fields::open(&HEED, fields.path_of(&WINDOWS), Some(node), &overlay, sink);
    Heed {
        five_hours: fields.choice(sink, &FIVE_HOURS, &SWITCH, default.five_hours),
        week: fields.choice(sink, &WEEKLY, &SWITCH, default.week),
        threshold: fields.node(&THRESHOLD).map(|_| fields.number(sink, &THRESHOLD, 0.01..=1.0, Heed::FULL)),
        warn: fields.number(sink, &WARN, 0.01..=1.0, default.warn),
    }
}

fn pace(fields: &Fields<'_>, sink: &mut Sink) -> Option<Pace> {
    let node = mapping(fields, &PACE, sink)?;
    let overlay = Overlay::default();
    let fields = Fields::open(&SPEED, fields.path_of(&PACE), Some(node), &overlay, sink);
    let base = preset(&fields, sink);
    let count = |key: &Key, default: Option<u32>, sink: &mut Sink| {
        let written = fields.node(key).map(|_| fields.number(sink, key, 1..=100_000, 1));
        written.or(default)
    };
    let seconds =
        |key: &Key, default: Duration, sink: &mut Sink| fields.seconds(sink, key, 0.0..=HOUR, default);
    let pace = Pace {
        per_minute: count(&PER_MINUTE, base.per_minute, sink),
        gap: seconds(&GAP, base.gap, sink),
        concurrent: count(&CONCURRENT, base.concurrent, sink),
        max_wait: seconds(&MAX_WAIT, base.max_wait, sink),
        queue: fields.number(sink, &QUEUE, 0..=100_000, base.queue),
    };
    if !pace.limits() {
        let message = "the pace limits nothing";
        let remedy = "add `requests_per_minute`, `gap_seconds`, `concurrent` or a `preset`";
        sink.problems.warning(fields.path(), fields.origin(), message, remedy);
    }
    Some(pace)
}

fn preset(fields: &Fields<'_>, sink: &mut Sink) -> Pace {
    #[derive(Clone, Copy, PartialEq)]
    enum Preset {
        Steady,
        SingleFile,
    }
    if fields.node(&PRESET).is_none() {
        return Pace::default();
    }
    let words = [("steady", Preset::Steady), ("single-file", Preset::SingleFile)];
    match fields.choice(sink, &PRESET, &words, Preset::Steady) {
        Preset::Steady => Pace::steady(),
        Preset::SingleFile => Pace::single_file(),
    }
}
