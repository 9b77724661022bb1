//! The life of one request: log, key, limits, faults, validation, answer; in that order, as at a real provider's edge.

use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;

use super::account::{Course, Turn};
use super::chat::{ChatRequest, CompletionRequest, EmbeddingRequest};
use super::dice::Dice;
use super::door::Credentials;
use super::fault::Fault;
use super::gemini::{EmbedRequest, GenerateRequest};
use super::log::{Entry, Outcome};
use super::messages::MessagesRequest;
use super::player::{ConnectionCut, play};
use super::problem::{Problem, Voice};
use super::reply;
use super::responses::ResponsesRequest;
use super::route::{Route, Work, query_value};
use super::script::Behaviour;
use super::speech::{Answer, Context, Speech, Usage};
use super::staging::{self, Scene, Staged};
use super::ticket::Ticket;
use super::{Simulator, admin, headers, models};

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// What the log shows of a body, read leniently.
#[derive(Default, Deserialize)]
struct Peek {
    model: Option<serde_json::Value>,
    stream: Option<serde_json::Value>,
}

/// One request, and who answers it.
pub(super) struct Visit {
    /// Method, path and headers.
    pub(super) parts: Parts,
    /// What the path asks for.
    pub(super) route: Route,
    /// The vendor who speaks.
    pub(super) voice: Voice,
}

impl Visit {
    fn new(parts: Parts) -> Self {
        let route = Route::of(parts.uri.path());
        let voice = route.voice(parts.uri.path(), parts.uri.query().unwrap_or(""), &parts.headers);
        Self { parts, route, voice }
    }

    /// What the request's `anthropic-beta` header asks for.
    pub(super) fn betas(&self) -> &str {
        self.parts.headers.get("anthropic-beta").and_then(|betas| betas.to_str().ok()).unwrap_or("")
    }
}

impl Simulator {
    /// Answers one request, in process.
    ///
    /// # Errors
    /// When the script closes the connection before there is a status line.
    pub async fn call(&self, request: Request<Body>) -> Result<Response<Body>, ConnectionCut> {
        let (parts, body) = request.into_parts();
        let visit = Visit::new(parts);
        let (route, voice) = (&visit.route, visit.voice);
        let body = read(body, voice).await;
        if let Route::Login(endpoint) = route {
            let body = body.unwrap_or_default();
            return Ok(self.login(*endpoint, &visit.parts, &body).await);
        }
        if route.is_own() && route.takes(&visit.parts.method) {
            return Ok(match body {
                Ok(body) => admin::answer(self, route, &visit.parts.method, &body),
                Err(problem) => problem.response(voice),
            });
        }
        let bytes = body.as_ref().map_or_else(|_| Bytes::new(), Bytes::clone);
        let mut ticket = Ticket::open(self.world(), self.entry(&visit, &bytes));
        let seq = ticket.seq();
        let began = self.world.clock.millis();
        let answered = match body {
            Ok(_) if !route.takes(&visit.parts.method) => Err(wrong_method(&visit.parts)),
            Ok(body) => match route {
                Route::Work(work) => match self.work(&visit, work, &body, ticket).await? {
                    Answered::Played(response) => return Ok(self.signed(response, voice, seq, began)),
                    Answered::Plain(response, returned) => {
                        ticket = returned;
                        Ok(response)
                    }
                },
                Route::Unknown => Err(unknown_url(&visit.parts)),
                _ => self.at_once(&visit, &body),
            },
            Err(problem) => Err(problem),
        };
        let response = answered.unwrap_or_else(|problem| problem.response(voice));
        ticket.status(response.status().as_u16());
        ticket.finish(Outcome::Complete);
        Ok(self.signed(response, voice, seq, began))
    }

