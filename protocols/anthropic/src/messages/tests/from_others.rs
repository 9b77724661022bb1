//! Conversations and tools that came in another dialect.

use canon::{
    Block, Citation, Dialect, Kind, Media, Message, Rest, Role, Signature, Source, Thinking, Tool, ToolCall,
    ToolChoice, ToolKind, Turn,
};
use serde_json::{Value, json};

use super::{call, result, target, user, written};
use crate::messages::{decode, encode};

const MODEL: &str = "claude-sonnet-4-5";

fn turn(messages: Vec<Message>) -> Turn {
    Turn { messages, ..Turn::default() }
}

fn assistant(blocks: Vec<Block>) -> Message {
    Message::new(Role::Assistant, blocks)
}

fn system(text: &str) -> Message {
    Message::new(Role::System, vec![Block::text(text)])
}

fn tool(kind: ToolKind) -> Tool {
    let name = "apply".to_owned();
    Tool { name, namespace: Some("fs".into()), description: None, kind, cache: None, rest: Rest::default() }
}

#[test]
fn leading_system_messages_are_the_system_prompt() {
    let (body, losses) = written(&turn(vec![system("a"), system("b"), user("hi")]), MODEL);
    assert_eq!(body["system"], json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]));
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hi"}]));
    assert_eq!((body["max_tokens"].clone(), losses.as_str()), (json!(8192), ""));
}

#[test]
fn later_system_messages_never_part_calls_from_results() {
    let messages = vec![
        user("go"),
        assistant(vec![call("a", "{}", None), call("b", "", None)]),
        Message::new(Role::User, vec![result("a", vec![Block::text("1")])]),
        system("note"),
        Message::new(Role::User, vec![result("b", vec![])]),
        user("next"),
    ];
    let (body, losses) = written(&turn(messages), MODEL);
    let last = json!({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "a", "content": "1"}, {"type": "tool_result", "tool_use_id": "b"},
        {"type": "text", "text": "note"}, {"type": "text", "text": "next"}
    ]});
    assert_eq!(body["messages"][2], last);
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(losses, "~role");
}

#[test]
fn the_user_speaks_first() {
    let (body, losses) = written(&turn(vec![assistant(vec![Block::text("Hello?  \n")])]), MODEL);
    let expected =
        json!([{"role": "user", "content": "Continue."}, {"role": "assistant", "content": "Hello?"}]);
    assert_eq!((body["messages"].clone(), losses.as_str()), (expected, "~messages"));
    let (body, _) = written(&turn(vec![system("only")]), MODEL);
    assert_eq!(body["messages"], json!([{"role": "user", "content": "Continue."}]));
}

#[test]
fn empty_text_is_no_block() {
    let (body, losses) =
        written(&turn(vec![user("hi"), assistant(vec![Block::text(""), call("a", "{}", None)])]), MODEL);
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 1);
    assert_eq!(losses, "");
}

#[test]
fn arguments_become_objects() {
    let custom = Block::new(Kind::ToolCall(ToolCall {
        id: "call|1".into(),
        name: "apply".into(),
        namespace: Some("fs".into()),
        arguments: "*** patch".into(),
        custom: true,
        signature: None,
    }));
    let blocks = vec![call("a", "", None), call("b", "{\"x\":1}", None), call("c", "{\"x\":", None), custom];
    let (body, losses) = written(&turn(vec![user("hi"), assistant(blocks)]), MODEL);
    let content = body["messages"][1]["content"].as_array().unwrap();
    let inputs: Vec<&Value> = content.iter().map(|block| &block["input"]).collect();
    let expected = [json!({}), json!({"x": 1}), json!({"_raw": "{\"x\":"}), json!({"input": "*** patch"})];
    assert_eq!(inputs, expected.iter().collect::<Vec<_>>());
    assert_eq!(content[3]["name"], "fs__apply");
    assert!(content[3]["id"].as_str().unwrap().starts_with("call_1_"));
    assert_eq!(losses, "~arguments");
}

