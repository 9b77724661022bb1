//! The one form in which an answer and what became of it are compared: spelling is evened out, and what no client of a
//! dialect is told.

use canon::{Answer, Block, Dialect, Kind, Signature, Source, Usage};
use serde_json::Value;

/// The form for comparing.
pub(super) fn normalised(mut answer: Answer, to: Dialect) -> Answer {
    answer.id.clear();
    answer.created = answer.created.filter(|_| matches!(to, Dialect::Chat | Dialect::Responses));
    answer.rest = canon::Rest::default();
    // Each vendor adds its own to the token and how probable it was.
    for token in &mut answer.logprobs {
        *token = serde_json::json!({"token": token["token"], "logprob": token["logprob"]});
    }
    let used = answer.usage.unwrap_or_default();
    let Usage { input, output, cached_input, .. } = used;
    answer.usage = Some(Usage { input, output, cached_input, ..Usage::default() });
    let mut blocks = Vec::new();
    for block in std::mem::take(&mut answer.blocks) {
        add(block, &mut blocks);
    }
    if to == Dialect::Chat {
        // Chat has a field for each kind.
        blocks.sort_by_key(place);
    }
    cite(&mut blocks);
    // A text without words is where citations stand that came late.
    blocks.retain(|block| block.as_text() != Some(""));
    answer.blocks = Vec::new();
    blocks.into_iter().for_each(|block| join(block, &mut answer.blocks));
    number(&mut answer.blocks);
    answer
}

fn place(block: &Block) -> u8 {
    match block.kind {
        Kind::Thinking(_) => 0,
        Kind::Text { .. } => 1,
        Kind::Refusal(_) => 2,
        Kind::Image(_) => 3,
        _ => 4,
    }
}

/// Adds a block. A thought that only carries the signature of the call behind it becomes that signature.
fn add(mut block: Block, blocks: &mut Vec<Block>) {
    block.rest = canon::Rest::default();
    block.kind = match block.kind {
        Kind::ToolCall(mut call) => {
            if let Some(signature) =
                blocks.pop_if(|last| carried(last).is_some()).and_then(|last| carried(&last))
            {
                call.signature = Some(signature);
            }
            call.signature = call.signature.map(plain);
            if !call.custom {
                let value: Value = serde_json::from_str(&call.arguments).unwrap();
                call.arguments = value.to_string();
            }
            Kind::ToolCall(call)
        }
        Kind::Thinking(mut thinking) => {
            (thinking.id, thinking.redacted) = (None, false);
            // A carrier waits for its call.
            let carrier = thinking.signature.as_ref().is_some_and(|it| is_carrier(&it.data));
            if !carrier {
                thinking.signature = thinking.signature.map(plain);
            }
            Kind::Thinking(thinking)
        }
        Kind::Opaque { value, .. }
            if value.get("type").is_some_and(|kind| kind == "image_generation_call") =>
        {
            picture(value["result"].as_str().unwrap().to_owned())
        }
        Kind::Image(media) => match media.source {
            Source::Base64(data) => picture(data),
            source => Kind::Image(canon::Media { source, ..media }),
        },
        other => other,
    };
    blocks.push(block);
}

fn picture(data: String) -> Kind {
    Kind::Image(canon::Media { mime: None, source: Source::Base64(data), name: None, detail: None })
}

fn is_carrier(data: &str) -> bool {
    let read = Signature::read(data);
    read.maker.is_some() && read.data.starts_with("call.")
}

fn carried(block: &Block) -> Option<Signature> {
    let Kind::Thinking(thinking) = &block.kind else { return None };
    let signature = thinking.signature.as_ref().filter(|it| is_carrier(&it.data))?;
    let read = Signature::read(&signature.data);
    let data = read.data.strip_prefix("call.")?.to_owned();
    Some(Signature { data: Signature { data, maker: read.maker }.written(), maker: None })
}

/// A signature as its text says it. Gemini's are base64 as a whole: a request of a client of Gemini is what reads them.
fn plain(signature: Signature) -> Signature {
    if !signature.data.starts_with("dHJpdml1bS") {
        return signature;
    }
    let part = serde_json::json!({"text": "x", "thought": true, "thoughtSignature": signature.data});
    let body = serde_json::json!({"contents": [{"role": "model", "parts": [part]}]});
    let turn = dialects::decode(Dialect::Gemini, body.to_string().as_bytes()).unwrap();
    match &turn.messages[0].blocks[0].kind {
        Kind::Thinking(thinking) => {
            Signature { data: thinking.signature.as_ref().unwrap().written(), maker: None }
        }
        _ => signature,
    }
}

/// All citations at the first text, each address once: that is what dialects share.
fn cite(blocks: &mut [Block]) {
    let mut all = Vec::new();
    for block in blocks.iter_mut() {
        if let Kind::Text { citations, .. } = &mut block.kind {
            all.append(citations);
        }
    }
    for citation in &mut all {
        citation.rest = canon::Rest::default();
        (citation.title, citation.quote, citation.span) = (None, None, None);
    }
    all.sort_by(|one, other| one.url.cmp(&other.url));
    all.dedup();
    let first = blocks.iter_mut().find_map(|block| match &mut block.kind {
        Kind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(first) = first {
        *first = all;
    }
}

/// Adds a block, to the one before it where it goes on: where one text or thought ends and the next begins is told by
/// some dialects only.
fn join(block: Block, blocks: &mut Vec<Block>) {
    match (blocks.last_mut().map(|last| &mut last.kind), block.kind) {
        (Some(Kind::Text { text, citations }), Kind::Text { text: more, citations: others }) => {
            text.push_str(&more);
            citations.extend(others);
        }
        (Some(Kind::Refusal(text)), Kind::Refusal(more)) => text.push_str(&more),
        (Some(Kind::Thinking(last)), Kind::Thinking(more)) => {
            last.text.push_str(&more.text);
            let signatures = [last.signature.take(), more.signature];
            let data: Vec<String> = signatures.into_iter().flatten().map(|it| it.data).collect();
            last.signature = (!data.is_empty()).then(|| Signature { data: data.join(" "), maker: None });
        }
        (_, kind) => blocks.push(Block { kind, cache: None, rest: canon::Rest::default() }),
    }
}

/// Calls by their order.
fn number(blocks: &mut [Block]) {
    for (at, block) in blocks.iter_mut().enumerate() {
        if let Kind::ToolCall(call) = &mut block.kind {
            assert!(!call.id.is_empty(), "every call has an id");
            call.id = format!("#{at}");
        }
    }
}
