//! A text of the operator's in the system prompt, before or behind what the client says there.

use canon::{Block, Dialect, Kind, Message, Role, Turn};

use crate::engine::settings::SystemPrompt;

/// Puts the text where the dialect keeps its system prompt.
pub(super) fn add(turn: &mut Turn, prompt: &SystemPrompt, dialect: Dialect) {
    if dialect == Dialect::Chat {
        let leading = turn.hoisted().1;
        let message = Message::new(Role::System, vec![Block::text(&*prompt.text)]);
        turn.messages.insert(if prompt.after { leading } else { 0 }, message);
        return;
    }
    // Anthropic's blocks stay apart: a cache mark on one of them holds what stands before it.
    let neighbour = match (dialect, prompt.after) {
        (Dialect::Messages, _) => None,
        (_, true) => turn.instructions.last_mut(),
        (_, false) => turn.instructions.first_mut(),
    };
    match neighbour.map(|block| &mut block.kind) {
        Some(Kind::Text { text, .. }) if prompt.after => *text = format!("{text}\n\n{}", prompt.text),
        Some(Kind::Text { text, .. }) => *text = format!("{}\n\n{text}", prompt.text),
        _ if prompt.after => turn.instructions.push(Block::text(&*prompt.text)),
        _ => turn.instructions.insert(0, Block::text(&*prompt.text)),
    }
}
