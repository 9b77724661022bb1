//! A compaction that is asked for within a request, at a provider of another dialect: it is asked for a summary
//! instead, and the client gets the one item that it expects.

use canon::{Answer, Block, Delta, Dialect, Event, Kind, Mark, Opening, Stop};
use openai::responses::compaction;

use crate::engine::fault::{Fault, FaultKind};

/// A summary that is being written.
pub(super) struct Summary {
    /// The id of the item.
    id: String,
    text: String,
    /// The blocks of text and of thoughts that are open, and whether each is text.
    open: Vec<(u32, bool)>,
}

impl Summary {
    /// The summary that the request with the hub's id `request` asks for.
    pub(super) fn new(request: &str) -> Self {
        Self { id: compaction::id_for(request), text: String::new(), open: Vec::new() }
    }

    /// Takes an event of the provider, puts what the client gets instead into `out`, and says what it means for
    /// holding back: the text goes into the item, and all else that the model gave is no answer to this.
    pub(super) fn take(&mut self, event: Event, out: &mut Vec<Event>) -> Result<Mark, Fault> {
        match event {
            Event::Open { index, block: Opening::Text } => self.open.push((index, true)),
            Event::Open { index, block: Opening::Thinking { .. } } => self.open.push((index, false)),
            Event::Delta { index, delta: Delta::Text(text) } if !text.trim().is_empty() => {
                return Ok(self.hear(index, &text));
            }
            Event::Delta { index, delta: Delta::Text(text) } => drop(self.hear(index, &text)),
            Event::Close { index } => self.open.retain(|(open, _)| *open != index),
            Event::Open { .. } | Event::Delta { .. } => {}
            Event::Stop { .. } => {
                let block = Box::new(self.item()?);
                out.push(Event::Open { index: 0, block: Opening::Whole(block) });
                out.push(Event::Close { index: 0 });
                out.push(Event::Stop { stop: Stop::End, sequence: None });
                return Ok(Mark::Content);
            }
            Event::End => {
                out.push(Event::End);
                return Ok(Mark::End);
            }
            Event::Start { .. } | Event::Usage(_) => out.push(event),
        }
        Ok(Mark::Empty)
    }

    /// A model that thinks is at work, and is waited for as for any answer.
    fn hear(&mut self, index: u32, text: &str) -> Mark {
        match self.open.iter().find(|(open, _)| *open == index) {
            Some((_, true)) => self.text.push_str(text),
            Some((_, false)) => {}
            None => return Mark::Empty,
        }
        Mark::Content
    }

    /// Does the same with an answer in one piece.
    pub(super) fn replace(mut self, answer: &mut Answer) -> Result<(), Fault> {
        self.text = answer.blocks.iter().filter_map(Block::as_text).collect();
        answer.blocks = vec![self.item()?];
        answer.stop = Stop::End;
        Ok(())
    }

    fn item(&self) -> Result<Block, Fault> {
        if self.text.trim().is_empty() {
            return Err(Fault::new(FaultKind::Malformed, "the model wrote no summary"));
        }
        let value = compaction::item(&self.id, &self.text);
        Ok(Block::new(Kind::Opaque { dialect: Dialect::Responses, value }))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn taken(events: Vec<Event>) -> Result<(Vec<Event>, Vec<Mark>), Fault> {
        let mut summary = Summary::new("req_1");
        let mut out = Vec::new();
        let marks = events.into_iter().map(|event| summary.take(event, &mut out)).collect::<Result<_, _>>();
        marks.map(|marks| (out, marks))
    }

    fn text(index: u32, text: &str) -> Event {
        Event::Delta { index, delta: Delta::Text(text.to_owned()) }
    }

    const STOP: Event = Event::Stop { stop: Stop::MaxTokens, sequence: None };

    #[test]
    fn what_the_model_says_becomes_one_item_and_what_it_thinks_is_left_out() {
        let (out, marks) = taken(vec![
            Event::Open { index: 0, block: Opening::Thinking { id: None } },
            text(0, "hm"),
            Event::Close { index: 0 },
            Event::Open { index: 1, block: Opening::Text },
            text(1, "we "),
            text(1, "met"),
            Event::Close { index: 1 },
            STOP,
            Event::End,
        ])
        .unwrap();
        let Event::Open { block: Opening::Whole(block), .. } = &out[0] else { unreachable!("{out:?}") };
        let value = compaction::item(&compaction::id_for("req_1"), "we met");
        assert_eq!(block.kind, Kind::Opaque { dialect: Dialect::Responses, value });
        assert_eq!(out[2..], [Event::Stop { stop: Stop::End, sequence: None }, Event::End]);
        assert_eq!((marks[4], marks[8]), (Mark::Content, Mark::End));
    }

    #[test]
    fn an_answer_without_text_is_none() {
        let call =
            Opening::ToolCall { id: "c".to_owned(), name: "f".to_owned(), namespace: None, custom: false };
        let open = Event::Open { index: 0, block: call };
        let (_, marks) = taken(vec![open.clone(), text(0, "{}")]).unwrap();
        assert_eq!(marks, [Mark::Empty, Mark::Empty], "another target may still be tried");
        let events = vec![open, text(0, "{}"), Event::Close { index: 0 }, STOP];
        assert_eq!(taken(events).err().unwrap().kind, FaultKind::Malformed);
    }
}
