//! Diagnoses of connections: what is found, what is suggested, who decides, and what the hub does by itself.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::support::{Answer, TestHub};

/// Nothing is diagnosed unless a test says so.
async fn hub(yaml: &str) -> TestHub {
    TestHub::builder().yaml(yaml).account_with("file", "sim-ok.file", &["m"]).build().await
}

/// A connection that was made over the API.
async fn made(hub: &TestHub, id: &str, kind: &str, url: &str, models: Value) {
    let definition =
        json!({ "type": kind, "base_url": url, "api_key": format!("sim-ok.{id}"), "models": models });
    let put = hub.json(Method::PUT, &format!("/api/connections/{id}"), definition).await;
    assert!(put.status.is_success(), "{}", put.text);
}

async fn diagnose(hub: &TestHub, args: Value) -> Value {
    let answer = hub.json(Method::POST, "/api/diagnosis", args).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.json()
}

async fn decide(hub: &TestHub, suggestion: &Value, verdict: &str) -> Answer {
    let id = suggestion["id"].as_str().unwrap_or_else(|| panic!("{suggestion}"));
    hub.json(Method::POST, &format!("/api/suggestions/{id}/{verdict}"), json!({})).await
}

async fn suggestions(hub: &TestHub, query: &str) -> Vec<Value> {
    let page = hub.get(&format!("/api/suggestions?{query}")).await.json();
    page["suggestions"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
}

/// What is suggested about a connection, as kind and model.
fn told(all: &[Value], connection: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let here = all.iter().filter(|one| one["connection"] == connection);
    let mut told: Vec<_> = here.map(|one| (text(&one["kind"]), text(&one["model"]))).collect();
    told.sort();
    told
}

fn one<'a>(all: &'a [Value], kind: &str) -> &'a Value {
    all.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {all:?}"))
}

