//! What is put on record of a call of a tool: it begins with what the client sent, learns what that means, and ends with what
//! was answered.

use std::io;

use operations::{
    Definition,
    mcp::{CallDetail, CallOutcome},
};
use rmcp::{
    ErrorData,
    model::{CallToolRequestParams, CallToolResponse},
};
use serde_json::Value;

use super::visitor::Asking;
use crate::ops::{
    OpError,
    registry::{Asked, Registry},
    tool_calls::{ToolCalls, UnderWay},
};

/// Characters of a session's id that are kept: enough to tell sessions apart, and not enough to use one.
const SESSION: usize = 8;

/// A call that is on record.
pub(super) struct Record {
    under_way: UnderWay,
    /// Whether nothing that the caller says may be written down.
    unlogged: bool,
    asked: Option<Asked>,
    failed: Option<(CallOutcome, &'static str)>,
}

impl Record {
    /// A call begins.
    pub(super) fn begin(
        calls: &std::sync::Arc<ToolCalls>,
        params: &CallToolRequestParams,
        asking: &Asking,
    ) -> Self {
        let visitor = &asking.visitor;
        let unlogged = visitor.caller.is_unlogged();
        let known = asking.context.peer.peer_info();
        let client = asking.context.meta.client_info().or_else(|| known.map(|info| info.client_info.clone()));
        let (client, client_version) = client.map(|client| (client.name, client.version)).unzip();
        let session = visitor.session.as_deref().map(|id| id.chars().take(SESSION).collect());
        let detail = CallDetail {
            client,
            client_version,
            transport: visitor.transport.to_owned(),
            session,
            request_id: visitor.request.as_deref().map(str::to_owned),
            ..CallDetail::default()
        };
        let arguments = params.arguments.as_ref().filter(|_| !unlogged);
        let under_way = calls.begin(&visitor.caller, &params.name, arguments, detail);
        Self { under_way, unlogged, asked: None, failed: None }
    }

    /// It is a call of a tool that there is.
    pub(super) fn is_of(&mut self, name: &str) {
        self.under_way.is_of(name, None, None);
    }

    /// It is a call of this operation.
    pub(super) fn is_of_operation(&mut self, definition: &Definition, registry: &Registry, args: &Value) {
        let shown = (!self.unlogged).then(|| registry.shown(definition, args));
        self.under_way.is_of(definition.name, Some(definition.scope.as_str()), shown);
    }

    /// The operation is about to be asked so.
    pub(super) fn asks(&mut self, asked: &Asked) {
        self.asked = Some(asked.clone());
    }

    /// It was not done, for this reason.
    pub(super) fn failed(&mut self, outcome: CallOutcome, code: &'static str) {
        self.failed = Some((outcome, code));
    }

    /// The operation said why it was not done.
    pub(super) fn refused(&mut self, error: &OpError) {
        let denied = matches!(error, OpError::Forbidden { .. });
        self.failed(if denied { CallOutcome::Denied } else { CallOutcome::Error }, error.code());
    }

    /// It was answered.
    pub(super) async fn end(mut self, answered: &Result<CallToolResponse, ErrorData>) {
        if let Some(asked) = &self.asked {
            self.under_way.caused(asked.requests());
        }
        let said = match answered {
            Ok(_) => self.failed,
            Err(_) => self.failed.or(Some((CallOutcome::Error, "refused"))),
        };
        let (outcome, error) = said.map_or((CallOutcome::Ok, None), |(outcome, code)| (outcome, Some(code)));
        let bytes = match answered {
            Ok(CallToolResponse::Complete(result)) => size(result),
            Ok(_) => 0,
            Err(error) => size(error),
        };
        self.under_way.end(outcome, error, bytes).await;
    }
}

/// How many bytes something has as JSON.
pub(super) fn size(value: &impl serde::Serialize) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(0, |()| count.0)
}
