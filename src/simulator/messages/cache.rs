//! Cache marks: how many there are, and what stands before each.

use serde_json::{Map, Value};

use super::super::ask::{Ask, CacheMark};
use super::super::dice::Dice;
use super::super::problem::Problem;

/// The most marks of one request.
const MOST: usize = 4;

/// The marks of a request, and whether the last asks for an hour.
pub(super) fn read(body: &Map<String, Value>, ask: &Ask) -> Result<(Vec<CacheMark>, bool), Problem> {
    let mut walk = Walk { hash: 0, tokens: 3, most: ask.prompt_tokens(), hour: false, marks: Vec::new() };
    let list = |name| body.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for tool in list("tools") {
        walk.block(tool, tool.get("input_schema").map_or(0, |schema| schema.to_string().len()));
    }
    match body.get("system") {
        Some(Value::Array(blocks)) => walk.message(blocks),
        Some(Value::String(words)) => walk.pass(&Value::Null, words.len() + 16),
        _ => {}
    }
    for message in list("messages") {
        match message.get("content") {
            Some(Value::Array(blocks)) => walk.message(blocks),
            Some(content) => walk.pass(content, content.as_str().map_or(0, str::len) + 16),
            None => {}
        }
    }
    // A mark on the request itself stands at its end.
    if body.get("cache_control").is_some_and(Value::is_object) {
        walk.mark(&body["cache_control"]);
    }
    if walk.marks.len() > MOST {
        return Err(Problem::invalid(format!(
            "A maximum of {MOST} blocks with cache_control may be provided. Found {}.",
            walk.marks.len()
        )));
    }
    Ok((walk.marks, walk.hour))
}

/// Goes through a prompt in the order in which it is cached.
struct Walk {
    hash: u64,
    tokens: u64,
    most: u64,
    hour: bool,
    marks: Vec<CacheMark>,
}

impl Walk {
    fn message(&mut self, blocks: &[Value]) {
        self.tokens += 4;
        for block in blocks {
            let words = block.get("text").or_else(|| block.get("content")).and_then(Value::as_str);
            let inner = block.get("content").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let inside: usize = inner.iter().filter_map(|block| block["text"].as_str()).map(str::len).sum();
            for marked in inner.iter().filter(|block| block["cache_control"].is_object()) {
                self.pass(marked, 0);
                self.mark(&marked["cache_control"]);
            }
            self.block(block, words.map_or(0, str::len) + inside);
        }
    }

    fn block(&mut self, block: &Value, bytes: usize) {
        self.pass(block, bytes);
        if block.get("cache_control").is_some_and(Value::is_object) {
            self.mark(&block["cache_control"]);
        }
    }

    /// Goes past something; marks move from turn to turn and are no part of what is cached.
    fn pass(&mut self, block: &Value, bytes: usize) {
        let mut bare = block.clone();
        if let Value::Object(map) = &mut bare {
            map.shift_remove("cache_control");
            let inner = map.get_mut("content").and_then(Value::as_array_mut);
            for block in inner.into_iter().flatten().filter_map(Value::as_object_mut) {
                block.shift_remove("cache_control");
            }
        }
        self.hash = Dice::new(self.hash, &[bare.to_string().as_bytes()]).next();
        self.tokens += bytes as u64 / 4;
    }

    fn mark(&mut self, mark: &Value) {
        self.hour = mark["ttl"] == "1h";
        self.marks.push(CacheMark { tokens: self.tokens.min(self.most), hash: self.hash });
    }
}