#[test]
fn tools_are_functions_with_schemas_of_objects() {
    let mut turn = turn(vec![user("hi")]);
    turn.tools = vec![
        tool(ToolKind::Function { parameters: None, strict: Some(false) }),
        tool(ToolKind::Function { parameters: Some(json!({"properties": {}})), strict: Some(true) }),
        tool(ToolKind::Custom { format: Some(json!({"type": "grammar"})) }),
        tool(ToolKind::WebSearch),
        tool(ToolKind::Server { dialect: Dialect::Responses, value: json!({"type": "file_search"}) }),
    ];
    turn.tool_choice =
        Some(ToolChoice::Named { name: "apply".into(), namespace: Some("fs".into()), custom: false });
    turn.parallel_tool_calls = Some(false);
    let (body, losses) = written(&turn, MODEL);
    let free = json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    let expected = json!([
        {"name": "fs__apply", "input_schema": {"type": "object", "properties": {}}},
        {"name": "fs__apply", "input_schema": {"type": "object", "properties": {}}, "strict": true},
        {"name": "fs__apply", "input_schema": free},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    assert_eq!(body["tools"], expected);
    let choice = json!({"type": "tool", "name": "fs__apply", "disable_parallel_tool_use": true});
    assert_eq!(body["tool_choice"], choice);
    assert_eq!(losses, "tools.format, tools.file_search");
}

#[test]
fn without_tools_there_is_no_choice() {
    let mut turn = turn(vec![user("hi")]);
    (turn.tool_choice, turn.parallel_tool_calls) = (Some(ToolChoice::Auto), Some(true));
    let (body, losses) = written(&turn, MODEL);
    assert!(body.get("tool_choice").is_none() && body.get("tools").is_none());
    assert_eq!(losses, "");
}

#[test]
fn media_are_said_where_the_api_takes_them() {
    let media = |mime: Option<&str>, source| Media {
        mime: mime.map(str::to_owned),
        source,
        name: None,
        detail: Some("low".into()),
    };
    let data = || Source::Base64("/9j/4AAQ".into());
    let url = Source::Url("data:image/webp;base64,UklG".into());
    let blocks = vec![
        Block::new(Kind::Image(media(None, data()))),
        Block::new(Kind::Image(media(None, url))),
        Block::new(Kind::File(media(Some("image/png"), data()))),
        Block::new(Kind::File(media(Some("application/zip"), data()))),
        Block::new(Kind::File(media(Some("application/pdf"), data()))),
        Block::new(Kind::File(media(None, Source::Uploaded { dialect: Dialect::Chat, id: "f".into() }))),
        Block::new(Kind::Audio(media(Some("audio/wav"), data()))),
        Block::new(Kind::Video(media(Some("video/mp4"), data()))),
    ];
    let results = vec![result("a", blocks)];
    let messages = vec![user("x"), assistant(vec![call("a", "{}", None)]), Message::new(Role::User, results)];
    let (body, losses) = written(&turn(messages), MODEL);
    let content = &body["messages"][2]["content"][0]["content"];
    let types: Vec<&Value> =
        content.as_array().unwrap().iter().map(|block| &block["source"]["media_type"]).collect();
    assert_eq!(types, ["image/jpeg", "image/webp", "image/png", "application/pdf"]);
    assert_eq!(losses, "detail, file, audio, video");
}

#[test]
fn at_most_four_cache_marks_stay_and_the_last_ones() {
    let marked = |text: &str| Block { cache: Some(json!({"type": "ephemeral"})), ..Block::text(text) };
    let blocks = (0..6).map(|at| marked(&format!("{at}"))).collect();
    let (body, losses) = written(&turn(vec![Message::new(Role::User, blocks)]), MODEL);
    let content = body["messages"][0]["content"].as_array().unwrap();
    let marks: Vec<bool> = content.iter().map(|block| block.get("cache_control").is_some()).collect();
    assert_eq!(marks, [false, false, true, true, true, true]);
    assert_eq!(losses, "cache_control");
}

#[test]
fn only_own_thoughts_are_sent() {
    let thought = |maker: Option<&str>, redacted| {
        let signature = Some(Signature { data: "sig".into(), maker: maker.map(str::to_owned) });
        Block::new(Kind::Thinking(Thinking { text: "hm".into(), signature, redacted, id: None }))
    };
    let unsigned = Block::new(Kind::Thinking(Thinking { text: "hm".into(), ..Thinking::default() }));
    let blocks = vec![
        thought(Some("anthropic"), false),
        thought(Some("anthropic"), true),
        thought(Some("google"), false),
        thought(None, false),
        unsigned,
        Block::text("yes"),
    ];
    let (body, losses) = written(&turn(vec![user("hi"), assistant(blocks), user("and")]), MODEL);
    let expected = json!([{"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "sig"}, {"type": "text", "text": "yes"}]);
    assert_eq!(body["messages"][1]["content"], expected);
    assert_eq!(losses, "thinking");
}

#[test]
fn what_cannot_be_said_is_declared() {
    let cited = Block::new(Kind::Text {
        text: "a".into(),
        citations: vec![Citation {
            url: Some("u".into()),
            title: None,
            quote: None,
            span: None,
            rest: Rest::default(),
        }],
    });
    let opaque =
        Block::new(Kind::Opaque { dialect: Dialect::Responses, value: json!({"type": "item_reference"}) });
    let signed = call("a", "{}", Some(Signature { data: "x".into(), maker: Some("google".into()) }));
    let refusal = Block::new(Kind::Refusal("no".into()));
    let mut named = user("hi");
    named.rest = Rest::new(Dialect::Chat, [("name".to_owned(), json!("Ann"))].into_iter().collect());
    let mut turn = turn(vec![named, assistant(vec![cited, opaque, refusal, signed])]);
    turn.rest = Rest::new(Dialect::Chat, [("store".to_owned(), json!(true))].into_iter().collect());
    let (body, losses) = written(&turn, MODEL);
    assert_eq!(losses, "name, citations, content.item_reference, ~refusal, thinking.signature, store");
    assert_eq!(body["messages"][1]["content"][1], json!({"type": "text", "text": "no"}));
}

#[test]
fn the_signature_of_a_call_comes_back_from_the_client() {
    let body = json!({"model": "m", "messages": [{"role": "assistant", "content": [
        {"type": "redacted_thinking", "data": "trivium.google.call.AbC=="},
        {"type": "tool_use", "id": "a", "name": "look", "input": {}},
        {"type": "redacted_thinking", "data": "trivium.openai.gAAA"},
        {"type": "tool_use", "id": "b", "name": "look", "input": {}}
    ]}]});
    let turn = decode(body.to_string().as_bytes()).unwrap();
    let kinds: Vec<&Kind> = turn.messages[0].blocks.iter().map(|block| &block.kind).collect();
    let signature = Some(Signature { data: "AbC==".into(), maker: Some("google".into()) });
    assert!(matches!(kinds[0], Kind::ToolCall(call) if call.signature == signature));
    assert!(matches!(kinds[1], Kind::Thinking(thinking) if thinking.redacted));
    assert!(matches!(kinds[2], Kind::ToolCall(call) if call.signature.is_none()));
    let encoded = encode(&turn, &target("m", Dialect::Messages));
    assert_eq!(encoded.losses.to_string(), "thinking.signature, thinking");
}

#[test]
fn errors_name_the_place() {
    let error = |body: Value| decode(body.to_string().as_bytes()).unwrap_err().to_string();
    let base = |messages: Value| json!({"model": "m", "messages": messages});
    assert_eq!(
        error(base(json!([{"role": "robot", "content": ""}]))),
        "`messages[0].role` must be `user`, `assistant` or `system`."
    );
    let message = json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]}]}]);
    assert_eq!(error(base(message)), "`messages[0].content[0].content[0].text` is missing.");
    assert_eq!(error(json!({"model": "m"})), "`messages` is missing.");
    assert_eq!(error(json!([])), "The request body is not a JSON object.");
}

