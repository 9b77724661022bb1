//! The objects of the chat dialect as they stand on the wire, whole and in pieces.

use serde::Serialize;

use super::reply::{Reply, Said};

/// What all objects of one answer share.
#[derive(Clone, Debug)]
pub(in super::super) struct Head {
    /// `chatcmpl-…`
    pub(in super::super) id: String,
    /// Unix seconds.
    pub(in super::super) created: u64,
    /// The model, as it was asked for.
    pub(in super::super) model: String,
    /// `fp_…`
    pub(in super::super) fingerprint: String,
}

/// Tokens that were counted.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in super::super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl Usage {
    /// The usage of these answers to a prompt.
    pub(in super::super) fn of(prompt_tokens: u64, replies: &[Reply]) -> Self {
        let completion_tokens = replies.iter().map(|reply| reply.tokens).sum();
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptDetails::default(),
            completion_tokens_details: CompletionDetails::default(),
        }
    }
}

/// A field that is there and null.
type Null = Option<()>;

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    service_tier: &'static str,
    system_fingerprint: &'a str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Null,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Call<'a>; 1]>,
    refusal: Null,
    annotations: [(); 0],
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: String,
}

/// The whole answer, as one `chat.completion`. Without `usage` the field is missing.
pub(in super::super) fn completion(head: &Head, replies: &[Reply], usage: Option<Usage>) -> String {
    let choices = replies.iter().enumerate();
    json(&Completion {
        id: &head.id,
        object: "chat.completion",
        created: head.created,
        model: &head.model,
        choices: choices
            .map(|(index, reply)| Choice {
                index,
                message: message(reply),
                logprobs: None,
                finish_reason: reply.finish,
            })
            .collect(),
        usage,
        service_tier: "default",
        system_fingerprint: &head.fingerprint,
    })
}

fn message(reply: &Reply) -> Message<'_> {
    let (content, tool_calls) = match &reply.said {
        Said::Text(pieces) => (Some(pieces.concat()), None),
        Said::Call { id, name, arguments } => {
            let function = Function { name: Some(name), arguments: arguments.concat() };
            (None, Some([Call { index: None, id: Some(id), kind: Some("function"), function }]))
        }
    };
    Message { role: "assistant", content, tool_calls, refusal: None, annotations: [] }
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'a str,
    choices: Vec<ChunkChoice<'a>>,
    /// The outer option says whether the field is there, the inner one whether it is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: Null,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// As with `usage` above: there is a difference between no content and null.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Call<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Null>,
}

/// Writes the chunks of one stream.
pub(in super::super) struct Chunks<'a> {
    head: &'a Head,
    with_usage: bool,
}

impl<'a> Chunks<'a> {
    /// `with_usage` puts `"usage": null` on every chunk but the last, as `include_usage` does.
    pub(in super::super) const fn new(head: &'a Head, with_usage: bool) -> Self {
        Self { head, with_usage }
    }

    /// The first chunk of an answer, which names the role.
    pub(in super::super) fn role(&self, index: usize, reply: &Reply) -> String {
        let content = match reply.said {
            Said::Text(_) => Some(Some("")),
            Said::Call { .. } => Some(None),
        };
        self.delta(index, Delta { role: Some("assistant"), content, refusal: Some(None), ..Delta::default() })
    }

    /// All content chunks of an answer.
    pub(in super::super) fn contents(&self, index: usize, reply: &Reply) -> Vec<String> {
        match &reply.said {
            Said::Text(pieces) => pieces
                .iter()
                .map(|piece| self.delta(index, Delta { content: Some(Some(piece)), ..Delta::default() }))
                .collect(),
            Said::Call { id, name, arguments } => {
                let function = Function { name: Some(name), arguments: String::new() };
                let first = Call { index: Some(0), id: Some(id), kind: Some("function"), function };
                let pieces = arguments.iter().map(|piece| Call {
                    index: Some(0),
                    id: None,
                    kind: None,
                    function: Function { name: None, arguments: piece.clone() },
                });
                std::iter::once(first)
                    .chain(pieces)
                    .map(|call| self.delta(index, Delta { tool_calls: Some([call]), ..Delta::default() }))
                    .collect()
            }
        }
    }

    /// The chunk that says why an answer ends.
    pub(in super::super) fn finish(&self, index: usize, reply: &Reply) -> String {
        let finish_reason = Some(reply.finish);
        self.chunk(vec![ChunkChoice { index, delta: Delta::default(), logprobs: None, finish_reason }], None)
    }

    /// The chunk with the usage and no choice.
    pub(in super::super) fn usage(&self, usage: Usage) -> String {
        self.chunk(Vec::new(), Some(usage))
    }

    fn delta(&self, index: usize, delta: Delta<'_>) -> String {
        self.chunk(vec![ChunkChoice { index, delta, logprobs: None, finish_reason: None }], None)
    }

    fn chunk(&self, choices: Vec<ChunkChoice<'_>>, usage: Option<Usage>) -> String {
        json(&Chunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: &self.head.model,
            service_tier: "default",
            system_fingerprint: &self.head.fingerprint,
            choices,
            usage: self.with_usage.then_some(usage),
        })
    }
}

/// None of these types can fail to be written.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
