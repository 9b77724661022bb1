//! What shortening keeps, whatever the conversation is like.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::HashSet;

use canon::{Block, Kind, Message, Role, Thinking, ToolCall, ToolResult, Turn};
use proptest::prelude::*;

use super::{layers::shorten, room, segments::segments, size};

fn call(id: &str) -> Block {
    Block::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        namespace: None,
        arguments: "{}".into(),
        custom: false,
        signature: None,
    }))
}

fn result(id: &str, text: &str) -> Block {
    Block::new(Kind::ToolResult(ToolResult {
        call: id.into(),
        name: None,
        content: vec![Block::text(text)],
        failed: false,
        custom: false,
    }))
}

fn thought(text: &str) -> Block {
    Block::new(Kind::Thinking(Thinking { text: text.into(), ..Thinking::default() }))
}

fn says(role: Role, text: &str) -> Message {
    Message::new(role, vec![Block::text(text)])
}

fn turn(messages: Vec<Message>) -> Turn {
    Turn { instructions: vec![Block::text("be kind")], messages, ..Turn::default() }
}

/// The text of everything, for looking into it.
fn text(turn: &Turn) -> String {
    format!("{:?}", turn.messages)
}

#[test]
fn what_fits_stays_as_it_is() {
    let mut short = turn(vec![says(Role::User, "hello")]);
    let before = short.clone();
    assert!(!shorten(&mut short, 1000));
    assert_eq!(short, before);
}

#[test]
fn the_mildest_layer_that_is_enough_is_taken() {
    let long = "word ".repeat(3000);
    let mut conversation = turn(vec![
        says(Role::User, "first"),
        Message::new(Role::Assistant, vec![thought("hm"), call("1")]),
        Message::new(Role::User, vec![result("1", &long)]),
        says(Role::Assistant, "done"),
        says(Role::User, "second"),
    ]);
    assert!(shorten(&mut conversation, 1500));
    let after = text(&conversation);
    assert!(
        after.contains("first") && after.contains("hm") && after.contains("13000 characters were left out")
    );
    assert_eq!(conversation.messages.len(), 5);

    let mut thoughtful = turn(vec![
        says(Role::User, "first"),
        Message::new(Role::Assistant, vec![thought(&long), Block::text("done")]),
        says(Role::User, "second"),
        Message::new(Role::Assistant, vec![thought("now"), call("2")]),
        Message::new(Role::User, vec![result("2", "warm")]),
    ]);
    assert!(shorten(&mut thoughtful, 1500));
    let after = text(&thoughtful);
    assert!(after.contains("first") && after.contains("now") && !after.contains("word"), "{after}");
}

#[test]
fn the_oldest_go_and_it_is_said() {
    let mut messages = vec![says(Role::System, "rules")];
    for n in 0..20 {
        messages.push(says(Role::User, &format!("question {n}: {}", "word ".repeat(100))));
        messages.push(says(Role::Assistant, &format!("answer {n}")));
    }
    messages.push(says(Role::User, "the last one"));
    let mut conversation = turn(messages);
    assert!(shorten(&mut conversation, 800));
    assert!(size(&conversation) <= 800 + 40, "{}", size(&conversation));
    let after = text(&conversation);
    assert!(after.contains("rules") && after.contains("the last one"));
    assert!(
        !after.contains("question 0")
            && after.contains("earlier messages of this conversation were left out")
    );
    assert_eq!(conversation.messages[1].role, Role::User);
}

#[test]
fn the_answer_has_its_room() {
    assert_eq!(room(100_000, None), 85_000);
    assert_eq!(room(1_000_000, None), 984_000);
    assert_eq!(room(1000, None), 744);
    assert_eq!(room(100_000, Some(40_000)), 60_000);
    assert_eq!(room(100_000, Some(90_000)), 50_000);
    assert_eq!(room(100_000, Some(10)), 85_000);
}

/// A conversation as clients make them: turns of the user, each with rounds of (parallel) tools, thoughts, and answers.
fn conversations() -> impl Strategy<Value = Vec<Message>> {
    let round = (1..4_usize, 0..4000_usize, any::<bool>());
    let one = (0..300_usize, prop::collection::vec(round, 0..4), any::<bool>());
    prop::collection::vec(one, 1..8).prop_map(|turns| {
        let mut messages = Vec::new();
        let mut ids = 0;
        let last = turns.len() - 1;
        for (nth, (words, rounds, split)) in turns.into_iter().enumerate() {
            messages.push(says(Role::User, &"word ".repeat(words + 1)));
            for (calls, length, thinks) in rounds {
                let numbers: Vec<String> = (0..calls).map(|n| format!("call_{}", ids + n)).collect();
                ids += calls;
                let mut blocks: Vec<Block> = thinks.then(|| thought("so so ")).into_iter().collect();
                blocks.extend(numbers.iter().map(|id| call(id)));
                messages.push(Message::new(Role::Assistant, blocks));
                let results: Vec<Block> =
                    numbers.iter().map(|id| result(id, &"x y ".repeat(length / 4))).collect();
                if split {
                    messages.extend(results.into_iter().map(|block| Message::new(Role::User, vec![block])));
                } else {
                    messages.push(Message::new(Role::User, results));
                }
            }
            if nth != last {
                messages.push(says(Role::Assistant, "done"));
            }
        }
        messages
    })
}

fn ids(messages: &[Message], of: impl Fn(&Kind) -> Option<&str>) -> HashSet<String> {
    messages
        .iter()
        .flat_map(|message| &message.blocks)
        .filter_map(|block| of(&block.kind))
        .map(str::to_owned)
        .collect()
}

fn calls(messages: &[Message]) -> HashSet<String> {
    ids(messages, |kind| if let Kind::ToolCall(call) = kind { Some(&call.id) } else { None })
}

fn results(messages: &[Message]) -> HashSet<String> {
    ids(messages, |kind| if let Kind::ToolResult(result) = kind { Some(&result.call) } else { None })
}

proptest! {
    #[test]
    fn calls_and_results_stay_together(messages in conversations(), budget in 50..5000_u64) {
        let mut after = turn(messages.clone());
        let was = size(&after);
        let shortened = shorten(&mut after, budget);
        prop_assert_eq!(shortened, was > budget);
        prop_assert_eq!(calls(&after.messages), results(&after.messages));
        prop_assert_eq!(&after.instructions, &vec![Block::text("be kind")]);
        // The last message is there to the letter, at most behind the notice, and so is the user's last question.
        let (last, was) = (after.messages.last().unwrap(), messages.last().unwrap());
        prop_assert!(last.role == was.role && last.blocks.ends_with(&was.blocks));
        let asked = super::segments::question(&messages).and_then(|at| messages[at].blocks.last().cloned());
        prop_assert!(after.messages.iter().any(|message| message.blocks.last() == asked.as_ref()));
        prop_assert_eq!(after.messages[0].role, Role::User);
        prop_assert!(after.messages.iter().all(|message| !message.blocks.is_empty()));
    }

    #[test]
    fn segments_cover_everything_once(messages in conversations()) {
        let segments = segments(&messages);
        let mut at = 0;
        for segment in segments {
            prop_assert_eq!(segment.start, at);
            prop_assert!(segment.end > at);
            let inside = &messages[segment.clone()];
            prop_assert_eq!(calls(inside), results(inside));
            at = segment.end;
        }
        prop_assert_eq!(at, messages.len());
    }
}
