//! What makes two requests the same: everything that could change the answer. The whole body, whatever its fields mean
//! and in whatever order they stand; who asks; what the name means now. And which requests are never the same as another,
//! because answering them does something beside the answer, or depends on what was before.

use std::collections::BTreeMap;

use canon::Dialect;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::engine::{
    caller::Caller,
    pipeline::Inbound,
    plan::{Group, Node},
    ports::Task,
    settings::Shaping,
};

/// The hash of a request.
pub(in crate::engine) type Key = [u8; 32];

/// The key of a request that `candidates` may serve; `None` where no answer to it may be given twice.
pub(super) fn of(inbound: &Inbound, candidates: &Group, shaping: Option<&Shaping>) -> Option<Key> {
    let request = &inbound.request;
    let task = match request.task {
        Task::Generate => "generate",
        Task::Complete => "complete",
        Task::Embed => "embed",
        Task::CountTokens | Task::Compact | Task::Kept { .. } => return None,
    };
    if inbound.pin.is_some() || request.searches || request.keeps || request.facts.continues.is_some() {
        return None;
    }
    let body: Map<String, Value> = serde_json::from_slice(&request.body).ok()?;
    if request.task == Task::Generate && !stands_alone(request.dialect, &body) {
        return None;
    }
    let mut hash = Hash(Sha256::new());
    let Caller { id, .. } = &inbound.caller;
    for part in [id, request.dialect.as_str(), task, &request.facts.model, inbound.tag.unwrap_or_default()] {
        hash.part(part.as_bytes());
    }
    // What a key may use may have changed since.
    hash.part(&inbound.caller.policy.as_ref().map_or(0, |policy| policy.version).to_be_bytes());
    hash.part(&[u8::from(request.facts.stream)]);
    // By now it is said how the answer comes, wherever the client wrote it.
    hash.object(body.iter().filter(|(name, _)| *name != "stream"));
    let mut headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    headers.sort_by_key(|(name, _)| *name);
    for (name, value) in headers {
        hash.part(name.as_bytes());
        hash.part(value.as_bytes());
    }
    hash.targets(candidates);
    if let Some(wishes) = &inbound.wishes {
        hash.part(format!("{wishes:?}").as_bytes());
    }
    if let Some(shaping) = shaping {
        hash.part(format!("{shaping:?}").as_bytes());
    }
    Some(hash.0.finalize().into())
}

/// Whether the answer is all that comes of the request, and the request all that the answer depends on.
fn stands_alone(dialect: Dialect, body: &Map<String, Value>) -> bool {
    let says = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    let tools = body.get("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match dialect {
        Dialect::Chat => {
            !says("web_search_options")
                && body.get("store") != Some(&Value::Bool(true))
                && tools.iter().all(|tool| kind_is(tool, &["function", "custom"]))
        }
        // Kept by the provider unless the client says otherwise: an id that is given twice would be one response.
        Dialect::Responses => {
            body.get("store") == Some(&Value::Bool(false))
                && !["conversation", "prompt", "background"].iter().any(|name| says(name))
                && tools.iter().all(|tool| kind_is(tool, &["function", "custom"]))
        }
        Dialect::Messages => {
            !["mcp_servers", "container", "thread"].iter().any(|name| says(name))
                && tools.iter().all(|tool| tool.get("type").is_none() || kind_is(tool, &["custom"]))
        }
        Dialect::Gemini => {
            let functions =
                |name: &String| ["functionDeclarations", "function_declarations"].contains(&&**name);
            let only_functions =
                |tool: &Value| tool.as_object().is_some_and(|tool| tool.keys().all(functions));
            !says("cachedContent") && !says("cached_content") && tools.iter().all(only_functions)
        }
    }
}

fn kind_is(tool: &Value, kinds: &[&str]) -> bool {
    tool.get("type").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind))
}

/// Every part is preceded by its kind or length, so that no two values run together.
struct Hash(Sha256);

impl Hash {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// An object's fields in the order of their names.
    fn object<'a>(&mut self, fields: impl Iterator<Item = (&'a String, &'a Value)>) {
        let sorted: BTreeMap<&String, &Value> = fields.collect();
        self.0.update(b"{");
        self.0.update((sorted.len() as u64).to_be_bytes());
        for (name, value) in sorted {
            self.part(name.as_bytes());
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => self.object(fields.iter()),
            Value::Array(items) => {
                self.0.update(b"[");
                self.0.update((items.len() as u64).to_be_bytes());
                items.iter().for_each(|item| self.value(item));
            }
            Value::String(text) => {
                self.0.update(b"s");
                self.part(text.as_bytes());
            }
            Value::Number(number) => {
                self.0.update(b"n");
                self.part(number.to_string().as_bytes());
            }
            Value::Bool(truth) => self.0.update(if *truth { b"t" } else { b"f" }),
            Value::Null => self.0.update(b"0"),
        }
    }

    /// Where the request may go: after a change of that, answers of before are not given any more.
    fn targets(&mut self, group: &Group) {
        for member in &group.members {
            match &member.node {
                Node::Target(target) => {
                    self.part(target.connection.id.as_bytes());
                    self.part(&target.connection.fingerprint.to_be_bytes());
                    self.part(target.model.as_bytes());
                    self.part(target.dialect.as_str().as_bytes());
                }
                Node::Group(inner) => self.targets(inner),
            }
        }
    }
}