fn pair(kind: &str, model: &str) -> (String, String) {
    (kind.to_owned(), model.to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_is_new_and_what_is_gone_waits_for_a_person() {
    let hub = hub("").await;
    hub.simulator.set_models(["m", "sim-small", "fresh"]);
    made(&hub, "made", "openai-compatible", "http://simulator.test/v1", json!(["sim-small", "retired"]))
        .await;
    let report = diagnose(&hub, json!({"connection": "made"})).await;
    let run = &report["run"]["connections"][0];
    let counts = ["works", "listed", "known", "new", "gone"].map(|name| run[name].clone());
    assert_eq!(counts, [json!(true), json!(3), json!(1), json!(2), json!(1)], "{report}");
    let open = suggestions(&hub, "").await;
    let wanted = [pair("model_gone", "retired"), pair("model_new", "fresh"), pair("model_new", "m")];
    assert_eq!(told(&open, "made"), wanted);
    assert!(hub.upstream().is_empty(), "no model was asked for anything");
    let listed = async || hub.get("/v1/models").await.text;
    assert!(
        listed().await.contains("\"retired\"") && !listed().await.contains("\"fresh\""),
        "nothing is changed"
    );
    // Accepted: in force, once, and to be taken back.
    let fresh = open.iter().find(|one| one["model"] == "fresh").unwrap();
    assert_eq!(
        fresh["change"],
        json!({"section": "providers", "id": "made", "changes": {"models": ["sim-small", "retired", "fresh"]}})
    );
    let accepted = decide(&hub, fresh, "accept").await.json();
    assert_eq!(
        (&accepted["state"], &accepted["decided_by"]),
        (&json!("accepted"), &json!("env")),
        "{accepted}"
    );
    assert!(listed().await.contains("\"fresh\""));
    assert_eq!(decide(&hub, fresh, "accept").await.status, 409);
    assert_eq!(decide(&hub, fresh, "dismiss").await.status, 409);
    let log = hub.get("/api/audit?limit=1&outcome=done").await.json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["operation"], &entry["target"]),
        (&json!("accept_suggestion"), &json!("made")),
        "{log}"
    );
    let undone = hub.json(Method::POST, &format!("/api/audit/{}/undo", entry["id"]), json!({})).await;
    assert!(undone.status.is_success(), "{}", undone.text);
    assert!(!listed().await.contains("\"fresh\""));
    diagnose(&hub, json!({})).await;
    let again = suggestions(&hub, "").await;
    assert!(
        told(&again, "made").contains(&pair("model_new", "fresh")),
        "what was undone waits anew: {again:?}"
    );
    // Hidden, and not deleted.
    let gone = one(&again, "model_gone");
    assert_eq!(
        (&gone["times"], &gone["change"]["changes"]),
        (&json!(2), &json!({"value": ["made/retired"]})),
        "{gone}"
    );
    assert!(decide(&hub, gone, "accept").await.status.is_success());
    assert!(!listed().await.contains("\"retired\""));
    let kept = hub.get("/api/connections/made").await.json();
    assert_eq!(kept["definition"]["models"][1], "retired", "{kept}");
    // It comes back.
    hub.simulator.set_models(["sim-small", "retired"]);
    diagnose(&hub, json!({})).await;
    let back = suggestions(&hub, "connection=made").await;
    assert_eq!(told(&back, "made"), [pair("model_back", "retired")]);
    assert!(decide(&hub, &back[0], "accept").await.status.is_success());
    assert!(listed().await.contains("\"retired\""));
    assert!(told(&suggestions(&hub, "").await, "made").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_dismissed_does_not_come_again_while_nothing_changes() {
    let hub = hub("").await;
    hub.simulator.set_models(["sim-small", "fresh"]);
    made(&hub, "made", "openai-compatible", "http://simulator.test/v1", json!(["sim-small"])).await;
    diagnose(&hub, json!({"connection": "made"})).await;
    let open = suggestions(&hub, "").await;
    assert!(decide(&hub, &open[0], "dismiss").await.status.is_success());
    diagnose(&hub, json!({"connection": "made"})).await;
    assert!(suggestions(&hub, "").await.is_empty());
    assert_eq!(suggestions(&hub, "state=dismissed").await[0]["times"], 2);
    hub.simulator.set_models(["sim-small"]);
    diagnose(&hub, json!({"connection": "made"})).await;
    hub.simulator.set_models(["sim-small", "fresh"]);
    diagnose(&hub, json!({"connection": "made"})).await;
    assert_eq!(suggestions(&hub, "").await.len(), 1, "it was away in between");
    // With the connection go its suggestions.
    let deleted = hub.json(Method::DELETE, "/api/connections/made", json!({})).await;
    assert!(deleted.status.is_success(), "{}", deleted.text);
    diagnose(&hub, json!({"connection": "file"})).await;
    assert!(told(&suggestions(&hub, "").await, "made").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_file_declares_is_changed_in_the_file() {
    let hub = hub("routing: {hidden: [other]}\n").await;
    hub.simulator.set_models(["fresh"]);
    diagnose(&hub, json!({})).await;
    let open = suggestions(&hub, "").await;
    assert_eq!(told(&open, "file"), [pair("model_gone", "m"), pair("model_new", "fresh")]);
    for suggestion in &open {
        let refused = decide(&hub, suggestion, "accept").await;
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert!(refused.text.contains("test:"), "it says where: {}", refused.text);
    }
    assert_eq!(suggestions(&hub, "").await.len(), 2, "they are still open");
    assert_eq!(decide(&hub, &json!({"id": "sug_none"}), "accept").await.status, 404);
    assert_eq!(hub.json(Method::POST, "/api/diagnosis", json!({"connection": "x"})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_on_no_list_but_there_is_not_gone() {
    // Without a list of its own the simulator has every model that it is asked for, and lists two.
    let hub = hub("").await;
    let report = diagnose(&hub, json!({})).await;
    let run = &report["run"]["connections"][0];
    assert_eq!((&run["known"], &run["gone"], &run["listed"]), (&json!(1), &json!(0), &json!(2)), "{report}");
    assert!(!told(&suggestions(&hub, "").await, "file").contains(&pair("model_gone", "m")));
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_are_elsewhere_are_found_and_mended() {
    let hub = hub("").await;
    for (id, kind, url) in [
        ("bare", "openai-compatible", "http://versioned.test"),
        ("double", "openai-compatible", "http://versioned.test/v1/v1"),
        ("moved", "openai-compatible", "http://moved.test/v1"),
        ("dialect", "openai-compatible", "http://anthropic.test/v1"),
        ("bearer", "anthropic-compatible", "http://bearer.test/v1"),
    ] {
        made(&hub, id, kind, url, json!([format!("m-{id}")])).await;
    }
    let report = diagnose(&hub, json!({})).await;
    let open = suggestions(&hub, "").await;
    let of = |id: &str| {
        let found = open.iter().find(|one| one["connection"] == id && one["model"].is_null());
        found.unwrap_or_else(|| panic!("nothing about {id}: {report}"))
    };
    for (id, kind, changes) in [
        ("bare", "base_url", json!({"base_url": "http://versioned.test/v1"})),
        ("double", "base_url", json!({"base_url": "http://versioned.test/v1"})),
        ("moved", "base_url", json!({"base_url": "http://simulator.test/v1"})),
        (
            "dialect",
            "dialect",
            json!({"base_url": "http://anthropic.test/v1", "type": "anthropic-compatible"}),
        ),
    ] {
        let suggestion = of(id);
        assert_eq!(
            (&suggestion["kind"], &suggestion["change"]["changes"]),
            (&json!(kind), &changes),
            "{suggestion}"
        );
        let accepted = decide(&hub, suggestion, "accept").await;
        assert!(accepted.status.is_success(), "{}", accepted.text);
        assert!(hub.chat(&format!("m-{id}")).await.is_whole(), "{id} serves now");
    }
    // The hub has no type for this: it says what was seen, and changes nothing.
    let bearer = of("bearer");
    assert_eq!((&bearer["kind"], &bearer["change"]), (&json!("auth"), &Value::Null), "{bearer}");
    assert!(bearer["seen"].as_str().unwrap().contains("Bearer"), "{bearer}");
    assert_eq!(decide(&hub, bearer, "accept").await.status, 409);
    let keys: Vec<_> =
        hub.simulator.log().into_iter().filter(|entry| entry.path.contains("/models")).collect();
    assert!(keys.iter().all(|entry| entry.method == "GET"), "nothing was paid");
    assert!(!report.to_string().contains("sim-ok"), "no key is told");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_is_not_taken_for_a_wrong_endpoint() {
    let yaml = "providers:\n  - {id: a, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: sim-401, models: [m]}\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let report = diagnose(&hub, json!({})).await;
    let run = &report["run"]["connections"][0];
    assert_eq!((&run["works"], &run["endpoint"]), (&json!(false), &json!(0)), "{report}");
    assert!(run["error"].as_str().unwrap().starts_with("unauthorized"), "{report}");
    assert!(suggestions(&hub, "").await.is_empty());
    let health = hub.get("/api/health").await.json();
    assert_eq!(health["connections"][0]["standing"], "fit", "nothing is held against it: {health}");
}

#[tokio::test(start_paused = true)]
async fn hosts_are_asked_politely() {
    let mut builder = TestHub::builder();
    for id in 0..8 {
        builder = builder.account_with(&format!("a{id}"), "sim-ok", &["sim-small"]);
    }
    let hub = builder.build().await;
    diagnose(&hub, json!({})).await;
    let times: Vec<u64> = hub.simulator.log().iter().map(|entry| entry.at_ms).collect();
    assert_eq!(times.len(), 8, "one question each");
    assert!(times.windows(2).all(|two| two[1] - two[0] >= 250), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn what_there_was_no_time_for_comes_first_next_time() {
    // Two questions each, as what is not encrypted is also looked for over https: some 480 fit into four minutes.
    let mut builder = TestHub::builder();
    for id in 0..700 {
        builder = builder.account_with(&format!("a{id:04}"), &format!("sim-ok.a{id:04}"), &["sim-small"]);
    }
    let hub = builder.build().await;
    let asked = |report: &Value| -> Vec<String> {
        let all = report["run"]["connections"].as_array().unwrap();
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let began = Instant::now();
    let first = diagnose(&hub, json!({})).await;
    assert!(began.elapsed() <= Duration::from_secs(241), "{:?}", began.elapsed());
    let unfinished = first["run"]["unfinished"].as_u64().unwrap();
    assert!(unfinished > 100 && asked(&first).len() as u64 + unfinished == 700, "{unfinished}");
    let second = asked(&diagnose(&hub, json!({})).await);
    let left = (0..700).map(|id| format!("a{id:04}")).filter(|id| !asked(&first).contains(id));
    assert!(left.into_iter().all(|id| second.contains(&id)), "the same ones would never be asked");
}

#[tokio::test(start_paused = true)]
async fn machines_of_ones_own_are_asked_without_a_pause() {
    let mut yaml = "providers:\n".to_owned();
    for id in 0..20 {
        yaml.push_str(&format!(
            "  - {{id: a{id}, type: openai-compatible, base_url: 'http://127.0.0.1:9/v1', api_key: sim-ok, models: [sim-small]}}\n"
        ));
    }
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let began = Instant::now();
    let report = diagnose(&hub, json!({})).await;
    assert_eq!(report["run"]["connections"].as_array().map(Vec::len), Some(20));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// A diagnosis every ten minutes, and what else is wanted.
fn every_ten_minutes(more: &str) -> String {
    format!("diagnosis: {{interval_seconds: 600, start_delay_seconds: 30{more}}}\n")
}

#[tokio::test(start_paused = true)]
async fn the_hub_hides_what_is_gone_for_certain_and_shows_it_again() {
    let hub = hub(&every_ten_minutes("")).await;
    let models = json!(["one", "two", "three"]);
    made(&hub, "made", "openai-compatible", "http://simulator.test/v1", models).await;
    hub.simulator.set_models(["m", "one", "two", "fresh"]);
    hub.keep_diagnosed();
    let listed = async || hub.get("/v1/models").await.text;
    sleep(Duration::from_secs(25)).await;
    assert!(hub.simulator.log().is_empty(), "not before its time");
    sleep(Duration::from_secs(20)).await;
    let open = suggestions(&hub, "").await;
    assert!(told(&open, "made").contains(&pair("model_gone", "three")), "{open:?}");
    assert!(listed().await.contains("\"three\""), "once is not for certain");
    sleep(Duration::from_secs(610)).await;
    assert!(!listed().await.contains("\"three\""));
    assert!(!listed().await.contains("\"fresh\""), "what is new waits for a person");
    let accepted = suggestions(&hub, "state=accepted").await;
    assert_eq!((accepted.len(), &accepted[0]["decided_by"]), (1, &json!("hub")), "{accepted:?}");
    let log = hub.get("/api/audit?limit=1").await.json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["operation"], &entry["caller"]),
        (&json!("accept_suggestion"), &json!("hub")),
        "{log}"
    );
    hub.simulator.set_models(["m", "one", "two", "three"]);
    sleep(Duration::from_secs(610)).await;
    assert!(listed().await.contains("\"three\""), "it is back");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_hidden_however_much_is_new() {
    let mut yaml = every_ten_minutes("");
    yaml.push_str("providers:\n");
    for id in 0..200 {
        yaml.push_str(&format!(
            "  - {{id: a{id}, type: openai-compatible, base_url: 'http://127.0.0.1:9/v1', api_key: sim-ok, models: [one, two, gone-{id}]}}\n"
        ));
    }
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let new = (0..60).map(|nth| format!("new-{nth}"));
    hub.simulator.set_models(["one", "two"].map(str::to_owned).into_iter().chain(new));
    let report = diagnose(&hub, json!({})).await;
    assert!(report["run"]["left_out"].as_u64() > Some(0), "there is more than fits");
    let kinds: Vec<_> = report["suggestions"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert!(kinds.len() == 500 && kinds[..200].iter().all(|kind| **kind == "model_gone"));
    hub.keep_diagnosed();
    sleep(Duration::from_secs(1300)).await;
    let listed = hub.get("/v1/models").await.text;
    assert!((0..200).all(|id| !listed.contains(&format!("\"gone-{id}\""))), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_lost_most_of_its_models_is_left_to_a_person() {
    let hub = hub(&every_ten_minutes("")).await;
    made(&hub, "made", "openai-compatible", "http://simulator.test/v1", json!(["one", "two", "three"])).await;
    hub.simulator.set_models(["m", "one"]);
    hub.keep_diagnosed();
    sleep(Duration::from_secs(3000)).await;
    assert!(suggestions(&hub, "state=accepted").await.is_empty());
    assert!(hub.get("/v1/models").await.text.contains("\"three\""));
}

#[tokio::test(start_paused = true)]
async fn maintenance_and_diagnoses_can_be_switched_off() {
    let hub = hub(&every_ten_minutes(", safe_maintenance: off")).await;
    made(&hub, "made", "openai-compatible", "http://simulator.test/v1", json!(["one", "two", "three"])).await;
    hub.simulator.set_models(["m", "one", "two"]);
    hub.keep_diagnosed();
    sleep(Duration::from_secs(3000)).await;
    assert!(hub.get("/v1/models").await.text.contains("\"three\""));
    assert!(!suggestions(&hub, "").await.is_empty());
    let off = TestHub::builder().yaml("diagnosis: {enabled: off}\n").account("a", "sim-ok").build().await;
    off.keep_diagnosed();
    sleep(Duration::from_secs(100_000)).await;
    assert!(off.simulator.log().is_empty(), "nobody is asked");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_silent_holds_nobody_up_and_a_stop_ends_it() {
    let hub = hub("").await;
    made(&hub, "made", "openai-compatible", "http://silent.test/v1", json!(["one"])).await;
    let began = Instant::now();
    let report = diagnose(&hub, json!({})).await;
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let works: Vec<_> = report["run"]["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["id"], &one["works"]))
        .collect();
    assert_eq!(works, [(&json!("file"), &json!(true)), (&json!("made"), &json!(false))], "{report}");
    let two = async {
        sleep(Duration::from_secs(1)).await;
        let second = hub.json(Method::POST, "/api/diagnosis", json!({})).await;
        assert_eq!(second.status, 409, "one at a time: {}", second.text);
        hub.diagnosis.close();
    };
    let (stopped, ()) = tokio::join!(hub.json(Method::POST, "/api/diagnosis", json!({})), two);
    assert_eq!(
        (stopped.status.as_u16(), stopped.code().as_str()),
        (503, "shutting_down"),
        "{}",
        stopped.text
    );
}
