//! The section `routing`: how targets are chosen.

use std::sync::Arc;

use super::{
    effective::Sink,
    fields::Fields,
    origin::Origin,
    schema::{Key, SWITCH, Section},
};
use crate::engine::settings::{Adherence, Hidden, Routing, Strategy, Waiting};

/// What a strategy can be, in words.
pub(super) const KINDS: &str = "a strategy, such as `priority`, `exhaust` (also called `fill-first`), `round-robin`, `weighted`, `p2c`, `cost-optimized` or `auto`";

/// What makes a session, in words.
pub(super) const AFFINITIES: &str = "`off`, `session` or `beginning`";

const DEFAULT_STRATEGY: Key = Key::new("default_strategy", KINDS, "exhaust");
const RETRY_AFTER: Key = Key::new("retry_after_seconds", "seconds from 0 to 604800 (a week)", "300");

const AFFINITY: Key = Key::new("affinity", AFFINITIES, "session");
const SUBSTITUTE: Key = Key::new("substitute", "`on` or `off`", "on");
const HIDDEN: Key =
    Key::new("hidden", "a list of models, each as `model` or `connection/model`", "[gpt-4o-mini]");
const WAIT_RETRIES: Key = Key::new("wait_retries", "a whole number from 0 to 10", "3");
const WAIT_LONGEST: Key = Key::new("wait_longest_seconds", "seconds from 0.1 to 300", "30");

pub(super) static SECTION: Section = Section {
    name: "routing",
    keys: &[DEFAULT_STRATEGY, RETRY_AFTER, AFFINITY, WAIT_RETRIES, WAIT_LONGEST, SUBSTITUTE, HIDDEN],
};

/// The same by their names.
pub(super) const ADHERENCE: [(&str, Adherence); 3] =
    [("off", Adherence::Off), ("session", Adherence::Session), ("beginning", Adherence::Beginning)];

const WEEK: f64 = 604_800.0;

/// Their names, and what others call them.
pub(super) const STRATEGIES: [(&str, Strategy); 23] = [
    (Strategy::Exhaust.as_str(), Strategy::Exhaust),
    (Strategy::Priority.as_str(), Strategy::Priority),
    (Strategy::RoundRobin.as_str(), Strategy::RoundRobin),
    (Strategy::Weighted.as_str(), Strategy::Weighted),
    (Strategy::Random.as_str(), Strategy::Random),
    (Strategy::StrictRandom.as_str(), Strategy::StrictRandom),
    (Strategy::P2c.as_str(), Strategy::P2c),
    (Strategy::LeastUsed.as_str(), Strategy::LeastUsed),
    (Strategy::CostOptimized.as_str(), Strategy::CostOptimized),
    (Strategy::ContextOptimized.as_str(), Strategy::ContextOptimized),
    (Strategy::ResetAware.as_str(), Strategy::ResetAware),
    (Strategy::ResetWindow.as_str(), Strategy::ResetWindow),
    (Strategy::Headroom.as_str(), Strategy::Headroom),
    (Strategy::CacheOptimized.as_str(), Strategy::CacheOptimized),
    (Strategy::Lkgp.as_str(), Strategy::Lkgp),
    (Strategy::Auto.as_str(), Strategy::Auto),
    (Strategy::AutoRanked.as_str(), Strategy::AutoRanked),
    ("fill-first", Strategy::Exhaust),
    ("last-known-good", Strategy::Lkgp),
    ("ranked", Strategy::AutoRanked),
    ("least_used", Strategy::LeastUsed),
    ("round_robin", Strategy::RoundRobin),
    ("strict_random", Strategy::StrictRandom),
];

/// All but `resilience`, `auto` and `map`, which have sections of their own.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Routing {
    let default = Routing::default();
    let default_strategy = fields.choice(sink, &DEFAULT_STRATEGY, &STRATEGIES, default.default_strategy);
    let retry_after = fields.seconds(sink, &RETRY_AFTER, 0.0..=WEEK, default.retry_after);
    let wait = Waiting {
        retries: fields.number(sink, &WAIT_RETRIES, 0..=10, default.wait.retries),
        longest: fields.seconds(sink, &WAIT_LONGEST, 0.1..=300.0, default.wait.longest),
    };
    let affinity = fields.choice(sink, &AFFINITY, &ADHERENCE, default.affinity);
    let substitute = fields.choice(sink, &SUBSTITUTE, &SWITCH, default.substitute);
    let hidden = hidden(fields, sink);
    Routing { default_strategy, retry_after, wait, affinity, substitute, hidden, ..default }
}

fn hidden(fields: &Fields<'_>, sink: &mut Sink) -> Arc<Hidden> {
    let written = fields.texts(sink, &HIDDEN).unwrap_or_default();
    let models: Vec<String> = written.into_iter().map(|one| one.value).collect();
    let origin = fields.node(&HIDDEN).map_or(Origin::Default, |node| node.origin.clone());
    sink.holds(fields.path_of(&HIDDEN), &HIDDEN, format!("[{}]", models.join(", ")), origin);
    Arc::new(Hidden::new(models))
}
