//! The layers of shortening, the mildest first; each only if those before were not enough: long results of tools are cut,
//! old thoughts removed, and then the oldest segments left out, three tenths at a time. The system prompt, the user's last
//! question and the last segment stay.

use canon::{Block, Kind, Message, Role, Turn};

use super::{
    segments::{is_system, question, segments},
    size,
};

/// A tool's result of more characters is cut in the middle to about as many.
const RESULT: usize = 2000;

/// Shortens the conversation until it has `budget` tokens, or nothing more can be left out. Says whether it was too long.
pub(super) fn shorten(turn: &mut Turn, budget: u64) -> bool {
    if size(turn) <= budget {
        return false;
    }
    cut_results(&mut turn.messages);
    if size(turn) > budget {
        remove_thoughts(&mut turn.messages);
    }
    let mut left_out = 0;
    while size(turn) > budget {
        let dropped = drop_oldest(&mut turn.messages);
        if dropped == 0 {
            break;
        }
        left_out += dropped;
    }
    if left_out > 0 {
        notice(&mut turn.messages, left_out);
    }
    true
}

/// Cuts what tools reported, but for the last message: that is what the model is to work on.
fn cut_results(messages: &mut [Message]) {
    let Some((_, earlier)) = messages.split_last_mut() else { return };
    for block in earlier.iter_mut().flat_map(|message| &mut message.blocks) {
        let Kind::ToolResult(result) = &mut block.kind else { continue };
        for part in &mut result.content {
            match &mut part.kind {
                Kind::Text { text, citations } => {
                    if let Some(cut) = cut(text) {
                        *text = cut;
                        // They count characters that are not there any more.
                        citations.clear();
                    }
                }
                Kind::Image(_) | Kind::Audio(_) | Kind::File(_) | Kind::Video(_) => {
                    *part =
                        Block::text("[a picture, sound or file was left out here to fit the context window]");
                }
                _ => {}
            }
        }
    }
}

/// The text without its middle, if it is long.
fn cut(text: &str) -> Option<String> {
    let count = text.chars().count();
    if count <= RESULT {
        return None;
    }
    let half = RESULT / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(count - half).collect();
    let without = count - 2 * half;
    Some(format!("{head}\n[{without} characters were left out here to fit the context window]\n{tail}"))
}

/// Removes thoughts from before the user's last question. Those behind it belong to a round of tools that may not be over,
/// and those with an id to items that refer to them.
fn remove_thoughts(messages: &mut [Message]) {
    let end = question(messages).unwrap_or(0);
    for message in messages.iter_mut().take(end) {
        let is_free = |block: &Block| matches!(&block.kind, Kind::Thinking(thought) if thought.id.is_none());
        // A message of nothing but thoughts stays one: an empty one is refused.
        if message.blocks.iter().any(|block| !is_free(block)) {
            message.blocks.retain(|block| !is_free(block));
        }
    }
}

/// Leaves out the oldest three tenths of what may be left out; answers how many messages that were.
fn drop_oldest(messages: &mut Vec<Message>) -> usize {
    let question = question(messages);
    let all = segments(messages);
    let last = all.len().saturating_sub(1);
    let may_go = |(nth, segment): &(usize, std::ops::Range<usize>)| {
        let asks = question.is_some_and(|at| segment.contains(&at));
        let system = messages.get(segment.clone()).is_some_and(is_system);
        *nth != last && !asks && !system
    };
    let droppable: Vec<_> = all.into_iter().enumerate().filter(may_go).map(|(_, segment)| segment).collect();
    let count = (droppable.len() * 3).div_ceil(10);
    let gone: Vec<_> = droppable.into_iter().take(count).collect();
    let before = messages.len();
    let mut at = 0;
    messages.retain(|_| {
        let stays = !gone.iter().any(|segment| segment.contains(&at));
        at += 1;
        stays
    });
    before - messages.len()
}

/// Says what was left out, where the conversation now begins, in the user's name: every dialect begins with it.
fn notice(messages: &mut Vec<Message>, left_out: usize) {
    let text = format!(
        "[{left_out} earlier messages of this conversation were left out here to fit the model's context window.]"
    );
    let at = messages.iter().position(|message| !is_system(std::slice::from_ref(message)));
    let at = at.unwrap_or(messages.len());
    match messages.get_mut(at) {
        Some(first) if first.role == Role::User && !has_results(first) => {
            first.blocks.insert(0, Block::text(text));
        }
        _ => messages.insert(at, Message::new(Role::User, vec![Block::text(text)])),
    }
}

fn has_results(message: &Message) -> bool {
    message.blocks.iter().any(|block| matches!(block.kind, Kind::ToolResult(_)))
}
