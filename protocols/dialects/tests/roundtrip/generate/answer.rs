//! Answers, and streams of them: cut into any pieces, with calls side by side.

use std::collections::{HashMap, VecDeque};

use canon::{
    Answer, Asked, Block, Citation, Delta, Dialect, Event, Kind, Media, Opening, Signature, Source, Stop,
    Thinking, ToolCall, ToolName, Usage,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::json;

use super::blocks::text;

/// What was asked: a plain tool, one in a namespace, and one that takes free text.
pub(crate) fn asked() -> Asked {
    let tool = |name: &str, namespace: Option<&str>, custom| ToolName {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        custom,
    };
    let tools = HashMap::from([
        ("search".to_owned(), tool("search", None, false)),
        ("mcp__look_up".to_owned(), tool("look_up", Some("mcp"), false)),
        ("patch".to_owned(), tool("patch", None, true)),
    ]);
    Asked {
        id: "req_1".to_owned(),
        now: 1_700_000_000,
        model: "m-1".to_owned(),
        include_usage: true,
        tools,
        ..Asked::default()
    }
}

/// Any answer of a provider, as the fold of its stream gives it, with the maker's name on its signatures.
pub(crate) fn answer() -> BoxedStrategy<Answer> {
    let usage = (0_u64..1000, 0_u64..1000, 0_u64..100).prop_map(|(input, output, cached)| Usage {
        input: input + cached,
        output,
        cached_input: cached,
        ..Usage::default()
    });
    let stop = prop_oneof![
        4 => Just(Stop::End),
        1 => Just(Stop::MaxTokens),
        1 => Just(Stop::Sequence),
        1 => Just(Stop::Refusal),
        1 => Just(Stop::Pause),
        1 => Just(Stop::ContextFull),
        1 => Just(Stop::Other("odd_reason".to_owned()))
    ];
    let said = vec(prop_oneof![5 => spoken(), 3 => thought(), 1 => picture(), 1 => opaque()], 0..5);
    let last = (weighted(0.1, text()), vec(call(), 0..4));
    (said, last, stop, weighted(0.9, usage), prop::bool::weighted(0.2))
        .prop_map(|(mut blocks, (refusal, calls), stop, usage, probable)| {
            blocks.extend(refusal.map(|text| Block::new(Kind::Refusal(text))));
            let called = !calls.is_empty();
            for (number, mut block) in calls.into_iter().enumerate() {
                if let Kind::ToolCall(call) = &mut block.kind {
                    call.id = format!("call_{number}");
                }
                blocks.push(block);
            }
            let stop = if called && stop == Stop::End { Stop::ToolUse } else { stop };
            let speaks = blocks.iter().any(|block| block.as_text().is_some());
            let logprobs = if speaks && probable { vec![probability()] } else { Vec::new() };
            let stop_sequence = (stop == Stop::Sequence).then(|| "END".to_owned());
            Answer {
                id: "answer-1".to_owned(),
                model: "m-1-2026".to_owned(),
                created: Some(1_700_000_001),
                blocks,
                stop,
                stop_sequence,
                usage,
                logprobs,
                ..Answer::default()
            }
        })
        .boxed()
}

/// How probable a token was, as chat writes it.
fn probability() -> serde_json::Value {
    json!({"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []})
}

fn signature() -> BoxedStrategy<Option<Signature>> {
    let maker = prop_oneof![Just("m".to_owned()), Just("other-1".to_owned())];
    weighted(0.6, maker.prop_map(|maker| Signature { data: "c2lnbmVk".to_owned(), maker: Some(maker) }))
        .boxed()
}

fn spoken() -> BoxedStrategy<Block> {
    let page =
        (weighted(0.8, Just("t".to_owned())), weighted(0.3, Just("q".to_owned())), weighted(0.9, 1_u8..3));
    let citation = page.prop_map(|(title, quote, url)| Citation {
        url: url.map(|number| format!("https://example.org/{number}")),
        title,
        quote,
        span: Some((0, 1)),
        rest: canon::Rest::default(),
    });
    let cited = weighted(0.2, vec(citation, 1..3)).prop_map(Option::unwrap_or_default);
    (text(), cited).prop_map(|(text, citations)| Block::new(Kind::Text { text, citations })).boxed()
}

fn thought() -> BoxedStrategy<Block> {
    (text(), signature(), prop::bool::weighted(0.2))
        .prop_map(|(text, signature, redacted)| {
            let redacted = redacted && signature.is_some();
            let text = if redacted { String::new() } else { text };
            Block::new(Kind::Thinking(Thinking { text, signature, redacted, id: None }))
        })
        .boxed()
}

fn picture() -> BoxedStrategy<Block> {
    let media = Media {
        mime: Some("image/png".to_owned()),
        source: Source::Base64("iVBORw0KGgo=".to_owned()),
        name: None,
        detail: None,
    };
    Just(Block::new(Kind::Image(media))).boxed()
}

fn opaque() -> BoxedStrategy<Block> {
    prop_oneof![
        Just((Dialect::Responses, json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}))),
        Just((
            Dialect::Messages,
            json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}})
        )),
        Just((Dialect::Gemini, json!({"executableCode": {"language": "PYTHON", "code": "1"}}))),
    ]
    .prop_map(|(dialect, value)| Block::new(Kind::Opaque { dialect, value }))
    .boxed()
}

