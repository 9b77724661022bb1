//! Sessions over HTTP outlive the hub, and belong to who opened them.

use http::Method;
use serde_json::{Value, json};

use super::{
    super::support::Hub,
    call,
    http::{Caller, Events},
    request,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_after_a_restart_between_two_calls() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let session = Caller::of(&hub).open().await;
    for killed in [false, true] {
        let caller = Caller::of(&hub);
        let answer = caller.post(&session, &call(1, "get_health", json!({}))).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(Events::of(answer).answer(1).await["result"]["isError"], false);
        if killed {
            hub.process.kill();
        } else {
            assert_eq!(hub.stop().await.code(), Some(0), "{}", hub.ground.said());
        }
        hub = hub.again().await;
    }
    let answer = Caller::of(&hub).post(&session, &request(2, "ping", json!({}))).await;
    assert_eq!(Events::of(answer).answer(2).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_others_a_session_does_not_exist_and_they_cannot_end_it() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let caller = Caller::of(&hub);
    let session = caller.open().await;
    let key = hub.new_key("other").await;
    // In memory, and after a restart in the store alone.
    for round in 0..2 {
        let own = Caller::of(&hub);
        let other = Caller { key: key.clone(), ..own.clone() };
        let ping = request(1, "ping", json!({}));
        for (method, body) in
            [(Method::POST, &ping), (Method::GET, &Value::Null), (Method::DELETE, &Value::Null)]
        {
            let answer = other.in_session(method.clone(), &session, body).await;
            assert_eq!(answer.status(), 404, "{method} in round {round}");
        }
        if round == 1 {
            let answer = own.post(&session, &ping).await;
            assert_eq!(Events::of(answer).answer(1).await["result"], json!({}));
            assert_eq!(own.in_session(Method::DELETE, &session, &Value::Null).await.status(), 204);
            assert_eq!(own.post(&session, &ping).await.status(), 404);
            return;
        }
        assert_eq!(hub.stop().await.code(), Some(0));
        hub = hub.again().await;
    }
}
