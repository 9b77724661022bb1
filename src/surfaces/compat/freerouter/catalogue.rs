//! The models of all connections as FreeRouter's catalogue of ranked routes.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use serde_json::{Value, json};

use crate::engine::{
    Engine,
    fault::FaultKind,
    health::Standing,
    ports::CooldownRecord,
    settings::{Connection, ModelFacts},
};

/// Where the ranks of routes begin that have none: behind all that people give by hand.
const UNRANKED: u32 = 100_000;
/// The distance of ranks that the hub gives, so that something fits between.
const STEP: u32 = 10;

/// A model on a connection.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) connection: Arc<Connection>,
    pub(super) model: Arc<str>,
    pub(super) rank: u32,
    pub(super) enabled: bool,
}

/// Every route, the best rank first.
pub(super) struct Catalogue {
    pub(super) entries: Vec<Entry>,
}

impl Catalogue {
    pub(super) fn of(engine: &Engine) -> Self {
        let snapshot = engine.snapshot();
        let mut entries = Vec::new();
        for connection in &snapshot.settings.connections {
            for model in &connection.models.listed {
                let given = connection.models.about.get(model).and_then(|about| about.rank);
                let place = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                entries.push(Entry {
                    connection: Arc::clone(connection),
                    model: Arc::clone(model),
                    rank: given.unwrap_or(UNRANKED.saturating_add(place)),
                    enabled: !snapshot.settings.routing.hidden.hides(&connection.id, model),
                });
            }
        }
        entries.sort_by_key(|entry| entry.rank);
        Self { entries }
    }

    /// Ranks by what is known of the models: those that think first, then those that can call tools and see, then the
    /// larger windows, then the dearer ones, since vendors price by ability. Equals keep their order.
    pub(super) fn by_merit(mut self) -> HashMap<String, u32> {
        self.entries.sort_by_key(|entry| Reverse(merit(&entry.connection.facts_of(&entry.model))));
        let ranks = (1..).map(|place: u32| place.saturating_mul(STEP));
        self.entries.iter().map(Entry::id).zip(ranks).collect()
    }
}

fn merit(facts: &ModelFacts) -> (bool, bool, bool, u64, u64) {
    let price = facts.price.map_or(0, |price| price.output.pico());
    (
        facts.reasoning == Some(true),
        facts.tools == Some(true),
        facts.vision == Some(true),
        facts.context.unwrap_or_default(),
        price,
    )
}

impl Entry {
    /// A model that the connection does not list.
    pub(super) fn proposed(connection: &Arc<Connection>, model: &str) -> Self {
        Self { connection: Arc::clone(connection), model: model.into(), rank: UNRANKED, enabled: false }
    }

    /// The route's id.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.connection.id, self.model)
    }

    /// The route as FreeRouter shows it, with its health for those who may see that.
    pub(super) fn shown(&self, engine: &Engine, with_health: bool) -> Value {
        let facts = self.connection.facts_of(&self.model);
        let tags = self.connection.models.about.get(&self.model).map(|about| about.tags.clone());
        let cost = match (self.connection.is_free(&facts), facts.price) {
            (true, _) => "free-tier",
            (false, Some(_)) => "paid",
            (false, None) => "unknown",
        };
        let mut shown = json!({
            "route_id": self.id(),
            "provider_name": self.connection.provider.id,
            "model_id": self.model,
            "display_name": self.model,
            "rank": self.rank,
            "enabled": self.enabled,
            "context_window": facts.context,
            "quality": "unknown",
            "speed": "unknown",
            "cost": cost,
            "tags": tags.unwrap_or_default(),
            "notes": "",
            "source_url": "",
        });
        if let (true, Some(shown)) = (with_health, shown.as_object_mut()) {
            shown.insert("health".to_owned(), self.health(engine));
        }
        shown
    }

    /// How the route stands. Times are seconds since the Unix epoch, 0 where there is none.
    fn health(&self, engine: &Engine) -> Value {
        let standing = engine.health().view().standing(&self.connection, &self.model);
        let blocked = engine.quota().view().blocked(&self.connection, &self.model);
        let (status, reason, until) = match (standing, blocked) {
            (Standing::Cooling(why), _) if why.kind == FaultKind::RateLimited => {
                ("rate_limited", Some(why.message.to_string()), why.until)
            }
            (Standing::Cooling(why), _) => ("unavailable", Some(why.message.to_string()), why.until),
            (_, Some(window)) => {
                ("rate_limited", Some(format!("the window `{}` is used up", window.window)), window.until)
            }
            (Standing::Recovering(why), None) => ("recovering", Some(why.message.to_string()), why.until),
            (Standing::Fit, None) => ("active", None, 0),
        };
        let lock = engine.health().locks().into_iter().find(|lock| self.is_meant(lock));
        json!({
            "route_id": self.id(),
            "provider_name": self.connection.provider.id,
            "model_id": self.model,
            "status": status,
            "status_reason": reason,
            "consecutive_failures": lock.as_ref().map_or(0, |lock| lock.level),
            "rate_limited_until": if status == "rate_limited" { until / 1000 } else { 0 },
            "next_probe_at": until / 1000,
            "updated_at": lock.map_or(0, |lock| lock.since / 1000),
        })
    }

    fn is_meant(&self, lock: &CooldownRecord) -> bool {
        lock.connection == self.connection.id && lock.model.as_ref().is_none_or(|model| *model == self.model)
    }
}