#[test]
fn the_last_message_ends_in_no_thought() {
    let signature = Some(Signature { data: "s".into(), maker: Some("anthropic".into()) });
    let thought =
        || Block::new(Kind::Thinking(Thinking { signature: signature.clone(), ..Thinking::default() }));
    let messages = vec![user("hi"), assistant(vec![Block::text("so "), thought()])];
    let (body, _) = written(&turn(messages), MODEL);
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "so"}));
    let (body, _) = written(&turn(vec![user("hi"), assistant(vec![thought()])]), MODEL);
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

/// What the API checks of every request.
fn is_valid(name: &str, body: &Value) {
    let messages = body["messages"].as_array().unwrap();
    let max_tokens = body["max_tokens"].as_u64().unwrap();
    assert!(
        body["thinking"]["budget_tokens"].as_u64().is_none_or(|budget| 1024 <= budget && budget < max_tokens)
    );
    let mut waiting: Vec<&Value> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        assert_eq!(message["role"], ["user", "assistant"][at % 2], "{name}");
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(
            !blocks.is_empty() || message["content"].as_str().is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        assert!(blocks.iter().all(|block| block["text"] != ""), "{name}");
        let results: Vec<&Value> = blocks
            .iter()
            .take_while(|block| block["type"] == "tool_result")
            .map(|block| &block["tool_use_id"])
            .collect();
        assert_eq!(
            results.len(),
            blocks.iter().filter(|block| block["type"] == "tool_result").count(),
            "{name}"
        );
        assert_eq!(results, waiting, "{name}");
        waiting =
            blocks.iter().filter(|block| block["type"] == "tool_use").map(|block| &block["id"]).collect();
    }
    assert!(waiting.is_empty(), "{name}");
    assert!(body.get("tool_choice").is_none() || body.get("tools").is_some(), "{name}");
}

#[test]
fn whatever_comes_from_elsewhere_is_valid() {
    for (name, body) in super::fixtures("requests") {
        let mut turn = decode(&body).unwrap();
        // As if another dialect had said it: no rests, no hints.
        turn.rest = Rest::default();
        turn.messages.iter_mut().for_each(|message| {
            message.rest = Rest::default();
            message.blocks.iter_mut().for_each(|block| block.rest = Rest::default());
        });
        for model in ["kimi-k2", MODEL, "claude-opus-4-6", "claude-sonnet-5", "claude-fable-5"] {
            is_valid(&format!("{name} {model}"), &written(&turn, model).0);
        }
    }
}

#[test]
fn the_system_prompt_is_text() {
    let picture =
        Media { mime: None, source: Source::Url("https://example.org/a".into()), name: None, detail: None };
    let blocks = vec![Block::text("a"), Block::new(Kind::Image(picture))];
    let leading = Message::new(Role::Developer, blocks.clone());
    let later = Message::new(Role::Developer, blocks);
    let (body, losses) = written(&turn(vec![leading, user("hi"), later]), MODEL);
    assert_eq!((body["system"].clone(), losses.as_str()), (json!("a"), "image, ~role"));
    assert_eq!(body["messages"][0]["content"][2]["type"], "image");
}
