//! What a client asks for, free of its dialect.

use serde_json::Map;

use crate::{Block, Format, Losses, Message, Reasoning, Rest, Role, Sampling, Tool, ToolChoice};

/// One generation that is asked for: the whole conversation, the tools, and how the answer should be.
///
/// A decoder puts into the typed fields what other dialects can say too, and everything else, unknown fields
/// included, into [`Self::rest`]. So nothing is lost on the way back into the same dialect.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// The model as the client named it. Empty where the dialect names it outside of the body (Gemini).
    pub model: String,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the usage of a stream is asked for. Only chat has this choice; the others always send it.
    pub include_usage: bool,
    /// The system prompt, in dialects that keep it apart from the conversation (`system`, `instructions`,
    /// `systemInstruction`). Chat keeps its leading system messages in `messages`; see [`Self::hoisted`].
    pub instructions: Vec<Block>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The tools on offer, in the client's order.
    pub tools: Vec<Tool>,
    /// Which tool is wanted.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once; `None`: the provider's default, which is yes.
    pub parallel_tool_calls: Option<bool>,
    /// The most tokens that the answer may have, reasoning included.
    pub max_tokens: Option<u64>,
    /// Temperature and the like.
    pub sampling: Sampling,
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
    /// Whether and how much to reason.
    pub reasoning: Option<Reasoning>,
    /// The form of the answer's text.
    pub format: Option<Format>,
    /// Who the end user is, as an opaque id (`user`, `safety_identifier`, `metadata.user_id`).
    pub user: Option<String>,
    /// Everything that has no typed field.
    pub rest: Rest,
    /// What an answer in the same dialect repeats of its request (Responses objects do). Not part of the request.
    pub echo: Map<String, serde_json::Value>,
}

/// A body in some dialect, and what it could not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// The body: JSON.
    pub body: Vec<u8>,
    /// What was dropped or changed. Empty where everything could be said.
    pub losses: Losses,
}

impl Turn {
    /// The system prompt for dialects that keep it apart: the instructions, and the blocks of the system and
    /// developer messages that stand at the beginning. The second value is how many messages were used up by that.
    #[must_use]
    pub fn hoisted(&self) -> (Vec<&Block>, usize) {
        let leading = self
            .messages
            .iter()
            .take_while(|message| matches!(message.role, Role::System | Role::Developer))
            .count();
        let from_messages = self.messages[..leading].iter().flat_map(|message| &message.blocks);
        (self.instructions.iter().chain(from_messages).collect(), leading)
    }

    /// Puts neighbouring messages of the model together, and the texts and thoughts that meet at their seams: clients
    /// that keep each piece of a stream as a message of its own send a single answer like that.
    #[must_use]
    pub fn without_seams(mut self) -> Self {
        let mut whole: Vec<Message> = Vec::with_capacity(self.messages.len());
        for message in std::mem::take(&mut self.messages) {
            match whole.last_mut().filter(|last| !last.blocks.is_empty()) {
                Some(last) if last.role == Role::Assistant && message.role == Role::Assistant => {
                    let mut blocks = message.blocks.into_iter();
                    let seam = last.blocks.last_mut().zip(blocks.next());
                    let left = seam.and_then(|(end, start)| end.grown(start));
                    last.blocks.extend(left);
                    last.blocks.extend(blocks);
                }
                _ => whole.push(message),
            }
        }
        self.messages = whole;
        self
    }

    /// The same turn in the one form that all spellings of it share: leading system messages are instructions,
    /// developer messages are system messages, neighbours of one role are one message, and empty ones are gone.
    /// For comparing.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        let messages = std::mem::take(&mut self.messages);
        for mut message in messages {
            if message.role == Role::Developer {
                message.role = Role::System;
            }
            if message.blocks.is_empty() {
                continue;
            }
            match self.messages.last_mut() {
                None if message.role == Role::System => self.instructions.extend(message.blocks),
                Some(last) if last.role == message.role => last.blocks.extend(message.blocks),
                _ => self.messages.push(message),
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Signature, Thinking};

    #[test]
    fn an_answer_in_pieces_becomes_whole_again() {
        let thought = |text: &str, signature: Option<&str>| {
            let signature = signature.map(Signature::read);
            Block::new(Kind::Thinking(Thinking { text: text.into(), signature, ..Thinking::default() }))
        };
        let message = |block: Block| Message::new(Role::Assistant, vec![block]);
        let turn = Turn {
            messages: vec![
                Message::new(Role::User, vec![Block::text("a")]),
                message(thought("hm", None)),
                message(thought(" so", None)),
                message(thought("", Some("sig"))),
                message(Block::text("hel")),
                message(Block::text("lo")),
                Message::new(Role::User, vec![Block::text("b")]),
                Message::new(Role::User, vec![Block::text("c")]),
            ],
            ..Turn::default()
        };
        let whole = turn.without_seams().messages;
        assert_eq!(whole.len(), 4);
        assert_eq!(whole[1].blocks, vec![thought("hm so", Some("sig")), Block::text("hello")]);
    }
}
