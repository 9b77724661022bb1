//! What the routes of all client APIs share: the handles that they use, and the way of one request through them.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use canon::{DecodeError, Facts, ScanError};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use operations::Scope;

use super::{
    Handles, body,
    delivery::{self, Form},
    front::Ids,
    idempotent::Known,
    identify::Identify,
    render, shape, wishes,
};
use crate::{
    engine::{
        Engine,
        caller::Caller,
        code::Code,
        pipeline::{Inbound, Keeper, Reply, Served},
        ports::{self, Task},
        refusal::Refusal,
        reuse::{Cached, Freshness},
        shaping::Shaped,
        trace::TraceContext,
    },
    ops,
};

/// The tag of models that can search the web.
pub(super) const WEB_SEARCH: &str = "web-search";

/// Says what translation lost.
const LOSS: HeaderName = HeaderName::from_static("x-trivium-translation-loss");

/// Says what the answer costs, in US dollars.
const COST: HeaderName = HeaderName::from_static("x-trivium-cost");

/// Says what was done to the request by the operator's wish.
const SHAPED: HeaderName = HeaderName::from_static("x-trivium-shaped");

/// Says what the cache did.
const CACHE: HeaderName = HeaderName::from_static("x-trivium-cache");

/// What the handlers of the client APIs use. Clones are the same: each request has one.
#[derive(Clone)]
pub(super) struct Api(Arc<Shared>);

/// What is in it.
pub(super) struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) identify: Identify,
    pub(super) keep_alive: Duration,
    pub(super) responses: Arc<ops::responses::Responses>,
}

/// A client that has been identified, and what it sent.
pub(super) struct Visit {
    pub(super) caller: Caller,
    pub(super) ids: Ids,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

/// A question that has been understood.
pub(super) struct Question {
    pub(super) task: Task,
    pub(super) body: Bytes,
    pub(super) facts: Facts,
    /// Headers for a provider of the same dialect.
    pub(super) headers: HeaderMap,
    /// The account that has to answer.
    pub(super) pin: Option<Keeper>,
    /// A word that the model must be tagged with.
    pub(super) tag: Option<&'static str>,
    /// Whether the hub keeps the answer where the provider does not.
    pub(super) keeps: bool,
    /// How a stream is written.
    pub(super) form: Form,
}

impl Question {
    /// A question with nothing special about it.
    pub(super) fn new(task: Task, body: Bytes, facts: Facts) -> Self {
        Self {
            task,
            body,
            facts,
            headers: HeaderMap::new(),
            pin: None,
            tag: None,
            keeps: false,
            form: Form::Events,
        }
    }
}

impl Visit {
    /// Whether the caller may see which connections there are.
    pub(super) fn topology(&self) -> bool {
        self.caller.may(Scope::ReadHealth)
    }
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    pub(super) fn new(handles: &Handles, identify: &Identify) -> Self {
        Self(Arc::new(Shared {
            engine: Arc::clone(&handles.engine),
            identify: identify.clone(),
            keep_alive: handles.keep_alive,
            responses: Arc::clone(&handles.responses),
        }))
    }

