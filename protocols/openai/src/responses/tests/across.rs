//! What other dialects' turns become here, and what is declared on the way.

use canon::{
    Block, Citation, Dialect, Encoded, Format, Kind, Media, Message, Reasoning, Role, Signature, Source,
    Thinking, Tool, ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
};
use serde_json::{Value, json};

use super::{fixture, json, target};
use crate::responses::{decode, encode, encode_answer};

fn sent(turn: &Turn) -> (Value, String) {
    let Encoded { body, losses } = encode(turn, &target(Dialect::Messages));
    (json(&body), losses.to_string())
}

fn turn(messages: Vec<Message>) -> Turn {
    Turn { model: "m".into(), messages, ..Turn::default() }
}

fn thinking(data: &str, maker: Option<&str>) -> Block {
    let signature = Signature { data: data.into(), maker: maker.map(str::to_owned) };
    Block::new(Kind::Thinking(Thinking { signature: Some(signature), ..Thinking::default() }))
}

fn call(id: &str) -> Block {
    Block::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: "look".into(),
        namespace: None,
        arguments: String::new(),
        custom: false,
        signature: None,
    }))
}

fn result(id: &str, content: Vec<Block>, failed: bool) -> Block {
    Block::new(Kind::ToolResult(ToolResult { call: id.into(), name: None, content, failed, custom: false }))
}

fn media(mime: &str, source: Source) -> Media {
    Media { mime: Some(mime.into()), source, name: None, detail: None }
}

#[test]
fn nothing_stays_at_the_provider() {
    let mut asked = turn(vec![Message::new(Role::User, vec![Block::text("Hi.")])]);
    let (body, losses) = sent(&asked);
    assert_eq!(body["store"], false);
    assert_eq!(body.get("include"), None);
    assert_eq!(body["input"], json!([{"type": "message", "role": "user", "content": "Hi."}]));
    assert_eq!(losses, "");
    asked.reasoning = Some(Reasoning { enabled: Some(true), budget: Some(9000), ..Reasoning::default() });
    let (body, losses) = sent(&asked);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(body["reasoning"], json!({"effort": "medium", "summary": "auto"}));
    assert_eq!(losses, "~reasoning");
    asked.reasoning = Some(Reasoning { enabled: Some(false), ..Reasoning::default() });
    let (body, losses) = sent(&asked);
    assert_eq!((body.get("reasoning"), body.get("include")), (None, None));
    assert_eq!(losses, "~reasoning");
}

#[test]
fn thoughts_go_to_their_maker_only() {
    let blocks =
        vec![thinking("own", Some("openai")), thinking("other", Some("anthropic")), Block::text("Hm.")];
    let (body, losses) = sent(&turn(vec![Message::new(Role::Assistant, blocks)]));
    let expected = json!([
        {"type": "reasoning", "summary": [], "encrypted_content": "own"},
        {"type": "message", "role": "assistant", "content": "Hm."},
    ]);
    assert_eq!(body["input"], expected);
    assert_eq!(losses, "thinking");
}

