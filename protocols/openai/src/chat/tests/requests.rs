//! What requests of this dialect and of others become here.

use canon::{
    Block, Dialect, Effort, Encoded, Kind, Media, Message, Quirks, Reasoning, Role, Signature, Source,
    Target, Thinking, Tool, ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
};
use serde_json::{Value, json as object};

use super::{decode, encode, json, target};

fn turn(body: &Value) -> Turn {
    decode(body.to_string().as_bytes()).unwrap()
}

fn with(quirks: Quirks, source: Dialect) -> Target<'static> {
    Target { quirks, ..target(source) }
}

fn sent(turn: &Turn, target: &Target<'_>) -> (Value, String) {
    let Encoded { body, losses } = encode(turn, target);
    (json(&body), losses.to_string())
}

fn foreign(messages: Vec<Message>) -> Turn {
    Turn { messages, ..Turn::default() }
}

fn call(id: &str, name: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        arguments: "{}".into(),
        custom: false,
        signature: None,
    }
}

fn result(call: &str, content: Vec<Block>) -> Block {
    let call = call.to_owned();
    Block::new(Kind::ToolResult(ToolResult { call, name: None, content, failed: false, custom: false }))
}

fn called(calls: Vec<ToolCall>) -> Message {
    Message::new(Role::Assistant, calls.into_iter().map(|call| Block::new(Kind::ToolCall(call))).collect())
}

fn image() -> Block {
    let source = Source::Base64("AAAA".into());
    Block::new(Kind::Image(Media { mime: Some("image/png".into()), source, name: None, detail: None }))
}

fn tool(name: &str, kind: ToolKind) -> Tool {
    Tool {
        name: name.into(),
        namespace: None,
        description: None,
        kind,
        cache: None,
        rest: canon::Rest::default(),
    }
}

#[test]
fn each_tool_message_is_a_user_message_with_its_result() {
    let turn = turn(&object!({"model": "m", "messages": [
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "n", "input": "x"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "done"}]}));
    assert_eq!(turn.messages[0].blocks.len(), 1, "an empty text is no block");
    let Kind::ToolResult(result) = &turn.messages[1].blocks[0].kind else { unreachable!() };
    assert!(
        turn.messages[1].role == Role::User && result.custom && result.content[0].as_text() == Some("done")
    );
}

#[test]
fn results_stand_before_the_rest_of_their_message_and_media_behind() {
    let messages = vec![
        called(vec![call("a", "f"), call("b", "g")]),
        Message::new(Role::User, vec![Block::text("look"), result("a", vec![Block::text("seen"), image()])]),
        Message::new(Role::System, vec![Block::text("note")]),
        Message::new(Role::User, vec![result("b", vec![])]),
    ];
    let (body, losses) = sent(&foreign(messages), &target(Dialect::Messages));
    let roles: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user", "user", "system"]);
    assert_eq!(body["messages"][0]["content"], Value::Null);
    assert_eq!(body["messages"][2]["content"], "");
    assert_eq!(body["messages"][3]["content"][0]["image_url"]["url"], "data:image/png;base64,AAAA");
    assert_eq!(losses, "~content.tool_result");
}

#[test]
fn lists_of_texts_from_elsewhere_are_one_text_except_from_users() {
    let two = || vec![Block::text("a"), Block::text("b")];
    let mut turn = foreign(vec![Message::new(Role::Assistant, two()), Message::new(Role::User, two())]);
    turn.instructions = two();
    let (body, losses) = sent(&turn, &target(Dialect::Gemini));
    assert_eq!(body["messages"][0], object!({"role": "system", "content": "a\n\nb"}));
    assert_eq!(body["messages"][1]["content"], "ab");
    assert_eq!(body["messages"][2]["content"][1]["text"], "b");
    assert_eq!(losses, "");
}

#[test]
fn roles_follow_the_quirks() {
    let request = turn(&object!({"model": "m", "messages": [
        {"role": "developer", "content": "a"}, {"role": "system", "content": "b"}]}));
    let quirks = Quirks { developer_to_system: true, ..Quirks::default() };
    assert_eq!(sent(&request, &with(quirks, Dialect::Chat)).0["messages"][0]["role"], "system");
    let quirks = Quirks { system_to_user: true, ..Quirks::default() };
    let (body, losses) = sent(&request, &with(quirks, Dialect::Chat));
    assert_eq!(
        (&body["messages"][0]["role"], &body["messages"][1]["role"]),
        (&"user".into(), &"user".into())
    );
    assert_eq!(losses, "~role");
}

#[test]
fn limits_follow_the_client_the_quirk_and_the_model() {
    let new = turn(&object!({"model": "m", "messages": [], "max_completion_tokens": 9}));
    let old = turn(&object!({"model": "m", "messages": [], "max_tokens": 9}));
    let plain = target(Dialect::Chat);
    assert_eq!(sent(&new, &plain).0["max_completion_tokens"], 9);
    assert_eq!(sent(&old, &plain).0["max_tokens"], 9);
    let quirks = Quirks { legacy_max_tokens: true, ..Quirks::default() };
    let target = Target { max_output: Some(5), ..with(quirks, Dialect::Chat) };
    let (body, losses) = sent(&new, &target);
    assert_eq!((&body["max_tokens"], body.get("max_completion_tokens")), (&5.into(), None));
    assert_eq!(losses, "~max_tokens");
}

