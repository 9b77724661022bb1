//! Requests of other dialects.

use canon::{
    Block, Dialect, Effort, Format, Kind, Media, Message, Reasoning, Role, Signature, Source, Thinking, Tool,
    ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
};
use serde_json::{Value, json};

use super::target;
use crate::generate::{SKIP, decode, encode};

fn user(blocks: Vec<Block>) -> Message {
    Message::new(Role::User, blocks)
}

fn model(blocks: Vec<Block>) -> Message {
    Message::new(Role::Assistant, blocks)
}

fn call(id: &str, name: &str, signature: Option<Signature>) -> Block {
    Block::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        arguments: "{\"a\":1}".into(),
        custom: false,
        signature,
    }))
}

fn result(call: &str, content: Vec<Block>, failed: bool) -> Block {
    Block::new(Kind::ToolResult(ToolResult { call: call.into(), name: None, content, failed, custom: false }))
}

fn image(source: Source) -> Block {
    Block::new(Kind::Image(Media { mime: Some("image/png".into()), source, name: None, detail: None }))
}

fn function(name: &str, parameters: Value) -> Tool {
    Tool {
        name: name.into(),
        namespace: None,
        description: None,
        kind: ToolKind::Function { parameters: Some(parameters), strict: None },
        cache: None,
        rest: canon::Rest::default(),
    }
}

fn say(turn: &Turn, name: &str) -> (Value, String) {
    let encoded = encode(turn, &target(Dialect::Messages, name));
    assert!(decode(&encoded.body).is_ok());
    (super::json(&encoded.body), encoded.losses.to_string())
}

fn conversation(messages: Vec<Message>) -> Turn {
    Turn { messages, ..Turn::default() }
}

#[test]
fn roles_are_two_and_neighbours_are_one() {
    let turn = conversation(vec![
        Message::new(Role::System, vec![Block::text("rules")]),
        user(vec![Block::text("a")]),
        user(vec![Block::text("b")]),
        model(vec![Block::text("c")]),
        model(vec![Block::text("d")]),
        Message::new(Role::System, vec![Block::text("more rules")]),
        user(vec![Block::text("e")]),
    ]);
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    let expected = json!({"systemInstruction": {"parts": [{"text": "rules"}]}, "contents": [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "parts": [{"text": "more rules"}, {"text": "e"}]}]});
    assert_eq!((body, losses.as_str()), (expected, "~role"));
}

#[test]
fn instructions_alone_are_what_the_user_says() {
    let turn = Turn { instructions: vec![Block::text("go")], ..Turn::default() };
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    assert_eq!(body, json!({"contents": [{"role": "user", "parts": [{"text": "go"}]}]}));
    assert_eq!(losses, "~role");
}

#[test]
fn results_follow_their_calls_in_order_and_in_number() {
    let turn = conversation(vec![
        user(vec![Block::text("go")]),
        model(vec![call("c1", "f", None), call("c2", "f", None), call("c3", "g", None)]),
        Message::new(Role::System, vec![Block::text("be quick")]),
        user(vec![result("c2", vec![Block::text("two")], true)]),
        user(vec![Block::text("and?"), result("c1", vec![Block::text("{\"n\": 1}")], false)]),
        user(vec![result("gone", vec![Block::text("orphan")], false)]),
    ]);
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    let expected = json!([
        {"functionResponse": {"id": "c1", "name": "f", "response": {"n": 1}}},
        {"functionResponse": {"id": "c2", "name": "f", "response": {"error": "two"}}},
        {"functionResponse": {"id": "c3", "name": "g", "response": {"error": "The call was not answered."}}},
        {"text": "orphan"}, {"text": "be quick"}, {"text": "and?"}]);
    assert_eq!(body["contents"][2]["parts"], expected);
    assert_eq!(losses, "~role, ~content.tool_result");
}

