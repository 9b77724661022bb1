//! An answer from its events, and events from an answer: a unary answer is the fold of a stream.

use crate::{Answer, Block, Delta, Event, Kind, Opening, Thinking, ToolCall};

/// Collects events into an [`Answer`].
#[derive(Debug, Default)]
pub struct Fold {
    answer: Answer,
}

impl Fold {
    /// Takes one event. Deltas for blocks that were never opened are passed over.
    pub fn push(&mut self, event: Event) {
        let blocks = &mut self.answer.blocks;
        match event {
            Event::Start { id, model, created } => {
                (self.answer.id, self.answer.model, self.answer.created) = (id, model, created);
            }
            Event::Open { block, .. } => blocks.push(opened(block)),
            Event::Delta { index, delta } => {
                let Some(block) = blocks.get_mut(index as usize) else { return };
                match delta {
                    Delta::Logprobs(more) => self.answer.logprobs.extend(more),
                    other => grow(block, other),
                }
            }
            Event::Close { .. } | Event::End => {}
            Event::Usage(usage) => {
                self.answer.usage = Some(self.answer.usage.unwrap_or_default().merged(usage));
            }
            Event::Stop { stop, sequence } => {
                (self.answer.stop, self.answer.stop_sequence) = (stop, sequence);
            }
        }
    }

    /// The answer as far as it came.
    #[must_use]
    pub fn finish(self) -> Answer {
        self.answer
    }
}

fn opened(opening: Opening) -> Block {
    match opening {
        Opening::Text => Block::text(""),
        Opening::Thinking { id } => Block::new(Kind::Thinking(Thinking { id, ..Thinking::default() })),
        Opening::ToolCall { id, name, namespace, custom } => Block::new(Kind::ToolCall(ToolCall {
            id,
            name,
            namespace,
            arguments: String::new(),
            custom,
            signature: None,
        })),
        Opening::Refusal => Block::new(Kind::Refusal(String::new())),
        Opening::Whole(block) => *block,
    }
}

fn grow(block: &mut Block, delta: Delta) {
    match (&mut block.kind, delta) {
        (Kind::Text { text, .. } | Kind::Refusal(text), Delta::Text(more)) => text.push_str(&more),
        (Kind::Thinking(thinking), Delta::Text(more)) => thinking.text.push_str(&more),
        (Kind::ToolCall(call), Delta::Text(more)) => call.arguments.push_str(&more),
        (Kind::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation),
        (Kind::Thinking(thinking), Delta::Signature(signature)) => thinking.signature = Some(signature),
        (Kind::ToolCall(call), Delta::Signature(signature)) => call.signature = Some(signature),
        _ => {}
    }
}

impl Answer {
    /// The events in which this answer would have streamed: one delta for each block.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model, created: self.created }];
        let mut logprobs = self.logprobs;
        for (index, block) in (0_u32..).zip(self.blocks) {
            let mut deltas = Vec::new();
            let opening = taken_apart(block, &mut deltas);
            if matches!(opening, Opening::Text) && !logprobs.is_empty() {
                deltas.push(Delta::Logprobs(std::mem::take(&mut logprobs)));
            }
            events.push(Event::Open { index, block: opening });
            events.extend(deltas.into_iter().map(|delta| Event::Delta { index, delta }));
            events.push(Event::Close { index });
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::Stop { stop: self.stop, sequence: self.stop_sequence });
        events.push(Event::End);
        events
    }
}

/// What opens a block, and what then fills it.
fn taken_apart(block: Block, deltas: &mut Vec<Delta>) -> Opening {
    match block.kind {
        Kind::Text { text, citations } => {
            deltas.extend((!text.is_empty()).then_some(Delta::Text(text)));
            deltas.extend(citations.into_iter().map(Delta::Citation));
            Opening::Text
        }
        Kind::Thinking(thinking) if !thinking.redacted => {
            deltas.extend((!thinking.text.is_empty()).then_some(Delta::Text(thinking.text)));
            deltas.extend(thinking.signature.map(Delta::Signature));
            Opening::Thinking { id: thinking.id }
        }
        Kind::ToolCall(call) => {
            deltas.extend((!call.arguments.is_empty()).then_some(Delta::Text(call.arguments)));
            deltas.extend(call.signature.map(Delta::Signature));
            Opening::ToolCall { id: call.id, name: call.name, namespace: call.namespace, custom: call.custom }
        }
        Kind::Refusal(text) => {
            deltas.push(Delta::Text(text));
            Opening::Refusal
        }
        kind => Opening::Whole(Box::new(Block { kind, cache: block.cache, rest: block.rest })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Signature, Stop, Usage};

    #[test]
    fn folding_undoes_unfolding() {
        let call = ToolCall {
            id: "c1".into(),
            name: "look".into(),
            namespace: None,
            arguments: "{\"a\":1}".into(),
            custom: false,
            signature: Some(Signature::read("sig")),
        };
        let answer = Answer {
            id: "a".into(),
            model: "m".into(),
            created: Some(7),
            blocks: vec![
                Block::new(Kind::Thinking(Thinking { text: "hm".into(), ..Thinking::default() })),
                Block::text("hello"),
                Block::new(Kind::ToolCall(call)),
                Block::new(Kind::Refusal("no".into())),
            ],
            stop: Stop::ToolUse,
            usage: Some(Usage { input: 3, output: 4, ..Usage::default() }),
            logprobs: vec![serde_json::json!({"token": "hello"})],
            ..Answer::default()
        };
        let mut fold = Fold::default();
        answer.clone().into_events().into_iter().for_each(|event| fold.push(event));
        assert_eq!(fold.finish(), answer);
    }
}
