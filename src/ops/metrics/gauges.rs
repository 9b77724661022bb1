//! What is looked up in the engine when somebody reads the metrics: how much is under way, how connections and breakers
//! stand, and how full quotas are.

use std::collections::BTreeMap;

use crate::{
    engine::{Engine, health::Standing, ports::LockKind},
    observe::exposition::{Exposition, Kind},
};

/// How a connection can stand.
const STATES: [&str; 4] = ["fit", "recovering", "cooling", "used_up"];

pub(super) fn write(text: &mut Exposition, engine: &Engine) {
    let admission = engine.admission();
    text.family("trivium_requests_in_flight", Kind::Gauge, "Requests that are being worked on.");
    text.sample(&[], admission.running());
    text.family("trivium_requests_queued", Kind::Gauge, "Requests that wait to be let in.");
    text.sample(&[], admission.waiting());
    let snapshot = engine.snapshot();
    let connections = &snapshot.settings.connections;
    text.family("trivium_connection_requests_in_flight", Kind::Gauge, "Attempts that are under way.");
    for connection in connections {
        let labels = [("connection", &*connection.id), ("provider", connection.provider.id.as_str())];
        text.sample(&labels, engine.in_flight(connection));
    }
    states(text, engine);
    locks(text, engine);
    quotas(text, engine);
}

fn states(text: &mut Exposition, engine: &Engine) {
    let help = "1 for the state in which a connection is.";
    text.family("trivium_connection_state", Kind::Gauge, help);
    let snapshot = engine.snapshot();
    let (view, quota) = (engine.health().view(), engine.quota().view());
    for connection in &snapshot.settings.connections {
        // The empty name is no model's: what is said of it is said of the connection.
        let state = match view.standing(connection, "") {
            Standing::Cooling(_) => "cooling",
            _ if quota.blocked(connection, "").is_some() => "used_up",
            Standing::Recovering(_) => "recovering",
            Standing::Fit => "fit",
        };
        for one in STATES {
            let labels = [
                ("connection", &*connection.id),
                ("provider", connection.provider.id.as_str()),
                ("state", one),
            ];
            text.sample(&labels, u8::from(one == state));
        }
    }
}

fn locks(text: &mut Exposition, engine: &Engine) {
    let mut of_accounts: BTreeMap<(String, &'static str), u64> = BTreeMap::new();
    let mut breakers = Vec::new();
    for lock in engine.health().locks() {
        if lock.lock == LockKind::Breaker {
            breakers.push(lock.connection);
        } else {
            *of_accounts.entry((lock.connection.to_string(), lock.lock.as_str())).or_default() += 1;
        }
    }
    text.family("trivium_locks", Kind::Gauge, "Locks of connections and of models on them that run now.");
    for ((connection, lock), count) in &of_accounts {
        text.sample(&[("connection", connection.as_str()), ("lock", lock)], count);
    }
    text.family("trivium_breaker_open", Kind::Gauge, "1 for each host whose breaker is not closed.");
    for host in breakers {
        text.sample(&[("host", host.strip_prefix("host:").unwrap_or(&host))], 1);
    }
}

fn quotas(text: &mut Exposition, engine: &Engine) {
    let snapshot = engine.snapshot();
    let help = "The share of a quota's window that is used, where that is known.";
    text.family("trivium_quota_used_ratio", Kind::Gauge, help);
    for connection in &snapshot.settings.connections {
        for window in engine.quota().windows(connection) {
            let labels = [
                ("connection", &*connection.id),
                ("window", &*window.name),
                ("model", window.model.as_deref().unwrap_or_default()),
            ];
            text.sample(&labels, window.used);
        }
    }
}
