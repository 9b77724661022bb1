//! Operations on the hub as an MCP server: how it is, and what it offers to whom.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use operations::{
    Definition, Scope,
    mcp::{ListToolCalls, ListTools, McpProcessView, McpSessions, McpStatus, RecentCall, ToolList, ToolView},
};

use super::{
    OpError,
    ports::{McpProcess, McpProcesses, McpSessionStore},
    tool_calls::ToolCalls,
};
use crate::engine::{
    Engine,
    caller::Caller,
    settings::{Mcp, ToolProfile},
};

/// Calls that the status tells of.
const RECENT: u32 = 10;

const HOUR_MS: i64 = 3_600_000;

/// How many sessions stand.
type Standing = Box<dyn Fn() -> usize + Send + Sync>;

/// What is known of the MCP server.
pub struct McpServer {
    engine: Arc<Engine>,
    calls: Arc<ToolCalls>,
    sessions: Arc<dyn McpSessionStore>,
    processes: Arc<dyn McpProcesses>,
    /// The smallest profile that lists a tool.
    profile_of: fn(&str) -> ToolProfile,
    started_at: i64,
    standing: OnceLock<Standing>,
    streams: Arc<AtomicU32>,
}

/// A stream that is open; dropped when it ends.
pub struct OpenStream(Arc<AtomicU32>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl McpServer {
    /// A server that has just started.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        calls: Arc<ToolCalls>,
        sessions: Arc<dyn McpSessionStore>,
        processes: Arc<dyn McpProcesses>,
        profile_of: fn(&str) -> ToolProfile,
    ) -> Self {
        let started_at = engine.clock().now();
        let (standing, streams) = (OnceLock::new(), Arc::default());
        Self { engine, calls, sessions, processes, profile_of, started_at, standing, streams }
    }

    /// The record of calls.
    #[must_use]
    pub const fn calls(&self) -> &Arc<ToolCalls> {
        &self.calls
    }

    /// Says who knows how many sessions stand. The first who says so is asked.
    pub fn count_sessions_by(&self, standing: impl Fn() -> usize + Send + Sync + 'static) {
        // A second surface of the same hub would count sessions of its own.
        drop(self.standing.set(Box::new(standing)));
    }

    /// Counts a stream for as long as what is answered lives.
    #[must_use]
    pub fn open_stream(&self) -> OpenStream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        OpenStream(Arc::clone(&self.streams))
    }

    /// Tells how the server is. Who was called by whom is for those who may see the audit log.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn status(&self, caller: &Caller) -> Result<McpStatus, OpError> {
        let settings = Arc::clone(&self.engine.snapshot().settings.mcp);
        let now = self.engine.clock().now();
        let (mut last_hour, mut recent) = (None, None);
        if caller.may(Scope::ReadAudit) {
            last_hour = Some(self.calls.sums(now.saturating_sub(HOUR_MS)).await?.0);
            let page = self.calls.list(ListToolCalls { limit: Some(RECENT), ..ListToolCalls::default() });
            let in_short = |call: operations::mcp::ToolCall| RecentCall {
                at: call.at,
                caller_name: call.caller_name,
                tool: call.tool,
                outcome: call.outcome,
            };
            recent = Some(page.await?.calls.into_iter().map(in_short).collect());
        }
        let kept = self.sessions.count().await.map_err(|error| OpError::Store(Box::new(error)))?;
        let standing = self.standing.get().map_or(0, |standing| standing());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let offered = Definition::all().iter().filter(|definition| settings.offers(definition.name));
        Ok(McpStatus {
            enabled: settings.enabled,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            uptime_ms: now.saturating_sub(self.started_at).max(0).unsigned_abs(),
            profile: settings.profile.as_str().to_owned(),
            tools: number(offered.count()),
            scopes_enforced: true,
            sessions: McpSessions { standing: number(standing), kept, most: number(settings.sessions) },
            streams: self.streams.load(Ordering::Relaxed),
            processes: self.processes.list().into_iter().map(process).collect(),
            last_hour,
            recent,
        })
    }

    /// Lists every tool, with what holds of it for the caller.
    #[must_use]
    pub fn tools(&self, caller: &Caller, _: ListTools) -> ToolList {
        let settings = Arc::clone(&self.engine.snapshot().settings.mcp);
        let view = |definition| self.view(definition, &settings, caller);
        ToolList { tools: Definition::all().iter().map(view).collect() }
    }

    fn view(&self, definition: &Definition, settings: &Mcp, caller: &Caller) -> ToolView {
        let offered = settings.offers(definition.name);
        let hints = definition.hints;
        ToolView {
            name: definition.name.to_owned(),
            title: definition.title.to_owned(),
            description: definition.summary.to_owned(),
            scope: definition.scope.to_string(),
            profile: (self.profile_of)(definition.name).as_str().to_owned(),
            read_only: hints.read_only,
            destructive: hints.destructive,
            idempotent: hints.idempotent,
            offered,
            callable: offered && caller.may(definition.scope) && caller.may_call(definition.name),
        }
    }
}

fn process(process: McpProcess) -> McpProcessView {
    McpProcessView {
        pid: process.pid,
        started_at: process.started_at,
        last_heartbeat_at: process.last_heartbeat_at,
        version: process.version,
        transport: process.transport,
        allowed_scopes: process.allowed_scopes,
        tool_count: process.tool_count,
        is_alive: process.is_alive,
    }
}
