//! A [`Turn`] as a request in this dialect. What came in this dialect is written as it was; what came in another is
//! arranged after the rules of the API, and everything that it cannot say is declared.

mod blocks;
mod conversation;
mod foreign;
mod media;
mod native;
mod schema;
mod thinking;
mod tools;

use canon::{Block, Dialect, Encoded, Kind, Losses, Target, Turn};
use serde_json::{Map, Value};

use super::foreign::clear_no_thoughts;

pub(super) use blocks::input;

/// The most prompt-cache marks that a request may hold.
const CACHE_MARKS: usize = 4;

/// Writes a request.
#[must_use]
pub fn encode(turn: &Turn, target: &Target<'_>) -> Encoded {
    let (object, losses) = encode_object(turn, target);
    Encoded { body: serde_json::to_vec(&object).unwrap_or_default(), losses }
}

/// The same before it becomes bytes.
pub(crate) fn encode_object(turn: &Turn, target: &Target<'_>) -> (Map<String, Value>, Losses) {
    let mut writer = Writer::new(turn, target);
    let mut object = Map::new();
    object.insert("model".to_owned(), target.model.into());
    let (system, used) = if writer.native { (turn.instructions.iter().collect(), 0) } else { turn.hoisted() };
    let (leading, messages) = turn.messages.split_at(used.min(turn.messages.len()));
    leading.iter().for_each(|message| message.rest.lost(&mut writer.losses));
    // The marks that are too many are taken from the front, in the order in which the API counts them.
    let tools = writer.tools(turn);
    let system = writer.system(turn, &system);
    let mut messages = writer.messages(messages);
    let mut settings = Map::new();
    if writer.native {
        native::settings(&mut writer, turn, &mut messages, &mut settings);
    } else {
        foreign::settings(&mut writer, turn, &mut messages, !tools.is_empty(), &mut settings);
    }
    object.extend(system.map(|system| ("system".to_owned(), system)));
    object.insert("messages".to_owned(), Value::Array(messages));
    if !tools.is_empty() || turn.rest.hinted(Dialect::Messages, "$tools").is_some() {
        object.insert("tools".to_owned(), Value::Array(tools));
    }
    object.extend(settings);
    if turn.stream || turn.rest.hinted(Dialect::Messages, "$stream").is_some() {
        object.insert("stream".to_owned(), turn.stream.into());
    }
    turn.rest.write(Dialect::Messages, &mut object, &mut writer.losses);
    if writer.stopped_thinking {
        clear_no_thoughts(&mut object);
    }
    (object, writer.losses)
}

/// What all parts of a request share while they are written.
struct Writer<'t> {
    target: &'t Target<'t>,
    /// Whether the request came in this dialect.
    native: bool,
    losses: Losses,
    /// Cache marks that still have to go.
    surplus_marks: usize,
    /// Whether a thought was left out.
    lost_thought: bool,
    /// Whether thinking was switched off that the client of this dialect wanted.
    stopped_thinking: bool,
}

impl<'t> Writer<'t> {
    fn new(turn: &Turn, target: &'t Target<'t>) -> Self {
        let native = target.source == Dialect::Messages;
        let surplus_marks = if native { 0 } else { marks(turn).saturating_sub(CACHE_MARKS) };
        Self {
            target,
            native,
            losses: Losses::default(),
            surplus_marks,
            lost_thought: false,
            stopped_thinking: false,
        }
    }

    /// Writes a cache mark, unless there are too many.
    fn mark(&mut self, cache: Option<&Value>, object: &mut Map<String, Value>) {
        let Some(cache) = cache else { return };
        if self.surplus_marks > 0 {
            self.surplus_marks -= 1;
            self.losses.dropped("cache_control");
        } else {
            object.insert("cache_control".to_owned(), cache.clone());
        }
    }
}

fn marks(turn: &Turn) -> usize {
    let messages = turn.messages.iter().flat_map(|message| &message.blocks);
    let tools = turn.tools.iter().filter(|tool| tool.cache.is_some()).count();
    tools + turn.instructions.iter().chain(messages).map(marks_of).sum::<usize>()
}

fn marks_of(block: &Block) -> usize {
    let inner = match &block.kind {
        Kind::ToolResult(result) => result.content.iter().filter(|block| block.cache.is_some()).count(),
        _ => 0,
    };
    inner + usize::from(block.cache.is_some())
}

/// An object of a few fields.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An object that the client wrote itself and that typed fields are put back into.
fn leftover(turn: &Turn, name: &str) -> Map<String, Value> {
    let own = turn.rest.of(Dialect::Messages).and_then(|own| own.get(name));
    own.and_then(Value::as_object).cloned().unwrap_or_default()
}
