//! The usage of an answer whose provider gave none: estimated, since several clients fail without one, and declared as
//! the loss `~usage`.

use bytes::Bytes;
use canon::{Answer, Delta, Dialect, Event, Kind, Usage, tokens};

/// Counts what goes by, in case nobody else does.
pub(super) struct Estimate {
    dialect: Dialect,
    /// The client's request, which is counted only when it has to be.
    request: Bytes,
    output: u64,
    /// Whether the provider counted.
    counted: bool,
}

impl Estimate {
    pub(super) const fn new(dialect: Dialect, request: Bytes) -> Self {
        Self { dialect, request, output: 0, counted: false }
    }

    /// Looks at an event; where the answer stops uncounted, gives the usage that must go before it.
    pub(super) fn watch(&mut self, event: &Event) -> Option<Usage> {
        match event {
            Event::Usage(_) => self.counted = true,
            Event::Delta { delta: Delta::Text(text), .. } => self.output += tokens::in_text(text),
            Event::Stop { .. } if !self.counted => return Some(self.usage(self.output)),
            _ => {}
        }
        None
    }

    /// The usage of a whole answer.
    pub(super) fn of(&self, answer: &Answer) -> Usage {
        let said = answer.blocks.iter().map(|block| match &block.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => tokens::in_text(text),
            Kind::Thinking(thinking) => tokens::in_text(&thinking.text),
            Kind::ToolCall(call) => tokens::in_text(&call.arguments),
            _ => 0,
        });
        self.usage(said.sum())
    }

    fn usage(&self, output: u64) -> Usage {
        let turn = dialects::decode(self.dialect, &self.request);
        let input = turn.map_or(0, |turn| tokens::in_turn(&turn));
        Usage { input, output, ..Usage::default() }
    }
}
