//! The life of one request: log, key, limits, faults, validation, answer; in that order, as at a real provider's edge.

use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;

use super::account::{Course, Turn};
use super::chat::reply;
use super::chat::request::ChatRequest;
use super::chat::wire::Head;
use super::dice::Dice;
use super::fault::Fault;
use super::log::{Entry, Outcome};
use super::player::{ConnectionCut, play};
use super::problem::Problem;
use super::route::Route;
use super::script::Behaviour;
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

impl Simulator {
    /// Answers one request, in process.
    ///
    /// # Errors
    /// When the script closes the connection before there is a status line.
    pub async fn call(&self, request: Request<Body>) -> Result<Response<Body>, ConnectionCut> {
        let (parts, body) = request.into_parts();
        let route = Route::of(parts.uri.path());
        let body = read(body).await;
        if route.is_own() && route.takes(&parts.method) {
            return Ok(match body {
                Ok(body) => admin::answer(self, &route, &parts.method, &body),
                Err(problem) => problem.response(),
            });
        }
        let bytes = body.as_ref().map_or_else(|_| Bytes::new(), Bytes::clone);
        let mut ticket = Ticket::open(self.world(), self.entry(&parts, &bytes));
        let seq = ticket.seq();
        let began = self.world.clock.millis();
        let answered = match body {
            Ok(_) if !route.takes(&parts.method) => Err(wrong_method(&parts)),
            Ok(body) => match route {
                Route::Chat => match self.chat(&parts, &body, ticket).await? {
                    Answer::Played(response) => return Ok(self.signed(response, seq, began)),
                    Answer::Plain(response, returned) => {
                        ticket = returned;
                        Ok(response)
                    }
                },
                Route::Models => self.listed(&parts, |models| Ok(models::list(models))),
                Route::Model(id) => self.listed(&parts, |models| models::one(&id, models)),
                _ => Err(unknown_url(&parts)),
            },
            Err(problem) => Err(problem),
        };
        let response = answered.unwrap_or_else(|problem| problem.response());
        ticket.status(response.status().as_u16());
        ticket.finish(Outcome::Complete);
        Ok(self.signed(response, seq, began))
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

    fn entry(&self, parts: &Parts, body: &Bytes) -> Entry {
        let peek: Peek = serde_json::from_slice(body).unwrap_or_default();
        let mut entry = Entry {
            seq: 0,
            at_ms: self.world.clock.millis(),
            done_ms: None,
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            key: bearer(&parts.headers).map(str::to_owned),
            model: peek.model.and_then(|model| model.as_str().map(str::to_owned)),
            stream: peek.stream == Some(serde_json::Value::Bool(true)),
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

    /// Who asks, and how they are to be served.
    fn known_key<'a>(&self, parts: &'a Parts) -> Result<(&'a str, Behaviour), Problem> {
        let key = bearer(&parts.headers);
        if key.is_none() && self.world.script().require_key {
            return Err(Problem::new(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                 Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                "invalid_request_error",
                None,
                Some("invalid_api_key"),
            ));
        }
        let key = key.unwrap_or("");
        Ok((key, self.world.behaviour(key)?))
    }

    /// The models, for a key that is let in at all.
    fn listed(
        &self,
        parts: &Parts,
        show: impl FnOnce(Option<&[String]>) -> Result<Response<Body>, Problem>,
    ) -> Result<Response<Body>, Problem> {
        let (_, behaviour) = self.known_key(parts)?;
        // A key that is always refused is refused here too; other faults are those of chats.
        for rule in behaviour.faults.iter().filter(|rule| rule.is_constant()) {
            if let Fault::Status { code: code @ (401 | 403), .. } = rule.fault {
                return Err(Problem::of_status(code));
            }
        }
        show(self.world.script().models.as_deref())
    }

    async fn chat(&self, parts: &Parts, body: &Bytes, mut ticket: Ticket) -> Result<Answer, ConnectionCut> {
        let (key, behaviour) = match self.known_key(parts) {
            Ok(known) => known,
            Err(problem) => return Ok(Answer::Plain(problem.response(), ticket)),
        };
        let (ordinal, standing, course) = match self.world.turn(key, &behaviour) {
            Turn::Go { ordinal, standing, course } => (ordinal, standing, course),
            Turn::Refused { standing, wait } => {
                return Ok(Answer::Plain(self.limited(&behaviour, standing, wait), ticket));
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
                let response = self.failed(&behaviour, *code, wait, body.as_ref());
                return Ok(Answer::Plain(response, ticket));
            }
            _ => {}
        }
        let known = ChatRequest::read(body).and_then(|request| {
            models::known(&request.model, self.world.script().models.as_deref())?;
            Ok(request)
        });
        match known {
            Ok(request) => {
                let (staged, delay) = self.staged(&request, key, ordinal, &behaviour, &course);
                tokio::time::sleep(delay).await;
                let mut response = started(staged, ticket);
                if behaviour.rate_headers {
                    headers::rate_limits(response.headers_mut(), standing, request.prompt_tokens());
                }
                Ok(Answer::Played(response))
            }
            Err(problem) => Ok(Answer::Plain(problem.response(), ticket)),
        }
    }

    /// The body of an answer, and the time before its status line.
    fn staged(
        &self,
        request: &ChatRequest,
        key: &str,
        ordinal: u64,
        behaviour: &Behaviour,
        course: &Course,
    ) -> (Staged, Duration) {
        let seed = self.world.seed;
        let replies: Vec<_> =
            (0..request.n).map(|index| reply::compose(request, seed, index, behaviour.chunks)).collect();
        let mut dice = Dice::new(seed, &[b"answer", key.as_bytes(), &ordinal.to_le_bytes()]);
        let head = Head {
            id: dice.id("chatcmpl-", 29),
            created: self.world.clock.unix(),
            model: request.model.clone(),
            fingerprint: Dice::new(seed, &[b"fingerprint"]).id("fp_", 10),
        };
        let slow = course.shapes.iter().find_map(|shape| match shape {
            Fault::SlowFirstToken { ms } => Some(*ms),
            _ => None,
        });
        let first = Duration::from_millis(slow.unwrap_or(behaviour.first_token_delay_ms));
        let interval = Duration::from_millis(behaviour.chunk_interval_ms);
        let headers = Duration::from_millis(behaviour.headers_delay_ms);
        let scene = Scene { request, replies: &replies, head: &head, course, first, interval };
        if request.stream && !course.has(&Fault::IgnoreStream) {
            return (staging::stream(&scene), headers);
        }
        // An answer in one piece takes as long as its pieces would have taken.
        let pieces = replies.iter().map(|reply| reply.pieces()).max().unwrap_or(1);
        let gaps = u32::try_from(pieces.saturating_sub(1)).unwrap_or(u32::MAX);
        (staging::whole(&scene), headers + first + interval.saturating_mul(gaps))
    }

    /// The headers that every answer has.
    fn signed(&self, mut response: Response<Body>, seq: u64, began: u64) -> Response<Body> {
        let id = Dice::new(self.world.seed, &[b"request", &seq.to_le_bytes()]).id("req_", 32);
        let took = self.world.clock.millis().saturating_sub(began);
        headers::put(response.headers_mut(), "x-request-id", id);
        headers::put(response.headers_mut(), "openai-processing-ms", took.to_string());
        headers::put(response.headers_mut(), "openai-version", "2020-10-01".to_owned());
        response
    }
}

/// An answer, and who holds the ticket now.
enum Answer {
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

async fn read(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::of_status(413)),
        Err(_) => Err(Problem::bad("The request's body broke off.", None, None)),
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(key.trim()).filter(|key| scheme.eq_ignore_ascii_case("bearer") && !key.is_empty())
}

fn unknown_url(parts: &Parts) -> Problem {
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