    /// Answers one request, in process, for those who can only take responses: a connection that the script closes
    /// before the status line becomes a 502 whose body fails at once, marked by a [`ConnectionCut`] extension.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.call(request).await.unwrap_or_else(|cut| {
            let mut response =
                Response::new(Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(cut)])));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response.extensions_mut().insert(cut);
            response
        })
    }

    fn entry(&self, visit: &Visit, body: &Bytes) -> Entry {
        let parts = &visit.parts;
        let peek: Peek = serde_json::from_slice(body).unwrap_or_default();
        let named = visit.route.model().map(str::to_owned);
        let verb = matches!(visit.route, Route::Work(Work::Generate { stream: true, .. }));
        let mut entry = Entry {
            seq: 0,
            at_ms: self.world.clock.millis(),
            done_ms: None,
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            key: Credentials::of(parts).key(visit.voice).map(str::to_owned),
            model: named.or_else(|| peek.model.and_then(|model| model.as_str().map(str::to_owned))),
            stream: verb || peek.stream == Some(serde_json::Value::Bool(true)),
            headers: std::collections::BTreeMap::new(),
            body: String::from_utf8_lossy(body).into_owned(),
            status: None,
            outcome: Outcome::Running,
            chunks: 0,
            faults: Vec::new(),
        };
        for (name, value) in &parts.headers {
            let joined = entry.headers.entry(name.as_str().to_owned()).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        entry
    }

    /// Answers what an account pays for.
    async fn work(
        &self,
        visit: &Visit,
        work: &Work,
        body: &Bytes,
        mut ticket: Ticket,
    ) -> Result<Answered, ConnectionCut> {
        let voice = visit.voice;
        let (key, behaviour) = match self.known_key(&visit.parts, voice) {
            Ok(known) => known,
            Err(problem) => return Ok(Answered::Plain(problem.response(voice), ticket)),
        };
        let (ordinal, standing, course) = match self.world.turn(&key, &behaviour) {
            Turn::Go { ordinal, standing, course } => (ordinal, standing, course),
            Turn::Refused { standing, wait } => {
                let mut response = self.limited(voice, &behaviour, standing, wait);
                self.world.tell(&key, &behaviour, response.headers_mut());
                return Ok(Answered::Plain(response, ticket));
            }
        };
        ticket.faults(course.names());
        match &course.main {
            Some(Fault::HangBeforeHeaders) => std::future::pending().await,
            Some(Fault::CutBeforeHeaders) => {
                ticket.finish(Outcome::Cut);
                return Err(ConnectionCut);
            }
            Some(Fault::Status { code, retry_after, body }) => {
                pause(behaviour.headers_delay_ms).await;
                let wait = retry_after.map(Duration::from_secs);
                let response = self.failed(voice, &behaviour, *code, wait, body.as_ref());
                return Ok(Answered::Plain(response, ticket));
            }
            _ => {}
        }
        let (staged, delay, prompt_tokens) = match self.understood(visit, work, body, &key, &behaviour) {
            Ok(speech) => {
                let (staged, delay) =
                    self.staged(speech.as_ref(), voice, (&key, ordinal), &behaviour, &course);
                (staged, delay, speech.ask().prompt_tokens())
            }
            Err(problem) => return Ok(Answered::Plain(problem.response(voice), ticket)),
        };
        tokio::time::sleep(delay).await;
        let mut response = started(staged, ticket);
        self.world.tell(&key, &behaviour, response.headers_mut());
        if behaviour.tells_rates() {
            headers::rate_limits(response.headers_mut(), voice, standing, prompt_tokens, &self.world.clock);
        }
        Ok(Answered::Played(response))
    }

    /// Reads a body in its dialect, and refuses what the vendor refuses.
    fn understood(
        &self,
        visit: &Visit,
        work: &Work,
        body: &[u8],
        key: &str,
        behaviour: &Behaviour,
    ) -> Result<Box<dyn Speech>, Problem> {
        let context = Context { key, behaviour, betas: visit.betas(), memory: &self.world.memory };
        let speech: Box<dyn Speech> = match work {
            Work::Chat => Box::new(ChatRequest::read(body, &context)?),
            Work::Completions => Box::new(CompletionRequest::read(body)?),
            Work::Embeddings => Box::new(EmbeddingRequest::read(body)?),
            Work::Messages => Box::new(MessagesRequest::read(body, &context)?),
            Work::Generate { model, stream } => {
                let query = visit.parts.uri.query().unwrap_or("");
                let events = query_value(query, "alt").as_deref() == Some("sse");
                Box::new(GenerateRequest::read(body, model, stream.then_some(events), &context)?)
            }
            Work::Embed { model, several } => Box::new(EmbedRequest::read(body, model, *several)?),
            Work::Responses => Box::new(ResponsesRequest::read(body, &context)?),
            Work::Compact => Box::new(ResponsesRequest::read_to_compact(body, &context)?),
        };
        models::known(&speech.ask().model, visit.voice, self.world.script().models.as_deref())?;
        Ok(speech)
    }

    /// The body of an answer, and the time before its status line.
    fn staged(
        &self,
        speech: &dyn Speech,
        voice: Voice,
        (key, ordinal): (&str, u64),
        behaviour: &Behaviour,
        course: &Course,
    ) -> (Staged, Duration) {
        let (seed, ask) = (self.world.seed, speech.ask());
        let replies: Vec<_> =
            (0..ask.n).map(|index| reply::compose(ask, seed, index, behaviour.chunks)).collect();
        // Without marks there is nothing to look up, and no lock to wait for.
        let cached = if ask.cache.is_empty() { (0, 0) } else { self.world.memory().cache(key, &ask.cache) };
        let usage = Usage::of(ask, &replies, cached);
        let answer = Answer {
            replies: &replies,
            dice: Dice::new(seed, &[b"answer", key.as_bytes(), &ordinal.to_le_bytes()]),
            seed,
            now: self.world.clock.unix(),
            usage: Some(usage).filter(|_| !course.has(&Fault::NoUsage)),
        };
        speech.keep(&answer, &self.world.memory);
        let slow = course.shapes.iter().find_map(|shape| match shape {
            Fault::SlowFirstToken { ms } => Some(*ms),
            _ => None,
        });
        let first = Duration::from_millis(slow.unwrap_or(behaviour.first_token_delay_ms));
        let interval = Duration::from_millis(behaviour.chunk_interval_ms);
        let headers = Duration::from_millis(behaviour.headers_delay_ms);
        let scene = Scene { speech, answer: &answer, voice, course, first, interval };
        if ask.stream && !course.has(&Fault::IgnoreStream) {
            return (staging::stream(&scene), headers);
        }
        // An answer in one piece takes as long as its pieces would have taken.
        let pieces = replies.iter().map(reply::Reply::pieces).max().unwrap_or(1);
        let gaps = u32::try_from(pieces.saturating_sub(1)).unwrap_or(u32::MAX);
        (staging::whole(&scene), headers + first + interval.saturating_mul(gaps))
    }

    /// The headers that every answer has.
    fn signed(&self, mut response: Response<Body>, voice: Voice, seq: u64, began: u64) -> Response<Body> {
        let id = Dice::new(self.world.seed, &[b"request", &seq.to_le_bytes()]).id("req_", 32);
        let took = self.world.clock.millis().saturating_sub(began);
        headers::identity(response.headers_mut(), voice, id, took);
        response
    }
}

