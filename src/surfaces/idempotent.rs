//! Requests with an `Idempotency-Key`: the first is answered as any other, on a task of its own, and its repeats get the
//! same answer. Which requests that may be is said here; how it is done, in `ops::idempotency`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_stream::stream;
use axum::{
    body::{Body, BodyDataStream},
    extract::Request,
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use canon::{Dialect, scan};
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use operations::Scope;

use super::{Handles, body, front::Ids, identify::Identify, render};
use crate::{
    engine::{
        Engine,
        caller::Caller,
        code::Code,
        policy::{self, Ticket},
        receipt::Reuse,
        refusal::Refusal,
        reuse::{Reused, Tab},
    },
    ops::idempotency::{Denied, Entry, Head, Idempotency, MARK, MAX_KEY, Repeat, Seat, Work},
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a path ends with below which something is generated, beside Gemini's verbs.
const GENERATES: [&str; 8] = [
    "/chat/completions",
    "/chat/completions/web-search",
    "/chat/completions/stream-route",
    "/completions",
    "/embeddings",
    "/responses",
    "/responses/compact",
    "/messages",
];

/// What serves requests with a key.
#[derive(Clone)]
pub(super) struct Idempotent {
    identify: Identify,
    engine: Arc<Engine>,
    idempotency: Arc<Idempotency>,
}

/// Who a request is from, where that was found out before its handler. Only the hub can put it there.
#[derive(Clone)]
pub(super) struct Known(pub(super) Caller);

/// Whether a request carries a key and is for something that is generated.
pub(super) fn is_meant(request: &Request) -> bool {
    request.headers().contains_key(&KEY)
        && request.method() == Method::POST
        && is_generation(request.uri().path())
}

fn is_generation(path: &str) -> bool {
    // A colon may be spelled in either way.
    let verb =
        path.rsplit_once(':').map(|(_, verb)| verb).or_else(|| path.rsplit_once("%3A").map(|two| two.1));
    matches!(verb, Some("generateContent" | "streamGenerateContent"))
        || GENERATES.iter().any(|end| path.ends_with(end))
}

impl Idempotent {
    pub(super) fn new(handles: &Handles, identify: &Identify) -> Self {
        Self {
            identify: identify.clone(),
            engine: Arc::clone(&handles.engine),
            idempotency: Arc::clone(&handles.idempotency),
        }
    }

    /// Answers a request that [`is_meant`].
    pub(super) async fn answer(&self, ids: Ids, mut request: Request, next: Next) -> Response {
        if !self.idempotency.is_on() {
            request.extensions_mut().insert(ids);
            return next.run(request).await;
        }
        let told = ids.clone();
        match self.enter(ids, request, next).await {
            Ok(response) => response,
            Err(refusal) => render::refusal(&refusal, &told, false),
        }
    }

    async fn enter(&self, ids: Ids, request: Request, next: Next) -> Result<Response, Refusal> {
        let caller = self.identify.caller(&request)?;
        policy::require(&caller, Scope::ExecuteCompletions)?;
        let key = key_of(request.headers())?;
        let limit = self.engine.snapshot().settings.limits.body_bytes;
        let (parts, body) = request.into_parts();
        let body = body::read(&parts.headers, body, limit).await?;
        let route = format!("{} {}", ids.dialect.as_str(), parts.uri.path());
        let repeat = Repeat::new(&caller, &route, &key, &[query(&parts.uri).as_bytes(), &body]);
        let asked = asked(&ids, &parts.uri, &body);
        let (seat, joined) = match self.idempotency.enter(repeat).map_err(refused)? {
            Entry::Joined(seat) => (seat, true),
            Entry::First(pilot, seat) => {
                let broke = Arc::new(AtomicBool::new(false));
                let ids = Ids { broke: Some(Arc::clone(&broke)), ..ids };
                let mut request = Request::from_parts(parts, Body::from(body));
                request.extensions_mut().insert(ids);
                request.extensions_mut().insert(Known(caller.clone()));
                tokio::spawn(pilot.fly(async move { work(next.run(request).await, broke) }));
                (seat, false)
            }
        };
        self.read(seat, joined, asked, &caller).await
    }

    /// An answer that was made before passes what holds for its caller now, as if it was made anew.
    fn let_in(&self, caller: &Caller, asked: &Reused, how: Reuse) -> Result<Option<Ticket>, Refusal> {
        let entered = self.engine.let_in_again(caller, &asked.model, asked.dialect, true);
        entered.inspect_err(|refusal| self.engine.reuse(asked.clone(), caller, how).refuse(refusal))
    }

    /// The answer as this client gets it. One that was made for another request has a receipt of its own.
    async fn read(
        &self,
        mut seat: Seat,
        joined: bool,
        asked: Reused,
        caller: &Caller,
    ) -> Result<Response, Refusal> {
        let mut ticket = None;
        let mut tab = None;
        if joined {
            ticket = self.let_in(caller, &asked, Reuse::Joined)?;
            tab = Some(self.engine.reuse(asked.clone(), caller, Reuse::Joined));
        }
        let head = seat.head().await;
        if !joined && head.as_ref().is_ok_and(|head| head.headers.contains_key(&MARK)) {
            ticket = self.let_in(caller, &asked, Reuse::Replayed)?;
            tab = Some(self.engine.reuse(asked, caller, Reuse::Replayed));
        }
        let Head { status, mut headers } = match head {
            Ok(head) => head,
            Err(denied) => {
                let refusal = refused(denied);
                if let Some(tab) = tab {
                    tab.refuse(&refusal);
                }
                return Err(refusal);
            }
        };
        if joined {
            headers.entry(&MARK).or_insert(HeaderValue::from_static("joined"));
        }
        if let Some(tab) = &mut tab {
            tab.status(status.as_u16());
        }
        let mut response = Response::new(Body::from_stream(pieces(seat, tab, ticket)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn pieces(
    mut seat: Seat,
    mut tab: Option<Tab>,
    ticket: Option<Ticket>,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    stream! {
        while let Some(bytes) = seat.next().await {
            if let Some(tab) = &mut tab {
                tab.gave(bytes.len());
            }
            yield Ok(bytes);
        }
        if let Some(tab) = tab {
            tab.complete();
        }
        drop(ticket);
    }
}

/// What the handler answered, in the words of `ops`.
fn work(response: Response, broke: Arc<AtomicBool>) -> Work<impl Stream<Item = Bytes>> {
    let (parts, body) = response.into_parts();
    let mut headers = HeaderMap::new();
    for (name, value) in &parts.headers {
        if is_kept(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    let body: BodyDataStream = body.into_data_stream();
    // A body of the hub's own never fails; it says in its dialect that an answer broke.
    let body = body.filter_map(async |bytes| bytes.ok());
    let is_whole = Box::new(move || !broke.load(Ordering::Relaxed));
    Work { head: Head { status: parts.status, headers }, body, is_whole }
}

/// The headers that tell of the answer, and not of the one exchange that it was made in.
fn is_kept(name: &HeaderName) -> bool {
    let says = name.as_str();
    [header::CONTENT_TYPE, header::CACHE_CONTROL, header::RETRY_AFTER].contains(name)
        || ["x-gateway-", "x-trivium-", "x-accel-", "x-should-"].iter().any(|start| says.starts_with(start))
}

fn key_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut values = headers.get_all(&KEY).iter();
    let key = match (values.next(), values.next()) {
        (Some(key), None) => key.to_str().ok().map(str::trim),
        _ => None,
    };
    key.filter(|key| (1..=MAX_KEY).contains(&key.len())).map(str::to_owned).ok_or_else(|| {
        let text =
            format!("`Idempotency-Key` must be one text of 1 to {MAX_KEY} printable ASCII characters.");
        Refusal::new(Code::InvalidParameter, text).about("Idempotency-Key")
    })
}

/// The query without the caller's key, which may be another one next time.
fn query(uri: &Uri) -> String {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(pairs.filter(|(name, _)| name != "key"));
    kept.finish()
}

/// What a receipt says of the request, as far as it can be told at a glance.
fn asked(ids: &Ids, uri: &Uri, body: &[u8]) -> Reused {
    let fields = scan::text(body).and_then(|text| scan::fields(text, ["model", "stream"]));
    let [model, stream] = fields.unwrap_or_default();
    let (model, stream) = if ids.dialect == Dialect::Gemini {
        let call = uri.path().split_once("/models/").map_or("", |(_, call)| call);
        let call = &decoded(call);
        (call.rsplit_once(':').map(|(model, _)| model.to_owned()), call.ends_with("streamGenerateContent"))
    } else {
        let model = model.and_then(|raw| serde_json::from_str(raw.get()).ok());
        (model, stream.is_some_and(|raw| raw.get() == "true"))
    };
    Reused {
        id: ids.own.to_string(),
        client_request_id: ids.client.clone(),
        dialect: ids.dialect,
        model: model.unwrap_or_default(),
        stream,
    }
}

/// A path with its `%2F` and the like read. What is no such thing stays as it is.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = (*first == b'%').then(|| behind.get(..2)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn refused(denied: Denied) -> Refusal {
    match denied {
        Denied::Different => Refusal::new(
            Code::IdempotencyKeyReused,
            "This `Idempotency-Key` was used for another request on this route.",
        ),
        Denied::InDoubt => Refusal::new(
            Code::IdempotencyConflict,
            "A request with this `Idempotency-Key` was under way when the hub stopped, and nobody knows how it ended.",
        ),
        Denied::NotKept => Refusal::new(
            Code::IdempotencyConflict,
            "The request with this `Idempotency-Key` was answered, and its answer was too large to be kept, or cannot be read any more.",
        ),
        Denied::Crowded => Refusal::new(
            Code::QueueFull,
            "Too many requests with an `Idempotency-Key` are under way, or wait for the same answer.",
        ),
        Denied::Cut => {
            Refusal::new(Code::StreamInterrupted, "The request was cut off before its answer began.")
        }
        Denied::Failed => Refusal::new(
            Code::Internal,
            "The `Idempotency-Key` could not be written down, and so the request was not sent to any provider.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_generates_is_told_from_what_does_not() {
        let yes = [
            "/v1/chat/completions",
            "/v1/responses",
            "/responses/compact",
            "/v1/messages",
            "/v1beta/models/a/b:generateContent",
            "/v1/models/m%3AstreamGenerateContent",
        ];
        let no =
            ["/api/keys", "/v1/messages/count_tokens", "/v1/models/m:countTokens", "/v1/responses/r/cancel"];
        assert!(yes.iter().all(|path| is_generation(path)));
        assert!(!no.iter().any(|path| is_generation(path)));
    }

    #[test]
    fn the_key_of_the_caller_is_no_part_of_a_request() {
        let query = |uri: &'static str| query(&Uri::from_static(uri));
        assert_eq!(query("/x?alt=sse&key=one"), query("/x?key=two&alt=sse"));
        assert_ne!(query("/x?alt=sse"), query("/x"));
    }
}
