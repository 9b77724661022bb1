//! The objects of a Messages answer: its blocks and its usage.

use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::reply::{Call, End, Reply, SOURCE, SOURCE_TITLE};
use super::super::seal;
use super::super::speech::Usage;
use super::request::MessagesRequest;
use super::thinking::{REDACTED, THINKING};

/// One block: how it begins, and the pieces that follow in a stream.
pub(super) struct Block {
    /// The whole block.
    pub(super) whole: Value,
    /// The block at its beginning.
    pub(super) start: Value,
    /// What follows; the flag says whether it is content that counts.
    pub(super) deltas: Vec<(bool, Value)>,
    /// Whether the beginning itself is content.
    pub(super) speaks: bool,
}

impl Block {
    /// A block that comes all at once.
    fn at_once(whole: Value) -> Self {
        Self { start: whole.clone(), whole, deltas: Vec::new(), speaks: false }
    }
}

/// All blocks of an answer.
pub(super) fn blocks(request: &MessagesRequest, reply: &Reply, dice: &mut Dice) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !reply.thinking.is_empty() {
        blocks.push(thinking(request, reply));
        if reply.redacted {
            let data = seal::token(&request.maker, REDACTED, dice.next());
            blocks.push(Block::at_once(json!({"type": "redacted_thinking", "data": data})));
        }
    }
    if let Some(query) = &reply.search {
        blocks.extend(search(request, query, dice));
    }
    if !reply.text.is_empty() {
        blocks.push(text(request, reply, dice));
    }
    blocks.extend(reply.calls.iter().map(call));
    blocks
}

fn thinking(request: &MessagesRequest, reply: &Reply) -> Block {
    let pieces: &[String] = if request.thinking.omitted { &[] } else { &reply.thinking };
    let thought = pieces.concat();
    let signature = seal::seal(&request.maker, THINKING, &thought);
    let mut deltas: Vec<_> =
        pieces.iter().map(|piece| (true, json!({"type": "thinking_delta", "thinking": piece}))).collect();
    deltas.push((false, json!({"type": "signature_delta", "signature": signature})));
    Block {
        whole: json!({"type": "thinking", "thinking": thought, "signature": signature}),
        start: json!({"type": "thinking", "thinking": "", "signature": ""}),
        deltas,
        speaks: false,
    }
}

fn search(request: &MessagesRequest, query: &str, dice: &mut Dice) -> [Block; 2] {
    let id = dice.id("srvtoolu_", 24);
    let input = json!({"query": query});
    let found = json!([{
        "type": "web_search_result",
        "url": SOURCE,
        "title": SOURCE_TITLE,
        "encrypted_content": seal::token(&request.maker, "web_search", dice.next()),
        "page_age": null,
    }]);
    let used = Block {
        whole: json!({"type": "server_tool_use", "id": id, "name": "web_search", "input": input}),
        start: json!({"type": "server_tool_use", "id": id, "name": "web_search", "input": {}}),
        deltas: vec![(false, json!({"type": "input_json_delta", "partial_json": input.to_string()}))],
        speaks: false,
    };
    let result = json!({"type": "web_search_tool_result", "tool_use_id": id, "content": found});
    [used, Block::at_once(result)]
}

fn text(request: &MessagesRequest, reply: &Reply, dice: &mut Dice) -> Block {
    let words = reply.text.concat();
    let mut deltas: Vec<_> =
        reply.text.iter().map(|piece| (true, json!({"type": "text_delta", "text": piece}))).collect();
    let mut whole = json!({"type": "text", "text": words});
    if reply.cited {
        let citation = citation(request, reply, &words, dice);
        deltas.push((false, json!({"type": "citations_delta", "citation": citation})));
        whole["citations"] = json!([citation]);
    }
    let mut start = json!({"type": "text", "text": ""});
    if reply.cited {
        start["citations"] = json!([]);
    }
    Block { whole, start, deltas, speaks: false }
}

fn citation(request: &MessagesRequest, reply: &Reply, words: &str, dice: &mut Dice) -> Value {
    if reply.search.is_some() {
        return json!({
            "type": "web_search_result_location",
            "url": SOURCE,
            "title": SOURCE_TITLE,
            "encrypted_index": seal::token(&request.maker, "web_search", dice.next()),
            "cited_text": words,
        });
    }
    json!({
        "type": "char_location",
        "cited_text": words,
        "document_index": 0,
        "document_title": SOURCE_TITLE,
        "start_char_index": 0,
        "end_char_index": words.chars().count(),
        "file_id": null,
    })
}

fn call(call: &Call) -> Block {
    let arguments = call.arguments.concat();
    let input: Value = serde_json::from_str(&arguments).unwrap_or_else(|_| json!({}));
    let pieces =
        std::iter::once((false, "")).chain(call.arguments.iter().map(|piece| (true, piece.as_str())));
    Block {
        whole: json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}),
        start: json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}),
        deltas: pieces
            .map(|(content, piece)| (content, json!({"type": "input_json_delta", "partial_json": piece})))
            .collect(),
        speaks: true,
    }
}

/// Why an answer ends, and the stop text that ended it.
pub(super) fn stop(end: &End) -> (&'static str, Option<&str>) {
    match end {
        End::Stop => ("end_turn", None),
        End::StopText(text) => ("stop_sequence", Some(text)),
        End::Length => ("max_tokens", None),
        End::Calls | End::NamedCall => ("tool_use", None),
        End::Refused => ("refusal", None),
    }
}

/// What there is to say on a refusal.
pub(super) fn details(end: &End) -> Option<Value> {
    let category = json!({"type": "refusal", "category": null, "explanation": null});
    Some(category).filter(|_| *end == End::Refused)
}

/// The usage object. The input does not count what the cache took or gave.
pub(super) fn usage(request: &MessagesRequest, usage: Usage, output: u64, searched: bool) -> Value {
    let (short, long) = if request.hour { (0, usage.cache_written) } else { (usage.cache_written, 0) };
    let mut object = json!({
        "input_tokens": usage.input.saturating_sub(usage.cache_read + usage.cache_written),
        "cache_creation_input_tokens": usage.cache_written,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": usage.thinking.min(output)},
        "service_tier": "standard",
    });
    if searched {
        object["server_tool_use"] = json!({"web_search_requests": 1});
    }
    object
}