    /// Identifies the caller, reads the body, and lets `handle` answer; refusals are told in the client's dialect.
    pub(super) async fn serve<F>(
        &self,
        ids: Ids,
        mut request: Request,
        handle: impl FnOnce(Visit) -> F,
    ) -> Response
    where
        F: Future<Output = Result<Response, Refusal>>,
    {
        let known = request.extensions_mut().remove::<Known>().map(|known| Ok(known.0));
        let caller = match known.unwrap_or_else(|| self.identify.caller(&request)) {
            Ok(caller) => caller,
            Err(refusal) => return render::refusal(&refusal, &ids, false),
        };
        let topology = caller.may(Scope::ReadHealth);
        let answered = match self.read(request).await {
            Ok((parts, body)) => handle(Visit { caller, ids: ids.clone(), parts, body }).await,
            Err(refusal) => Err(refusal),
        };
        answered.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, topology))
    }

    async fn read(&self, request: Request) -> Result<(Parts, Bytes), Refusal> {
        let (parts, body) = request.into_parts();
        let limit = self.engine.snapshot().settings.limits.body_bytes;
        let body = body::read(&parts.headers, body, limit).await?;
        Ok((parts, body))
    }

    /// Asks the engine, and says in headers who serves the answer.
    pub(super) async fn ask(&self, visit: &Visit, question: Question) -> Result<(Reply, HeaderMap), Refusal> {
        let Question { task, mut body, mut facts, headers, pin, tag, keeps, .. } = question;
        let (session, wishes) = wishes::take(&visit.parts.headers, &mut body, &mut facts)?;
        let mut shaped = Shaped::default();
        if task == Task::Generate && pin.is_none() {
            shaped = shape::rerouted(&self.engine.snapshot(), visit.ids.dialect, &mut body, &mut facts);
        }
        let shapes = shaped.shapes.clone();
        let facts = Arc::new(facts);
        let inbound = Inbound {
            id: visit.ids.own.to_string(),
            client_request_id: visit.ids.client.clone(),
            caller: visit.caller.clone(),
            request: ports::Request {
                dialect: visit.ids.dialect,
                task,
                body,
                facts,
                headers,
                searches: tag == Some(WEB_SEARCH),
                keeps,
                shaping: None,
            },
            pin,
            tag,
            session,
            trace: TraceContext::of(&visit.parts.headers),
            wishes,
            keep_alive: self.keep_alive,
            freshness: Freshness::of(&visit.parts.headers),
            shaped,
            ticket: None,
        };
        let reply = self.engine.generate(inbound).await?;
        let mut headers = HeaderMap::new();
        if let Some(served) = reply.served.get() {
            name(&mut headers, served);
        }
        let edits = reply.served.get().map_or(&[][..], |served| &served.shaped);
        let words: Vec<&str> = (shapes.iter().map(|shape| shape.as_str()))
            .chain(edits.iter().map(|edit| edit.as_str()))
            .collect();
        if let (false, Ok(value)) = (words.is_empty(), HeaderValue::try_from(words.join(", "))) {
            headers.insert(SHAPED, value);
        }
        if let Some(rate) = &reply.rate {
            render::rate(&mut headers, rate);
        }
        if let Some(cached) = reply.cached {
            headers.insert(CACHE, HeaderValue::from_static(cached.as_str()));
            if let Cached::Hit(age) = cached {
                headers.insert(header::AGE, HeaderValue::from(age.as_secs()));
            }
        }
        Ok((reply, headers))
    }

    /// Asks the engine and gives the client the answer as it comes.
    pub(super) async fn answer(&self, visit: &Visit, question: Question) -> Result<Response, Refusal> {
        let (stream, form) = (question.facts.stream, question.form);
        let (reply, headers) = self.ask(visit, question).await?;
        let mut response = if stream {
            delivery::streamed(reply.pieces, visit.ids.clone(), visit.topology(), form)
        } else {
            delivery::json(Body::from(delivery::whole(reply.pieces).await?))
        };
        response.headers_mut().extend(headers);
        Ok(response)
    }
}

/// Says who served the answer, and what was lost on the way. What does not fit into a header is left out.
fn name(headers: &mut HeaderMap, served: &Served) {
    let texts = [
        ("x-gateway-provider", &served.provider),
        ("x-gateway-route", &served.connection),
        ("x-gateway-model", &served.model),
    ];
    for (header, text) in texts {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
    headers.insert(HeaderName::from_static("x-gateway-attempts"), HeaderValue::from(served.attempts));
    if let Some(cost) = served.cost
        && let Ok(value) = HeaderValue::from_str(&cost.dollars().to_string())
    {
        headers.insert(COST, value);
    }
    if !served.losses.is_empty()
        && let Ok(value) = HeaderValue::from_str(&served.losses.to_string())
    {
        headers.insert(LOSS, value);
    }
}

/// A body that is no request of its dialect.
pub(super) fn not_a_request(error: &ScanError) -> Refusal {
    let code = match error {
        ScanError::NotUtf8 { .. } => Code::InvalidUtf8,
        ScanError::NotJson { .. } => Code::InvalidJson,
        ScanError::Missing { .. } => Code::MissingParameter,
        ScanError::WrongType { .. } | ScanError::TooLong { .. } => Code::InvalidParameter,
    };
    let mut refusal = Refusal::new(code, error.to_string());
    refusal.param = error.param();
    refusal
}

/// A body that its decoder does not understand.
pub(super) fn not_understood(error: &DecodeError) -> Refusal {
    Refusal::new(Code::InvalidParameter, error.to_string())
}
