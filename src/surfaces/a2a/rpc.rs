//! JSON-RPC: both versions at one address, told apart by the method's name. The envelope is read here; one answer comes by
//! the table of methods, a stream past it.

use a2a::{
    Code, Failure, Version,
    rpc::{self, Id},
    version,
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::front::Ids,
    door::{Closed, Door, Entered, allow, json},
    methods::Asking,
    parts, stream,
};

const JSON: &str = "application/json";

/// What the operator has switched off. Not the protocol's number: of those that it leaves to agents.
const OFF: i32 = -32000;

/// A request to the address.
pub(super) async fn enter(State(door): State<Door>, ids: axum::Extension<Ids>, request: Request) -> Response {
    let (method, query) = (request.method().clone(), request.uri().query().map(str::to_owned));
    let answer = |entered| async {
        if method == Method::POST {
            return call(&door, entered, query.as_deref()).await;
        }
        let failure = Failure::new(Code::InvalidRequest, format!("Calls are posted; this is a {method}"));
        let mut response = json(405, JSON, rpc::error(None, &failure, Version::V1).to_string());
        allow(&mut response, "POST");
        response
    };
    door.enter(&ids, request, closed, answer).await
}

async fn call(door: &Door, entered: Entered, query: Option<&str>) -> Response {
    let said = entered.version(query);
    let spoken = Version::of_header(said.as_deref()).unwrap_or(Version::V1);
    if !entered.is_json() {
        let failure =
            Failure::new(Code::ContentTypeNotSupported, "The body must be of the type `application/json`");
        return json(415, JSON, rpc::error(None, &failure, spoken).to_string());
    }
    let call = match rpc::parse(&entered.body) {
        Ok(call) => call,
        Err(malformed) => return failed(malformed.id.as_ref(), &malformed.failure, spoken),
    };
    let id = call.id;
    let (operation, version) = match version::resolve(&call.method, said.as_deref()) {
        Ok(resolved) => resolved,
        Err(failure) => return failed(id.as_ref(), &failure, spoken),
    };
    let fresh = || Uuid::now_v7().to_string();
    let decoded = a2a::decode(operation, version, call.params, fresh).map_err(Failure::from);
    let params = match decoded.and_then(|request| parts::checked(request.params)) {
        Ok(params) => params,
        Err(failure) => return failed(id.as_ref(), &failure, version),
    };
    if !operation.is_streaming() {
        let asking = Asking { visitor: entered.visitor, version, params };
        return json(200, JSON, door.methods.call(&call.method, asking, id.as_ref()).await);
    }
    match door.agent.stream(&entered.visitor, version, params).await {
        Ok(events) => {
            let standing = stream::response(events, door.keep_alive, move |event| {
                let event = match version {
                    Version::V1 => a2a::v1::event(event),
                    Version::V03 => a2a::v03::event(event),
                };
                rpc::result(id.as_ref(), event)
            });
            entered.standing(standing)
        }
        // Clients of 0.3 read the answer to what streams as a stream, also where it is an error.
        Err(failure) if version == Version::V03 => {
            stream::single(&rpc::error(id.as_ref(), &failure, version))
        }
        Err(failure) => failed(id.as_ref(), &failure, version),
    }
}

/// An error of the protocol: the status is that of an answer.
fn failed(id: Option<&Id>, failure: &Failure, version: Version) -> Response {
    json(200, JSON, rpc::error(id, failure, version).to_string())
}

/// What a client is told that does not come in. Nobody has read its id.
fn closed(why: &Closed) -> Bytes {
    let number = match why {
        Closed::Off => OFF,
        Closed::Refused(refusal) if refusal.status() >= 500 => Code::Internal.number(),
        Closed::Refused(_) => Code::InvalidRequest.number(),
    };
    let mut error = json!({"code": number, "message": why.words()});
    if let Closed::Refused(refusal) = why {
        error["data"] = json!([{"reason": refusal.code.as_str(), "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "trivium"}]);
    }
    json!({"jsonrpc": "2.0", "id": Value::Null, "error": error}).to_string().into()
}