#[test]
fn ids_are_not_sent_without_the_thoughts_that_they_ask_for() {
    let body = json!({"model": "m", "input": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "trivium.anthropic.x"},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "look", "arguments": "{}"},
    ]});
    let decoded = decode(body.to_string().as_bytes()).unwrap();
    let encoded = encode(&decoded, &target(Dialect::Responses));
    let call = json!([{"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}]);
    assert_eq!(json(&encoded.body)["input"], call);
    assert_eq!(encoded.losses.to_string(), "thinking");
}

#[test]
fn results_come_first_and_ids_are_shortened_alike() {
    let long = "x".repeat(90);
    let image = Block::new(Kind::Image(media("image/png", Source::Base64("AA==".into()))));
    let said = vec![Block::text("Look:"), result(&long, vec![Block::text("seen"), image], true)];
    let (body, losses) =
        sent(&turn(vec![Message::new(Role::Assistant, vec![call(&long)]), Message::new(Role::User, said)]));
    let input = body["input"].as_array().unwrap();
    assert_eq!(input[0]["arguments"], "{}");
    assert_eq!(input[0]["call_id"], input[1]["call_id"]);
    assert!(input[0]["call_id"].as_str().unwrap().len() <= 64);
    assert_eq!(input[1]["output"][1]["image_url"], "data:image/png;base64,AA==");
    assert_eq!(input[2]["content"], "Look:");
    assert_eq!(losses, "is_error");
}

#[test]
fn media_are_said_where_they_can_be() {
    let of = |kind: fn(Media) -> Kind, mime: &str, source: Source| Block::new(kind(media(mime, source)));
    let foreign = Source::Uploaded { dialect: Dialect::Gemini, id: "files/1".into() };
    let shared = Source::Uploaded { dialect: Dialect::Chat, id: "file-1".into() };
    let (body, losses) = sent(&turn(vec![Message::new(
        Role::User,
        vec![
            of(Kind::File, "application/pdf", Source::Base64("JVBERi0=".into())),
            of(Kind::File, "application/pdf", shared),
            of(Kind::File, "text/plain", Source::Text("A letter.".into())),
            of(Kind::Audio, "audio/mpeg", Source::Base64("AA==".into())),
            of(Kind::Video, "video/mp4", Source::Base64("AA==".into())),
            of(Kind::Image, "image/png", foreign),
        ],
    )]));
    let expected = json!([
        {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_text", "text": "A letter."},
    ]);
    assert_eq!(body["input"][0]["content"], expected);
    assert_eq!(losses, "~file, audio, video, image");
}

#[test]
fn tools_are_written_in_full() {
    let tool = |name: &str, namespace: Option<&str>, kind: ToolKind| Tool {
        name: name.into(),
        namespace: namespace.map(str::to_owned),
        description: None,
        kind,
        cache: Some(json!({"type": "ephemeral"})),
        rest: canon::Rest::default(),
    };
    let function = || ToolKind::Function { parameters: None, strict: None };
    let server = json!({"type": "bash_20250124", "name": "bash"});
    let mut asked = turn(Vec::new());
    asked.tools = vec![
        tool("my.tool", None, function()),
        tool("a", Some("box"), function()),
        tool("b", Some("box"), ToolKind::Custom { format: None }),
        tool("", None, ToolKind::WebSearch),
        tool("", None, ToolKind::Server { dialect: Dialect::Messages, value: server }),
    ];
    asked.tool_choice = Some(ToolChoice::WebSearch);
    let (body, losses) = sent(&asked);
    let tools = body["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    assert_eq!((&tools[0]["strict"], &tools[0]["parameters"]["type"]), (&json!(false), &json!("object")));
    assert!(tools[0]["name"].as_str().unwrap().starts_with("my_tool_"));
    assert_eq!(tools[1]["tools"].as_array().unwrap().len(), 2);
    assert_eq!(tools[2], json!({"type": "web_search_preview"}));
    assert_eq!(body["tool_choice"], json!({"type": "web_search_preview"}));
    assert_eq!(losses, "cache_control, tools.bash_20250124");
}

#[test]
fn what_has_no_field_is_declared() {
    let mut asked = turn(vec![Message::new(Role::System, vec![Block::text("Be brief.")])]);
    asked.sampling.top_k = Some(5.into());
    asked.sampling.seed = Some(5.into());
    asked.stop = vec!["END".into()];
    asked.max_tokens = Some(3);
    asked.user = Some("u".repeat(200));
    asked.tool_choice = Some(ToolChoice::Auto);
    let schema = json!({"type": "object"});
    asked.format = Some(Format::Schema { name: None, description: None, schema, strict: None });
    let (body, losses) = sent(&asked);
    assert_eq!(losses, "~max_tokens, ~user, top_k, seed, stop");
    assert_eq!((&body["max_output_tokens"], body.get("tool_choice")), (&json!(16), None));
    assert_eq!(body["text"]["format"]["name"], "answer");
    assert_eq!(body["input"][0]["role"], "system");
}

#[test]
fn quirks_change_roles_and_strip_thoughts() {
    let decoded = decode(&fixture("requests", "codex.json")).unwrap();
    let mut to = target(Dialect::Responses);
    (to.quirks.developer_to_system, to.quirks.strip_reasoning) = (true, true);
    let encoded = encode(&decoded, &to);
    let body = json(&encoded.body);
    assert_eq!(body["input"][0]["role"], "system");
    assert!(body["input"].as_array().unwrap().iter().all(|item| item["type"] != "reasoning"));
    assert_eq!(encoded.losses.to_string(), "thinking");
}

#[test]
fn thoughts_that_no_provider_knows_are_not_asked_for() {
    let thinking = Thinking { text: "hm".into(), ..Thinking::default() };
    let answer =
        canon::Answer { blocks: vec![Block::new(Kind::Thinking(thinking))], ..canon::Answer::default() };
    let response = json(&encode_answer(answer, &canon::Asked::default()).body);
    let body = json!({"model": "m", "input": response["output"]}).to_string();
    assert!(Signature::may_be_in(body.as_bytes()), "a look at the body must find them");
    let encoded = encode(&decode(body.as_bytes()).unwrap(), &target(Dialect::Responses));
    assert_eq!(json(&encoded.body)["input"], json!([]));
    assert_eq!(encoded.losses.to_string(), "thinking");
}

#[test]
fn calls_without_ids_are_paired_by_their_order() {
    let results = vec![result("", vec![Block::text("a")], false), result("", vec![Block::text("b")], false)];
    let calls = Message::new(Role::Assistant, vec![call(""), call("")]);
    let (body, _) = sent(&turn(vec![calls, Message::new(Role::User, results)]));
    let id = |at: usize| body["input"][at]["call_id"].as_str().unwrap();
    assert!(id(0) != id(1) && id(0) == id(2) && id(1) == id(3));
}

#[test]
fn the_result_of_a_custom_call_is_one_of_a_custom_tool() {
    let mut custom = call("c1");
    if let Kind::ToolCall(call) = &mut custom.kind {
        call.custom = true;
    }
    let results = Message::new(Role::User, vec![result("c1", Vec::new(), false)]);
    let (body, _) = sent(&turn(vec![Message::new(Role::Assistant, vec![custom]), results]));
    assert_eq!(body["input"][0]["type"], "custom_tool_call");
    assert_eq!(body["input"][1], json!({"type": "custom_tool_call_output", "call_id": "c1", "output": ""}));
}

#[test]
fn what_chat_says_alike_gets_across() {
    let mut asked = turn(Vec::new());
    let chat = json!({"prompt_cache_key": "k", "service_tier": "flex", "n": 2});
    let Value::Object(chat) = chat else { unreachable!() };
    asked.rest = canon::Rest::new(Dialect::Chat, chat);
    let (body, losses) = sent(&asked);
    assert_eq!((&body["prompt_cache_key"], &body["service_tier"]), (&json!("k"), &json!("flex")));
    assert_eq!((body.get("n"), losses.as_str()), (None, "n"));
}

#[test]
fn what_an_annotation_cannot_hold_is_declared() {
    let cited = |quote: Option<&str>, span| {
        let citation = Citation {
            url: Some("https://a.example/".into()),
            title: None,
            quote: quote.map(str::to_owned),
            span,
            rest: canon::Rest::default(),
        };
        let text = Block::new(Kind::Text { text: "so".into(), citations: vec![citation] });
        sent(&turn(vec![Message::new(Role::Assistant, vec![text])])).1
    };
    assert_eq!(cited(None, Some((0, 2))), "");
    assert_eq!(cited(Some("so"), Some((0, 2))), "~citations");
    assert_eq!(cited(None, None), "~citations");
}

#[test]
fn a_name_beside_an_address_is_a_declared_loss() {
    let source = Source::Url("https://a.example/a.pdf".into());
    let file = Media { mime: None, source, name: Some("a.pdf".into()), detail: None };
    let (body, losses) = sent(&turn(vec![Message::new(Role::User, vec![Block::new(Kind::File(file))])]));
    assert_eq!(body["input"][0]["content"][0].get("filename"), None);
    assert_eq!(losses, "filename");
}

#[test]
fn a_choice_outlives_no_tools() {
    let mut asked = turn(vec![Message::new(Role::User, vec![Block::text("Hi.")])]);
    for (choice, lost) in
        [(ToolChoice::Auto, ""), (ToolChoice::None, ""), (ToolChoice::Required, "tool_choice")]
    {
        asked.tool_choice = Some(choice);
        let (body, losses) = sent(&asked);
        assert_eq!((body.get("tool_choice"), losses.as_str()), (None, lost));
    }
}

#[test]
fn that_a_model_reasons_at_all_cannot_be_said() {
    let mut asked = turn(vec![Message::new(Role::User, vec![Block::text("Hi.")])]);
    asked.reasoning = Some(Reasoning { enabled: Some(true), shown: Some(false), ..Reasoning::default() });
    let (body, losses) = sent(&asked);
    assert_eq!((body.get("reasoning"), losses.as_str()), (None, "~reasoning"));
}
