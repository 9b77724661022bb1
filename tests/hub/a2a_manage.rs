//! What the hub tells those who look after it as an agent: how it is, whose tasks there are, and what webhooks were not told.

use http::Method;
use serde_json::{Value, json};

use super::{
    a2a::{call, call_by, hub, message},
    agents::{by, key},
    support::{KEY, TestHub},
};

/// The ids of a page of tasks.
fn ids(page: &Value) -> Vec<&str> {
    page["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect()
}

fn code(answer: &Value) -> &Value {
    &answer["error"]["code"]
}

/// A hub with tasks of two keys, and these.
async fn scene() -> (TestHub, (String, String), (String, String)) {
    let hub = hub().await;
    let scopes = ["execute:completions", "read:tasks", "write:tasks"];
    let one = key(&hub, "one", &scopes, json!({})).await;
    let two = key(&hub, "two", &scopes, json!({})).await;
    for (id, owner, at) in [("a", &one.0, 10), ("b", &two.0, 20), ("c", &one.0, 30)] {
        hub.waiting_task(id, owner, at).await;
        hub.dead_letter(id, owner).await;
    }
    (hub, one, two)
}

#[tokio::test(start_paused = true)]
async fn a_task_is_told_with_its_events_by_their_numbers() {
    let hub = hub().await;
    let sent = call(&hub, "1.0", "SendMessage", message("m-1", "hello")).await;
    let task = &sent["result"]["task"];
    let id = task["id"].as_str().unwrap();
    let told = hub.get(&format!("/api/a2a/tasks/{id}")).await.json();
    let got = call(&hub, "1.0", "GetTask", json!({"id": id})).await["result"].clone();
    assert_eq!(told["task"], got, "the task as its client sees it");
    assert!(!told["task"]["artifacts"][0].is_null(), "{told}");
    let summary = (&told["id"], &told["state"], &told["context"], &told["owner"]);
    assert_eq!(summary, (&json!(id), &json!("completed"), &task["contextId"], &json!("env")));

    let log = told["log"].as_array().unwrap();
    let last = log.len() as u64;
    assert_eq!((&told["events"], told.get("next_after")), (&json!(last), None), "{told}");
    let numbers: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    assert_eq!((&log[0]["kind"], &log[0]["event"]["task"]["id"]), (&json!("task"), &json!(id)));
    assert_eq!(log.last().unwrap()["event"]["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED");

    // Page by page it is the same.
    let (mut read, mut after) = (Vec::new(), json!(0));
    while !after.is_null() {
        let page = hub.get(&format!("/api/a2a/tasks/{id}?limit=2&after={after}&history=0")).await.json();
        assert!(page["task"].get("history").is_none(), "{page}");
        read.extend(page["log"].as_array().unwrap().clone());
        after = page["next_after"].clone();
    }
    assert_eq!(&read, log);
    let behind = hub.get(&format!("/api/a2a/tasks/{id}?after={last}")).await.json();
    assert_eq!((&behind["log"], behind.get("next_after")), (&json!([]), None));
}

#[tokio::test(start_paused = true)]
async fn tasks_are_found_by_state_context_skill_owner_and_time_and_page_by_page() {
    let (hub, (one_id, _), _) = scene().await;
    let sent = call(&hub, "1.0", "SendMessage", message("m-1", "hello")).await;
    let done = sent["result"]["task"]["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        (String::new(), vec![done.as_str(), "c", "b", "a"]),
        ("?state=input-required".to_owned(), vec!["c", "b", "a"]),
        ("?state=completed".to_owned(), vec![done.as_str()]),
        ("?state=cancelled".to_owned(), vec![]),
        ("?context=context-of-b".to_owned(), vec!["b"]),
        ("?skill=smart-routing".to_owned(), vec!["c", "b", "a"]),
        (format!("?owner={one_id}"), vec!["c", "a"]),
        (format!("?owner={one_id}&since_at=30"), vec!["c"]),
    ] {
        let page = hub.get(&format!("/api/a2a/tasks{query}")).await.json();
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!((&page["total"], page.get("next_cursor")), (&json!(expected.len()), None), "{query}");
        assert!(page["tasks"].as_array().unwrap().iter().all(|task| task.get("task").is_none()), "{page}");
    }
    let first = hub.get("/api/a2a/tasks?limit=3").await.json();
    assert_eq!((ids(&first), &first["total"]), (vec![done.as_str(), "c", "b"], &json!(4)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = hub.get(&format!("/api/a2a/tasks?limit=3&cursor={cursor}")).await.json();
    assert_eq!((ids(&second), second.get("next_cursor")), (vec!["a"], None));
    for wrong in ["cursor=nothing", "state=sleeping", "limit=0", "since_at=-1", "other=1"] {
        assert_eq!(hub.get(&format!("/api/a2a/tasks?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_sees_and_ends_its_own_and_who_sees_others_all() {
    let (hub, (one_id, one), (two_id, _)) = scene().await;
    let ask = async |method, path: &str| by(&hub, &one, method, path, json!({})).await;
    assert_eq!(ids(&ask(Method::GET, "/api/a2a/tasks").await.json()), ["c", "a"]);
    assert_eq!(ids(&ask(Method::GET, &format!("/api/a2a/tasks?owner={one_id}")).await.json()), ["c", "a"]);
    assert_eq!(ask(Method::GET, "/api/a2a/tasks/a").await.json()["owner"], one_id);
    for list in ["tasks", "push/dead_letters"] {
        let refused = ask(Method::GET, &format!("/api/a2a/{list}?owner={two_id}")).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    // Another's is not there, in the same words as one that nobody has.
    for (method, path) in [(Method::GET, ""), (Method::POST, "/cancel")] {
        let others = ask(method.clone(), &format!("/api/a2a/tasks/b{path}")).await;
        let nobodys = ask(method, &format!("/api/a2a/tasks/x{path}")).await;
        assert_eq!((others.status, nobodys.status), (404.try_into().unwrap(), 404.try_into().unwrap()));
        assert_eq!(
            others.json()["error"]["message"].as_str().map(|text| text.replace("`b`", "`x`")),
            nobodys.json()["error"]["message"].as_str().map(str::to_owned)
        );
    }
    let status = ask(Method::GET, "/api/a2a/status").await.json();
    assert_eq!((&status["tasks"], &status["last_task_at"]), (&json!({"input-required": 2}), &json!(30)));
    assert_eq!(status["pushes"], json!({"waiting": 0, "dead": 2}));
    let letters = ask(Method::GET, "/api/a2a/push/dead_letters").await.json();
    let of: Vec<&Value> = letters["letters"].as_array().unwrap().iter().map(|one| &one["task"]).collect();
    assert_eq!(of, ["c", "a"]);

    assert_eq!(hub.get("/api/a2a/tasks/b").await.json()["owner"], two_id);
    assert_eq!(hub.get("/api/a2a/status").await.json()["tasks"], json!({"input-required": 3}));
    let ended = by(&hub, KEY, Method::POST, "/api/a2a/tasks/b/cancel", json!({})).await;
    assert_eq!((ended.status.as_u16(), &ended.json()["state"]), (200, &json!("canceled")), "{}", ended.text);
    let own = ask(Method::POST, "/api/a2a/tasks/a/cancel").await.json();
    assert_eq!((&own["state"], &own["events"]), (&json!("canceled"), &json!(3)), "{own}");
    let again = ask(Method::POST, "/api/a2a/tasks/a/cancel").await;
    assert_eq!(again.status, 409, "{}", again.text);
    let seen = call_by(&hub, &one, "1.0", "GetTask", json!({"id": "a"})).await;
    assert_eq!(seen["result"]["status"]["state"], "TASK_STATE_CANCELED", "{seen}");
    assert_eq!(code(&call_by(&hub, &one, "1.0", "GetTask", json!({"id": "b"})).await), -32001);
}

#[tokio::test(start_paused = true)]
async fn cancelling_drops_the_work() {
    let hub = TestHub::builder().account("a", "sim-chunks-10+pace-1000").build().await;
    let mut params = message("m-1", "slowly");
    params["configuration"] = json!({"returnImmediately": true});
    let task = call(&hub, "1.0", "SendMessage", params).await["result"]["task"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(hub.engine.admission().running(), 1);
    let status = hub.get("/api/a2a/status").await.json();
    assert_eq!((&status["running"], &status["tasks"]), (&json!(1), &json!({"working": 1})), "{status}");
    let path = format!("/api/a2a/tasks/{}/cancel", task["id"].as_str().unwrap());
    let ended = by(&hub, KEY, Method::POST, &path, json!({})).await;
    assert_eq!(ended.json()["state"], "canceled", "{}", ended.text);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(hub.engine.admission().running(), 0, "its place is given back");
    let entry = hub.get("/api/audit?limit=1").await.json()["entries"][0].clone();
    assert_eq!((&entry["operation"], &entry["target"]), (&json!("cancel_task"), &task["id"]), "{entry}");
}

#[tokio::test(start_paused = true)]
async fn the_status_says_what_there_is_and_the_switch_holds_at_once() {
    let hub = hub().await;
    let status = hub.get("/api/a2a/status").await.json();
    assert_eq!(
        (&status["enabled"], &status["push"]),
        (&json!(true), &json!(true)),
        "on by default: {status}"
    );
    assert_eq!(status["protocol_versions"], json!(["1.0", "0.3"]));
    assert_eq!((&status["tasks"], status.get("last_task_at")), (&json!({}), None));
    let skills: Vec<&Value> = status["skills"].as_array().unwrap().iter().map(|skill| &skill["id"]).collect();
    assert!(skills.contains(&&json!("smart-routing")), "{skills:?}");
    let ask = async || {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}});
        let request = http::Request::post(status["endpoint"].as_str().unwrap())
            .header("host", "127.0.0.1:20128")
            .header("content-type", "application/json")
            .header("a2a-version", "1.0");
        hub.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(ask().await.json()["result"]["totalSize"], 0);

    let off = hub.json(Method::PUT, "/api/settings/a2a.enabled", json!({"value": "off"})).await;
    assert_eq!(off.status, 200, "{}", off.text);
    assert_ne!(ask().await.status, 200);
    assert_eq!(hub.get("/.well-known/agent-card.json").await.status, 404);
    assert_eq!(hub.get("/api/a2a/status").await.json()["enabled"], false, "it can still be looked at");
    assert_eq!(hub.get("/api/a2a/tasks").await.status, 200);
    let on = hub.json(Method::PUT, "/api/settings/a2a.enabled", json!({"value": "on"})).await;
    assert_eq!(on.status, 200, "{}", on.text);
    assert_eq!(ask().await.status, 200);
    let narrow = key(&hub, "narrow", &["write:settings"], json!({})).await.1;
    let put = json!({"value": "off"});
    assert_eq!(by(&hub, &narrow, Method::PUT, "/api/settings/a2a.enabled", put.clone()).await.status, 200);
    let (_, other) = key(&hub, "other", &["write:tasks", "read:tasks"], json!({})).await;
    assert_eq!(by(&hub, &other, Method::PUT, "/api/settings/a2a.enabled", put).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_listed_page_by_page() {
    let (hub, (one_id, _), _) = scene().await;
    let first = hub.get("/api/a2a/push/dead_letters?limit=2").await.json();
    let tasks = |page: &Value| -> Vec<String> {
        let letters = page["letters"].as_array().unwrap().iter();
        letters.map(|letter| letter["task"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(tasks(&first), ["c", "b"]);
    let letter = &first["letters"][0];
    let told = (&letter["owner"], &letter["webhook"], &letter["host"], &letter["seq"], &letter["tries"]);
    assert_eq!(told, (&json!(one_id), &json!("on-call"), &json!("hooks.test"), &json!(2), &json!(8)));
    let cursor = &first["next_cursor"];
    let second = hub.get(&format!("/api/a2a/push/dead_letters?limit=2&cursor={cursor}")).await.json();
    assert_eq!((tasks(&second), second.get("next_cursor")), (vec!["a".to_owned()], None));
    let of = hub.get(&format!("/api/a2a/push/dead_letters?owner={one_id}")).await.json();
    assert_eq!(tasks(&of), ["c", "a"]);
}
