//! The call of a tool that is being written, under the client's own name for the tool.

use canon::{Delta, Losses, ToolName, names};
use serde_json::{Value, json};

use super::wire::{Place, Wire};

/// A call that is not complete.
#[derive(Debug)]
pub(super) struct Call {
    place: Place,
    id: String,
    tool: ToolName,
    /// Whether the target sends an object around the text that the client's tool takes.
    wrapped: bool,
    input: String,
}

impl Call {
    /// A call without arguments.
    pub(super) fn begin(
        place: Place,
        id: String,
        tool: ToolName,
        wrapped: bool,
        wire: &mut Wire,
        out: &mut Vec<u8>,
    ) -> Self {
        let call = Self { place, id, tool, wrapped, input: String::new() };
        call.place.added(call.item("in_progress"), wire, out);
        call
    }

    fn item(&self, status: &str) -> Value {
        let (kind, input) =
            if self.tool.custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
        let mut item = json!({
            "id": self.place.id,
            "type": kind,
            "status": status,
            "call_id": self.id,
            "name": self.tool.name,
        });
        item[input] = self.input.as_str().into();
        if let Some(namespace) = &self.tool.namespace {
            item["namespace"] = namespace.as_str().into();
        }
        item
    }

    const fn event(&self, delta: bool) -> &'static str {
        match (self.tool.custom, delta) {
            (true, true) => "response.custom_tool_call_input.delta",
            (true, false) => "response.custom_tool_call_input.done",
            (false, true) => "response.function_call_arguments.delta",
            (false, false) => "response.function_call_arguments.done",
        }
    }

    /// Adds to the arguments.
    pub(super) fn add(&mut self, delta: Delta, losses: &mut Losses, wire: &mut Wire, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(more) => {
                if !self.wrapped {
                    self.send(&more, wire, out);
                }
                self.input.push_str(&more);
            }
            Delta::Signature(_) => losses.dropped("thinking.signature"),
            Delta::Citation(_) => losses.dropped("citations"),
            Delta::Logprobs(_) => {}
        }
    }

    fn send(&self, more: &str, wire: &mut Wire, out: &mut Vec<u8>) {
        wire.emit(self.event(true), self.place.fields([("delta", more.into())]), out);
    }

    /// Completes the call.
    pub(super) fn end(mut self, wire: &mut Wire, out: &mut Vec<u8>) -> Value {
        if self.wrapped {
            self.input = unwrapped(std::mem::take(&mut self.input));
            self.send(&self.input, wire, out);
        } else if self.input.is_empty() && !self.tool.custom {
            self.input.push_str("{}");
            self.send("{}", wire, out);
        }
        let input = self.input.as_str().into();
        let fields = if self.tool.custom {
            self.place.fields([("input", input)])
        } else {
            self.place.fields([("name", self.tool.name.as_str().into()), ("arguments", input)])
        };
        wire.emit(self.event(false), fields, out);
        let item = self.item("completed");
        self.place.done(item.clone(), wire, out);
        item
    }
}

/// The text inside the object that a custom tool's input was wrapped into; anything else is the text itself.
fn unwrapped(arguments: String) -> String {
    match serde_json::from_str::<Value>(&arguments) {
        Ok(Value::Object(mut map)) => match map.shift_remove(names::CUSTOM_INPUT) {
            Some(Value::String(input)) => input,
            _ => arguments,
        },
        _ => arguments,
    }
}
