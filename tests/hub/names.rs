//! What names lead to through a running hub: aliases, the map, tags, substitutes; and what combos say for all of their
//! requests.

use http::{Method, StatusCode};
use serde_json::json;
use tokio::time::Instant;
use trivium::simulator::{Behaviour, Fault, RetryAfter, Rule, Script};

use super::support::{Answer, TestHub, chat};

const ACCOUNTS: &str = "
providers:
  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: [big, {id: coder, tags: [code]}]}
  - {id: b, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [big]}
  - {id: c, type: openai-compatible, api_key: sim-ok.c, base_url: 'http://elsewhere.test/v1', models: [small, {id: tiny, tags: [code]}]}
";

async fn hub(sections: &str) -> TestHub {
    scripted(sections, Script::default()).await
}

async fn scripted(sections: &str, script: Script) -> TestHub {
    TestHub::builder().yaml(&format!("{ACCOUNTS}{sections}\n")).script(script).build().await
}

fn model(answer: &Answer) -> &str {
    answer.header("x-gateway-model")
}

fn dry(keys: &[&str]) -> Script {
    let dry = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(0, 300) };
    keys.iter().fold(Script::default(), |script, key| script.key(*key, dry.clone()))
}

#[tokio::test(start_paused = true)]
async fn an_alias_goes_through_its_targets_in_order() {
    let hub = scripted(
        "aliases: {quick: [big, small], 'off': {targets: [big], enabled: false}}",
        dry(&["sim-ok.a", "sim-ok.b"]),
    )
    .await;
    for name in ["quick", "combo/quick"] {
        assert_eq!(model(&hub.chat(name).await), "small");
    }
    let ids = hub.get("/v1/models").await.text;
    assert!(ids.contains("\"quick\"") && !ids.contains("\"off\""), "{ids}");
    assert_eq!(hub.chat("off").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn the_map_takes_what_nobody_serves_and_the_first_rule_counts() {
    let hub = hub("combos: [{id: coding, cache: true, system_prompt: Be brief., steps: [coder]}]
map:
  - {match: claude-*haiku*, to: small}
  - {match: claude-*, to: coding}
  - {match: openai/*, to: combo/coding}
  - {match: 'b*', to: small}")
    .await;
    for (name, served) in [
        ("claude-haiku-4-5", "small"),
        ("claude-opus-4-8", "coder"),
        ("openai/gpt-5", "coder"),
        ("big", "big"),
        ("b/big", "big"),
        ("b/other", "small"),
    ] {
        let answer = hub.chat(name).await;
        assert_eq!((answer.status, model(&answer)), (StatusCode::OK, served), "{name}");
    }
    let nobody = hub.chat("gpt-5").await;
    assert_eq!((nobody.status, nobody.code().as_str()), (StatusCode::NOT_FOUND, "model_not_found"));
    // A name that leads to a combo is shaped and cached as the combo is.
    let asked = hub.upstream().len();
    let again = hub.chat("claude-opus-4-8").await;
    assert_eq!((again.header("x-trivium-cache"), hub.upstream().len()), ("hit", asked));
    assert_eq!(hub.chat("claude-sonnet-4-5").await.header("x-trivium-shaped"), "system-prompt");
}

#[tokio::test(start_paused = true)]
async fn a_tag_is_every_listed_model_that_carries_it() {
    let combos = "combos: [{id: codes, strategy: round-robin, connections: round-robin, steps: [{tag: code}]}, \
                  {id: only-c, steps: [{tag: code, connection: c}]}]";
    let hub = hub(combos).await;
    assert_eq!(model(&hub.chat("tag/code").await), "coder");
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(model(&hub.chat("codes").await).to_owned());
    }
    assert_eq!(served, ["coder", "tiny", "coder", "tiny"]);
    assert_eq!(model(&hub.chat("only-c").await), "tiny");
    let unknown = hub.chat("tag/cod").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text.contains("`tag/code`"), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn well_known_names_are_answered_by_the_nearest_only_where_that_is_wanted() {
    let off = hub("").await;
    assert_eq!(off.chat("claude-opus-4-8").await.status, StatusCode::NOT_FOUND);
    let on = hub("routing: {substitute: on}\nmap: [{match: gpt-4o, to: small}]").await;
    for name in ["claude-opus-4-8", "anthropic/claude-haiku-4-5", "gpt-5.2-codex", "gemini-3.1-pro-preview"] {
        let answer = on.chat(name).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert!(["big", "coder", "small", "tiny"].contains(&model(&answer)), "{answer:?}");
    }
    assert_eq!(model(&on.chat("gpt-4o").await), "small", "the map goes before");
    assert_eq!(model(&on.chat("big").await), "big");
    for name in ["gpt-image-1", "somebodys-model"] {
        assert_eq!(on.chat(name).await.status, StatusCode::NOT_FOUND, "{name}");
    }
    let receipt = &on.receipts().await;
    assert!(
        receipt.iter().any(|row| row.model == "claude-opus-4-8"),
        "the receipt has the name that was asked for"
    );
}

#[tokio::test(start_paused = true)]
async fn the_outermost_combo_says_how_often_a_target_is_asked_again() {
    let stumbles = Behaviour::ok().rule(Rule::first(1, Fault::status(503)));
    let combos = "combos:
  - {id: patient, retries: 1, retry_pause_seconds: 7, steps: [a/big, small]}
  - {id: outer, retries: 0, steps: [combo/patient]}
  - {id: around, retries: 1, retry_pause_seconds: 0, steps: [combo/plain]}
  - {id: plain, steps: [a/big, small]}";
    for (name, served, seconds) in
        [("patient", "big", 7), ("outer", "small", 0), ("around", "big", 0), ("plain", "small", 0)]
    {
        let hub = scripted(combos, Script::default().key("sim-ok.a", stumbles.clone())).await;
        let started = Instant::now();
        let answer = hub.chat(name).await;
        assert_eq!((model(&answer), started.elapsed().as_secs()), (served, seconds), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_combo_has_a_deadline_of_its_own() {
    let slow = Behaviour::ok().paced(3, 40_000);
    let combos = "timeouts: {total_seconds: 60}
combos: [{id: hasty, deadline_seconds: 20, steps: [a/big]}, {id: long, deadline_seconds: 300, steps: [a/big]}]";
    let hub = scripted(combos, Script::default().key("sim-ok.a", slow)).await;
    for (name, seconds, whole) in
        [("hasty", Some(20), false), ("a/big", Some(60), false), ("long", None, true)]
    {
        let started = Instant::now();
        let answer = hub.stream(name).await;
        assert_eq!(answer.is_whole(), whole, "{name}: {answer:?}");
        let took = started.elapsed().as_secs();
        assert!(seconds.map_or(took > 60, |seconds| took == seconds), "{name} took {took} s");
        assert!(whole || answer.text.contains(&format!("{} s", seconds.unwrap())), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_combo_decides_whether_sessions_stay() {
    let combos = "combos:
  - {id: turns, strategy: round-robin, affinity: \"off\", steps: [big, small]}
  - {id: stays, strategy: round-robin, steps: [big, small]}
  - {id: alike, strategy: round-robin, affinity: beginning, steps: [big, small]}";
    let hub = hub(combos).await;
    let of = async |name: &str, session: Option<&'static str>| {
        let mut request = chat(name, false);
        if let Some(session) = session {
            request.headers_mut().insert("x-session-id", session.parse().unwrap());
        }
        model(&hub.send(request).await).to_owned()
    };
    for (name, session, same) in [
        ("turns", Some("s"), false),
        ("stays", Some("s"), true),
        ("stays", None, false),
        ("alike", None, true),
    ] {
        let (first, second) = (of(name, session).await, of(name, session).await);
        assert_eq!(first == second, same, "{name} {session:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_resort_is_asked_after_everything_else() {
    let combos = "combos:
  - {id: safe, strategy: random, fallback: auto, steps: [big, b/big]}
  - {id: bare, steps: [{model: big, connection: a}, {model: big, connection: b}]}
  - {id: around, steps: [combo/safe]}";
    let fine = hub(combos).await;
    for _ in 0..20 {
        assert_eq!(model(&fine.chat("safe").await), "big");
    }
    let broken = scripted(combos, dry(&["sim-ok.a", "sim-ok.b"])).await;
    let answer = broken.chat("safe").await;
    assert_eq!((answer.status, answer.route()), (StatusCode::OK, "c"));
    for name in ["bare", "around"] {
        assert_eq!(broken.chat(name).await.status, StatusCode::TOO_MANY_REQUESTS, "{name}");
    }
    let ask = json!({"model": "safe"});
    let plan = broken.json(Method::POST, "/api/routing/simulate", ask).await;
    assert!(plan.status == StatusCode::OK && plan.text.contains("\"c\""), "{plan:?}");
}

#[tokio::test(start_paused = true)]
async fn a_combo_without_a_step_that_leads_anywhere_has_its_last_resort() {
    let sections = "  - {id: d, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: '${NO_KEY}', models: [gone]}
combos:
  - {id: saved, fallback: auto/coding, steps: [gone]}
  - {id: lost, steps: [gone]}
  - {id: through, steps: [auto/chat:fast, {model: auto/chat, connection: c}]}
  - {id: pinned, steps: [{model: auto/chat, connection: c}]}";
    let hub = hub(sections).await;
    assert_eq!(hub.chat("saved").await.status, StatusCode::OK);
    assert_eq!(hub.chat("lost").await.status, StatusCode::NOT_FOUND);
    assert_eq!(hub.chat("through").await.status, StatusCode::OK);
    for _ in 0..10 {
        assert_eq!(hub.chat("pinned").await.route(), "c");
    }
}
