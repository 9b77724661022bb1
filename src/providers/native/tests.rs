//! What a provider says of the key that it was sent never gets further, in whatever answer it says it.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use canon::{Dialect, Facts};
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};

use super::*;
use crate::{
    engine::{
        ports::{Clock, Request as Asked, Target, Task},
        settings::{Connection, Models, Provider, Secret, Timeouts},
    },
    outbound::{
        Body, Transport, TransportError,
        guard::{Fetch, FetchError, Fetched},
    },
};

const KEY: &str = "sk-canary/0123";

/// A provider that gives one answer.
struct Says(u16, &'static str, String);

impl Transport for Says {
    fn call(
        &self,
        _: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'static, Result<Response<Body>, TransportError>> {
        let body = Full::new(Bytes::from(self.2.clone())).map_err(|never| match never {}).boxed_unsync();
        let answer = Response::builder().status(self.0).header(CONTENT_TYPE, self.1).body(body).unwrap();
        Box::pin(async move { Ok(answer) })
    }
}

struct Nothing;

impl Fetch for Nothing {
    fn fetch(&self, _: &str) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        unreachable!("nothing is fetched for a native request")
    }
}

struct Never;

impl Clock for Never {
    fn now(&self) -> i64 {
        0
    }
}

async fn fault(stream: bool, says: Says) -> Fault {
    let row = serde_json::json!({"id": "p", "name": "P", "auth": "bearer"});
    let provider: Provider = serde_json::from_value(row).unwrap();
    let connection = Connection {
        id: "c".into(),
        provider: Arc::new(provider),
        credential: Some(Secret::new(KEY)),
        oauth: None,
        endpoints: BTreeMap::from([(Dialect::Chat, "http://provider.test/v1".to_owned())]),
        models: Models { open: true, ..Models::default() },
        priority: 0,
        tier: crate::engine::settings::Tier::default(),
        no_training: false,
        proxy: None,
        allowance: Arc::default(),
        fingerprint: 0,
    };
    let target = Target {
        connection: Arc::new(connection),
        model: "m".into(),
        dialect: Dialect::Chat,
        facts: Arc::default(),
    };
    let facts = Arc::new(Facts { model: "m".into(), stream, ..Facts::default() });
    let request = Asked {
        dialect: Dialect::Chat,
        task: Task::Generate,
        body: Bytes::from_static(b"{}"),
        facts,
        headers: HeaderMap::new(),
        searches: false,
        keeps: false,
        shaping: None,
    };
    let call = Call {
        target,
        request,
        timeouts: Timeouts::default(),
        id: "req_1".into(),
        traceparent: None,
        tape: None,
    };
    match send(&Providers::new(Arc::new(says), Arc::new(Never), Arc::new(Nothing)), call).await {
        Err(fault) => fault,
        Ok(mut answer) => loop {
            if let Err(fault) = answer.frames.next().await.unwrap() {
                break fault;
            }
        },
    }
}

#[tokio::test]
async fn a_quoted_key_is_cut_out_of_every_kind_of_answer() {
    let object = format!(r#"{{"error":{{"message":"Incorrect key: {KEY}"}}}}"#);
    let escaped = object.replace('/', "\\/");
    // The key stands across the place where long messages are cut.
    let long = object.replace("Incorrect", &"x".repeat(487));
    for body in [object, escaped, long] {
        for (stream, status, kind, text) in [
            (false, 200, "application/json", body.clone()),
            (true, 200, "application/json", body.clone()),
            (true, 200, "text/event-stream", format!("data: {body}\n\n")),
            (false, 400, "application/json", body.clone()),
            (true, 429, "application/json", body.clone()),
        ] {
            let fault = fault(stream, Says(status, kind, text)).await;
            assert!(!fault.message.contains("canary"), "{fault:?}");
            if let Some(answer) = &fault.answer {
                let decoded = openai::fault::message_of(&answer.body);
                assert!(!decoded.contains("canary"), "{decoded}");
            }
        }
    }
}
