//! The section `routing`: how targets are chosen.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::{Routing, Strategy};

const DEFAULT_STRATEGY: Key =
    Key::new("default_strategy", "`exhaust` (also called `fill-first`) or `round-robin`", "exhaust");
const RETRY_AFTER: Key = Key::new("retry_after_seconds", "seconds from 0 to 604800 (a week)", "300");

pub(super) static SECTION: Section = Section { name: "routing", keys: &[DEFAULT_STRATEGY, RETRY_AFTER] };

const WEEK: f64 = 604_800.0;

const STRATEGIES: [(&str, Strategy); 4] = [
    (Strategy::Exhaust.as_str(), Strategy::Exhaust),
    (Strategy::RoundRobin.as_str(), Strategy::RoundRobin),
    ("fill-first", Strategy::Exhaust),
    ("round_robin", Strategy::RoundRobin),
];

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Routing {
    let default = Routing::default();
    let default_strategy = fields.choice(sink, &DEFAULT_STRATEGY, &STRATEGIES, default.default_strategy);
    let retry_after = fields.seconds(sink, &RETRY_AFTER, 0.0..=WEEK, default.retry_after);
    Routing { default_strategy, retry_after }
}
