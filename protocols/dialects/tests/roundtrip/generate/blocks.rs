//! Blocks: text, media, thoughts, calls, results, and what only one dialect has.

use canon::{Block, Citation, Dialect, Kind, Media, Rest, Signature, Source, Thinking, ToolCall, ToolResult};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A value, at times: never where the probability is 0.
pub(super) fn maybe<S: Strategy + 'static>(chance: f64, value: S) -> BoxedStrategy<Option<S::Value>>
where
    S::Value: Clone,
{
    if chance > 0.0 { weighted(chance, value).boxed() } else { Just(None).boxed() }
}

/// Any text that is not empty.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-zA-Z ,.]{0,15}[a-z]",
        2 => "\\PC{1,10}",
        1 => Just("one\n\ntwo\r\n".to_owned()),
        1 => Just("  🦀 wide \u{2028} ".to_owned()),
        1 => Just("{\"n\": 1, \"s\": \"x\"}".to_owned()),
    ]
    .boxed()
}

/// How the ids of a conversation look.
pub(super) fn style() -> BoxedStrategy<u8> {
    (0_u8..4).boxed()
}

/// The id of a call. `ids` says whether there are any where that is open.
pub(super) fn id(dialect: Dialect, style: u8, ids: bool, number: usize) -> String {
    match (dialect, style) {
        (Dialect::Gemini, _) if !ids => String::new(),
        (Dialect::Gemini, _) => format!("fc-{number}"),
        (Dialect::Messages, _) => format!("toolu_{number:08}"),
        (_, 0) => format!("call_{number}"),
        (_, 1) => format!("functions.search:{number}"),
        (Dialect::Chat, 2) => format!("call_{}_{number}", "long".repeat(20)),
        _ => format!("call_{}{number:04}", "x".repeat(55)),
    }
}

/// Unknown fields.
pub(super) fn extra(dialect: Dialect, name: &'static str) -> BoxedStrategy<Rest> {
    let fields = json!({ name: {"deep": [1, null]} }).as_object().cloned().unwrap_or_default();
    weighted(0.1, Just(Rest::new(dialect, fields))).prop_map(Option::unwrap_or_default).boxed()
}

fn mark(dialect: Dialect) -> BoxedStrategy<Option<Value>> {
    match dialect {
        Dialect::Chat | Dialect::Messages => weighted(
            0.15,
            prop_oneof![Just(json!({"type": "ephemeral"})), Just(json!({"type": "ephemeral", "ttl": "1h"}))],
        )
        .boxed(),
        Dialect::Responses | Dialect::Gemini => Just(None).boxed(),
    }
}

/// A text, with all that may hang on one.
pub(super) fn marked_text(dialect: Dialect) -> BoxedStrategy<Block> {
    // The system prompt of Gemini has no unknown fields that would survive without their spelling.
    (text(), mark(dialect), extra(dialect, "x_text"))
        .prop_map(|(text, cache, rest)| Block { cache, rest, ..Block::text(text) })
        .boxed()
}

fn base64() -> BoxedStrategy<String> {
    prop_oneof![Just("aGVsbG8=".to_owned()), Just("iVBORw0KGgo=".to_owned()), "[A-Za-z0-9]{8}"].boxed()
}

fn bytes(mime: &'static str) -> BoxedStrategy<(Option<String>, Source)> {
    base64().prop_map(move |data| (Some(mime.to_owned()), Source::Base64(data))).boxed()
}

fn address(url: &'static str, mime: Option<&'static str>) -> BoxedStrategy<(Option<String>, Source)> {
    Just((mime.map(str::to_owned), Source::Url(url.to_owned()))).boxed()
}

fn uploaded(dialect: Dialect, id: &'static str) -> BoxedStrategy<(Option<String>, Source)> {
    let mime = (dialect == Dialect::Gemini).then(|| "image/png".to_owned());
    Just((mime, Source::Uploaded { dialect, id: id.to_owned() })).boxed()
}

type Found = BoxedStrategy<(Option<String>, Source)>;

