//! The events that are worth a line in the log. The rest of the code calls these, so that their names, levels
//! and fields are in one place, and no secret or prompt can slip into one in passing.

use std::time::Duration;

use tracing::{debug, error, info, warn};

/// A connection, or one model on it, is left alone for a while.
pub fn cooling(connection: &str, model: Option<&str>, kind: &str, wait: Duration, message: &str) {
    let seconds = wait.as_secs_f32();
    match model {
        Some(model) => warn!(connection, model, kind, seconds, "model is cooling down: {message}"),
        None => warn!(connection, kind, seconds, "connection is cooling down: {message}"),
    }
}

/// The keys of an issuer of tokens could not be fetched; those that are known stay in use.
pub fn issuer_keys_failed(url: &str, error: &str) {
    warn!(url, "the issuer's keys could not be fetched: {error}");
}

/// An account is taken for dead: only its owner can help it.
pub fn account_dead(connection: &str, kind: &str, rest: Duration, message: &str) {
    let seconds = rest.as_secs_f32();
    warn!(connection, kind, seconds, "account is out of use, and tested again after a rest: {message}");
}

/// An account that was taken for dead answers.
pub fn account_revived(connection: &str) {
    info!(connection, "account is back in use");
}

/// A backup that was due could not be made; it is tried again.
pub fn backup_failed(error: &dyn std::error::Error) {
    error!(error = %error, cause = error.source().map(tracing::field::display), "the backup that was due could not be made");
}

/// A provider's host is left alone for a while.
pub fn breaker_opened(host: &str, kind: &str, pause: Duration, message: &str) {
    let seconds = pause.as_secs_f32();
    warn!(host, kind, seconds, "breaker opened: {message}");
}

/// A provider's host serves again.
pub fn breaker_closed(host: &str) {
    info!(host, "breaker closed");
}

/// A window of an account's quota has little left, by the provider's word.
pub fn window_filling(connection: &str, window: &str, used: f64) {
    let percent = (used * 100.0).floor();
    warn!(connection, window, percent, "a quota is running out");
}

/// A tool was called over MCP.
pub fn tool_called(tool: &str, transport: &str, caller: &str, is_ok: bool) {
    info!(tool, transport, caller, ok = is_ok, "tool called");
}

/// One finished request.
pub struct Finished<'a> {
    /// The hub's request id.
    pub request: &'a str,
    /// The trace that it belongs to, where its client named one.
    pub trace: Option<&'a str>,
    /// Who asked.
    pub caller: &'a str,
    /// The model as it was asked for.
    pub model: &'a str,
    /// How it ended.
    pub outcome: &'a str,
    /// The status that the client got.
    pub status: u16,
    /// The connection that served it, if any did.
    pub connection: Option<&'a str>,
    /// Attempts, the last one included.
    pub attempts: usize,
    /// What went wrong before, in words; empty when nothing did.
    pub why: &'a str,
    /// Milliseconds from arrival to the end.
    pub took_ms: u32,
}

/// A request is over.
pub fn finished(event: &Finished<'_>) {
    let Finished { request, trace, caller, model, outcome, status, connection, attempts, why, took_ms } =
        *event;
    let connection = connection.unwrap_or("-");
    if why.is_empty() {
        info!(request, trace, caller, model, status, connection, attempts, took_ms, "{outcome}");
    } else {
        info!(request, trace, caller, model, status, connection, attempts, took_ms, "{outcome}, after {why}");
    }
}

/// A budget is used up to the part from which on it warns.
pub fn budget_nearly_used(budget: &str, holder: &str, used: f64, limit: f64) {
    warn!(budget, holder, used, limit, "the budget is nearly used up");
}

/// A budget's window ended, in which so many dollars were spent.
pub fn budget_began_anew(budget: &str, holder: &str, spent: f64) {
    info!(budget, holder, spent, "the budget begins anew");
}

/// What is to be spent of a budget could not be written down.
pub fn lease_failed(budget: &str, error: &dyn std::error::Error) {
    error!(
        budget,
        "the budget's lease could not be written; a strict budget refuses when the last one is used: {error}"
    );
}

/// The hub listens.
pub fn listening(address: &str, connections: usize, models: usize) {
    info!(address, connections, models, "listening");
}

/// The settings were reloaded.
pub fn reloaded(connections: usize) {
    info!(connections, "the configuration changed: the new settings are in use");
}

/// The settings could not be reloaded, and why.
pub fn reload_refused(problems: &str) {
    error!("the configuration changed, and is refused; the running settings stay in use:\n{problems}");
}

/// Something about the configuration that its owner should know.
pub fn configuration_warning(warning: &str) {
    warn!("{warning}");
}

/// The hub was asked to stop.
pub fn draining(running: usize, limit: Duration) {
    info!(running, limit_seconds = limit.as_secs(), "stopping: running requests are finished first");
}

/// The hub stopped.
pub fn stopped(left: usize) {
    if left == 0 {
        info!("stopped");
    } else {
        warn!(left, "stopped before every request was finished");
    }
}

/// A connection to a client broke. Ordinary on any network.
pub fn client_connection_broke(error: &dyn std::error::Error) {
    debug!("a client's connection broke: {error}");
}

