//! Requests: identity in the dialect, and what the canonical turn says of them.

use canon::{Dialect, Kind, Role, Signature, ToolChoice, ToolKind};
use proptest::prelude::*;
use serde_json::json;

use super::{fixture, fixtures, json, target};
use crate::responses::{decode, encode};

fn turn(name: &str) -> canon::Turn {
    decode(&fixture("requests", name)).unwrap()
}

#[test]
fn every_request_comes_back_as_it_was() {
    for (name, body) in fixtures("requests") {
        let turn = decode(&body).unwrap_or_else(|error| unreachable!("{name}: {error}"));
        let target = canon::Target { model: &turn.model, maker: "anyone", ..target(Dialect::Responses) };
        let encoded = encode(&turn, &target);
        assert_eq!(json(&encoded.body), json(&body), "{name}");
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
    }
}

#[test]
fn what_the_model_gave_in_a_row_is_one_message() {
    let turn = turn("reasoning_history.json");
    let roles: Vec<Role> = turn.messages.iter().map(|message| message.role).collect();
    let (user, model) = (Role::User, Role::Assistant);
    assert_eq!(roles, [user, model, user, model, user, model, user]);
    let first = &turn.messages[1].blocks;
    assert_eq!(first.len(), 3);
    let Kind::Thinking(thinking) = &first[0].kind else { unreachable!() };
    assert_eq!(thinking.signature, Some(Signature::read("gAAAAABo-porto")));
    assert_eq!(thinking.id.as_deref(), Some("rs_1"));
    let Kind::Thinking(twice) = &turn.messages[5].blocks[0].kind else { unreachable!() };
    assert_eq!(twice.text, "One.\n\nTwo.");
    let Kind::Thinking(content) = &turn.messages[5].blocks[1].kind else { unreachable!() };
    assert_eq!(content.text, "Faro it is.");
}

#[test]
fn outputs_in_a_row_are_one_message_of_the_user() {
    let turn = turn("tools_parallel.json");
    let results = &turn.messages[2];
    assert_eq!((results.role, results.blocks.len()), (Role::User, 3));
    let Kind::ToolResult(photo) = &results.blocks[2].kind else { unreachable!() };
    assert!(
        matches!(photo.content[1].kind, Kind::Image(_)) && matches!(photo.content[2].kind, Kind::File(_))
    );
}

#[test]
fn namespaces_are_flattened_and_items_bring_tools() {
    let tools = turn("namespaces.json").tools;
    let found: Vec<(Option<&str>, &str)> =
        tools.iter().map(|tool| (tool.namespace.as_deref(), tool.name.as_str())).collect();
    let expected = [(None, "top"), (Some("github"), "search"), (Some("github"), "patch")];
    assert_eq!(found[..3], expected);
    assert!(matches!(tools[6].kind, ToolKind::WebSearch));
    let codex = turn("codex.json");
    let named: Vec<&str> =
        codex.tools.iter().map(|tool| tool.name.as_str()).filter(|it| !it.is_empty()).collect();
    assert_eq!(named, ["exec", "apply_patch"], "each once, though two items bring them");
    let asked = canon::Asked::of(&codex);
    let patch = asked.tool("shell__apply_patch");
    assert!(patch.custom && patch.namespace.as_deref() == Some("shell"));
    assert!(codex.messages.iter().all(|message| !message.blocks.is_empty()));
}

#[test]
fn empty_contents_make_no_blocks() {
    for message in turn("empty_content.json").messages {
        assert!(message.blocks.iter().all(|block| block.as_text() != Some("")));
    }
}

#[test]
fn choices_are_known() {
    let choice = |name: &str| turn(&format!("tool_choice_{name}.json")).tool_choice.unwrap();
    assert_eq!(choice("none"), ToolChoice::None);
    assert_eq!(choice("web_search"), ToolChoice::WebSearch);
    assert!(matches!(choice("function"), ToolChoice::Named { custom: false, namespace: None, .. }));
    assert!(matches!(choice("in_namespace"), ToolChoice::Named { namespace: Some(_), .. }));
    assert!(matches!(choice("allowed"), ToolChoice::Allowed { required: false, .. }));
}