/// The places at which pictures and files of a dialect are found.
fn image(dialect: Dialect) -> Found {
    let png = "https://example.org/a.png";
    match dialect {
        Dialect::Chat => {
            prop_oneof![bytes("image/png"), address(png, None), address("https://example.org/a", None)]
                .boxed()
        }
        Dialect::Responses => {
            prop_oneof![bytes("image/webp"), address(png, None), uploaded(dialect, "file-1")].boxed()
        }
        Dialect::Messages => {
            prop_oneof![bytes("image/jpeg"), address(png, None), uploaded(dialect, "file_1")].boxed()
        }
        Dialect::Gemini => prop_oneof![
            bytes("image/png"),
            address(png, Some("image/png")),
            uploaded(dialect, "https://generativelanguage.googleapis.com/v1beta/files/abc")
        ]
        .boxed(),
    }
}

fn file(dialect: Dialect) -> Found {
    let pdf = "https://example.org/a.pdf";
    match dialect {
        Dialect::Chat => {
            prop_oneof![bytes("application/pdf"), bytes("text/csv"), uploaded(dialect, "file-2")].boxed()
        }
        Dialect::Responses => prop_oneof![
            bytes("application/pdf"),
            bytes("text/markdown"),
            address(pdf, None),
            uploaded(dialect, "file-3")
        ]
        .boxed(),
        Dialect::Messages => prop_oneof![
            bytes("application/pdf"),
            address(pdf, None),
            address("https://example.org/paper", None),
            uploaded(dialect, "file_4"),
            text().prop_map(|text| (Some("text/plain".to_owned()), Source::Text(text)))
        ]
        .boxed(),
        Dialect::Gemini => {
            prop_oneof![bytes("application/pdf"), address(pdf, Some("application/pdf")), bytes("text/html")]
                .boxed()
        }
    }
}

/// A medium in what the user says.
fn media(dialect: Dialect) -> BoxedStrategy<Block> {
    let detailed = match dialect {
        Dialect::Chat | Dialect::Responses => weighted(0.3, Just("low".to_owned())).boxed(),
        Dialect::Messages | Dialect::Gemini => Just(None).boxed(),
    };
    let named = if dialect == Dialect::Gemini { 0.1 } else { 0.6 };
    let image = (image(dialect), detailed)
        .prop_map(|((mime, source), detail)| Kind::Image(Media { mime, source, name: None, detail }));
    let close = maybe(if dialect == Dialect::Responses { 0.2 } else { 0.0 }, Just("high".to_owned()));
    let file = (file(dialect), weighted(named, Just("report.pdf".to_owned())), close)
        .prop_map(|((mime, source), name, detail)| Kind::File(Media { mime, source, name, detail }));
    let plain = |(mime, source)| Media { mime, source, name: None, detail: None };
    let audio =
        prop_oneof![bytes("audio/wav"), bytes("audio/mpeg")].prop_map(move |it| Kind::Audio(plain(it)));
    let film = address("https://example.org/a.mp4", (dialect == Dialect::Gemini).then_some("video/mp4"));
    let video = film.prop_map(move |it| Kind::Video(plain(it)));
    let kind = match dialect {
        Dialect::Messages => prop_oneof![image, file].boxed(),
        Dialect::Responses => prop_oneof![2 => image, 2 => file, 1 => audio].boxed(),
        Dialect::Chat | Dialect::Gemini => prop_oneof![2 => image, 2 => file, 1 => audio, 1 => video].boxed(),
    };
    (kind, mark(dialect)).prop_map(|(kind, cache)| Block { cache, ..Block::new(kind) }).boxed()
}

fn opaque(dialect: Dialect, user: bool) -> BoxedStrategy<Block> {
    let value = match (dialect, user) {
        (Dialect::Chat, _) => json!({"type": "x_part", "data": "x"}),
        (Dialect::Responses, true) => json!({"type": "input_x", "data": "x"}),
        (Dialect::Responses, false) => {
            json!({"type": "web_search_call", "id": "ws_1", "status": "completed"})
        }
        (Dialect::Messages, true) => {
            json!({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]})
        }
        (Dialect::Messages, false) => {
            json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}})
        }
        (Dialect::Gemini, _) => json!({"executableCode": {"language": "PYTHON", "code": "1"}}),
    };
    let mut block = Block::new(Kind::Opaque { dialect, value });
    if dialect == Dialect::Responses && user {
        block.rest.hint(dialect, "$part", true);
    }
    Just(block).boxed()
}