#[test]
fn the_first_call_of_each_step_is_signed_for_late_models() {
    let own = Signature { data: "b3du".into(), maker: Some("google".into()) };
    let foreign = Signature { data: "Zm9yZWlnbg==".into(), maker: Some("anthropic".into()) };
    let turn = conversation(vec![
        user(vec![Block::text("go")]),
        model(vec![call("c1", "f", Some(foreign)), call("c2", "f", None)]),
        user(vec![result("c1", vec![], false), result("c2", vec![], false)]),
        model(vec![call("c3", "f", Some(own))]),
        user(vec![result("c3", vec![Block::text("x")], false)]),
    ]);
    let (body, losses) = say(&turn, "gemini-3-pro-preview");
    let signature =
        |content: usize, part: usize| body["contents"][content]["parts"][part]["thoughtSignature"].clone();
    assert_eq!(
        (signature(1, 0), signature(1, 1), signature(3, 0)),
        (json!(SKIP), Value::Null, json!("b3du"))
    );
    assert_eq!(losses, "thinking.signature");
    let (body, _) = say(&turn, "gemini-2.5-pro");
    assert_eq!(body["contents"][1]["parts"][0].get("thoughtSignature"), None);
    assert_eq!(body["contents"][2]["parts"][0]["functionResponse"]["response"], json!({"output": ""}));
}

#[test]
fn thoughts_go_back_to_their_maker_only() {
    let thought = |maker: &str| {
        let signature = Some(Signature { data: "c2ln".into(), maker: Some(maker.into()) });
        Block::new(Kind::Thinking(Thinking { text: "hm".into(), signature, ..Thinking::default() }))
    };
    let unsigned = Block::new(Kind::Thinking(Thinking { text: "hm".into(), ..Thinking::default() }));
    let turn = conversation(vec![
        user(vec![Block::text("go")]),
        model(vec![thought("google"), Block::text("a"), thought("anthropic"), unsigned]),
    ]);
    let (body, losses) = say(&turn, "gemini-3-pro");
    let expected =
        json!([{"text": "hm", "thought": true}, {"text": "", "thoughtSignature": "c2ln"}, {"text": "a"}]);
    assert_eq!((body["contents"][1]["parts"].clone(), losses.as_str()), (expected, "thinking"));
}

#[test]
fn media_in_results_stand_in_them_or_behind() {
    let png = image(Source::Base64("iVBORw0KGgo=".into()));
    let turn = conversation(vec![
        user(vec![Block::text("go")]),
        model(vec![call("c1", "shoot", None)]),
        user(vec![result("c1", vec![Block::text("done"), png], false)]),
    ]);
    let (body, losses) = say(&turn, "gemini-3-pro");
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}});
    let response = json!({"id": "c1", "name": "shoot", "response": {"output": "done"}, "parts": [inline]});
    assert_eq!(body["contents"][2]["parts"], json!([{"functionResponse": response}]));
    assert_eq!(losses, "");
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    let response = json!({"id": "c1", "name": "shoot", "response": {"output": "done"}});
    assert_eq!(body["contents"][2]["parts"], json!([{"functionResponse": response}, inline]));
    assert_eq!(losses, "~content.tool_result");
}

#[test]
fn addresses_are_sent_where_gemini_fetches_them() {
    let url = |url: &str| image(Source::Url(url.into()));
    let turn = conversation(vec![user(vec![
        url("https://example.com/a.png"),
        url("data:nonsense"),
        Block::text("?"),
    ])]);
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    let file = json!({"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}});
    assert_eq!(body["contents"][0]["parts"], json!([file, {"text": "?"}]));
    assert_eq!(losses, "image");
    let (body, _) = say(&turn, "gemini-2.0-flash");
    assert_eq!(body["contents"][0]["parts"], json!([{"text": "?"}]));
}

#[test]
fn tools_are_declared_in_one_entry() {
    let schema = json!({"$schema": "x", "type": "object", "properties": {"a": {"const": "b"}}, "additionalProperties": false});
    let mut custom = function("patch", json!(null));
    custom.kind = ToolKind::Custom { format: Some(json!({"type": "grammar"})) };
    custom.namespace = Some("files".into());
    let mut search = function("", json!(null));
    search.kind = ToolKind::WebSearch;
    let turn = Turn {
        tools: vec![
            function("f", schema),
            custom,
            search.clone(),
            function("bare", json!({"type": "object", "properties": {}})),
        ],
        tool_choice: Some(ToolChoice::Named {
            name: "patch".into(),
            namespace: Some("files".into()),
            custom: true,
        }),
        ..conversation(vec![user(vec![Block::text("go")])])
    };
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    let expected = json!([{"functionDeclarations": [
        {"name": "f", "parametersJsonSchema": {"type": "object", "properties": {"a": {"enum": ["b"], "type": "string"}}, "additionalProperties": false}},
        {"name": "files__patch", "parametersJsonSchema": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}},
        {"name": "bare"}]}]);
    assert_eq!(body["tools"], expected);
    let config = json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["files__patch"]}});
    assert_eq!(body["toolConfig"], config);
    assert_eq!(losses, "tools.format, tools.web_search");
    let turn = Turn { tools: vec![search], tool_choice: Some(ToolChoice::Auto), ..turn };
    let (body, losses) = say(&turn, "gemini-2.5-pro");
    assert_eq!((&body["tools"], body.get("toolConfig")), (&json!([{"googleSearch": {}}]), None));
    assert_eq!(losses, "");
}

