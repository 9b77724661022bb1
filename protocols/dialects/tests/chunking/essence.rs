//! What an answer says, whatever the dialect in which it is said.

use canon::{Answer, Dialect, Kind, Losses, Stop};
use serde_json::Value;

/// The parts of an answer that every dialect has.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Essence {
    text: String,
    thoughts: String,
    /// Names and arguments.
    calls: Vec<(String, Value)>,
    stop: &'static str,
    /// Whether there is a refusal in words, beside which dialects give different reasons for the end.
    refused: bool,
    tokens: Option<(u64, u64)>,
}

impl Essence {
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut essence = Self { stop: why(&answer.stop), ..Self::default() };
        essence.tokens = answer.usage.map(|usage| (usage.input, usage.output));
        for block in &answer.blocks {
            match &block.kind {
                Kind::Text { text, .. } => essence.text.push_str(text),
                Kind::Refusal(text) => {
                    essence.text.push_str(text);
                    essence.refused = true;
                }
                Kind::Thinking(thinking) => essence.thoughts.push_str(&thinking.text),
                Kind::ToolCall(call) => essence.calls.push((call.name.clone(), arguments(call))),
                _ => {}
            }
        }
        essence
    }
}

impl Essence {
    /// What was heard, with the reason that was given beside a refusal in words.
    pub(crate) fn told_beside_refusal(mut self, said: &Self) -> Self {
        if said.refused && matches!(self.stop, "end" | "refusal") {
            (self.stop, self.refused) = (said.stop, true);
        }
        self
    }
}

/// Arguments as a value; free text in the object that stands for it elsewhere.
fn arguments(call: &canon::ToolCall) -> Value {
    let input = || serde_json::json!({canon::names::CUSTOM_INPUT: call.arguments});
    if call.custom {
        return input();
    }
    match call.arguments.as_str() {
        "" => serde_json::json!({}),
        text => serde_json::from_str(text).unwrap_or_else(|_| input()),
    }
}

/// Why it ended, as far as all dialects tell it apart.
fn why(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Pause => "end",
        Stop::MaxTokens | Stop::ContextFull => "length",
        Stop::ToolUse => "tools",
        Stop::Refusal => "refusal",
        Stop::Other(_) => "other",
    }
}

/// What is left of it for a client, as the losses say.
pub(crate) fn translated(mut said: Essence, client: Dialect, losses: &Losses) -> Essence {
    let lost = |name: &str| losses.iter().any(|loss| loss.what == name);
    if lost("thinking") {
        said.thoughts.clear();
    }
    // Messages always counts tokens.
    if client == Dialect::Messages {
        said.tokens.get_or_insert((0, 0));
    }
    said
}