/// What a user says.
pub(super) fn user_blocks(dialect: Dialect) -> BoxedStrategy<Vec<Block>> {
    let block = prop_oneof![6 => marked_text(dialect), 3 => media(dialect), 1 => opaque(dialect, true)];
    vec(block, 1..4).boxed()
}

/// A signature as it stands on the wire: without a maker, or of the target's (`m`) or another one.
fn signature() -> BoxedStrategy<String> {
    prop_oneof![
        2 => Just("c2lnbmVk"),
        1 => Just("trivium.m.b3du"),
        1 => Just("trivium.other-1.Zm9yZWlnbg==")
    ]
    .prop_map(str::to_owned)
    .boxed()
}

fn unread(data: String) -> Signature {
    Signature { data, maker: None }
}

fn thinking(dialect: Dialect) -> BoxedStrategy<Block> {
    let told = (text(), weighted(0.7, signature()));
    let told = told.prop_map(move |(text, signed)| {
        let id = (dialect == Dialect::Responses).then(|| "rs_1".to_owned());
        Thinking { text, signature: signed.map(unread), redacted: false, id }
    });
    let withheld = signature().prop_map(|data| Thinking {
        signature: Some(unread(data)),
        redacted: true,
        ..Thinking::default()
    });
    let all = match dialect {
        Dialect::Messages => prop_oneof![3 => told, 1 => withheld].boxed(),
        _ => told.boxed(),
    };
    all.prop_map(|thinking| Block::new(Kind::Thinking(thinking))).boxed()
}

/// A citation, as its dialect writes it. The typed fields are read out of the object.
fn citation(dialect: Dialect) -> Option<Citation> {
    let object = match dialect {
        Dialect::Chat => json!({"type": "url_citation", "url_citation": {
            "start_index": 0, "end_index": 1, "url": "https://example.org/", "title": "t", "content": "q"}}),
        Dialect::Responses => json!({"type": "url_citation", "start_index": 0, "end_index": 1,
            "url": "https://example.org/", "title": "t"}),
        Dialect::Messages => json!({"type": "web_search_result_location", "url": "https://example.org/",
            "title": "t", "cited_text": "q", "encrypted_index": "abc"}),
        Dialect::Gemini => return None,
    };
    let fields = object.as_object().cloned().unwrap_or_default();
    Some(Citation { url: None, title: None, quote: None, span: None, rest: Rest::new(dialect, fields) })
}

/// What the model says, its calls apart.
pub(super) fn assistant_blocks(dialect: Dialect) -> BoxedStrategy<Vec<Block>> {
    let said = (marked_text(dialect), weighted(0.15, Just(()))).prop_map(move |(mut block, cited)| {
        if let (Kind::Text { citations, .. }, Some(())) = (&mut block.kind, cited) {
            citations.extend(citation(dialect));
        }
        block
    });
    let refusal = text().prop_map(|text| Block::new(Kind::Refusal(text)));
    let picture = image(dialect)
        .prop_map(|(mime, source)| Block::new(Kind::Image(Media { mime, source, name: None, detail: None })));
    let block = match dialect {
        Dialect::Chat => prop_oneof![12 => said, 1 => opaque(dialect, false)].boxed(),
        Dialect::Responses => {
            prop_oneof![8 => said, 1 => refusal.clone(), 1 => opaque(dialect, false), 3 => thinking(dialect)]
                .boxed()
        }
        Dialect::Messages => prop_oneof![8 => said, 1 => opaque(dialect, false)].boxed(),
        Dialect::Gemini => {
            prop_oneof![8 => said, 1 => opaque(dialect, false), 1 => picture, 3 => thinking(dialect)].boxed()
        }
    };
    // In Messages and chat thoughts come first, and a refusal last.
    let thought = weighted(0.4, thinking(dialect));
    let refused = weighted(0.1, refusal);
    (thought, vec(block, 0..3), refused)
        .prop_map(move |(thought, mut blocks, refused)| {
            if matches!(dialect, Dialect::Messages | Dialect::Chat) {
                blocks.splice(0..0, thought);
            }
            if dialect == Dialect::Chat {
                only_the_first_is_cited(&mut blocks);
                blocks.extend(refused);
            }
            if blocks.is_empty() {
                blocks.push(Block::text("ok"));
            }
            blocks
        })
        .boxed()
}

