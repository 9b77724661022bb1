//! What belongs together in a conversation: between two segments nothing is torn apart, whichever of them is left out.

use std::{collections::HashMap, ops::Range};

use canon::{Block, Kind, Message, Role};

/// The conversation in pieces as small as may be, in order. A call of a tool and its result are in one piece.
pub(super) fn segments(messages: &[Message]) -> Vec<Range<usize>> {
    let mut answered: HashMap<&str, usize> = HashMap::new();
    for (at, message) in messages.iter().enumerate() {
        for block in &message.blocks {
            if let Kind::ToolResult(result) = &block.kind {
                answered.insert(&result.call, at);
            }
        }
    }
    let mut segments = Vec::new();
    let (mut start, mut open) = (0, 0);
    for (at, message) in messages.iter().enumerate() {
        // Results without the id of a call, and what only one dialect knows, belong to what stands before them.
        let leans = message.blocks.iter().any(leans_back);
        if at > start && at > open && !leans {
            segments.push(start..at);
            start = at;
        }
        for block in &message.blocks {
            if let Kind::ToolCall(call) = &block.kind {
                open = open.max(answered.get(call.id.as_str()).copied().unwrap_or(at));
            }
        }
    }
    if start < messages.len() {
        segments.push(start..messages.len());
    }
    segments
}

fn leans_back(block: &Block) -> bool {
    matches!(block.kind, Kind::ToolResult(_) | Kind::Opaque { .. })
}

/// Where the last thing that the user said stands, as distinct from what tools reported.
pub(super) fn question(messages: &[Message]) -> Option<usize> {
    let says = |message: &Message| {
        message.role == Role::User
            && message.blocks.iter().any(|block| !matches!(block.kind, Kind::ToolResult(_)))
    };
    messages.iter().rposition(says)
}

/// Whether nothing but the operator speaks in these messages.
pub(super) fn is_system(messages: &[Message]) -> bool {
    messages.iter().all(|message| matches!(message.role, Role::System | Role::Developer))
}