#[test]
fn a_stream_is_metered_unless_that_is_refused() {
    let aider = turn(&object!({"model": "m", "messages": [], "stream": true}));
    assert!(!aider.include_usage);
    let body = sent(&aider, &target(Dialect::Chat)).0;
    assert_eq!(body["stream_options"], object!({"include_usage": true}));
    let quirks = Quirks { no_stream_options: true, ..Quirks::default() };
    let asked = object!({"model": "m", "messages": [], "stream": true, "stream_options": {"include_usage": true, "x": 1}});
    let body = sent(&turn(&asked), &with(quirks, Dialect::Chat)).0;
    assert!(body["stream"] == true && body.get("stream_options").is_none());
}

#[test]
fn ids_of_calls_stay_together_whatever_form_they_need() {
    let long = "x".repeat(80);
    let messages = vec![
        called(vec![call(&long, "f"), call("", "g"), call("", "h")]),
        Message::new(Role::User, vec![result(&long, vec![]), result("", vec![]), result("", vec![])]),
    ];
    let nine = Quirks { tool_id_nine: true, ..Quirks::default() };
    for (quirks, limit) in [(Quirks::default(), 64), (nine, 9)] {
        let (body, losses) = sent(&foreign(messages.clone()), &with(quirks, Dialect::Gemini));
        for at in 0..3 {
            let id = body["messages"][0]["tool_calls"][at]["id"].as_str().unwrap();
            assert!(id.len() <= limit && !id.is_empty());
            assert_eq!(body["messages"][at + 1]["tool_call_id"], id);
        }
        assert_ne!(body["messages"][0]["tool_calls"][1]["id"], body["messages"][0]["tool_calls"][2]["id"]);
        assert_eq!(losses, "");
    }
}

#[test]
fn thoughts_go_back_to_those_who_may_and_must_have_them() {
    let thinking = Thinking { text: "hm".into(), ..Thinking::default() };
    let mut message = called(vec![call("c", "f")]);
    message.blocks.insert(0, Block::new(Kind::Thinking(thinking)));
    let turn = foreign(vec![message, called(vec![call("d", "f")])]);
    let (body, losses) = sent(&turn, &target(Dialect::Chat));
    assert_eq!((&body["messages"][0]["reasoning_content"], losses.as_str()), (&"hm".into(), ""));
    let (body, losses) = sent(&turn, &target(Dialect::Messages));
    assert_eq!((body["messages"][0].get("reasoning_content"), losses.as_str()), (None, "thinking"));
    let echo = Quirks { echo_reasoning: true, ..Quirks::default() };
    let (body, losses) = sent(&turn, &with(echo, Dialect::Messages));
    assert_eq!((&body["messages"][0]["reasoning_content"], losses.as_str()), (&"hm".into(), ""));
    assert_eq!(body["messages"][1]["reasoning_content"], " ");
    let strip = Quirks { strip_reasoning: true, ..Quirks::default() };
    let (body, losses) = sent(&turn, &with(strip, Dialect::Chat));
    assert_eq!((body["messages"][0].get("reasoning_content"), losses.as_str()), (None, "thinking"));
}

