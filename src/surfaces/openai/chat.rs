//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use canon::{Dialect, ScanError};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use openai::chat::scan;
use operations::Scope;

use super::OpenAi;
use crate::{
    engine::{
        caller::Caller,
        code::Code,
        pipeline::{Inbound, Piece, Pieces, Reply, Served},
        ports,
        refusal::Refusal,
    },
    surfaces::{body, front::Ids, render},
};

/// A comment: SSE clients pass over it, and nobody on the way takes the connection for dead.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

pub(super) async fn complete(
    State(api): State<OpenAi>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let caller = match api.identify.caller(&request) {
        Ok(caller) => caller,
        Err(refusal) => return render::refusal(&refusal, &ids, false),
    };
    let topology = caller.may(Scope::ReadHealth);
    match answer(&api, &ids, caller, request, topology).await {
        Ok(response) => response,
        Err(refusal) => render::refusal(&refusal, &ids, topology),
    }
}

async fn answer(
    api: &OpenAi,
    ids: &Ids,
    caller: Caller,
    request: Request,
    topology: bool,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let limit = api.engine.snapshot().settings.limits.body_bytes;
    let bytes = body::read(&parts.headers, body, limit).await?;
    let facts = scan(&bytes).map_err(|error| not_a_request(&error))?;
    let stream = facts.stream;
    let inbound = Inbound {
        id: ids.own.to_string(),
        client_request_id: ids.client.clone(),
        caller,
        request: ports::Request { dialect: Dialect::Chat, body: bytes, facts: Arc::new(facts) },
        keep_alive: api.keep_alive,
    };
    let Reply { served, pieces } = api.engine.generate(inbound).await?;
    let mut response = if stream { streamed(pieces, ids.clone(), topology) } else { whole(pieces).await? };
    if let Some(served) = &served {
        name(response.headers_mut(), served);
    }
    Ok(response)
}

fn streamed(pieces: Pieces, ids: Ids, topology: bool) -> Response {
    let bytes = pieces.map(move |piece| {
        Ok::<Bytes, std::convert::Infallible>(match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::KeepAlive => KEEP_ALIVE,
            Piece::Broke(refusal) => render::event(&refusal, &ids, topology),
        })
    });
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Tells nginx and its like not to collect the stream before they pass it on.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// A unary answer is the fold of its pieces.
async fn whole(mut pieces: Pieces) -> Result<Response, Refusal> {
    let mut whole = Bytes::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(bytes) if whole.is_empty() => whole = bytes,
            Piece::Bytes(bytes) => {
                let mut joined = BytesMut::from(&whole[..]);
                joined.extend_from_slice(&bytes);
                whole = joined.freeze();
            }
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => return Err(*refusal),
        }
    }
    let mut response = Response::new(Body::from(whole));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Says who served the answer. A name that does not fit into a header is left out.
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
}

fn not_a_request(error: &ScanError) -> Refusal {
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
