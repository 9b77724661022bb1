//! Combos that are worth having, made of what is configured: by prices, by how good families of models are at a kind of
//! work, by what costs nothing. For people to look at and to paste; nothing here is used by itself.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    settings::{Combo, Connection, ModelFacts, Settings, Step, Strategy, Wanted},
    task::{self, TaskKind},
};

/// More steps than this help nobody to read them.
const STEPS: usize = 8;

/// A model that is worse than this at a kind of work, in thousandths, is left out of its preset.
const GOOD_AT: u16 = 700;

/// A model somewhere, under the name by which a step reaches it.
struct Served<'a> {
    name: Arc<str>,
    model: &'a str,
    facts: Arc<ModelFacts>,
    is_free: bool,
}

/// The presets that have anything to choose from, under names that are not taken.
#[must_use]
pub fn presets(settings: &Settings) -> Vec<Combo> {
    let served = served(&settings.connections);
    let all = [
        preset(
            "coding",
            "the models that are best at programs, best first",
            Strategy::Priority,
            by(&served, |one| good_at(one, TaskKind::Coding)),
        ),
        preset(
            "vision",
            "models that see, best first",
            Strategy::Priority,
            by(&served, |one| {
                (one.facts.vision == Some(true)).then(|| good_at(one, TaskKind::Vision)).flatten()
            }),
        ),
        preset(
            "cheap-first",
            "what the request is expected to cost decides; known prices only",
            Strategy::CostOptimized,
            by(&served, price),
        ),
        preset(
            "free-stack",
            "what costs nothing, by the quota that is left",
            Strategy::Headroom,
            by(&served, |one| one.is_free.then_some(())),
        ),
        preset(
            "long-context",
            "the smallest window that the request fits into",
            Strategy::ContextOptimized,
            by(&served, |one| one.facts.context.map(Reverse)),
        ),
    ];
    let taken: BTreeSet<&str> = settings.combos.iter().map(|combo| &*combo.id).collect();
    let listed = settings.connections.iter().flat_map(|connection| &connection.models.listed);
    let models: BTreeSet<&str> = listed.map(|model| &**model).collect();
    let mut presets: Vec<Combo> = all.into_iter().flatten().collect();
    for preset in &mut presets {
        preset.connections = settings.routing.default_strategy;
    }
    presets.retain(|preset| !taken.contains(&*preset.id) && !models.contains(&*preset.id));
    presets
}

fn preset(id: &str, description: &str, strategy: Strategy, names: Vec<Arc<str>>) -> Option<Combo> {
    // One step is no choice.
    if names.len() < 2 {
        return None;
    }
    let steps = names
        .into_iter()
        .take(STEPS)
        .map(|name| Step { wanted: Wanted::Model { name, connection: None }, weight: 1 });
    Some(Combo {
        id: id.into(),
        description: Some(description.to_owned()),
        strategy,
        connections: Strategy::default(),
        sticky: 1,
        by_tier: false,
        scoring: None,
        cache: None,
        join: None,
        shaping: None,
        knobs: None,
        fallback: None,
        steps: steps.collect(),
    })
}

/// Every listed model once for each name that steps reach it by, in the configured order. A model with a slash in its id
/// may be read as `prefix/model` too: it is named below its connection, which is always clear.
fn served(connections: &[Arc<Connection>]) -> Vec<Served<'_>> {
    let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut served: Vec<Served<'_>> = Vec::new();
    for connection in connections {
        for model in &connection.models.listed {
            let facts = connection.facts_of(model);
            let is_free = connection.is_free(&facts);
            let name = if model.contains('/') {
                format!("{}/{model}", connection.id).into()
            } else {
                Arc::clone(model)
            };
            match places.get(&name).and_then(|&at| served.get_mut(at)) {
                // The name is free where all accounts behind it are.
                Some(known) => known.is_free &= is_free,
                None => {
                    places.insert(Arc::clone(&name), served.len());
                    served.push(Served { name, model, facts, is_free });
                }
            }
        }
    }
    served
}

/// The names of those that have a rank, the lowest first; equals keep their order.
fn by<R: Ord>(served: &[Served<'_>], rank: impl Fn(&Served<'_>) -> Option<R>) -> Vec<Arc<str>> {
    let mut ranked: Vec<(R, &Served<'_>)> =
        served.iter().filter_map(|one| rank(one).map(|rank| (rank, one))).collect();
    ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
    ranked.into_iter().map(|(_, one)| Arc::clone(&one.name)).collect()
}

fn good_at(one: &Served<'_>, kind: TaskKind) -> Option<Reverse<u16>> {
    task::fit(one.model, kind).filter(|fit| *fit >= GOOD_AT).map(Reverse)
}

/// Three tokens of a request for one of its answer, as agents use them.
fn price(one: &Served<'_>) -> Option<u64> {
    let price = one.facts.price?;
    Some(price.input.pico().saturating_mul(3).saturating_add(price.output.pico()))
}
