//! The record of tool calls in memory.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;
use operations::{
    audit::AuditVerdict,
    mcp::{CallOutcome, DEFAULT_PAGE, ListToolCalls, ToolCall},
};

use super::MemoryStore;
use crate::ops::ports::{CallSum, LogError, NewCall, ToolCallLog};

fn call(id: u64, new: &NewCall) -> ToolCall {
    ToolCall {
        id,
        at: new.at,
        caller: new.caller.to_string(),
        caller_name: new.caller_name.to_string(),
        tool: new.tool.clone(),
        outcome: new.outcome,
        took_ms: new.took_ms,
        detail: new.detail.clone(),
    }
}

impl ToolCallLog for MemoryStore {
    fn append(&self, calls: Arc<[NewCall]>) -> BoxFuture<'_, Result<(), LogError>> {
        self.now(|state| {
            for new in calls.iter() {
                let id = state.tool_calls.last().map_or(1, |last| last.id + 1);
                state.tool_calls.push(call(id, new));
            }
            let many = state.tool_calls.len().saturating_sub(super::KEPT);
            state.tool_calls.drain(..many);
            Ok(())
        })
    }

    fn page(&self, wanted: ListToolCalls) -> BoxFuture<'_, Result<Vec<ToolCall>, LogError>> {
        self.now(|state| {
            let fits = |call: &&ToolCall| {
                wanted.cursor.is_none_or(|cursor| call.id < cursor)
                    && wanted.tool.as_ref().is_none_or(|tool| *tool == call.tool)
                    && wanted.caller.as_ref().is_none_or(|caller| *caller == call.caller)
                    && wanted.outcome.is_none_or(|outcome| outcome == call.outcome)
                    && wanted.success.is_none_or(|success| success == (call.outcome == CallOutcome::Ok))
            };
            let (offset, limit) = (wanted.offset.unwrap_or_default(), wanted.limit.unwrap_or(DEFAULT_PAGE));
            let found = state.tool_calls.iter().rev().filter(fits);
            Ok(found.skip(offset as usize).take(limit as usize).cloned().collect())
        })
    }

    fn sums(&self, since: i64) -> BoxFuture<'_, Result<Vec<CallSum>, LogError>> {
        self.now(|state| {
            let mut sums: BTreeMap<(&str, &str), CallSum> = BTreeMap::new();
            for call in state.tool_calls.iter().filter(|call| call.at >= since) {
                let (tool, outcome) = (call.tool.clone(), call.outcome);
                let sum = sums.entry((&call.tool, call.outcome.as_str())).or_insert(CallSum {
                    tool,
                    outcome,
                    calls: 0,
                    took_ms: 0,
                });
                sum.calls += 1;
                sum.took_ms += call.took_ms;
            }
            Ok(sums.into_values().collect())
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, LogError>> {
        self.now(|state| {
            let entries = state.tool_calls.len() as u64;
            Ok(AuditVerdict { whole: true, entries, broken_at: None })
        })
    }
}
