//! Results in the shape of the protocol: structured, with the same as text, and within bounds.

use std::sync::Arc;

use operations::Definition;
use rmcp::model::{CallToolResult, ContentBlock, Resource};
use serde_json::Value;

use super::{
    super::operation::refused,
    address::written,
    resources::{JSON, RESULTS},
    shelf::Shelf,
};
use crate::ops::OpError;

/// What a tool answered. What is larger than `most` bytes goes to the shelf.
pub(super) fn answered(value: Value, most: usize, shelf: &Shelf, owner: &Arc<str>) -> CallToolResult {
    let text = value.to_string();
    if text.len() > most {
        drop(value);
        return shelved(text, most, shelf, owner);
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

/// Says where a large result is. As an error, because it is not what the tool's schema promises, and clients check that.
fn shelved(text: String, most: usize, shelf: &Shelf, owner: &Arc<str>) -> CallToolResult {
    let bytes = text.len();
    let less = "Or ask for less: with `limit` and `cursor`, or with a filter.";
    let Some(id) = shelf.put(owner, text) else {
        return told(format!(
            "The result has {bytes} bytes, more than the {most} that are sent to agents, and is too large to be kept. Ask \
             for less: with `limit` and `cursor`, or with a filter."
        ));
    };
    let uri = written(RESULTS, Some(&id));
    let note = format!(
        "The result has {bytes} bytes, more than the {most} that are sent to agents. Read it in pages as the resource \
         {uri}: each says where the next one begins ({uri}?offset=…). It is kept for ten minutes, or until newer ones need \
         the room. {less}"
    );
    let link = Resource::new(uri, "result")
        .with_title("The whole result")
        .with_mime_type(JSON)
        .with_size(u64::try_from(bytes).unwrap_or(u64::MAX));
    CallToolResult::error(vec![ContentBlock::text(note), ContentBlock::resource_link(link)])
}
