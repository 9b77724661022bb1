//! The operation on windows of quotas.

use operations::quotas::{ListQuotas, QuotaPage, QuotaWindow};

use super::{OpError, page::page};
use crate::engine::{
    Engine,
    ports::Lack,
    quota::{Confidence, Source, WindowState},
    settings::{CREDIT, Connection, Unit, Usd},
};

/// Lists windows.
///
/// # Errors
/// When the connection that is asked for does not exist.
pub fn list(engine: &Engine, args: &ListQuotas) -> Result<QuotaPage, OpError> {
    let snapshot = engine.snapshot();
    let connections = &snapshot.settings.connections;
    let only = args.connection.as_deref();
    let is_it = |connection: &Connection| only.is_none_or(|only| *connection.id == *only);
    if let Some(only) = only.filter(|_| !connections.iter().any(|connection| is_it(connection))) {
        return Err(OpError::NotFound { noun: "connection", name: only.to_owned() });
    }
    let of_provider = |connection: &Connection| {
        args.provider.as_ref().is_none_or(|provider| *provider == connection.provider.id)
    };
    let chosen = connections.iter().filter(|connection| is_it(connection) && of_provider(connection));
    let rows = chosen.flat_map(|connection| {
        let windows = engine.quota().windows(connection).into_iter();
        let token_status = token_status(engine, connection);
        windows.map(move |state| {
            let token_status = token_status.map(str::to_owned);
            let window = QuotaWindow { token_status, ..window(connection, &state) };
            let model = window.model.as_deref().unwrap_or_default();
            (format!("{}/{model}/{}", window.connection, window.window), window)
        })
    });
    let (windows, next_cursor) = page(rows.collect(), args.cursor.as_deref(), args.limit);
    Ok(QuotaPage { windows, next_cursor })
}

/// How the token of a connection with a login stands.
fn token_status(engine: &Engine, connection: &Connection) -> Option<&'static str> {
    connection.oauth.as_ref()?;
    Some(match engine.lack(connection) {
        None => "valid",
        Some(Lack::Pause { .. }) => "refreshing",
        Some(Lack::Login) => "expired",
    })
}

fn window(connection: &Connection, state: &WindowState) -> QuotaWindow {
    QuotaWindow {
        connection: connection.id.to_string(),
        provider: connection.provider.id.clone(),
        token_status: None,
        model: state.model.as_deref().map(str::to_owned),
        window: state.name.to_string(),
        unit: state.unit.map(|unit| unit.as_str().to_owned()),
        span: state.span.map(|span| span.to_string()),
        limit: state.limit.map(|limit| amount(state.unit, limit)),
        used: state.used,
        reserved: state.reserved,
        resets_at: state.resets_at,
        source: match state.source {
            Source::Configured => "configured",
            Source::Header => "header",
            Source::Refusal => "refusal",
        }
        .to_owned(),
        confidence: match state.confidence {
            Confidence::Counted => "counted",
            Confidence::Told => "told",
            Confidence::Stale => "stale",
        }
        .to_owned(),
        known_at: state.as_of,
    }
}

/// An amount in the unit that people use, rather than in its parts.
fn amount(unit: Option<Unit>, parts: u64) -> f64 {
    match unit {
        Some(Unit::Money) => Usd::from_pico(parts).dollars(),
        Some(Unit::Credits) => parts as f64 / CREDIT as f64,
        Some(Unit::Requests | Unit::Tokens) | None => parts as f64,
    }
}