#[test]
fn what_other_dialects_cannot_know_is_declared() {
    let mut losses = canon::Losses::default();
    let turn = turn("unknown_fields.json");
    turn.rest.lost(&mut losses);
    for block in turn.messages.iter().flat_map(|message| &message.blocks) {
        block.rest.lost(&mut losses);
    }
    assert_eq!(losses.to_string(), "future_option, text.format.future, future, message.future");
    let mut losses = canon::Losses::default();
    turn.tools[0].rest.lost(&mut losses);
    assert_eq!(losses.to_string(), "output_schema, allowed_callers");
}

#[test]
fn the_echo_has_the_documented_defaults() {
    let echo = turn("text_string.json").echo;
    assert_eq!(echo["truncation"], "disabled");
    assert_eq!(echo["text"], json!({"format": {"type": "text"}}));
    assert_eq!((&echo["store"], &echo["tools"]), (&json!(true), &json!([])));
    let echo = turn("namespaces.json").echo;
    assert_eq!(echo["tools"][1]["name"], "github", "tools as the client wrote them");
    assert_eq!(turn("settings.json").echo["service_tier"], "flex");
}

#[test]
fn a_wrong_type_is_named() {
    let error = |body: &str| decode(body.as_bytes()).unwrap_err().to_string();
    assert_eq!(error(r#"{"model":"m","input":7}"#), "`input` must be a string or an array.");
    assert_eq!(error(r#"{"model":"m","input":[1]}"#), "`input[0]` must be an object.");
    let output = r#"{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":7}]}"#;
    assert_eq!(error(output), "`input[0].output` must be a string or an array.");
    assert_eq!(error(r#"{"model":"m","input":[{"content":"x"}]}"#), "`input[0].role` is missing.");
}

proptest! {
    #[test]
    fn any_bytes_can_be_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_item_can_be_decoded_and_comes_back(
        kind in "message|reasoning|function_call|function_call_output|custom_tool_call|item_reference|x",
        role in "user|assistant|system|critic",
        text in "\\PC{0,8}",
        fields in proptest::collection::btree_map(
            "id|status|content|output|arguments|input|name|call_id|summary|namespace|encrypted_content|phase|annotations",
            0_u8..7,
            0..7,
        ),
    ) {
        let value = |form: u8| match form {
            0 => json!(null),
            1 => json!(text),
            2 => json!([]),
            3 => json!([{"type": "input_text", "text": text}]),
            4 => json!([{"type": "output_text", "text": text, "annotations": [7], "logprobs": null}, 7]),
            5 => json!({"x": text}),
            _ => json!(7),
        };
        let mut item = serde_json::Map::new();
        item.insert("type".into(), json!(kind));
        item.insert("role".into(), json!(role));
        item.extend(fields.into_iter().map(|(name, form)| (name, value(form))));
        let body = json!({"model": "m", "input": [item]});
        if let Ok(turn) = decode(body.to_string().as_bytes()) {
            let target = canon::Target { model: "m", ..target(Dialect::Responses) };
            let encoded = json(&encode(&turn, &target).body);
            // A null where an output or a role's word must stand is the one thing that is not kept.
            if item_is_plausible(&body) {
                prop_assert_eq!(encoded, body);
            }
        }
    }
}

/// Whether an item is one that a provider would take.
fn item_is_plausible(body: &serde_json::Value) -> bool {
    let item = &body["input"][0];
    let output = item["type"].as_str().is_some_and(|kind| kind.ends_with("_output"));
    !output || (item.get("output").is_some_and(|output| !output.is_null()) && item["call_id"] != "")
}
