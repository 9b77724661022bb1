//! The JSON-RPC envelope: what a body asks for, and how answers and errors are wrapped. Pure; every answer goes out with
//! HTTP 200, an event of a stream as the `data` of a server-sent event.

mod id;
mod parse;

pub use id::Id;
pub use parse::{Call, Malformed, parse};

use serde_json::Value;

use crate::failure::Failure;
use crate::shape::Object;
use crate::version::Version;

/// A response with a result. A call without an id is answered with `null` for it: the protocol has no notifications.
#[must_use]
pub fn result(id: Option<&Id>, result: Value) -> Value {
    envelope(id).set("result", result).done()
}

/// A response with an error.
#[must_use]
pub fn error(id: Option<&Id>, failure: &Failure, version: Version) -> Value {
    envelope(id).set("error", failure.to_json(version)).done()
}

fn envelope(id: Option<&Id>) -> Object {
    Object::new().set("jsonrpc", "2.0").set("id", id.map_or(Value::Null, Id::to_json))
}
