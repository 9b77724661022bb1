//! Settings that came in another dialect: limits, thinking, sampling, form.

use canon::{
    Dialect, Effort, Format, Reasoning, Sampling, Signature, Target, Thinking, ToolChoice, ToolKind, Turn,
};
use serde_json::{Number, Value, json};

use super::{call, result, target, user, written};
use crate::messages::encode;
use canon::{Block, Kind, Message, Role};

const BUDGETED: &str = "claude-sonnet-4-5";
const ADAPTIVE: &str = "claude-opus-4-6";

fn turn(reasoning: Reasoning) -> Turn {
    Turn { messages: vec![user("hi")], reasoning: Some(reasoning), ..Turn::default() }
}

fn effort(effort: Effort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

fn parts(turn: &Turn, model: &str) -> (Value, Value, String) {
    let (body, losses) = written(turn, model);
    (body["thinking"].clone(), body["max_tokens"].clone(), losses)
}

#[test]
fn an_effort_is_a_budget_below_the_limit() {
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    let of = |max_tokens: Option<u64>, wanted: Effort| {
        parts(&Turn { max_tokens, ..turn(effort(wanted)) }, BUDGETED)
    };
    assert_eq!(of(None, Effort::Medium), (enabled(8192), json!(16_384), String::new()));
    assert_eq!(of(None, Effort::Minimal), (enabled(1024), json!(9216), String::new()));
    assert_eq!(of(Some(4096), Effort::High), (enabled(3072), json!(4096), String::new()));
    assert_eq!(of(Some(1000), Effort::High), (Value::Null, json!(1000), "~reasoning".to_owned()));
    assert_eq!(of(None, Effort::None), (Value::Null, json!(8192), String::new()));
    assert_eq!(of(None, Effort::Max), (enabled(24_000), json!(32_000), String::new()));
    let said = Reasoning { budget: Some(9000), ..Reasoning::default() };
    let turn = Turn { max_tokens: Some(4096), ..turn(said) };
    assert_eq!(parts(&turn, BUDGETED), (enabled(3072), json!(4096), "~reasoning".to_owned()));
}

#[test]
fn newer_models_think_adaptively() {
    let (body, losses) = written(&turn(effort(Effort::XHigh)), ADAPTIVE);
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!((body["output_config"].clone(), losses.as_str()), (json!({"effort": "high"}), "~reasoning"));
    let (body, losses) = written(&turn(effort(Effort::XHigh)), "claude-opus-4-8");
    assert_eq!((body["output_config"].clone(), losses.as_str()), (json!({"effort": "xhigh"}), ""));
    let shown = Reasoning { shown: Some(true), ..effort(Effort::Low) };
    assert_eq!(written(&turn(shown), ADAPTIVE).0["thinking"]["display"], "summarized");
    assert_eq!(
        written(&turn(effort(Effort::None)), "claude-sonnet-5").0["thinking"],
        json!({"type": "disabled"})
    );
    let (body, losses) = written(&turn(effort(Effort::None)), "claude-fable-5");
    assert_eq!((body["output_config"].clone(), losses.as_str()), (json!({"effort": "low"}), "~reasoning"));
    assert_eq!(written(&turn(effort(Effort::High)), "claude-3-5-haiku-latest").1, "reasoning");
}

#[test]
fn the_limit_of_the_model_holds() {
    let limited = Target { max_output: Some(4000), ..target(BUDGETED, Dialect::Chat) };
    let body = |turn: &Turn| super::json(&encode(turn, &limited).body);
    let cut = body(&turn(effort(Effort::High)));
    assert_eq!(
        (cut["max_tokens"].clone(), cut["thinking"]["budget_tokens"].clone()),
        (json!(4000), json!(3000))
    );
    let said = Turn { max_tokens: Some(9999), messages: vec![user("hi")], ..Turn::default() };
    assert_eq!(body(&said)["max_tokens"], 4000);
    assert_eq!(encode(&said, &limited).losses.to_string(), "~max_tokens");
}

fn in_a_loop(own: bool) -> Turn {
    let signature = Some(Signature { data: "s".into(), maker: Some("anthropic".into()) });
    let thought = Block::new(Kind::Thinking(Thinking { signature, ..Thinking::default() }));
    let mut blocks = vec![thought, call("a", "{}", None)];
    if !own {
        blocks.remove(0);
    }
    let messages = vec![
        user("go"),
        Message::new(Role::Assistant, blocks),
        Message::new(Role::User, vec![result("a", vec![Block::text("x")])]),
    ];
    Turn { messages, ..turn(effort(Effort::Low)) }
}

#[test]
fn a_loop_that_began_without_thoughts_goes_on_without() {
    assert_eq!(parts(&in_a_loop(false), BUDGETED).0, Value::Null);
    assert_eq!(parts(&in_a_loop(false), BUDGETED).2, "~reasoning");
    assert_eq!(parts(&in_a_loop(true), BUDGETED).0["type"], "enabled");
    assert_eq!(parts(&in_a_loop(false), ADAPTIVE).0["type"], "adaptive");
}

#[test]
fn a_forced_tool_weighs_more_than_thinking() {
    let mut turn = turn(effort(Effort::High));
    turn.tool_choice = Some(ToolChoice::Required);
    turn.tools = vec![canon::Tool {
        name: "t".into(),
        namespace: None,
        description: None,
        kind: ToolKind::Function { parameters: None, strict: None },
        cache: None,
        rest: canon::Rest::default(),
    }];
    let (body, losses) = written(&turn, BUDGETED);
    assert_eq!((body["tool_choice"].clone(), losses.as_str()), (json!({"type": "any"}), "~reasoning"));
    assert!(body.get("thinking").is_none());
}

fn sampled(temperature: f64, reasoning: Option<Reasoning>) -> Turn {
    let sampling = Sampling {
        temperature: Number::from_f64(temperature),
        top_p: Number::from_f64(0.5),
        top_k: Some(5.into()),
        seed: Some(1.into()),
        frequency_penalty: Some(1.into()),
        presence_penalty: Some(1.into()),
    };
    Turn { messages: vec![user("hi")], sampling, reasoning, ..Turn::default() }
}

#[test]
fn sampling_is_what_the_model_takes() {
    let unknown = "frequency_penalty, presence_penalty, seed";
    let (body, losses) = written(&sampled(1.7, None), "kimi-k2");
    assert_eq!([&body["temperature"], &body["top_p"], &body["top_k"]], [&json!(1), &json!(0.5), &json!(5)]);
    assert_eq!(losses, format!("{unknown}, ~temperature"));
    let (body, losses) = written(&sampled(0.3, None), BUDGETED);
    assert_eq!((body["temperature"].clone(), body.get("top_p")), (json!(0.3), None));
    assert_eq!(losses, format!("{unknown}, top_p"));
    for (turn, model) in
        [(sampled(0.3, Some(effort(Effort::Low))), BUDGETED), (sampled(0.3, None), "claude-opus-4-7")]
    {
        let (body, losses) = written(&turn, model);
        assert!(["temperature", "top_p", "top_k"].iter().all(|name| body.get(*name).is_none()), "{model}");
        assert_eq!(losses, format!("{unknown}, temperature, top_p, top_k"));
    }
}

#[test]
fn forms_stops_and_users() {
    let mut turn = Turn { messages: vec![user("hi")], user: Some("u1".into()), ..Turn::default() };
    turn.stop = vec!["END".into(), "\n".into()];
    turn.format = Some(Format::Schema {
        name: Some("n".into()),
        description: None,
        schema: json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}),
        strict: Some(true),
    });
    let (body, losses) = written(&turn, BUDGETED);
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!(body["output_config"], json!({"format": {"type": "json_schema", "schema": schema}}));
    assert_eq!(
        (body["stop_sequences"].clone(), body["metadata"].clone()),
        (json!(["END"]), json!({"user_id": "u1"}))
    );
    assert_eq!(losses, "~schema, stop");
    turn.format = Some(Format::Json);
    assert_eq!(written(&turn, BUDGETED).1, "response_format, stop");
}