/// An answer, and who holds the ticket now.
enum Answered {
    /// The body does.
    Played(Response<Body>),
    /// Still the handler.
    Plain(Response<Body>, Ticket),
}

/// A response with status 200 whose body begins to play when it is read.
fn started(staged: Staged, mut ticket: Ticket) -> Response<Body> {
    ticket.status(200);
    let body = if staged.steps.is_empty() {
        ticket.finish(Outcome::Complete);
        Body::empty()
    } else {
        play(staged.steps, ticket)
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(staged.content_type));
    match staged.length {
        Some(length) => headers::put(response.headers_mut(), "content-length", length.to_string()),
        None => headers::put(response.headers_mut(), "cache-control", "no-cache".to_owned()),
    }
    response
}

async fn read(body: Body, voice: Voice) -> Result<Bytes, Problem> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::of_status(413, voice)),
        Err(_) => Err(Problem::invalid("The request's body broke off.")),
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

pub(super) fn unknown_url(parts: &Parts) -> Problem {
    let message = format!("Invalid URL ({} {})", parts.method, parts.uri.path());
    Problem::new(404, message, "invalid_request_error", None, None)
}

fn wrong_method(parts: &Parts) -> Problem {
    let message = format!(
        "Not allowed to {} on {}. (HINT: Perhaps you meant to use a different HTTP method?)",
        parts.method,
        parts.uri.path()
    );
    Problem::new(405, message, "invalid_request_error", None, Some("method_not_supported"))
}
