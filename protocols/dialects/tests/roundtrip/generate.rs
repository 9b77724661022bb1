//! Random conversations, as the decoder of a dialect could have made them: what a dialect cannot say is not in a turn
//! of it, and everything is where its decoder puts it. Spelling is left to the codec: a test encodes a turn for its own
//! dialect once and decodes it, so that the hints are there that only a decoder leaves.

mod answer;
mod blocks;
mod schema;
mod settings;
mod tools;

use canon::{Block, Dialect, Kind, Message, Role, ToolCall, ToolResult, Turn};
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) use answer::{Cut, answer, asked, events_of};
use blocks::{assistant_blocks, call, extra, results, user_blocks};

/// Any turn of a dialect.
pub(crate) fn turn(dialect: Dialect) -> BoxedStrategy<Turn> {
    let head = (instructions(dialect), tools::tools(dialect), settings::settings(dialect));
    let body = (vec(step(dialect), 1..6), any::<bool>(), blocks::style());
    (head, body)
        .prop_map(move |((instructions, tools, settings), (steps, ids, style))| {
            let mut turn = Turn { model: "m-1".to_owned(), instructions, tools, ..Turn::default() };
            settings.put_into(&mut turn, dialect);
            turn.messages = conversation(dialect, steps, ids, style);
            few_marks(dialect, &mut turn);
            turn
        })
        .boxed()
}

/// One step of a conversation.
#[derive(Debug, Clone)]
enum Step {
    Said(Message),
    /// The model calls tools, and they report; then the user may say more.
    Called {
        before: Vec<Block>,
        calls: Vec<(Block, Block)>,
        more: Vec<Block>,
    },
}

fn step(dialect: Dialect) -> BoxedStrategy<Step> {
    let said = |role: Role, blocks: BoxedStrategy<Vec<Block>>| {
        let rest = message_rest(dialect);
        (blocks, rest).prop_map(move |(blocks, rest)| Step::Said(Message { role, blocks, rest })).boxed()
    };
    let user = said(Role::User, user_blocks(dialect));
    let assistant = said(Role::Assistant, assistant_blocks(dialect));
    let calls = (call(dialect), results(dialect));
    let called =
        (assistant_blocks(dialect), vec(calls, 1..4), prop::option::weighted(0.3, user_blocks(dialect)))
            .prop_map(|(before, calls, more)| Step::Called { before, calls, more: more.unwrap_or_default() });
    let system = |role| said(role, vec(blocks::marked_text(dialect), 1..3).boxed());
    match dialect {
        Dialect::Gemini => prop_oneof![3 => user, 2 => assistant, 3 => called].boxed(),
        Dialect::Messages => {
            prop_oneof![3 => user, 2 => assistant, 3 => called, 1 => system(Role::System)].boxed()
        }
        Dialect::Chat | Dialect::Responses => prop_oneof![
            6 => user,
            4 => assistant,
            6 => called,
            1 => system(Role::System),
            1 => system(Role::Developer)
        ]
        .boxed(),
    }
}

/// Unknown fields of a message. Responses has none that are not those of its first part.
fn message_rest(dialect: Dialect) -> BoxedStrategy<canon::Rest> {
    match dialect {
        Dialect::Responses => Just(canon::Rest::default()).boxed(),
        _ => extra(dialect, "x_message"),
    }
}

fn instructions(dialect: Dialect) -> BoxedStrategy<Vec<Block>> {
    let plain = blocks::text().prop_map(Block::text);
    match dialect {
        Dialect::Chat => Just(Vec::new()).boxed(),
        Dialect::Responses => vec(plain, 0..2).boxed(),
        Dialect::Gemini => vec(plain, 0..3).boxed(),
        Dialect::Messages => vec(blocks::marked_text(dialect), 0..3).boxed(),
    }
}

fn conversation(dialect: Dialect, steps: Vec<Step>, ids: bool, style: u8) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut number = 0_usize;
    for step in steps {
        match step {
            Step::Said(message) => messages.push(message),
            Step::Called { before, calls, more } => {
                let (mut said, mut reported) = (before, Vec::new());
                if !ids && dialect == Dialect::Messages {
                    said.retain(|block| !matches!(block.kind, Kind::Thinking(_)));
                }
                for (call, result) in calls {
                    number += 1;
                    let id = blocks::id(dialect, style, ids, number);
                    let (call, result) = paired(dialect, call, result, &id);
                    said.push(call);
                    reported.push(result);
                }
                reported.extend(more);
                messages.push(Message::new(Role::Assistant, said));
                messages.push(Message::new(Role::User, reported));
            }
        }
    }
    // Where roles take turns, the user begins.
    let begins = messages.first().is_none_or(|first| first.role == Role::User);
    if matches!(dialect, Dialect::Messages | Dialect::Gemini) && !begins {
        messages.insert(0, Message::new(Role::User, vec![Block::text("hello")]));
    }
    // Somebody asks for something.
    let asks = |message: &Message| {
        message.role == Role::User
            && message.blocks.iter().any(|block| block.as_text().is_some_and(|it| !it.trim().is_empty()))
    };
    if !messages.iter().any(asks) {
        messages.push(Message::new(Role::User, vec![Block::text("hello")]));
    }
    messages
}

/// A call and its result under one id.
fn paired(dialect: Dialect, mut call: Block, mut result: Block, id: &str) -> (Block, Block) {
    if let (Kind::ToolCall(ToolCall { id: own, name, custom, .. }), Kind::ToolResult(result)) =
        (&mut call.kind, &mut result.kind)
    {
        id.clone_into(own);
        *result = ToolResult {
            call: id.to_owned(),
            name: (dialect == Dialect::Gemini).then(|| name.clone()),
            custom: *custom,
            content: std::mem::take(&mut result.content),
            failed: result.failed,
        };
    }
    (call, result)
}

/// Messages allows four cache marks.
fn few_marks(dialect: Dialect, turn: &mut Turn) {
    let mut left = if dialect == Dialect::Messages { 4 } else { usize::MAX };
    let mut keep = |cache: &mut Option<serde_json::Value>| {
        if cache.is_some() {
            if left == 0 {
                *cache = None;
            } else {
                left -= 1;
            }
        }
    };
    turn.tools.iter_mut().for_each(|tool| keep(&mut tool.cache));
    let messages = turn.messages.iter_mut().flat_map(|message| &mut message.blocks);
    for block in turn.instructions.iter_mut().chain(messages) {
        keep(&mut block.cache);
        if let Kind::ToolResult(result) = &mut block.kind {
            result.content.iter_mut().for_each(|block| keep(&mut block.cache));
        }
    }
}
