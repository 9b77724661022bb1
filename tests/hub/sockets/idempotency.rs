//! Idempotency keys outlive the hub: answers are given again after it was killed, and what was under way then is not
//! done twice.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::{client::legacy::Client as Pool, rt::TokioExecutor};

use super::{
    client::Answer,
    support::{Hub, SOON, eventually},
};

async fn ask(hub: &Hub, key: &str) -> Result<Answer, String> {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    let request = Request::post(format!("http://{}/v1/chat/completions", hub.address))
        .header("authorization", format!("Bearer {}", hub.client.key))
        .header("idempotency-key", key)
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .unwrap();
    let pool = Pool::builder(TokioExecutor::new()).build_http();
    let response = pool.request(request).await.map_err(|error| error.to_string())?;
    Answer::read(response).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_survive_a_kill() {
    let mut hub = Hub::builder().account("quick", "sim-ok").start().await;
    let first = ask(&hub, "done").await.unwrap();
    first.must_be_whole();
    hub.reconfigure(&[("slow", "sim-slow-60000")]);
    hub.uses(&["slow"]).await;
    let under_way = {
        let provider = hub.provider.clone();
        let asking = ask(&hub, "under way");
        let sent =
            eventually("it was sent", SOON, move || (!provider.calls("slow").is_empty()).then_some(()));
        tokio::select! { _ = asking => false, () = sent => true }
    };
    assert!(under_way, "the request ended before the hub was killed");
    hub.process.kill();
    let hub = hub.again().await;
    let again = ask(&hub, "done").await.unwrap();
    assert_eq!((again.header("x-trivium-idempotent"), &again.body), ("replayed", &first.body));
    let doubtful = ask(&hub, "under way").await.unwrap();
    assert_eq!((doubtful.status.as_u16(), doubtful.code()), (409, "idempotency_conflict".to_owned()));
    assert_eq!(hub.provider.calls("slow").len(), 1);
    // What was said is in no file.
    let database = std::fs::read(hub.ground.data_dir().join("trivium.db")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&database).contains("chat.completion"));
}
