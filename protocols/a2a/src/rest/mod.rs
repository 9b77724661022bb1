//! The HTTP+JSON binding of 1.0: which operation a method and a path mean, the request in path, query and body, and the
//! form of answers and errors. Paths are those below the address of the interface in the card: `/message:send`. A segment
//! before them is a tenant; so `/v1/message:send` asks the tenant `v1`, unless the interface's address ends in `/v1`.

mod query;
mod route;

pub use query::request;
pub use route::{NoRoute, Route, route};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::model::{Reply, StreamEvent};
use crate::v1;

/// The content type of bodies. Requests may say `application/json` too.
pub const CONTENT_TYPE: &str = "application/a2a+json";

/// The body of an answer; the status is 200.
#[must_use]
pub fn reply(reply: &Reply) -> Value {
    v1::reply(reply)
}

/// The `data` of a server-sent event: the event without an envelope.
#[must_use]
pub fn event(event: &StreamEvent) -> Value {
    v1::event(event)
}

/// Status and body of an error.
#[must_use]
pub fn error(failure: &Failure) -> (u16, Value) {
    failure.to_http()
}

impl NoRoute {
    /// Status and body, and what to put into `Allow`, if anything.
    #[must_use]
    pub fn to_http(&self) -> (u16, Value, Option<String>) {
        let (status, word, message, allow) = match self {
            Self::Path => (404, "NOT_FOUND", "There is no such path".to_owned(), None),
            Self::Method(allowed) => {
                let allow = allowed.join(", ");
                (405, "UNIMPLEMENTED", format!("This path takes {allow}"), Some(allow))
            }
        };
        (status, json!({"error": {"code": status, "status": word, "message": message, "details": []}}), allow)
    }
}
