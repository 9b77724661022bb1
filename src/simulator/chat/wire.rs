//! The objects of the chat dialect as they stand on the wire, whole and in pieces.

use serde::Serialize;

use super::super::reply::{Call, End, Reply, SOURCE, SOURCE_TITLE};
use super::super::speech;

/// What all objects of one answer share.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// `chatcmpl-…`
    pub(super) id: String,
    /// Unix seconds.
    pub(super) created: u64,
    /// The model, as it was asked for.
    pub(super) model: String,
    /// `fp_…`
    pub(super) fingerprint: String,
}

/// Tokens that were counted.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Usage {
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

impl From<speech::Usage> for Usage {
    fn from(usage: speech::Usage) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.input + usage.output,
            prompt_tokens_details: PromptDetails { cached_tokens: usage.cache_read, audio_tokens: 0 },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.thinking,
                ..CompletionDetails::default()
            },
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
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    refusal: Option<String>,
    annotations: Vec<Annotation>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    called: Called<'a>,
}

/// What is called: a function with JSON, or a tool with free text.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Called<'a> {
    Function(Function<'a>),
    Custom(Custom<'a>),
}

impl<'a> Called<'a> {
    fn new(call: &Call, name: Option<&'a str>, arguments: String) -> Self {
        if call.custom {
            return Self::Custom(Custom { name, input: arguments });
        }
        Self::Function(Function { name, arguments })
    }
}

#[derive(Serialize)]
struct Custom<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: String,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: String,
}

#[derive(Serialize)]
struct Annotation {
    #[serde(rename = "type")]
    kind: &'static str,
    url_citation: UrlCitation,
}

#[derive(Serialize)]
struct UrlCitation {
    start_index: usize,
    end_index: usize,
    title: &'static str,
    url: &'static str,
}

fn annotations(reply: &Reply) -> Vec<Annotation> {
    if !reply.cited || reply.text.is_empty() {
        return Vec::new();
    }
    let end_index = reply.text.iter().map(|piece| piece.chars().count()).sum();
    let url_citation = UrlCitation { start_index: 0, end_index, title: SOURCE_TITLE, url: SOURCE };
    vec![Annotation { kind: "url_citation", url_citation }]
}

const fn call_type(call: &Call) -> &'static str {
    if call.custom { "custom" } else { "function" }
}

const fn finish_reason(end: &End) -> &'static str {
    match end {
        // A call that the client itself named ends as a text does.
        End::Stop | End::StopText(_) | End::NamedCall | End::Refused => "stop",
        End::Length => "length",
        End::Calls => "tool_calls",
    }
}

/// The whole answer, as one `chat.completion`. Without `usage` the field is missing.
pub(super) fn completion(head: &Head, replies: &[Reply], usage: Option<Usage>) -> String {
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
                finish_reason: finish_reason(&reply.end),
            })
            .collect(),
        usage,
        service_tier: "default",
        system_fingerprint: &head.fingerprint,
    })
}

fn message(reply: &Reply) -> Message<'_> {
    let tool_calls = reply.calls.iter().map(|call| ToolCall {
        index: None,
        id: Some(&call.id),
        kind: Some(call_type(call)),
        called: Called::new(call, Some(&call.name), call.arguments.concat()),
    });
    let text = Some(reply.text.concat());
    let (content, refusal) = match reply.end {
        End::Refused => (None, text),
        _ => (text.filter(|_| reply.calls.is_empty()), None),
    };
    Message {
        role: "assistant",
        content,
        reasoning_content: Some(reply.thinking.concat()).filter(|thinking| !thinking.is_empty()),
        tool_calls: tool_calls.collect(),
        refusal,
        annotations: annotations(reply),
    }
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
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
}

/// Writes the chunks of one stream.
pub(super) struct Chunks<'a> {
    head: &'a Head,
    with_usage: bool,
}

impl<'a> Chunks<'a> {
    /// `with_usage` puts `"usage": null` on every chunk but the last, as `include_usage` does.
    pub(super) const fn new(head: &'a Head, with_usage: bool) -> Self {
        Self { head, with_usage }
    }

    /// The first chunk of an answer, which names the role.
    pub(super) fn role(&self, index: usize, reply: &Reply) -> String {
        let content = Some(Some("").filter(|_| reply.calls.is_empty()));
        self.delta(index, Delta { role: Some("assistant"), content, refusal: Some(None), ..Delta::default() })
    }

    /// All content chunks of an answer.
    pub(super) fn contents(&self, index: usize, reply: &Reply) -> Vec<String> {
        let refused = reply.end == End::Refused;
        let thinking = reply
            .thinking
            .iter()
            .map(|piece| self.delta(index, Delta { reasoning_content: Some(piece), ..Delta::default() }));
        let text = reply.text.iter().map(|piece| {
            let piece = Some(Some(piece.as_str()));
            let (content, refusal) = if refused { (None, piece) } else { (piece, None) };
            self.delta(index, Delta { content, refusal, ..Delta::default() })
        });
        let calls = calls_in_turn(&reply.calls);
        let calls = calls
            .into_iter()
            .map(|call| self.delta(index, Delta { tool_calls: Some([call]), ..Delta::default() }));
        thinking.chain(text).chain(calls).collect()
    }

    /// The chunk that names the sources, if there are any.
    pub(super) fn sources(&self, index: usize, reply: &Reply) -> Option<String> {
        let annotations = Some(annotations(reply)).filter(|list| !list.is_empty())?;
        Some(self.delta(index, Delta { annotations, ..Delta::default() }))
    }

    /// The chunk that says why an answer ends.
    pub(super) fn finish(&self, index: usize, reply: &Reply) -> String {
        let finish_reason = Some(finish_reason(&reply.end));
        self.chunk(vec![ChunkChoice { index, delta: Delta::default(), logprobs: None, finish_reason }], None)
    }

    /// The chunk with the usage and no choice.
    pub(super) fn usage(&self, usage: Usage) -> String {
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

/// The calls in pieces, one call after the other: that it begins, then its arguments.
fn calls_in_turn(calls: &[Call]) -> Vec<ToolCall<'_>> {
    let in_pieces = calls.iter().enumerate().flat_map(|(index, call)| {
        let begins = ToolCall {
            index: Some(index),
            id: Some(&call.id),
            kind: Some(call_type(call)),
            called: Called::new(call, Some(&call.name), String::new()),
        };
        let goes_on = call.arguments.iter().map(move |piece| {
            let called = Called::new(call, None, piece.clone());
            ToolCall { index: Some(index), id: None, kind: None, called }
        });
        std::iter::once(begins).chain(goes_on)
    });
    in_pieces.collect()
}

/// None of these types can fail to be written.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
