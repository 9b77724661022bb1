//! What the operator wants done to requests for a combo at the one target that they go to: a system prompt that is added,
//! how much the model thinks, and a conversation made short enough for the model's window. Each is an edit of the closed
//! list: a model that forgets, or obeys somebody else, without a word is a riddle. Which requests go to another model
//! altogether is decided before, by the surface.

mod layers;
mod segments;
mod system;
mod thinking;

use anthropic::messages;
use bytes::Bytes;
use canon::{Dialect, Edit, Encoded, Facts, Kind, Quirks, Target, Turn, tokens};
use gemini::generate;
use openai::{chat, responses};

use crate::engine::{
    ports::{Call, Task},
    settings::{Shaping, ThinkingMode},
};

/// What is to be done to a call's request, if anything is.
fn wanted(call: &Call) -> Option<&Shaping> {
    call.request.shaping.as_deref().filter(|_| call.request.task == Task::Generate)
}

/// Shapes a decoded request for a target of another dialect; answers what was done.
pub(super) fn turn(call: &Call, turn: &mut Turn) -> Vec<Edit> {
    let Some(shaping) = wanted(call) else { return Vec::new() };
    let mut edits = Vec::new();
    if let Some(prompt) = &shaping.system {
        system::add(turn, prompt, call.request.dialect);
        edits.push(Edit::SystemPrompt);
    }
    if let Some(wish) = thinking::wish(shaping.thinking, turn) {
        turn.reasoning = wish;
        edits.push(Edit::Thinking);
    }
    edits.extend(shorten(call, shaping, turn).then_some(Edit::Compressed));
    edits
}

/// The call with the shaped request, where the target takes the client's own dialect, and what was done; `None` where it
/// can stay as it is. `maker` is whose signatures the target takes.
pub(super) fn native(call: &Call, maker: &str) -> Option<(Call, Vec<Edit>)> {
    let shaping = wanted(call)?;
    let only_long = shaping.system.is_none() && shaping.thinking == ThinkingMode::Passthrough;
    // No text has more tokens than bytes.
    if only_long && window(call, shaping).is_none_or(|window| call.request.body.len() as u64 <= window / 2) {
        return None;
    }
    let dialect = call.request.dialect;
    let mut turn = dialects::decode(dialect, &call.request.body).ok()?;
    turn.stream = call.request.facts.stream;
    let thinks =
        if is_bound_to_its_thoughts(dialect, &turn) { ThinkingMode::Passthrough } else { shaping.thinking };
    let wish = thinking::wish(thinks, &turn);
    let plain = Shaping { thinking: ThinkingMode::Passthrough, ..shaping.clone() };
    let mut edits = Vec::new();
    if let Some(prompt) = &plain.system {
        system::add(&mut turn, prompt, dialect);
        edits.push(Edit::SystemPrompt);
    }
    edits.extend(shorten(call, &plain, &mut turn).then_some(Edit::Compressed));
    if wish.is_some() {
        turn.reasoning = None;
        edits.push(Edit::Thinking);
    }
    if edits.is_empty() {
        return None;
    }
    let target = Target {
        // The target's name is put in later, as in any other body.
        model: &call.request.facts.model,
        source: dialect,
        maker,
        quirks: Quirks::default(),
        max_output: None,
    };
    let Encoded { mut body, .. } = dialects::encode(dialect, &turn, &target);
    if let Some(Some(reasoning)) = wish {
        body = thinking::written(body, dialect, &call.target.model, reasoning, turn.max_tokens);
    }
    let body = Bytes::from(body);
    let facts = rescanned(dialect, &body, &call.request.facts)?;
    let mut call = call.clone();
    (call.request.body, call.request.facts) = (body, facts.into());
    Some((call, edits))
}

/// Whether a round of tools is under way that began without a thought: Anthropic refuses that it goes on with thinking.
fn is_bound_to_its_thoughts(dialect: Dialect, turn: &Turn) -> bool {
    let thinks = turn.reasoning.as_ref().is_some_and(|reasoning| reasoning.enabled == Some(true));
    let results = |block: &canon::Block| matches!(block.kind, Kind::ToolResult(_));
    dialect == Dialect::Messages
        && !thinks
        && turn.messages.last().is_some_and(|message| message.blocks.iter().any(results))
}

fn window(call: &Call, shaping: &Shaping) -> Option<u64> {
    call.target.facts.context.filter(|_| shaping.compress)
}

/// Shortens a conversation that is too long for the target; says whether it was.
fn shorten(call: &Call, shaping: &Shaping, turn: &mut Turn) -> bool {
    let Some(window) = window(call, shaping) else { return false };
    layers::shorten(turn, room(window, turn.max_tokens))
}

/// What a window leaves for the request. The answer gets what it asks for, up to half of the window, and at least 15 % of
/// it: no less than 256 tokens, and no more than 16000.
fn room(window: u64, asked: Option<u64>) -> u64 {
    let reserve = (window.saturating_mul(15) / 100).clamp(256, 16_000);
    let answer = asked.map_or(reserve, |asked| asked.min(window / 2)).max(reserve);
    window.saturating_sub(answer)
}

/// The facts of a body that was written anew.
fn rescanned(dialect: Dialect, body: &[u8], facts: &Facts) -> Option<Facts> {
    let scanned = match dialect {
        Dialect::Chat => chat::scan(body),
        Dialect::Responses => responses::scan(body),
        Dialect::Messages => messages::scan(body),
        Dialect::Gemini => generate::scan(body, facts.model.clone(), facts.stream),
    };
    let continues = facts.continues.clone();
    // What the client asked for holds, also where the body does not say it.
    scanned.ok().map(|scanned| Facts { wants_usage: facts.wants_usage, continues, ..scanned })
}

/// About how many tokens a request has.
fn size(turn: &Turn) -> u64 {
    tokens::in_turn(turn)
}

#[cfg(test)]
mod tests;