#[test]
fn signatures_return_to_their_maker_alone() {
    let crossed = Signature { data: "sig".into(), maker: Some("other".into()) }.written();
    let own = Signature { data: "sig".into(), maker: Some("maker".into()) }.written();
    let request = |signature: &str| {
        turn(&object!({"model": "m", "messages": [{"role": "assistant", "content": "a",
            "reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.text", "signature": signature, "index": 0}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": signature}}}]}]}))
    };
    let (body, losses) = sent(&request(&own), &target(Dialect::Chat));
    let message = &body["messages"][0];
    assert_eq!(message["reasoning_details"][0]["signature"], "sig");
    assert_eq!(message["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "sig");
    assert_eq!(losses, "");
    let Kind::Thinking(thinking) = &request(&own).messages[0].blocks[0].kind.clone() else { unreachable!() };
    assert_eq!(thinking.text, "hm", "the words and their signature are one thought");
    let (body, losses) = sent(&request(&crossed), &target(Dialect::Chat));
    assert_eq!(body["messages"][0].get("reasoning_details"), None);
    assert_eq!(body["messages"][0].get("reasoning_content"), None);
    assert_eq!(body["messages"][0]["tool_calls"][0].get("extra_content"), None);
    assert_eq!(losses, "thinking, thinking.signature");
    let echo = Quirks { echo_reasoning: true, ..Quirks::default() };
    let (body, losses) = sent(&request(&crossed), &with(echo, Dialect::Chat));
    assert_eq!(body["messages"][0]["reasoning_content"], "hm");
    assert_eq!(body["messages"][0].get("reasoning_details"), None);
    assert_eq!(losses, "thinking.signature");
}

#[test]
fn custom_tools_of_other_dialects_become_functions() {
    let format = Some(object!({"type": "grammar", "syntax": "lark", "definition": "start: \"x\""}));
    let mut turn = foreign(vec![called(vec![ToolCall {
        custom: true,
        arguments: "a\"b".into(),
        ..call("c", "patch")
    }])]);
    turn.tools = vec![tool("patch", ToolKind::Custom { format })];
    turn.tool_choice = Some(ToolChoice::Named { name: "patch".into(), namespace: None, custom: true });
    let (body, losses) = sent(&turn, &target(Dialect::Responses));
    assert_eq!(body["tools"][0]["function"]["parameters"]["required"], object!(["input"]));
    assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["arguments"], r#"{"input":"a\"b"}"#);
    assert_eq!(body["tool_choice"]["function"]["name"], "patch");
    assert_eq!(losses, "tools.format");
    let (body, losses) = sent(&turn, &target(Dialect::Chat));
    assert_eq!(body["tools"][0]["custom"]["format"]["grammar"]["syntax"], "lark");
    assert_eq!(
        (&body["messages"][0]["tool_calls"][0]["custom"]["input"], losses.as_str()),
        (&"a\"b".into(), "")
    );
}

#[test]
fn namespaces_are_flat_here() {
    let mut turn =
        foreign(vec![called(vec![ToolCall { namespace: Some("git".into()), ..call("c", "log") }])]);
    let kind = ToolKind::Function { parameters: None, strict: None };
    turn.tools = vec![Tool { namespace: Some("git".into()), ..tool("log", kind) }];
    let (body, _) = sent(&turn, &target(Dialect::Responses));
    assert_eq!(body["tools"][0]["function"]["name"], "git__log");
    assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["name"], "git__log");
}

#[test]
fn choices_without_tools_are_left_out() {
    let codex = object!({"model": "m", "messages": [], "tools": [], "tool_choice": "auto", "parallel_tool_calls": true});
    let (body, losses) = sent(&turn(&codex), &target(Dialect::Chat));
    assert_eq!(body, object!({"model": "m", "messages": []}));
    assert_eq!(losses, "");
}

#[test]
fn what_cannot_be_said_is_declared() {
    let mut turn = foreign(vec![Message::new(
        Role::User,
        vec![
            Block { cache: Some(object!({"type": "ephemeral"})), ..Block::text("a") },
            Block::new(Kind::Opaque {
                dialect: Dialect::Messages,
                value: object!({"type": "search_result"}),
            }),
        ],
    )]);
    let server = ToolKind::Server { dialect: Dialect::Messages, value: object!({"type": "bash_20250124"}) };
    turn.tools = vec![tool("", server)];
    turn.tool_choice = Some(ToolChoice::Required);
    turn.sampling.top_k = Some(5.into());
    turn.stop = (0..6).map(|number| number.to_string()).collect();
    turn.user = Some("u".repeat(100));
    turn.reasoning = Some(Reasoning { budget: Some(9000), ..Reasoning::default() });
    let (body, losses) = sent(&turn, &target(Dialect::Messages));
    assert_eq!(body["messages"], object!([{"role": "user", "content": "a"}]));
    assert_eq!(body["reasoning_effort"], Effort::Medium.as_str());
    assert!(body.get("tools").is_none() && body["stop"].as_array().unwrap().len() == 4);
    assert_eq!(
        losses,
        "cache_control, content.search_result, tools.bash_20250124, tool_choice, top_k, ~stop, ~reasoning, ~user"
    );
}

#[test]
fn defaults_and_nulls_are_nobodys_loss() {
    let turn = turn(
        &object!({"model": "m", "messages": [{"role": "user", "content": "a", "name": null}], "n": 1,
        "logprobs": false, "seed": null, "tools": [{"type": "function", "function": {"name": "f", "strict": null}}]}),
    );
    let mut losses = canon::Losses::default();
    turn.rest.lost(&mut losses);
    turn.messages[0].rest.lost(&mut losses);
    turn.tools[0].rest.lost(&mut losses);
    assert!(losses.is_empty(), "{losses}");
}

#[test]
fn mistakes_are_named_by_their_place() {
    let of = |body: Value| decode(body.to_string().as_bytes()).unwrap_err().at;
    assert_eq!(of(object!({"model": "m"})), "messages");
    assert_eq!(
        of(object!({"model": "m", "messages": [{"role": "user", "content": 7}]})),
        "messages[0].content"
    );
    assert_eq!(
        of(object!({"model": "m", "messages": [{"role": "bard", "content": "x"}]})),
        "messages[0].role"
    );
    let part = object!([{"type": "image_url", "image_url": {"detail": "low"}}]);
    let place = of(object!({"model": "m", "messages": [{"role": "user", "content": part}]}));
    assert_eq!(place, "messages[0].content[0].image_url.url");
    let calls = object!([{"id": "c", "type": "function", "function": {"arguments": "{}"}}]);
    let place = of(object!({"model": "m", "messages": [{"role": "assistant", "tool_calls": calls}]}));
    assert_eq!(place, "messages[0].tool_calls[0].function.name");
}
