//! The management API below `/api`: every operation, in the shape of REST. Which route an operation has, and where its
//! arguments travel, is in its definition; how they become one object is in `arguments`.

mod arguments;
mod provider;
mod session;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, OnceLock},
};

use axum::{
    Extension, Json, Router,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, get, on, put},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use operations::{Definition, Method, openapi};
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::arguments::Kinds;
use super::{Handles, body, front::Ids, identify::Identify, operation::refused, render};
use crate::{
    engine::{
        caller::{Caller, CallerKind},
        code::Code,
        refusal::Refusal,
    },
    ops::{
        self,
        registry::{Asked, Registry},
    },
};
pub use provider::OIDC_CALLBACK;

/// The longest conversation, which is longer than any definition, with every second letter escaped, and room for what is
/// around it.
const BODY_LIMIT: usize = 2 * operations::completions::MAX_TEXT + 64 * 1024;

/// The OpenAPI document. Made when somebody asks for it: a hub that nobody manages holds a third less memory without.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::document(env!("CARGO_PKG_VERSION")));

/// What the handlers of this surface use.
#[derive(Clone)]
struct Admin {
    identify: Identify,
    operations: Arc<Registry>,
    login: Arc<ops::admin::Admin>,
    provider: Option<provider::At>,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let admin = Admin {
        identify: identify.clone(),
        operations: Arc::clone(&handles.operations),
        login: Arc::clone(&handles.admin),
        provider: provider::At::of(handles),
    };
    let mut paths: BTreeMap<&'static str, MethodRouter<Admin>> = BTreeMap::new();
    for definition in Definition::all() {
        let methods = paths.remove(definition.route.path).unwrap_or_default();
        paths.insert(definition.route.path, methods.merge(route(definition)));
    }
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .route("/api/openapi.json", get(document))
        .route("/api/session", get(session::who).post(session::log_in).delete(session::log_out))
        .route("/api/session/password", put(session::change_password))
        .route("/api/session/oidc", get(provider::begin))
        .route(OIDC_CALLBACK, get(provider::come_back))
        .with_state(admin)
}

/// The handler of one operation.
fn route(definition: &'static Definition) -> MethodRouter<Admin> {
    let kinds = Arc::new(OnceLock::new());
    let handler = move |State(admin): State<Admin>,
                        Extension(ids): Extension<Ids>,
                        path: Result<RawPathParams, RawPathParamsRejection>,
                        request: Request| {
        let kinds = Arc::clone(&kinds);
        async move {
            let known = request.headers().get(header::IF_NONE_MATCH).cloned();
            let kinds = kinds.get_or_init(|| Kinds::of(definition));
            let done = async { admin.call(definition, kinds, &ids, path, request).await };
            match done.await {
                Ok(result) => answer(definition, result, known.as_ref()),
                Err(refusal) => render::refusal(&refusal, &ids, false),
            }
        }
    };
    let method = match definition.route.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    on(method, handler)
}

/// The OpenAPI document, for whoever has a key.
async fn document(State(admin): State<Admin>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    match admin.identify.caller(&request) {
        Ok(_) => Json(&*DOCUMENT).into_response(),
        Err(refusal) => render::refusal(&refusal, &ids, false),
    }
}

impl Admin {
    async fn call(
        &self,
        definition: &'static Definition,
        kinds: &Kinds,
        ids: &Ids,
        path: Result<RawPathParams, RawPathParamsRejection>,
        request: Request,
    ) -> Result<Value, Refusal> {
        let caller = self.identify.caller(&request)?;
        let path = path.map_err(|error| {
            Refusal::new(
                Code::MalformedRequest,
                format!("The path could not be read: {}.", error.body_text()),
            )
        })?;
        let (parts, body) = request.into_parts();
        let bytes = if definition.route.method.has_body() {
            body::read(&parts.headers, body, BODY_LIMIT).await?
        } else {
            bytes::Bytes::new()
        };
        let mut args = kinds.whole(definition, &bytes)?;
        kinds.query(definition, parts.uri.query(), &mut args)?;
        for (name, value) in &path {
            kinds.put(name, value, &mut args)?;
        }
        if definition.route.guarded {
            guard(&parts.headers, &mut args)?;
        }
        let asked = Asked::new(caller.clone(), surface(&caller), Some(Arc::clone(&ids.own)));
        let called = self.operations.call(asked, definition, Value::Object(args)).await;
        called.map_err(|error| refused(&error))
    }
}

fn parse<Args: DeserializeOwned>(bytes: &[u8]) -> Result<Args, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { Code::InvalidParameter } else { Code::InvalidJson };
        Refusal::new(code, format!("The body could not be read: {error}."))
    })
}

/// The command line comes in over REST too, and is worth telling apart.
fn surface(caller: &Caller) -> &'static str {
    if caller.kind == CallerKind::Local { "cli" } else { "rest" }
}

/// `If-Match` names the version that was seen, `If-None-Match: *` says that there must be nothing.
fn guard(headers: &HeaderMap, args: &mut serde_json::Map<String, Value>) -> Result<(), Refusal> {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*") {
        args.insert("version".to_owned(), 0.into());
    }
    let Some(tag) = headers.get(header::IF_MATCH).filter(|value| *value != "*") else { return Ok(()) };
    let text = tag.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let version: u64 = text.parse().map_err(|_| {
        let message = "`If-Match` must be the `ETag` of an earlier answer, such as `\"3\"`.";
        Refusal::new(Code::InvalidParameter, message).about("If-Match")
    })?;
    args.insert("version".to_owned(), version.into());
    Ok(())
}

/// What has a version, or says of itself what tells it from another, has an `ETag`. Who knows what is only looked at gets
/// no more than that.
fn answer(definition: &Definition, result: Value, known: Option<&HeaderValue>) -> Response {
    let status = StatusCode::from_u16(definition.route.status).unwrap_or(StatusCode::OK);
    let version = result.get("version").and_then(Value::as_u64).map(|version| version.to_string());
    let own = result.get("etag").and_then(Value::as_str).map(str::to_owned);
    let tag = version.or(own).and_then(|tag| HeaderValue::try_from(format!("\"{tag}\"")).ok());
    let is_known = definition.hints.read_only && tag.is_some() && known == tag.as_ref();
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (status, Json(result)).into_response()
    };
    if let Some(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
