//! The request in a `response.create` frame, as the body that it would be over HTTP.

use serde_json::{Map, Value};

use crate::engine::{code::Code, refusal::Refusal};

/// What a frame asks for.
pub(super) struct Create {
    /// The body.
    pub(super) body: Vec<u8>,
    /// The response that it goes on from.
    pub(super) previous: Option<String>,
    /// Whether nothing is to be generated: the input is only to be remembered.
    pub(super) warm_up: bool,
}

/// Reads a frame that is known to be a JSON object.
///
/// # Errors
/// When it asks for what a socket does not have.
pub(super) fn read(text: &str) -> Result<Create, Refusal> {
    let mut fields: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| Refusal::new(Code::InvalidJson, format!("The frame is no JSON object: {error}.")))?;
    for name in ["type", "stream_id"] {
        fields.shift_remove(name);
    }
    let warm_up = match fields.shift_remove("generate") {
        None | Some(Value::Null | Value::Bool(true)) => false,
        Some(Value::Bool(false)) => true,
        Some(_) => return Err(not_allowed("generate", "must be a boolean")),
    };
    match fields.shift_remove("background") {
        None | Some(Value::Null | Value::Bool(false)) => {}
        Some(_) => return Err(not_allowed("background", "is not there on a socket")),
    }
    if warm_up && fields.get("input").is_none_or(Value::is_null) {
        fields.insert("input".to_owned(), Value::Array(Vec::new()));
    }
    fields.insert("stream".to_owned(), true.into());
    let previous = fields.get("previous_response_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Create { previous, warm_up, body: Value::Object(fields).to_string().into_bytes() })
}

fn not_allowed(param: &'static str, why: &str) -> Refusal {
    Refusal::new(Code::InvalidParameter, format!("`{param}` {why}.")).about(param)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn body(text: &str) -> String {
        String::from_utf8(read(text).ok().unwrap().body).unwrap()
    }

    #[test]
    fn what_belongs_to_the_socket_is_taken_out_and_all_else_stays() {
        let text = r#"{"type":"response.create","model":"m","input":[],"background":false,"x":[1.5],"stream_id":"a"}"#;
        assert_eq!(body(text), r#"{"model":"m","input":[],"x":[1.5],"stream":true}"#);
        assert_eq!(body(r#"{"stream":false,"model":"m"}"#), r#"{"stream":true,"model":"m"}"#);
    }

    #[test]
    fn a_warm_up_needs_no_input() {
        let warm = read(r#"{"model":"m","generate":false,"previous_response_id":"resp_1"}"#).ok().unwrap();
        assert!(warm.warm_up);
        assert_eq!(warm.previous.as_deref(), Some("resp_1"));
        assert_eq!(warm.body, br#"{"model":"m","previous_response_id":"resp_1","input":[],"stream":true}"#);
        assert!(!read(r#"{"generate":true}"#).ok().unwrap().warm_up);
    }

    #[test]
    fn what_a_socket_does_not_have_is_refused() {
        assert_eq!(read(r#"{"background":true}"#).err().unwrap().param, Some("background"));
        assert_eq!(read(r#"{"generate":1}"#).err().unwrap().param, Some("generate"));
    }
}
