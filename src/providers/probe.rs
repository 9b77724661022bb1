//! Asks providers outside of requests: how far the way goes, which models there are, whether one answers.

mod listing;
mod look;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Dialect, Usage};
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::Request;

use super::{Providers, via};
use crate::{
    engine::{
        fault::{Fault, FaultKind, Stage},
        ports::{self, Call, Target, Task, Upstream},
        settings::{Connection, Timeouts},
    },
    ops::ports::{Missed, ProbeAnswer, ProbeStep, Prober, Way},
};

/// What is asked: short, and answered shortly. Models that think need some room for it.
const QUESTION: &str = "Answer with the word OK.";

/// The most tokens of the answer.
const ANSWER_TOKENS: u64 = 64;

/// The longest that one question may take. Whoever asks waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Prober for Providers {
    fn reach(&self, connection: Arc<Connection>, connect: Duration) -> BoxFuture<'static, Vec<ProbeStep>> {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move {
            let url = Way::of(&connection).map(|way| way.base).unwrap_or_default();
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
        Box::pin(async move {
            let way = Way::of(&connection).ok_or_else(look::unusable)?;
            within(look::list(&providers, &connection, &way, connect)).await.map_err(|missed| missed.fault)
        })
    }

    fn look(
        &self,
        connection: Arc<Connection>,
        way: Way,
        connect: Duration,
    ) -> BoxFuture<'static, Result<Vec<String>, Missed>> {
        let providers = self.clone();
        Box::pin(async move { within(look::list(&providers, &connection, &way, connect)).await })
    }

    fn has(&self, connection: Arc<Connection>, model: String, connect: Duration) -> BoxFuture<'static, bool> {
        let providers = self.clone();
        Box::pin(async move {
            let asked = within(look::has(&providers, &connection, &model, connect)).await;
            asked.unwrap_or(false)
        })
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

async fn within<T, E: From<Fault>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| Err(Fault::timed_out(Stage::Total, PATIENCE).into()))
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
