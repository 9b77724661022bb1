//! Brings blocks that stream side by side into a row, for dialects in which a block ends before the next begins.

use std::collections::VecDeque;

use crate::Event;

/// Lets the events of one block through and keeps those of blocks that opened after it until it is closed.
#[derive(Debug, Default)]
pub struct Sequence {
    /// The block whose events pass.
    current: Option<u32>,
    /// Events of other blocks, in the order in which they came.
    waiting: VecDeque<Event>,
}

impl Sequence {
    /// Takes an event and hands on what may pass now.
    pub fn push(&mut self, event: Event, pass: &mut impl FnMut(Event)) {
        match (&event, self.current) {
            (Event::Open { index, .. }, None) => {
                self.current = Some(*index);
                pass(event);
            }
            (Event::Delta { index, .. }, Some(current)) if *index == current => pass(event),
            (Event::Close { index }, Some(current)) if *index == current => {
                self.current = None;
                pass(event);
                self.next(pass);
            }
            (Event::Open { .. } | Event::Delta { .. } | Event::Close { .. }, Some(_)) => {
                self.waiting.push_back(event);
            }
            // Of a block that is not open: nothing can be done with it.
            (Event::Delta { .. } | Event::Close { .. }, None) => {}
            (Event::Stop { .. } | Event::End, _) => {
                self.finish(pass);
                pass(event);
            }
            (Event::Start { .. } | Event::Usage(_), _) => pass(event),
        }
    }

    /// Lets the next waiting block through, and the ones after it that are complete.
    fn next(&mut self, pass: &mut impl FnMut(Event)) {
        // Each round passes all that is there of one block. What waits is in order, so the first is an opening.
        while self.current.is_none() && !self.waiting.is_empty() {
            for event in std::mem::take(&mut self.waiting) {
                match (&event, self.current) {
                    (Event::Open { index, .. }, None) if self.waiting.is_empty() => {
                        self.current = Some(*index);
                        pass(event);
                    }
                    (Event::Delta { index, .. }, Some(current)) if *index == current => pass(event),
                    (Event::Close { index }, Some(current)) if *index == current => {
                        self.current = None;
                        pass(event);
                    }
                    _ => self.waiting.push_back(event),
                }
            }
        }
    }

    /// Closes whatever is still open and lets everything through.
    fn finish(&mut self, pass: &mut impl FnMut(Event)) {
        while let Some(index) = self.current {
            self.push(Event::Close { index }, pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Delta, Fold, Opening, Stop};

    fn call(index: u32) -> Event {
        let (id, name) = (format!("call_{index}"), "t".to_owned());
        Event::Open { index, block: Opening::ToolCall { id, name, namespace: None, custom: false } }
    }

    fn text(index: u32, text: &str) -> Event {
        Event::Delta { index, delta: Delta::Text(text.to_owned()) }
    }

    fn in_a_row(events: Vec<Event>) -> Vec<Event> {
        let (mut sequence, mut row) = (Sequence::default(), Vec::new());
        for event in events {
            sequence.push(event, &mut |event| row.push(event));
        }
        row
    }

    #[test]
    fn the_second_block_waits_for_the_first() {
        let stop = Event::Stop { stop: Stop::ToolUse, sequence: None };
        let row = in_a_row(vec![
            call(0),
            call(1),
            text(1, "b"),
            text(0, "a"),
            Event::Close { index: 1 },
            Event::Close { index: 0 },
            stop.clone(),
        ]);
        let expected = vec![
            call(0),
            text(0, "a"),
            Event::Close { index: 0 },
            call(1),
            text(1, "b"),
            Event::Close { index: 1 },
            stop,
        ];
        assert_eq!(row, expected);
    }

    proptest! {
        #[test]
        fn order_changes_and_content_does_not(
            order in proptest::collection::vec((0_u32..4, 0_u8..3), 0..60),
        ) {
            let mut open = [false; 4];
            let mut done = [false; 4];
            // Indexes count openings: block n opens before block n + 1.
            let mut events = Vec::new();
            for (index, what) in order {
                let at = index as usize;
                let next = open.iter().take_while(|open| **open).count();
                if at == next && !done[at] {
                    open[at] = true;
                    events.push(call(index));
                } else if open[at] && !done[at] && what > 0 {
                    events.push(text(index, "x"));
                } else if open[at] && !done[at] {
                    done[at] = true;
                    events.push(Event::Close { index });
                }
            }
            events.push(Event::End);
            let fold = |events: &[Event]| {
                let mut fold = Fold::default();
                events.iter().cloned().for_each(|event| fold.push(event));
                fold.finish()
            };
            let row = in_a_row(events.clone());
            prop_assert_eq!(fold(&row), fold(&events));
            let mut current = None;
            for event in &row {
                match event {
                    Event::Open { index, .. } => { prop_assert_eq!(current, None); current = Some(*index); }
                    Event::Delta { index, .. } => prop_assert_eq!(current, Some(*index)),
                    Event::Close { index } => { prop_assert_eq!(current, Some(*index)); current = None; }
                    _ => {}
                }
            }
            prop_assert_eq!(current, None);
        }
    }
}
