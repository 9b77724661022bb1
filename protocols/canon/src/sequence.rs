//! Brings blocks that stream side by side into a row, for dialects in which a block ends before the next begins.

use std::collections::{HashMap, VecDeque};

use crate::Event;

/// Lets the events of one block through and keeps those of blocks that opened after it until it is closed.
#[derive(Debug, Default)]
pub struct Sequence {
    /// The block whose events pass.
    current: Option<u32>,
    /// The blocks that wait, in the order of their opening.
    row: VecDeque<u32>,
    /// What came of each of them.
    waiting: HashMap<u32, Vec<Event>>,
}

impl Sequence {
    /// Takes an event and hands on what may pass now.
    pub fn push(&mut self, event: Event, pass: &mut impl FnMut(Event)) {
        match event {
            Event::Open { index, .. } => self.open(index, event, pass),
            Event::Delta { index, .. } => self.of_block(index, event, pass),
            Event::Close { index } => {
                let current = self.current == Some(index);
                self.of_block(index, event, pass);
                if current {
                    self.current = None;
                    self.next(pass);
                }
            }
            Event::Stop { .. } | Event::End => {
                self.finish(pass);
                pass(event);
            }
            Event::Start { .. } | Event::Usage(_) => pass(event),
        }
    }

    fn open(&mut self, index: u32, event: Event, pass: &mut impl FnMut(Event)) {
        match self.current {
            None => {
                self.current = Some(index);
                pass(event);
            }
            // A block opens once.
            Some(current) if current == index || self.waiting.contains_key(&index) => {}
            Some(_) => {
                self.row.push_back(index);
                self.waiting.insert(index, vec![event]);
            }
        }
    }

    /// An event of a block that was opened; of another one nothing can be done with it.
    fn of_block(&mut self, index: u32, event: Event, pass: &mut impl FnMut(Event)) {
        if self.current == Some(index) {
            pass(event);
        } else if let Some(events) = self.waiting.get_mut(&index) {
            events.push(event);
        }
    }

    /// Lets through the blocks that are next in the row, up to the first that is not complete.
    fn next(&mut self, pass: &mut impl FnMut(Event)) {
        while self.current.is_none()
            && let Some(index) = self.row.pop_front()
        {
            let events = self.waiting.remove(&index).unwrap_or_default();
            let complete = matches!(events.last(), Some(Event::Close { .. }));
            events.into_iter().for_each(&mut *pass);
            self.current = (!complete).then_some(index);
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

    #[test]
    fn what_belongs_to_no_block_is_passed_over() {
        let stop = Event::Stop { stop: Stop::ToolUse, sequence: None };
        let row = in_a_row(vec![
            call(0),
            text(9, "x"),
            Event::Close { index: 9 },
            Event::Close { index: 0 },
            stop.clone(),
        ]);
        assert_eq!(row, vec![call(0), Event::Close { index: 0 }, stop]);
    }

    #[test]
    fn blocks_that_close_only_at_the_end_cost_linear_time() {
        let many = 100_000;
        let mut events: Vec<Event> = (0..many).map(call).collect();
        events.push(Event::End);
        assert_eq!(in_a_row(events).len(), 2 * many as usize + 1);
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