#[test]
fn settings_are_put_into_the_generation_config() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "integer", "exclusiveMinimum": 0}}});
    let turn = Turn {
        max_tokens: Some(100_000),
        stop: ["a", "b", "c", "d", "e", "f"].map(String::from).to_vec(),
        reasoning: Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() }),
        format: Some(Format::Schema { name: None, description: None, schema, strict: Some(true) }),
        user: Some("u1".into()),
        ..conversation(vec![user(vec![Block::text("go")])])
    };
    let target = canon::Target { max_output: Some(65_536), ..target(Dialect::Chat, "gemini-2.5-flash") };
    let encoded = encode(&turn, &target);
    let expected = json!({"maxOutputTokens": 65_536, "stopSequences": ["a", "b", "c", "d", "e"],
        "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": true}, "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"x": {"type": "integer", "minimum": 0}}}});
    assert_eq!(super::json(&encoded.body)["generationConfig"], expected);
    assert_eq!(encoded.losses.to_string(), "user, ~max_tokens, ~stop, ~schema");
}

#[test]
fn a_request_of_gemini_is_readable_by_others() {
    let body =
        super::fixtures("requests").into_iter().find(|(name, _)| name == "tools-without-ids.json").unwrap().1;
    let turn = decode(&body).unwrap();
    let ids = |message: usize| -> Vec<String> {
        let id = |block: &Block| match &block.kind {
            Kind::ToolCall(call) => call.id.clone(),
            Kind::ToolResult(result) => result.call.clone(),
            _ => String::new(),
        };
        turn.messages[message].blocks.iter().map(id).collect()
    };
    assert_eq!(ids(1), ids(2));
    assert!(ids(1)[0] != ids(1)[1] && ids(1).iter().all(|id| id.starts_with("call_")));
    let body =
        super::fixtures("requests").into_iter().find(|(name, _)| name == "tools-parallel.json").unwrap().1;
    let turn = decode(&body).unwrap();
    let ToolKind::Function { parameters: Some(parameters), .. } = &turn.tools[0].kind else { panic!() };
    assert_eq!(parameters["properties"]["days"], json!({"type": ["integer", "null"], "minimum": 1}));
    let Kind::ToolResult(result) = &turn.messages[2].blocks[1].kind else { panic!() };
    assert!(result.failed && result.content == [Block::text("No data for Rome")]);
}

#[test]
fn every_way_to_ask_for_a_form_is_understood() {
    let of = |name: &str| {
        let file = format!("{name}.json");
        let body = super::fixtures("requests").into_iter().find(|(name, _)| *name == file).unwrap().1;
        decode(&body).unwrap().format
    };
    let schema = |name: &str| match of(name) {
        Some(Format::Schema { schema, .. }) => schema,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(schema("response-format")["type"], "object");
    assert_eq!(
        schema("response-schema")["items"]["properties"]["kind"],
        json!({"type": "string", "enum": ["sweet", "sour"]})
    );
    assert_eq!(schema("response-json-schema")["properties"]["reasoning"]["type"], "string");
    assert_eq!((of("json-mode"), of("response-format-image")), (Some(Format::Json), None));
}