/// Chat has one list of citations for all of a message.
fn only_the_first_is_cited(blocks: &mut [Block]) {
    let mut texts = 0;
    for block in blocks {
        if let Kind::Text { citations, .. } = &mut block.kind {
            if texts > 0 {
                citations.clear();
            }
            texts += 1;
        }
    }
}

/// A call without its id.
pub(super) fn call(dialect: Dialect) -> BoxedStrategy<Block> {
    let raw = matches!(dialect, Dialect::Chat | Dialect::Responses);
    let object = prop_oneof![
        3 => text().prop_map(|text| json!({"q": text}).to_string()),
        1 => Just("{}".to_owned()),
        1 => Just(r#"{"a":[1,2.5,null],"b":{"c":true}}"#.to_owned()),
    ];
    let spelled = prop_oneof![
        8 => object.clone(),
        1 => Just(String::new()),
        1 => Just("{ \"q\" :  1 }".to_owned()),
        1 => Just("{\"broken\": ".to_owned())
    ];
    let arguments = if raw { spelled.boxed() } else { object.boxed() };
    let name = match dialect {
        Dialect::Gemini => prop_oneof![Just("search"), Just("read_file"), Just("fs.read")].boxed(),
        _ => prop_oneof![Just("search"), Just("read_file"), Just("run-it")].boxed(),
    };
    let kind = match dialect {
        Dialect::Chat | Dialect::Responses => weighted(0.15, text()).boxed(),
        Dialect::Messages | Dialect::Gemini => Just(None).boxed(),
    };
    let namespaced = if dialect == Dialect::Responses { 0.15 } else { 0.0 };
    let signed = if matches!(dialect, Dialect::Gemini | Dialect::Chat) { 0.4 } else { 0.0 };
    (name, arguments, kind, maybe(namespaced, Just("mcp".to_owned())), maybe(signed, signature()))
        .prop_map(|(name, arguments, free, namespace, signed)| {
            Block::new(Kind::ToolCall(ToolCall {
                id: String::new(),
                name: name.to_owned(),
                namespace,
                custom: free.is_some(),
                signature: signed.filter(|_| free.is_none()).map(unread),
                arguments: free.unwrap_or(arguments),
            }))
        })
        .boxed()
}

/// A result without its call.
pub(super) fn results(dialect: Dialect) -> BoxedStrategy<Block> {
    let said = text().prop_map(Block::text);
    let shown = (image(dialect))
        .prop_map(|(mime, source)| Block::new(Kind::Image(Media { mime, source, name: None, detail: None })));
    let content = match dialect {
        Dialect::Chat => vec(said, 0..3).boxed(),
        Dialect::Gemini => (weighted(0.8, said), weighted(0.2, shown))
            .prop_map(|(said, shown)| said.into_iter().chain(shown).collect())
            .boxed(),
        Dialect::Responses | Dialect::Messages => vec(prop_oneof![3 => said, 1 => shown], 0..3).boxed(),
    };
    let fails = if matches!(dialect, Dialect::Messages | Dialect::Gemini) { 0.2 } else { 0.0 };
    let cache = if dialect == Dialect::Messages { mark(dialect) } else { Just(None).boxed() };
    (content, prop::bool::weighted(fails), cache)
        .prop_map(|(content, failed, cache)| {
            let result = ToolResult { call: String::new(), name: None, content, failed, custom: false };
            Block { cache, ..Block::new(Kind::ToolResult(result)) }
        })
        .boxed()
}
