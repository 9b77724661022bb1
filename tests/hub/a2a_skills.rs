//! What the skills answer, how one is chosen, and what a caller's rights do to them.

use serde_json::{Value, json};

use super::{
    a2a::{call, call_by, hub, message, text_of},
    agents::key,
    support::TestHub,
};

/// A message for a skill.
fn to(skill: &str, id: &str, text: &str) -> Value {
    let mut message = message(id, text);
    message["metadata"] = json!({"skillId": skill});
    message
}

async fn task(hub: &TestHub, params: Value) -> Value {
    let sent = call(hub, "1.0", "SendMessage", params).await;
    sent["result"]["task"]
        .as_object()
        .map(|task| Value::Object(task.clone()))
        .unwrap_or_else(|| panic!("{sent}"))
}

fn state(task: &Value) -> &str {
    task["status"]["state"].as_str().unwrap()
}

/// The first part of data in an artifact.
fn data<'a>(task: &'a Value, artifact: &str) -> &'a Value {
    let artifacts = task["artifacts"].as_array().unwrap_or_else(|| panic!("{task}"));
    let found =
        artifacts.iter().find(|one| one["artifactId"] == artifact).unwrap_or_else(|| panic!("{task}"));
    let parts = found["parts"].as_array().unwrap();
    parts.iter().find_map(|part| part.get("data")).unwrap_or_else(|| panic!("{found}"))
}

