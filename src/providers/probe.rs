//! Asks providers outside of requests: how far the way goes, which models there are, whether one answers.

mod listing;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Dialect, Usage};
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::{Request, header::ACCEPT};
use http_body_util::{BodyExt, Limited};

use super::{Providers, refusal, request, via};
use crate::{
    engine::{
        fault::{Fault, FaultKind, Stage},
        ports::{self, Call, Target, Task, Upstream},
        settings::{Connection, Timeouts},
    },
    ops::ports::{ProbeAnswer, ProbeStep, Prober},
};

/// What is asked: short, and answered shortly. Models that think need some room for it.
const QUESTION: &str = "Answer with the word OK.";

/// The most tokens of the answer.
const ANSWER_TOKENS: u64 = 64;

/// The largest list of models that is read, in bytes: thousands of models with long descriptions.
const LIST_BYTES: usize = 16 * 1024 * 1024;

/// The longest that one question may take. Whoever asks waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Prober for Providers {
    fn reach(&self, connection: Arc<Connection>, connect: Duration) -> BoxFuture<'static, Vec<ProbeStep>> {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move {
            let url = place(&connection).map(|(_, base)| base.to_owned()).unwrap_or_default();
            let Ok(mut request) = Request::get(url).body(()) else {
                let error = Some("the connection's base URL cannot be used".to_owned());
                return vec![ProbeStep { step: "dns", took: Duration::ZERO, error }];
            };
            via::mark(&mut request, &connection);
            let steps = transport.reach(request, connect).await.into_iter();
            steps.map(|one| ProbeStep { step: one.step.as_str(), took: one.took, error: one.error }).collect()
        })
    }

    fn models(
        &self,
        connection: Arc<Connection>,
        connect: Duration,
    ) -> BoxFuture<'static, Result<Vec<String>, Fault>> {
        let providers = self.clone();
        Box::pin(async move { within(list(&providers, connection, connect)).await })
    }

    fn ask(
        &self,
        connection: Arc<Connection>,
        model: String,
        timeouts: Timeouts,
    ) -> BoxFuture<'static, Result<ProbeAnswer, Fault>> {
        let providers = self.clone();
        Box::pin(async move {
            let lost = "the connection reaches this model in no dialect that the hub speaks";
            let dialect = connection.dialect_for(&model, Dialect::Chat);
            let dialect = dialect.ok_or_else(|| Fault::new(FaultKind::ModelNotFound, lost))?;
            let facts = connection.facts_of(&model);
            let target = Target { connection, model: model.into(), dialect, facts };
            within(ask(&providers, target, timeouts)).await
        })
    }
}

async fn within<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| Err(Fault::timed_out(Stage::Total, PATIENCE)))
}

/// The dialect in which the provider is asked for its models, and the URL below which they are.
fn place(connection: &Connection) -> Option<(Dialect, &str)> {
    let dialect = Dialect::ALL.into_iter().find(|dialect| connection.endpoints.contains_key(dialect))?;
    Some((dialect, connection.endpoints.get(&dialect)?))
}

async fn list(
    providers: &Providers,
    connection: Arc<Connection>,
    connect: Duration,
) -> Result<Vec<String>, Fault> {
    let unusable = || Fault::new(FaultKind::Unreachable, "the connection's base URL cannot be used");
    let (dialect, base) = place(&connection).ok_or_else(unusable)?;
    let query = listing::query(dialect);
    let mut asked = Request::get(format!("{base}/models{query}"))
        .header(ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| unusable())?;
    request::sign(&connection, dialect, &mut asked)?;
    let answer = providers.transport.call(asked, connect).await;
    let answer = answer.map_err(|error| request::unreachable_fault(&error))?;
    let (parts, body) = answer.into_parts();
    if !parts.status.is_success() {
        let target = Target { connection, model: "".into(), dialect, facts: Arc::default() };
        return Err(refusal::read(&target, &parts, body, providers.clock.now()).await);
    }
    let malformed = |what: &str| Fault::new(FaultKind::Malformed, format!("the list of models {what}"));
    let body = Limited::new(body, LIST_BYTES).collect().await;
    let body = body.map_err(|_| malformed("was too long or broke off"))?.to_bytes();
    listing::read(&body).ok_or_else(|| malformed("was not one in JSON"))
}

async fn ask(providers: &Providers, target: Target, timeouts: Timeouts) -> Result<ProbeAnswer, Fault> {
    let body = serde_json::json!({
        "model": &*target.model,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_completion_tokens": ANSWER_TOKENS,
    });
    let body = Bytes::from(body.to_string());
    let facts = openai::chat::scan(&body)
        .map_err(|_| Fault::new(FaultKind::InvalidRequest, "the model's name cannot be asked for"))?;
    let request = ports::Request {
        dialect: Dialect::Chat,
        task: Task::Generate,
        body,
        facts: Arc::new(facts),
        headers: http::HeaderMap::new(),
        searches: false,
        keeps: false,
        shaping: None,
    };
    let mut answer = providers
        .send(Call { target, request, timeouts, id: "test".into(), traceparent: None, tape: None })
        .await?;
    let mut usage: Option<Usage> = None;
    while let Some(frame) = answer.frames.next().await {
        let frame = frame?;
        usage = match (usage, frame.usage) {
            (Some(earlier), Some(later)) => Some(earlier.merged(later)),
            (earlier, later) => later.or(earlier),
        };
    }
    Ok(ProbeAnswer {
        input_tokens: usage.map(|usage| usage.input),
        output_tokens: usage.map(|usage| usage.output),
    })
}
