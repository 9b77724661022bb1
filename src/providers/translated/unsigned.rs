//! Thoughts that nobody signed, on their way to a client that signs for all of them.

use canon::{Delta, Dialect, Event, Opening, Signature, Thinking};

/// Thoughts whose maker signs nothing get an empty signature with the maker's name, for clients that send every
/// thought back under a signature: it tells whose they are, and no other vendor is given them.
pub(super) struct Unsigned {
    maker: Option<String>,
    open: Vec<u32>,
}

impl Unsigned {
    pub(super) fn new(client: Dialect, maker: &str) -> Self {
        Self { maker: (client == Dialect::Messages).then(|| maker.to_owned()), open: Vec::new() }
    }

    /// Looks at an event, and gives the signature that must go before it.
    pub(super) fn watch(&mut self, event: &Event) -> Option<Event> {
        match event {
            Event::Open { index, block: Opening::Thinking { .. } } => self.open.push(*index),
            Event::Delta { index, delta: Delta::Signature(_) } => self.open.retain(|open| open != index),
            Event::Close { index } if self.open.contains(index) => {
                self.open.retain(|open| open != index);
                let maker = self.maker.clone()?;
                let signature = Signature { data: String::new(), maker: Some(maker) };
                return Some(Event::Delta { index: *index, delta: Delta::Signature(signature) });
            }
            _ => {}
        }
        None
    }

    /// The same for a whole thought: an empty signature, for which the maker is named later.
    pub(super) fn mark(&self, thinking: &mut Thinking) {
        if self.maker.is_some() && thinking.signature.is_none() {
            thinking.signature = Some(Signature { data: String::new(), maker: None });
        }
    }
}
