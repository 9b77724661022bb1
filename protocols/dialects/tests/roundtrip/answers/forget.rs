//! An answer without what a list of losses names, as a client must have understood it.

use canon::{Answer, Block, Dialect, Kind, Losses, Signature, Stop, ToolCall, names};
use serde_json::{Value, json};

use crate::alike::{changed, lost};
use crate::{forget::kind_of, generate};

/// What a client understands of `answer`, if it understands all but these losses.
pub(super) fn forget(answer: &Answer, to: Dialect, losses: &Losses) -> Answer {
    let mut answer = answer.clone();
    let refused = answer.blocks.iter().any(|block| matches!(block.kind, Kind::Refusal(_)));
    let blocks = std::mem::take(&mut answer.blocks);
    answer.blocks = blocks.into_iter().filter_map(|block| kept(block, to, losses)).collect();
    if to == Dialect::Messages && lost(losses, "thinking.signature") {
        end_with_text(&mut answer.blocks);
    }
    let called = answer.blocks.iter().any(|block| matches!(block.kind, Kind::ToolCall(_)));
    let lost_reason =
        matches!(answer.stop, Stop::Pause) || (to != Dialect::Chat && matches!(answer.stop, Stop::Other(_)));
    let paused = to == Dialect::Messages && answer.stop == Stop::Pause;
    if !lost_reason || paused || changed(losses, "finish_reason") {
        answer.stop = stop(&answer.stop, to, called, refused);
    }
    if lost(losses, "logprobs") {
        answer.logprobs.clear();
    }
    if lost(losses, "stop_sequence") {
        answer.stop_sequence = None;
    }
    answer
}

/// Takes away thoughts without a text behind the last text.
fn end_with_text(blocks: &mut Vec<Block>) {
    let shown = |block: &Block| match &block.kind {
        Kind::Thinking(thinking) => !thinking.text.is_empty(),
        Kind::Text { text, citations } => !text.is_empty() || !citations.is_empty(),
        _ => true,
    };
    let last = blocks.iter().rposition(shown);
    if let Some(last) = last.filter(|&last| matches!(blocks[last].kind, Kind::Text { .. })) {
        blocks.truncate(last + 1);
    }
}

fn kept(mut block: Block, to: Dialect, losses: &Losses) -> Option<Block> {
    block.kind = match block.kind {
        Kind::Image(_) if lost(losses, "image") => return None,
        Kind::Opaque { value, dialect } => {
            let said = lost(losses, &format!("content.{}", kind_of(&value)));
            if said && dialect != to {
                return None;
            }
            Kind::Opaque { dialect, value }
        }
        Kind::Refusal(text) if changed(losses, "refusal") => Kind::Text { text, citations: Vec::new() },
        Kind::Text { text, mut citations } => {
            if lost(losses, "citations") {
                citations.retain(|citation| citation.url.is_some());
            }
            Kind::Text { text, citations }
        }
        Kind::ToolCall(call) => Kind::ToolCall(self::call(call, to, losses)),
        Kind::Thinking(mut thinking) => {
            thinking.signature = thinking.signature.as_ref().map(written);
            Kind::Thinking(thinking)
        }
        other => other,
    };
    Some(block)
}

/// A signature as a client gets it: with its maker's name in front.
fn written(signature: &Signature) -> Signature {
    Signature { data: signature.written(), maker: None }
}

/// A call under the client's name of the tool, in the client's form.
fn call(mut call: ToolCall, to: Dialect, losses: &Losses) -> ToolCall {
    let tool = generate::asked().tool(&call.name);
    let free = matches!(to, Dialect::Chat | Dialect::Responses);
    call.name = tool.name;
    call.namespace = tool.namespace.filter(|_| to == Dialect::Responses);
    call.signature = call.signature.as_ref().map(written).filter(|_| !lost(losses, "thinking.signature"));
    if tool.custom && free && !call.custom {
        let wrapped: Value = serde_json::from_str(&call.arguments).unwrap();
        wrapped[names::CUSTOM_INPUT].as_str().unwrap().clone_into(&mut call.arguments);
        call.custom = true;
    }
    if call.custom && !free {
        call.arguments = json!({names::CUSTOM_INPUT: call.arguments}).to_string();
        call.custom = false;
    }
    call
}

/// The reason to stop, in the words that the client's dialect has.
fn stop(stop: &Stop, to: Dialect, called: bool, refused: bool) -> Stop {
    let end = match (to, called) {
        (_, true) => Stop::ToolUse,
        (Dialect::Messages | Dialect::Responses, false) if refused => Stop::Refusal,
        _ => Stop::End,
    };
    match (to, stop) {
        (Dialect::Messages, Stop::End | Stop::ToolUse) => end,
        (Dialect::Messages | Dialect::Responses, Stop::Other(_)) => end,
        (Dialect::Messages, other) => other.clone(),
        (_, Stop::End | Stop::ToolUse | Stop::Sequence | Stop::Pause) => end,
        (_, Stop::MaxTokens | Stop::ContextFull) => Stop::MaxTokens,
        // A model that declines in its own words has answered; with calls beside them, they are to be run.
        (Dialect::Responses, Stop::Refusal) if refused => end,
        (_, Stop::Refusal) => Stop::Refusal,
        (Dialect::Gemini, Stop::Other(_)) => Stop::Other("OTHER".to_owned()),
        (_, Stop::Other(word)) => Stop::Other(word.clone()),
    }
}
