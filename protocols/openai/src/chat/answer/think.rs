//! Thoughts that some models write into their text: `<think>…</think>` at its very beginning.

use super::super::kept::CHAT;
use canon::{Block, Kind, Thinking};

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// The most white space that may stand before the tag.
const MARGIN: usize = 64;

/// A piece of a text, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Thought(String),
    Text(String),
}

/// Tells thoughts from text, however the text is cut into pieces. White space that only sets the thoughts apart (after
/// either tag) belongs to neither.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    state: State,
    /// What may yet become a tag.
    held: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space and the beginning of a tag came.
    #[default]
    Begin,
    /// Inside, before the first thought.
    Opened,
    /// Inside.
    Inside,
    /// Behind the closing tag, before the text.
    Closed,
    /// In the text, for good.
    Text,
}

impl Splitter {
    /// Takes a piece.
    pub(super) fn push(&mut self, piece: String, out: &mut impl FnMut(Part)) {
        let mut piece = piece;
        loop {
            match self.state {
                State::Text => {
                    if !piece.is_empty() {
                        out(Part::Text(piece));
                    }
                    return;
                }
                State::Begin => {
                    self.held.push_str(&piece);
                    let Some(next) = self.begin() else { return };
                    piece = next;
                }
                State::Opened | State::Closed => {
                    let trimmed = piece.trim_start();
                    if trimmed.is_empty() {
                        return;
                    }
                    piece = trimmed.to_owned();
                    self.state = if self.state == State::Opened { State::Inside } else { State::Text };
                }
                State::Inside => {
                    let Some(next) = self.inside(piece, out) else { return };
                    piece = next;
                }
            }
        }
    }

    /// Decides whether what is held is a tag, or text, or too little. Gives what goes on behind the decision.
    fn begin(&mut self) -> Option<String> {
        let trimmed = self.held.trim_start();
        let margin = self.held.len() - trimmed.len();
        if margin <= MARGIN {
            if let Some(inside) = trimmed.strip_prefix(OPEN) {
                let inside = inside.to_owned();
                self.held.clear();
                self.state = State::Opened;
                return Some(inside);
            }
            if OPEN.starts_with(trimmed) {
                return None;
            }
        }
        self.state = State::Text;
        Some(std::mem::take(&mut self.held))
    }

    /// Hands thoughts on up to the closing tag, if it is there. Gives what stands behind it.
    fn inside(&mut self, piece: String, out: &mut impl FnMut(Part)) -> Option<String> {
        let mut piece = piece;
        if !self.held.is_empty() {
            self.held.push_str(&piece);
            piece = std::mem::take(&mut self.held);
        }
        if let Some(at) = piece.find(CLOSE) {
            let behind = piece.get(at + CLOSE.len()..).unwrap_or_default().to_owned();
            piece.truncate(at);
            self.state = State::Closed;
            if !piece.is_empty() {
                out(Part::Thought(piece));
            }
            return Some(behind);
        }
        let held = (1..CLOSE.len())
            .rev()
            .find(|&length| CLOSE.get(..length).is_some_and(|begin| piece.ends_with(begin)));
        self.held = piece.split_off(piece.len() - held.unwrap_or(0));
        if !piece.is_empty() {
            out(Part::Thought(piece));
        }
        None
    }

    /// No more of this text comes for now: what was held is what it looks like.
    pub(super) fn flush(&mut self, out: &mut impl FnMut(Part)) {
        let held = std::mem::take(&mut self.held);
        let part = match self.state {
            State::Begin if held.is_empty() => return,
            State::Begin => {
                self.state = State::Text;
                Part::Text(held)
            }
            State::Inside if !held.is_empty() => Part::Thought(held),
            _ => return,
        };
        out(part);
    }
}

/// The blocks of a whole text: its thoughts, if it begins with them, and the text.
pub(super) fn blocks(text: String, blocks: &mut Vec<Block>) {
    if text.trim_start().get(..OPEN.len()) != Some(OPEN) {
        blocks.push(Block::text(text));
        return;
    }
    let (mut thought, mut said) = (String::new(), String::new());
    let mut splitter = Splitter::default();
    let mut take = |part| match part {
        Part::Thought(more) => thought.push_str(&more),
        Part::Text(more) => said.push_str(&more),
    };
    splitter.push(text.clone(), &mut take);
    splitter.flush(&mut take);
    if thought.is_empty() && said.len() == text.len() {
        blocks.push(Block::text(text));
        return;
    }
    let tag = text.len() - text.trim_start().len() + OPEN.len();
    let before = text.len() - text.get(tag..).unwrap_or_default().trim_start().len();
    let after = text.len() - said.len();
    if !thought.is_empty() {
        let around = [text.get(..before), text.get(before + thought.len()..after)];
        let around: Vec<&str> = around.into_iter().map(Option::unwrap_or_default).collect();
        let mut block = Block::new(Kind::Thinking(Thinking { text: thought, ..Thinking::default() }));
        block.rest.hint(CHAT, "$tag", around);
        blocks.push(block);
        blocks.extend((!said.is_empty()).then(|| Block::text(said)));
    } else if !said.is_empty() {
        // Models that were told not to think write the tags all the same.
        let mut block = Block::text(said);
        block.rest.hint(CHAT, "$tag", text.get(..after).unwrap_or_default());
        blocks.push(block);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let (mut thought, mut text) = (String::new(), String::new());
        let mut splitter = Splitter::default();
        let mut take = |part| match part {
            Part::Thought(more) => thought.push_str(&more),
            Part::Text(more) => text.push_str(&more),
        };
        for piece in pieces {
            splitter.push((*piece).to_owned(), &mut take);
        }
        splitter.flush(&mut take);
        (thought, text)
    }

    fn pair(thought: &str, text: &str) -> (String, String) {
        (thought.to_owned(), text.to_owned())
    }

    #[test]
    fn only_the_very_beginning_is_thought() {
        assert_eq!(split(&["<think>\nhm</think>\n\nYes"]), pair("hm", "Yes"));
        assert_eq!(split(&["\n<thi", "nk>h", "m</t", "hink", ">", "\n", "Yes"]), pair("hm", "Yes"));
        assert_eq!(split(&["Use <think>x</think>"]), pair("", "Use <think>x</think>"));
        assert_eq!(split(&["<think></think>Yes <think>no</think>"]), pair("", "Yes <think>no</think>"));
        assert_eq!(split(&["<think>a </thin b </think"]), pair("a </thin b </think", ""));
        assert_eq!(split(&["<th"]), pair("", "<th"));
        assert_eq!(split(&["\n\n"]), pair("", "\n\n"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[ \n]{0,3}(<think>)?[a-c<>/ ]{0,8}(</think>)?[ \n]{0,2}[a-c<]{0,4}(<think>)?", cut in 1_usize..9) {
            let whole = split(&[&text]);
            let bytes: Vec<String> = text.as_bytes().chunks(cut).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
            let pieces: Vec<&str> = bytes.iter().map(String::as_str).collect();
            prop_assert_eq!(split(&pieces), whole);
        }
    }
}
