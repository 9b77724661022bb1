//! Errors on a socket: the object that stands in an HTTP body, for the frames of whatever protocol.

use serde_json::{Map, Value};

use crate::{
    engine::refusal::Refusal,
    surfaces::{front::Ids, render},
};

/// The error as it would stand in an HTTP body. `topology` says whether its caller may see which connections there
/// are.
pub(in super::super) fn error_object(refusal: &Refusal, ids: &Ids, topology: bool) -> Map<String, Value> {
    // What a provider wrote is passed on in its own shape, which may be any.
    let own = || object(&Refusal { passed_on: None, ..refusal.clone() }, ids, topology);
    object(refusal, ids, topology).or_else(own).unwrap_or_default()
}

fn object(refusal: &Refusal, ids: &Ids, topology: bool) -> Option<Map<String, Value>> {
    let mut body: Map<String, Value> = serde_json::from_slice(&render::body(refusal, ids, topology)).ok()?;
    match body.remove("error") {
        Some(Value::Object(error)) => Some(error),
        _ => None,
    }
}