#[tokio::test(start_paused = true)]
async fn a_chat_says_who_answered_why_and_for_how_much() {
    let hub = TestHub::builder().account("bad", "sim-500").account("good", "sim-ok").build().await;
    let task = task(&hub, message("m-1", "echo: found")).await;
    assert_eq!(
        (state(&task), text_of(&task, "answer").as_str()),
        ("TASK_STATE_COMPLETED", "found"),
        "{task}"
    );
    let told = &task["metadata"];
    assert_eq!(
        (&told["skillId"], &told["skill_chosen_by"]),
        (&json!("smart-routing"), &json!("default")),
        "{told}"
    );
    assert!(told["routing_explanation"].as_str().unwrap().contains("good/m answered"), "{told}");
    assert_eq!(told["resilience_trace"]["fallbacks_triggered"], 1, "{told}");
    assert_eq!(
        (&told["cost_envelope"]["currency"], &told["policy_verdict"]["allowed"]),
        (&json!("USD"), &json!(true))
    );
    assert!(data(&task, "routing")["request_id"].as_str().unwrap().starts_with("req_"), "{task}");
    assert_eq!(hub.receipts().await.len(), 1, "one request, one receipt");
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_context_are_one_conversation() {
    let hub = hub().await;
    let first = task(&hub, message("m-1", "echo: my name is Ada")).await;
    let mut next = message("m-2", "echo: and yours?");
    next["message"]["contextId"] = first["contextId"].clone();
    let second = task(&hub, next).await;
    assert_eq!(second["contextId"], first["contextId"]);
    let asked: Value = serde_json::from_str(&hub.upstream().last().unwrap().body).unwrap();
    let said: Vec<(&str, &str)> = (asked["messages"].as_array().unwrap_or_else(|| panic!("{asked}")).iter())
        .map(|one| (one["role"].as_str().unwrap(), one["content"].as_str().unwrap()))
        .collect();
    let expected =
        [("user", "echo: my name is Ada"), ("assistant", "my name is Ada"), ("user", "echo: and yours?")];
    assert_eq!(said, expected);
}

#[tokio::test(start_paused = true)]
async fn the_skills_that_look_answer_in_words_and_data() {
    let hub = hub().await;
    for (skill, field) in [
        ("quota-management", "quotas"),
        ("provider-discovery", "models"),
        ("cost-analysis", "totals"),
        ("health-report", "health"),
        ("list-capabilities", "skills"),
    ] {
        let task = task(&hub, to(skill, skill, "How does it stand?")).await;
        assert_eq!(state(&task), "TASK_STATE_COMPLETED", "{task}");
        assert!(text_of(&task, "result").len() > 10, "{task}");
        assert!(!data(&task, "result")[field].is_null(), "{skill}: {task}");
        assert_eq!(task["metadata"]["skillId"], skill);
    }
    assert!(hub.upstream().is_empty(), "no model was asked");
}

#[tokio::test(start_paused = true)]
async fn omniroutes_clients_are_understood() {
    let hub = hub().await;
    let body = json!({"skill": "quota-management", "messages": [{"role": "user", "content": "Summarize quota status."}]});
    let sent = call(&hub, "", "message/send", body).await;
    assert_eq!(sent["result"]["status"]["state"], "completed", "{sent}");
    assert_eq!(sent["result"]["metadata"]["skillId"], "quota-management", "{sent}");
    let body = json!({"messages": [{"role": "user", "content": "echo: one"}, {"role": "assistant", "content": "one"},
        {"role": "user", "content": "echo: two"}]});
    let sent = call(&hub, "", "message/send", body).await;
    assert_eq!(text_of(&sent["result"], "answer"), "two", "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_skill_that_is_not_there_is_refused_with_those_that_are() {
    let hub = hub().await;
    let task = task(&hub, to("make-coffee", "m-1", "please")).await;
    assert_eq!(state(&task), "TASK_STATE_REJECTED", "{task}");
    let words = task["status"]["message"]["parts"][0]["text"].as_str().unwrap();
    assert!(words.contains("`make-coffee`") && words.contains("quota-management"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn rights_hold_for_skills_and_operations() {
    let hub = hub().await;
    let (_, narrow) = key(&hub, "narrow", &["read:models"], json!({})).await;
    let rejected = async |params: Value| {
        let sent = call_by(&hub, &narrow, "1.0", "SendMessage", params).await;
        let task = &sent["result"]["task"];
        assert_eq!(task["status"]["state"], "TASK_STATE_REJECTED", "{sent}");
        assert_eq!(task["metadata"]["policy_verdict"]["allowed"], false, "{sent}");
        task["status"]["message"]["parts"][0]["text"].as_str().unwrap().to_owned()
    };
    assert!(rejected(message("m-1", "hello")).await.contains("execute:completions"));
    assert!(rejected(to("quota-management", "m-2", "x")).await.contains("read:quota"));
    assert!(rejected(to("revoke_key", "m-3", "x")).await.contains("write:keys"));
    let sent = call_by(&hub, &narrow, "1.0", "SendMessage", to("provider-discovery", "m-4", "x")).await;
    let task = &sent["result"]["task"];
    assert_eq!(state(task), "TASK_STATE_COMPLETED", "{sent}");
    assert!(data(task, "result")["providers"].is_null(), "who is there is not for this key: {sent}");
}

#[tokio::test(start_paused = true)]
async fn operations_are_skills_of_their_own() {
    let hub = hub().await;
    let mut list = to("list_models", "m-1", "");
    list["message"]["parts"] = json!([{"data": {"limit": 1}}]);
    let done = task(&hub, list).await;
    assert_eq!(
        (state(&done), &data(&done, "result")["models"][0]["id"]),
        ("TASK_STATE_COMPLETED", &json!("m")),
        "{done}"
    );

    // Wrong arguments are asked for again, in the same task.
    let mut wrong = to("list_models", "m-2", "");
    wrong["message"]["parts"] = json!([{"data": {"limit": "many"}}]);
    let asked = task(&hub, wrong).await;
    assert_eq!(state(&asked), "TASK_STATE_INPUT_REQUIRED", "{asked}");
    let mut right = message("m-3", "");
    right["message"]["parts"] = json!([{"data": {"limit": 1}}]);
    right["message"]["taskId"] = asked["id"].clone();
    let done = task(&hub, right).await;
    assert_eq!((state(&done), &done["id"]), ("TASK_STATE_COMPLETED", &asked["id"]), "{done}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_had_back_is_confirmed_first() {
    let hub = hub().await;
    let (id, _) = key(&hub, "old", &["read:models"], json!({})).await;
    let mut revoke = to("revoke_key", "m-1", "");
    revoke["message"]["parts"] = json!([{"data": {"key": id}}]);
    let asked = task(&hub, revoke).await;
    assert_eq!(state(&asked), "TASK_STATE_INPUT_REQUIRED", "{asked}");
    let mut yes = message("m-2", "yes");
    yes["message"]["taskId"] = asked["id"].clone();
    let done = task(&hub, yes).await;
    assert_eq!(state(&done), "TASK_STATE_COMPLETED", "{done}");
    let key = hub.get(&format!("/api/keys/{id}")).await.json();
    assert!(!key["revoked_at"].is_null(), "{key}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_several_models_is_asked_back() {
    let yaml = "
providers:
  - {id: openai-1, type: openai, api_key: sim-ok.o, base_url: 'http://simulator.test/v1', models: [gpt-4o]}
  - {id: router, type: openrouter, api_key: sim-ok.r, base_url: 'http://simulator.test/v1', models: [openai/gpt-4o]}
";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let mut first = message("m-1", "echo: which one");
    first["metadata"] = json!({"model": "openai/gpt-4o"});
    let asked = task(&hub, first).await;
    assert_eq!(state(&asked), "TASK_STATE_INPUT_REQUIRED", "{asked}");
    let words = asked["status"]["message"]["parts"][0]["text"].as_str().unwrap();
    assert!(words.contains("router/openai/gpt-4o"), "{words}");
    let mut choice = message("m-2", "router/openai/gpt-4o");
    choice["message"]["taskId"] = asked["id"].clone();
    let done = task(&hub, choice).await;
    assert_eq!(
        (state(&done), text_of(&done, "answer").as_str()),
        ("TASK_STATE_COMPLETED", "which one"),
        "{done}"
    );
    assert_eq!(data(&done, "routing")["connection"], "router", "{done}");
}

#[tokio::test(start_paused = true)]
async fn what_fails_says_why() {
    let hub = TestHub::builder().account("a", "sim-500").build().await;
    let task = task(&hub, message("m-1", "hello")).await;
    assert_eq!(state(&task), "TASK_STATE_FAILED", "{task}");
    assert!(task["status"]["message"]["parts"][0]["text"].as_str().unwrap().len() > 20, "{task}");
}
