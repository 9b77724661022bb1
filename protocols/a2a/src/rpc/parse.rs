//! From the bytes of a body to a call.

use serde_json::Value;

use super::Id;
use crate::failure::{Code, Failure};

/// A call as it stands in its envelope. Whether there is such a method is for `version::resolve` to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Comes back with the answer. `None` if there was none.
    pub id: Option<Id>,
    /// The name of the method.
    pub method: String,
    /// An object or an array, if there are any.
    pub params: Option<Value>,
}

/// A body that is no call, and the id to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The id, if one could be read; the answer has `null` otherwise.
    pub id: Option<Id>,
    /// `Parse` or `InvalidRequest`.
    pub failure: Failure,
}

/// Reads a body.
///
/// # Errors
///
/// `Parse` for what is no JSON, or nested deeper than 128 levels; `InvalidRequest` for what is no request, and for
/// batches.
pub fn parse(body: &[u8]) -> Result<Call, Malformed> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let message = format!("{}: {error}", Code::Parse.words());
        Malformed { id: None, failure: Failure::new(Code::Parse, message) }
    })?;
    let mut map = match value {
        Value::Object(map) => map,
        Value::Array(_) => return Err(malformed(None, "batches are not taken; send each call by itself")),
        _ => return Err(malformed(None, "a request is an object")),
    };
    let id = match map.swap_remove("id").map(Id::of) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) => return Err(malformed(None, "`id` must be a string, a number or null")),
    };
    if map.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(malformed(id, "`jsonrpc` must be \"2.0\""));
    }
    let method = match map.swap_remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return Err(malformed(id, "`method` must be a string")),
        None => return Err(malformed(id, "`method` is required")),
    };
    match map.swap_remove("params") {
        None | Some(Value::Null) => Ok(Call { id, method, params: None }),
        Some(params @ (Value::Object(_) | Value::Array(_))) => Ok(Call { id, method, params: Some(params) }),
        Some(_) => Err(malformed(id, "`params` must be an object")),
    }
}

fn malformed(id: Option<Id>, what: &str) -> Malformed {
    let message = format!("{}: {what}", Code::InvalidRequest.words());
    Malformed { id, failure: Failure::new(Code::InvalidRequest, message) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;
    use crate::rpc;
    use crate::version::Version;

    fn code(body: &str) -> (Option<Id>, i32) {
        let malformed = parse(body.as_bytes()).unwrap_err();
        (malformed.id, malformed.failure.code.number())
    }

    #[test]
    fn ids_come_back_as_they_were() {
        for id in [
            json!("a"),
            json!(""),
            json!(0),
            json!(-7),
            json!(18_446_744_073_709_551_615_u64),
            json!(1.5),
            json!(null),
        ] {
            let body = json!({"jsonrpc": "2.0", "id": id, "method": "m"}).to_string();
            let call = parse(body.as_bytes()).unwrap();
            let answer = rpc::result(call.id.as_ref(), json!({}));
            assert_eq!(answer, json!({"jsonrpc": "2.0", "id": id, "result": {}}));
        }
    }

    #[test]
    fn a_call_may_come_without_an_id_or_parameters() {
        let call = parse(br#"{"jsonrpc":"2.0","method":"tasks/get","params":{"id":"t"}}"#).unwrap();
        assert_eq!((call.id, call.params), (None, Some(json!({"id": "t"}))));
        let call = parse(br#"{"jsonrpc":"2.0","method":"m","params":null,"id":null}"#).unwrap();
        assert_eq!((call.id, call.params), (Some(Id::Null), None));
    }

    #[test]
    fn what_is_no_json_is_told_from_what_is_no_request() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for body in ["", "{", "nonsense", r#"{"jsonrpc":"2.0"} x"#, "\u{feff}{}", deep.as_str()] {
            assert_eq!(code(body), (None, -32700), "{body}");
        }
        assert_eq!(parse(b"\"\xff\"").unwrap_err().failure.code, Code::Parse);
        for body in ["1", "null", "\"x\"", "[]", r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#, "{}"] {
            assert_eq!(code(body), (None, -32600), "{body}");
        }
    }

    #[test]
    fn an_id_that_can_be_read_is_answered_with() {
        let one = Some(Id::Number(1.into()));
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"m"}"#), (one.clone(), -32600));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), (one.clone(), -32600));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":2}"#), (one.clone(), -32600));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}"#), (one, -32600));
        for id in ["{}", "[1]", "true"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            assert_eq!(code(&body), (None, -32600));
        }
        let answer = parse(b"{").unwrap_err();
        let answer = rpc::error(answer.id.as_ref(), &answer.failure, Version::V1);
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32700)));
    }
}
