//! A `chat.completion.chunk` as clients get it: borrowed, and serialised at once.

use serde::Serialize;
use serde_json::Value;

use crate::usage;

#[derive(Serialize)]
pub(super) struct Chunk<'a, D> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: &'a [Choice<'a, D>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<usage::Written>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a, D> {
    pub(super) index: u32,
    pub(super) delta: D,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<Logprobs>,
    pub(super) finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Logprobs {
    pub(super) content: Vec<Value>,
    pub(super) refusal: Option<()>,
}

/// The first delta.
#[derive(Serialize)]
pub(super) struct Begin {
    pub(super) role: &'static str,
    pub(super) content: &'static str,
}

#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) content: &'a str,
}

#[derive(Serialize)]
pub(super) struct Reasoning<'a> {
    pub(super) reasoning_content: &'a str,
}

#[derive(Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) refusal: &'a str,
}

#[derive(Serialize)]
pub(super) struct Calls<C> {
    pub(super) tool_calls: [C; 1],
}

#[derive(Serialize)]
pub(super) struct Arguments<'a> {
    pub(super) index: u32,
    pub(super) function: ArgumentsText<'a>,
}

#[derive(Serialize)]
pub(super) struct ArgumentsText<'a> {
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct Input<'a> {
    pub(super) index: u32,
    pub(super) custom: InputText<'a>,
}

#[derive(Serialize)]
pub(super) struct InputText<'a> {
    pub(super) input: &'a str,
}
