//! Which requests a client makes by itself, while its user does something else: titles, tags, topics. They are told by what
//! they say, as real clients say it; the rules are data, and a request that offers tools is never one.

use std::sync::Arc;

use canon::{Block, Message, Role, Turn};

/// A sign of a request of the background.
struct Sign {
    /// Words that stand together in it, in lower case.
    phrase: &'static str,
    /// Where they stand.
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the system prompt.
    System,
    /// At the beginning of what the user says, or in the system prompt.
    Anywhere,
}

/// What clients write: coding agents in the system prompt, chat front ends often in the name of the user.
const SIGNS: [Sign; 12] = [
    Sign { phrase: "title generator", place: Place::System },
    Sign { phrase: "new conversation topic", place: Place::System },
    Sign { phrase: "sentence-case title", place: Place::System },
    Sign { phrase: "generate a title", place: Place::System },
    Sign { phrase: "generate a short title", place: Place::System },
    Sign { phrase: "generate a concise title", place: Place::System },
    Sign { phrase: "word title", place: Place::Anywhere },
    Sign { phrase: "title for the conversation", place: Place::Anywhere },
    Sign { phrase: "title for this conversation", place: Place::Anywhere },
    Sign { phrase: "title for the chat", place: Place::Anywhere },
    Sign { phrase: "broad tags categorizing", place: Place::Anywhere },
    Sign { phrase: "summarizing the chat history", place: Place::Anywhere },
];

/// What a user says is looked at so far, in bytes: such requests begin with what they want.
const HEAD: usize = 1000;

/// An answer of so few tokens is for a program: some clients ask one token to see whether their key works.
const PROBE: u64 = 1;

/// Whether nobody waits for the answer. `more` are phrases of the operator's, in lower case.
pub(super) fn is_meant(turn: &Turn, more: &[Arc<str>]) -> bool {
    if !turn.tools.is_empty() {
        return false;
    }
    if turn.max_tokens == Some(PROBE) {
        return true;
    }
    let (system, leading) = turn.hoisted();
    let system = text(system.into_iter());
    let mut users = turn.messages.iter().skip(leading).filter(|message| message.role == Role::User);
    let head = users.next_back().map(head).unwrap_or_default();
    SIGNS.iter().any(|sign| {
        system.contains(sign.phrase) || sign.place == Place::Anywhere && head.contains(sign.phrase)
    }) || more.iter().any(|phrase| system.contains(&**phrase) || head.contains(&**phrase))
}

fn head(message: &Message) -> String {
    let mut text = text(message.blocks.iter());
    text.truncate(text.floor_char_boundary(HEAD));
    text
}

fn text<'a>(blocks: impl Iterator<Item = &'a Block>) -> String {
    let texts: Vec<&str> = blocks.filter_map(Block::as_text).collect();
    texts.join("\n").to_lowercase()
}

#[cfg(test)]
mod tests {
    use canon::{Tool, ToolKind};

    use super::*;

    fn turn(system: &str, user: &str) -> Turn {
        Turn {
            instructions: vec![Block::text(system)],
            messages: vec![Message::new(Role::User, vec![Block::text(user)])],
            ..Turn::default()
        }
    }

    #[test]
    fn titles_are_told_from_questions() {
        assert!(is_meant(&turn("You are a title generator.", "fix the tests"), &[]));
        assert!(is_meant(&turn("", "Create a concise, 3-5 word title for what follows"), &[]));
        assert!(is_meant(&Turn { max_tokens: Some(1), ..turn("", "quota") }, &[]));
        assert!(!is_meant(&turn("You are an agent.", "How do I write a title generator?"), &[]));
        assert!(!is_meant(&turn("", "hello"), &[]));
        assert!(is_meant(&turn("", "Name this chat"), &["name this".into()]));
        let late = format!("{} word title", "x".repeat(HEAD));
        assert!(!is_meant(&turn("", &late), &[]));
    }

    #[test]
    fn a_request_with_tools_is_somebodys_work() {
        let tool = Tool {
            name: "f".into(),
            namespace: None,
            description: None,
            kind: ToolKind::WebSearch,
            cache: None,
            rest: canon::Rest::default(),
        };
        assert!(!is_meant(&Turn { tools: vec![tool], ..turn("You are a title generator.", "x") }, &[]));
    }
}
