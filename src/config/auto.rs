//! The section `auto`: how the virtual model of this name chooses among everything.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};
use crate::engine::settings::{AutoMode, Scoring, Strategy, Weights};

/// What a mode can be, in words.
pub(super) const MODES: &str =
    "`balanced`, `ship-fast`, `cost-saver`, `quality-first`, `reliability-first` or `offline-friendly`";

const STRATEGY: Key = Key::new("strategy", "`scored`, `ranked` or `listed`", "scored");
const MODE: Key = Key::new("mode", MODES, "cost-saver");
const QUOTA: Key = Key::new("quota", WEIGHT, "20");
const HEALTH: Key = Key::new("health", WEIGHT, "25");
const COST: Key = Key::new("cost", WEIGHT, "20");
const LATENCY: Key = Key::new("latency", WEIGHT, "15");
const TASK: Key = Key::new("task", WEIGHT, "12");
const STABILITY: Key = Key::new("stability", WEIGHT, "8");
const EXPLORATION: Key = Key::new("exploration_percent", "a whole number from 0 to 50", "5");

const WEIGHT: &str = "a weight from 0 to 1000";

pub(super) static SECTION: Section = Section {
    name: "auto",
    keys: &[STRATEGY, MODE, QUOTA, HEALTH, COST, LATENCY, TASK, STABILITY, EXPLORATION],
};

/// The modes by their names.
pub(super) const MODE_NAMES: [(&str, AutoMode); 6] = [
    (AutoMode::Balanced.as_str(), AutoMode::Balanced),
    (AutoMode::ShipFast.as_str(), AutoMode::ShipFast),
    (AutoMode::CostSaver.as_str(), AutoMode::CostSaver),
    (AutoMode::QualityFirst.as_str(), AutoMode::QualityFirst),
    (AutoMode::ReliabilityFirst.as_str(), AutoMode::ReliabilityFirst),
    (AutoMode::OfflineFriendly.as_str(), AutoMode::OfflineFriendly),
];

const STRATEGIES: [(&str, Strategy); 3] =
    [("scored", Strategy::Auto), ("ranked", Strategy::AutoRanked), ("listed", Strategy::Exhaust)];

/// The strategy of `auto`, and how it scores. The mode gives the weights that are not written.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> (Strategy, Scoring) {
    let strategy = fields.choice(sink, &STRATEGY, &STRATEGIES, Strategy::Auto);
    let of_mode = fields.choice(sink, &MODE, &MODE_NAMES, AutoMode::Balanced).weights();
    let mut weight = |key: &Key, default: u16| fields.number(sink, key, 0..=1000, default);
    let weights = Weights {
        quota: weight(&QUOTA, of_mode.quota),
        health: weight(&HEALTH, of_mode.health),
        cost: weight(&COST, of_mode.cost),
        latency: weight(&LATENCY, of_mode.latency),
        task: weight(&TASK, of_mode.task),
        stability: weight(&STABILITY, of_mode.stability),
    };
    let default = Scoring::default();
    let exploration = fields.number(sink, &EXPLORATION, 0..=50, default.exploration / 10) * 10;
    let Weights { quota, health, cost, latency, task, stability } = weights;
    if [quota, health, cost, latency, task, stability].iter().all(|weight| *weight == 0) {
        let remedy =
            "give at least one factor a weight above 0, or remove the weights to take those of the mode";
        sink.problems.error(SECTION.name, fields.origin(), "every weight is 0", remedy);
    }
    (strategy, Scoring { weights, exploration, ..default })
}
