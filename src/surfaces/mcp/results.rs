//! Results in the shape of the protocol: structured, with the same as text, and within bounds.

use operations::Definition;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use super::super::operation::refused;
use crate::ops::OpError;

/// What a tool answered.
pub(super) fn answered(value: Value, most: usize) -> CallToolResult {
    let text = value.to_string();
    if text.len() > most {
        return too_large(text.len(), most);
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(value);
    result
}

/// Why a tool did not do what was asked, in words that an agent can act on.
pub(super) fn failed(error: &OpError) -> CallToolResult {
    let refusal = refused(error);
    let remedy = refusal.code.remedy();
    told(format!("{} ({}) {remedy}", refusal.message, refusal.code.as_str()))
}

/// What a tool would take away for good.
pub(super) fn unconfirmed(definition: &Definition, args: &Value) -> CallToolResult {
    told(format!(
        "Nothing was done yet. `{}` with {args} cannot be taken back: call it again with `confirm: true` to do it.",
        definition.name
    ))
}

/// An error that the agent is to read.
pub(super) fn told(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

fn too_large(bytes: usize, most: usize) -> CallToolResult {
    told(format!(
        "The result has {bytes} bytes, more than the {most} that are sent to agents. Ask for less: with `limit` and \
         `cursor`, or with a filter."
    ))
}