fn call() -> BoxedStrategy<Block> {
    let object = text().prop_map(|text| json!({"q": text}).to_string());
    let function = (
        prop_oneof![Just("search"), Just("mcp__look_up")],
        prop_oneof![4 => object, 1 => Just("{}".to_owned())],
    )
        .prop_map(|(name, arguments)| (name, arguments, false));
    let wrapped = text().prop_map(|text| ("patch", json!({"input": text}).to_string(), false));
    let free = text().prop_map(|text| ("patch", text, true));
    (prop_oneof![6 => function, 1 => wrapped, 1 => free], signature())
        .prop_map(|((name, arguments, custom), signature)| {
            Block::new(Kind::ToolCall(ToolCall {
                id: String::new(),
                name: name.to_owned(),
                namespace: None,
                signature: signature.filter(|_| !custom),
                arguments,
                custom,
            }))
        })
        .boxed()
}

/// How a stream is cut.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// How many characters each piece has, over and over.
    pieces: Vec<usize>,
    /// Whose turn it is among calls that are side by side.
    turns: Vec<usize>,
    /// How long the packets are.
    pub(crate) packets: Vec<usize>,
}

impl Cut {
    /// Any way of cutting.
    pub(crate) fn any() -> BoxedStrategy<Self> {
        (vec(1_usize..9, 1..6), vec(0_usize..5, 1..12), vec(1_usize..200, 1..8))
            .prop_map(|(pieces, turns, packets)| Self { pieces, turns, packets })
            .boxed()
    }
}

/// The events of an answer, cut and shuffled as providers do.
pub(crate) fn events_of(answer: Answer, cut: &Cut) -> Vec<Event> {
    // Who signs calls gives them as a whole.
    let signed: Vec<u32> =
        (0..).zip(&answer.blocks).filter(|(_, block)| is_signed(block)).map(|(at, _)| at).collect();
    let mut sizes = cut.pieces.iter().copied().cycle();
    let mut turns = cut.turns.iter().copied().cycle();
    let mut out = Vec::new();
    let mut row: Vec<VecDeque<Event>> = Vec::new();
    let mut block: VecDeque<Event> = VecDeque::new();
    for event in answer.into_events() {
        match event {
            Event::Open { .. } => {
                let is_call = matches!(event, Event::Open { block: Opening::ToolCall { .. }, .. });
                if !is_call {
                    riffle(&mut row, &mut turns, &mut out);
                }
                block.push_back(event);
            }
            Event::Delta { index, delta: Delta::Text(text) } if !signed.contains(&index) => {
                let pieces = pieces(&text, &mut sizes);
                block.extend(
                    pieces.into_iter().map(|piece| Event::Delta { index, delta: Delta::Text(piece) }),
                );
            }
            Event::Delta { .. } => block.push_back(event),
            Event::Close { .. } => {
                block.push_back(event);
                row.push(std::mem::take(&mut block));
            }
            other => {
                riffle(&mut row, &mut turns, &mut out);
                out.push(other);
            }
        }
    }
    out
}

fn is_signed(block: &Block) -> bool {
    matches!(&block.kind, Kind::ToolCall(call) if call.signature.is_some())
}

fn pieces(text: &str, sizes: &mut impl Iterator<Item = usize>) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut letters = text.chars().peekable();
    while letters.peek().is_some() {
        pieces.push(letters.by_ref().take(sizes.next().unwrap_or(1)).collect());
    }
    pieces
}

/// Lets blocks that are side by side speak by turns. Each opens after the one before it.
fn riffle(row: &mut Vec<VecDeque<Event>>, turns: &mut impl Iterator<Item = usize>, out: &mut Vec<Event>) {
    let mut opened = 0;
    while row.iter().any(|block| !block.is_empty()) {
        let at = turns.next().unwrap_or(0) % (opened + 1).min(row.len());
        let at =
            if row[at].is_empty() { row.iter().position(|block| !block.is_empty()).unwrap_or(0) } else { at };
        opened = opened.max(at + 1);
        out.extend(row[at].pop_front());
    }
    row.clear();
}
