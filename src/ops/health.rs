//! Operations on how connections and their hosts stand.

use operations::health::{
    BreakerHealth, ConnectionHealth, GetHealth, HealthReport, HealthResetDone, HubHealth, LockHealth,
    ResetHealth,
};

use super::{OpError, metrics, page::page};
use crate::engine::{
    Engine,
    health::{HostState, Standing, View},
    ports::{CooldownRecord, LockKind},
    quota::QuotaView,
    settings::Connection,
};

/// Says how everybody stands.
///
/// # Errors
/// When the connection that is asked for does not exist.
pub fn get(engine: &Engine, args: &GetHealth) -> Result<HealthReport, OpError> {
    let snapshot = engine.snapshot();
    let only = args.connection.as_deref();
    let chosen: Vec<_> = snapshot
        .settings
        .connections
        .iter()
        .filter(|connection| only.is_none_or(|only| *connection.id == *only))
        .collect();
    if let Some(only) = only.filter(|_| chosen.is_empty()) {
        return Err(missing(only));
    }
    let (locks, breakers) = (engine.health().locks(), engine.health().hosts());
    // The view holds a lock of the health: it is dropped before anything else is asked of it.
    let rows = {
        let (view, quota) = (engine.health().view(), engine.quota().view());
        chosen.into_iter().map(|one| (one.id.to_string(), state(engine, one, &view, &quota))).collect()
    };
    let (mut connections, next_cursor) = page::<ConnectionHealth>(rows, args.cursor.as_deref(), args.limit);
    for connection in &mut connections {
        let here =
            locks.iter().filter(|lock| lock.lock != LockKind::Breaker && *lock.connection == *connection.id);
        connection.locks = here.map(lock_health).collect();
    }
    Ok(HealthReport {
        connections,
        breakers: breakers.iter().map(breaker_health).collect(),
        requests_running: u64::try_from(engine.admission().running()).unwrap_or(u64::MAX),
        hub: hub(engine, &locks),
        next_cursor,
    })
}

fn hub(engine: &Engine, locks: &[CooldownRecord]) -> HubHealth {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let (started_at, cache) = (engine.started_at(), engine.cached());
    let uptime = engine.clock().now().saturating_sub(started_at).max(0);
    HubHealth {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        uptime_seconds: uptime.unsigned_abs() / 1000,
        memory_bytes: metrics::resident(),
        requests_waiting: count(engine.admission().waiting()),
        accepting: engine.admission().is_open(),
        locks: count(locks.iter().filter(|lock| lock.lock != LockKind::Breaker).count()),
        cache_entries: cache.entries,
        cache_hits: cache.hits,
        cache_misses: cache.misses,
    }
}

/// How one connection stands.
pub(super) fn connection(engine: &Engine, connection: &Connection) -> ConnectionHealth {
    let standing = {
        let (view, quota) = (engine.health().view(), engine.quota().view());
        state(engine, connection, &view, &quota)
    };
    let locks = engine.health().locks();
    let here =
        locks.iter().filter(|lock| lock.lock != LockKind::Breaker && *lock.connection == *connection.id);
    ConnectionHealth { locks: here.map(lock_health).collect(), ..standing }
}

/// Forgets what is held against a connection, a model on it, or a host.
///
/// # Errors
/// When there is no such connection, or nothing is known of such a host.
pub fn reset(engine: &Engine, args: ResetHealth) -> Result<HealthResetDone, OpError> {
    match (args.connection, args.host) {
        (Some(id), _) => {
            let snapshot = engine.snapshot();
            let connection = snapshot.settings.connections.iter().find(|one| *one.id == *id);
            let connection = connection.ok_or_else(|| missing(&id))?;
            let lifted = engine.health().reset(connection, args.model.as_deref());
            Ok(HealthResetDone { name: id, lifted: u32::try_from(lifted).unwrap_or(u32::MAX) })
        }
        (None, host) => {
            let host = host.unwrap_or_default();
            if engine.health().reset_host(&host) {
                Ok(HealthResetDone { name: host, lifted: 1 })
            } else {
                Err(OpError::NotFound { noun: "breaker of the host", name: host })
            }
        }
    }
}

fn state(engine: &Engine, connection: &Connection, view: &View<'_>, quota: &QuotaView) -> ConnectionHealth {
    // The empty name is no model's: what is said of it is said of the connection.
    let (standing, held) = match view.standing(connection, "") {
        Standing::Fit => ("fit", None),
        Standing::Recovering(cooldown) => ("recovering", Some(cooldown)),
        Standing::Cooling(cooldown) => ("cooling", Some(cooldown)),
    };
    let used_up = quota.blocked(connection, "").filter(|_| standing != "cooling");
    let standing = if used_up.is_some() { "used_up" } else { standing };
    let window =
        used_up.map(|blocked| (blocked.until, format!("the window `{}` is used up", blocked.window)));
    let told = held.map(|cooldown| (cooldown.until, format!("{}: {}", cooldown.kind, cooldown.message)));
    let (until_at, reason) = window.or(told).unzip();
    ConnectionHealth {
        id: connection.id.to_string(),
        provider: connection.provider.id.clone(),
        standing: standing.to_owned(),
        until_at,
        reason,
        in_flight: engine.in_flight(connection),
        locks: Vec::new(),
    }
}

fn lock_health(lock: &CooldownRecord) -> LockHealth {
    LockHealth {
        model: lock.model.as_deref().map(str::to_owned),
        kind: lock.lock.as_str().to_owned(),
        cause: lock.kind.as_str().to_owned(),
        evidence: lock.message.clone(),
        since_at: lock.since,
        until_at: lock.until,
        level: lock.level,
    }
}

fn breaker_health(host: &HostState) -> BreakerHealth {
    BreakerHealth {
        host: host.host.to_string(),
        state: host.state.as_str().to_owned(),
        failures: host.failures,
        evidence: host.evidence.to_string(),
        until_at: host.until,
    }
}

fn missing(id: &str) -> OpError {
    OpError::NotFound { noun: "connection", name: id.to_owned() }
}
