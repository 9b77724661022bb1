//! What the MCP server of a hub is made of.

use std::sync::Arc;

use crate::{
    engine::{Engine, ports::Clock},
    ops::{mcp::McpServer, tool_calls::ToolCalls},
    store::Store,
    surfaces,
};

/// The server of a hub, and the task that writes down which tools are called.
pub(super) fn server(engine: &Arc<Engine>, store: &Store, clock: &Arc<dyn Clock>) -> Arc<McpServer> {
    Arc::new(McpServer::new(
        Arc::clone(engine),
        ToolCalls::start(Arc::new(store.tool_calls()), Arc::new(store.signing_keys()), Arc::clone(clock)),
        Arc::new(store.mcp_sessions()),
        Arc::new(store.mcp_processes(Arc::clone(clock))),
        surfaces::profile_of,
    ))
}