/// The listener could not take a connection.
pub fn accept_failed(error: &std::io::Error) {
    warn!("a connection could not be accepted: {error}");
}

/// The first key was made, and where its text is.
pub fn first_key_written(path: &std::path::Path) {
    info!(path = %path.display(), "a first key was created; the file holds it, and only its owner can read it");
}

/// What is old could not be deleted; it is tried again in a minute.
pub fn sweep_failed(error: &dyn std::error::Error) {
    warn!("what is older than is to be kept could not be deleted: {error}");
}

/// A process that speaks MCP over its standard input and output could not say that it lives.
pub fn heartbeat_failed(error: &std::io::Error) {
    warn!("the heartbeat file could not be written: {error}");
}

/// The hub that a process relayed to is gone, and it looks for another.
pub fn relay_lost() {
    warn!("the hub is gone; going on with another, or as the hub");
}

/// A process relays to a hub.
pub fn relaying(hub: &str) {
    info!(hub, "relaying MCP from standard input and output");
}

/// When MCP sessions were last used could not be written down.
pub fn mcp_sessions_not_noted(error: &dyn std::error::Error) {
    warn!("when MCP sessions were last used could not be written down: {error}");
}

/// Events of tasks could not be written down; it is tried again a few times.
pub fn tasks_not_written(error: &dyn std::error::Error) {
    warn!("events of tasks could not be written down: {error}");
}

/// A webhook of a task was not told of an event.
pub fn task_push_given_up(host: &str, tries: u32, why: &str) {
    warn!(host, tries, "a webhook was not told of an event of its task: {why}");
}

/// Spans could not be given to the collector.
pub fn spans_dropped(endpoint: &str, count: u64, why: &str) {
    warn!(endpoint, count, "spans were dropped, as the collector did not take them: {why}");
}

/// A list of prices was fetched and is in force.
pub fn prices_fetched(host: &str, models: usize) {
    info!(host, models, "prices were fetched");
}

/// A list of prices was not fetched, or cannot be used; what holds goes on holding.
pub fn prices_not_fetched(host: &str, why: &str) {
    warn!(host, "prices were not fetched: {why}");
}

/// The hub asked the providers of its connections whether they are as they are configured.
pub fn diagnosed(connections: usize, suggestions: usize) {
    if suggestions > 0 {
        info!(
            connections,
            suggestions, "connections were diagnosed, and suggestions wait: `trivium suggestions list`"
        );
    } else {
        debug!(connections, "connections were diagnosed");
    }
}

/// A diagnosis that was due did not come to its end.
pub fn diagnosis_failed(error: &dyn std::error::Error) {
    warn!("connections could not be diagnosed: {error}");
}

/// Something that the hub would have done by itself is left to its owner.
pub fn maintenance_failed(suggestion: &str, error: &dyn std::error::Error) {
    debug!(suggestion, "a suggestion is left to the operator: {error}");
}

/// Events could not be told.
pub fn webhooks_dropped(webhook: &str, count: u64, why: &str) {
    warn!(webhook, count, "a webhook was not told of events: {why}");
}

/// A response that its client wanted kept was not.
pub fn response_not_kept(why: &str) {
    warn!("a response was answered and could not be kept: {why}");
}

/// Whether the log takes [`finished`], so that nobody puts its words together in vain.
#[must_use]
pub fn wants_finished() -> bool {
    tracing::enabled!(tracing::Level::INFO)
}

/// Something was done or denied, and the audit log could not be written.
pub fn audit_failed(operation: &str, caller: &str) {
    error!(operation, caller, "the audit log could not be written");
}

/// Calls of tools wait to be written down, because the store fails.
pub fn tool_calls_waiting(error: &dyn std::error::Error, calls: usize) {
    error!(calls, "calls of tools could not be written down, and will be tried again: {error}");
}

/// Calls of tools are on record without digests of their arguments, because there is no key to make them with.
pub fn tool_calls_without_digests(error: &dyn std::error::Error) {
    warn!("calls of tools are on record without digests of their arguments for now: {error}");
}

/// Somebody took the secrets of all definitions away, encrypted.
pub fn secrets_exported(caller: &str, recipient: &str) {
    info!(caller, recipient, "a bundle with secrets was given away, encrypted to its recipient");
}

/// Nobody was logged in at the provider of operators.
pub fn provider_login_failed(issuer: &str, error: &dyn std::error::Error) {
    warn!(issuer, "a login at the provider failed: {error}");
}

/// What was made over the API contradicts the file by now.
pub fn set_aside(section: &str, id: &str, reason: &str) {
    warn!(section, id, "made over the API and not in force: {reason}");
}

/// Somebody must log in to an account.
pub fn login_needed(connection: &str, why: &str) {
    warn!(connection, "somebody must log in: {why}. Run `trivium login {connection}`");
}

/// A token could not be renewed.
pub fn renewal_failed(connection: &str, wait: Duration, why: &str) {
    let seconds = wait.as_secs_f32();
    warn!(connection, seconds, "the token could not be renewed, and it is tried again: {why}");
}

/// Somebody logged in to an account.
pub fn logged_in(connection: &str) {
    info!(connection, "somebody logged in");
}

/// An account's tokens were forgotten.
pub fn logged_out(connection: &str) {
    info!(connection, "the account's tokens were forgotten");
}
