//! The errors: their numbers, names and statuses, and how each version and binding writes them.

use std::fmt;

use serde_json::{Value, json};

use crate::shape::{Invalid, Object};
use crate::version::Version;

/// An error of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says of each what there is to say")]
pub enum Code {
    Parse,
    InvalidRequest,
    MethodNotFound,
    InvalidParams,
    Internal,
    TaskNotFound,
    TaskNotCancelable,
    PushNotificationNotSupported,
    UnsupportedOperation,
    ContentTypeNotSupported,
    InvalidAgentResponse,
    ExtendedAgentCardNotConfigured,
    ExtensionSupportRequired,
    VersionNotSupported,
}

/// Code, number, reason, HTTP status, name of the gRPC status, usual words. Those of JSON-RPC have their reason from the
/// official SDKs, which write it nowhere but in HTTP+JSON; the specification gives none.
type Row = (Code, i32, &'static str, u16, &'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Code::Parse,                          -32700, "PARSE_ERROR",                        400, "INVALID_ARGUMENT",    "Invalid JSON payload"),
    (Code::InvalidRequest,                 -32600, "INVALID_REQUEST",                    400, "INVALID_ARGUMENT",    "Request payload validation error"),
    (Code::MethodNotFound,                 -32601, "METHOD_NOT_FOUND",                   404, "NOT_FOUND",           "Method not found"),
    (Code::InvalidParams,                  -32602, "INVALID_PARAMS",                     400, "INVALID_ARGUMENT",    "Invalid parameters"),
    (Code::Internal,                       -32603, "INTERNAL_ERROR",                     500, "INTERNAL",            "Internal error"),
    (Code::TaskNotFound,                   -32001, "TASK_NOT_FOUND",                     404, "NOT_FOUND",           "Task not found"),
    (Code::TaskNotCancelable,              -32002, "TASK_NOT_CANCELABLE",                400, "FAILED_PRECONDITION", "Task cannot be canceled"),
    (Code::PushNotificationNotSupported,   -32003, "PUSH_NOTIFICATION_NOT_SUPPORTED",    400, "FAILED_PRECONDITION", "Push notifications are not supported"),
    (Code::UnsupportedOperation,           -32004, "UNSUPPORTED_OPERATION",              400, "FAILED_PRECONDITION", "This operation is not supported"),
    (Code::ContentTypeNotSupported,        -32005, "CONTENT_TYPE_NOT_SUPPORTED",         400, "INVALID_ARGUMENT",    "Content type not supported"),
    (Code::InvalidAgentResponse,           -32006, "INVALID_AGENT_RESPONSE",             500, "INTERNAL",            "Invalid agent response"),
    (Code::ExtendedAgentCardNotConfigured, -32007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", 400, "FAILED_PRECONDITION", "No extended agent card is configured"),
    (Code::ExtensionSupportRequired,       -32008, "EXTENSION_SUPPORT_REQUIRED",         400, "FAILED_PRECONDITION", "Support for an extension is required"),
    (Code::VersionNotSupported,            -32009, "VERSION_NOT_SUPPORTED",              400, "FAILED_PRECONDITION", "Protocol version not supported"),
];

/// The type of an error's details: which error it is.
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
/// The type of an error's details: which fields are wrong.
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
/// Who gives the reasons their meaning.
pub const DOMAIN: &str = "a2a-protocol.org";

impl Code {
    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The error of a number, for who reads answers of other agents.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        TABLE.iter().find(|row| i64::from(row.1) == number).map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        const LAST: Row = (Code::Internal, -32603, "INTERNAL_ERROR", 500, "INTERNAL", "Internal error");
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&LAST)
    }

    /// The number on JSON-RPC.
    #[must_use]
    pub fn number(self) -> i32 {
        self.row().1
    }

    /// The reason in the details of 1.0.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status of the HTTP+JSON binding. On JSON-RPC errors come with 200.
    #[must_use]
    pub fn http_status(self) -> u16 {
        self.row().3
    }

    /// The word for the status in the HTTP+JSON binding.
    #[must_use]
    pub fn rpc_status(self) -> &'static str {
        self.row().4
    }

    /// The usual words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().5
    }

    /// Defined by A2A and not by JSON-RPC: 1.0 demands an `ErrorInfo` with it.
    #[must_use]
    pub fn is_of_a2a(self) -> bool {
        (-32099..=-32001).contains(&self.number())
    }
}

/// A call that failed, as its caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which error.
    pub code: Code,
    /// What happened and what to do next.
    pub message: String,
    /// More about it, by name: `taskId`. 1.0 writes it, 0.3 does not.
    pub about: Vec<(&'static str, String)>,
    /// The fields that are wrong.
    pub violations: Vec<Invalid>,
}

impl Failure {
    /// A failure in these words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), about: Vec::new(), violations: Vec::new() }
    }

    /// Adds a word about it.
    #[must_use]
    pub fn about(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.about.push((name, value.into()));
        self
    }

    /// The `error` object of a JSON-RPC response. 0.3 knows the number and the message; 1.0 adds details.
    #[must_use]
    pub fn to_json(&self, version: Version) -> Value {
        let details = match version {
            Version::V03 => Vec::new(),
            Version::V1 => self.details(self.code.is_of_a2a()),
        };
        Object::new()
            .set("code", self.code.number())
            .set("message", self.message.as_str())
            .list("data", &details, Value::clone)
            .done()
    }

    /// Status and body of the HTTP+JSON binding.
    #[must_use]
    pub fn to_http(&self) -> (u16, Value) {
        let status = self.code.http_status();
        let error = Object::new()
            .set("code", status)
            .set("status", self.code.rpc_status())
            .set("message", self.message.as_str())
            .set("details", self.details(true));
        (status, Object::new().set("error", error.done()).done())
    }

    fn details(&self, info: bool) -> Vec<Value> {
        let mut details = Vec::new();
        if info {
            let about = self.about.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
            details.push(
                Object::new()
                    .set("@type", ERROR_INFO)
                    .set("reason", self.code.reason())
                    .set("domain", DOMAIN)
                    .some("metadata", Some(Value::Object(about.collect())).filter(|it| *it != json!({})))
                    .done(),
            );
        }
        if !self.violations.is_empty() {
            let violation = |it: &Invalid| json!({"field": it.field, "description": it.problem.to_string()});
            let violations: Vec<Value> = self.violations.iter().map(violation).collect();
            details.push(json!({"@type": BAD_REQUEST, "fieldViolations": violations}));
        }
        details
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code, code.words())
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let message = format!("{}: {invalid}", Code::InvalidParams.words());
        Self { violations: vec![invalid], ..Self::new(Code::InvalidParams, message) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.message, self.code.number())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Problem;

    #[test]
    fn numbers_and_reasons_are_told_apart() {
        let mut numbers: Vec<i32> = Code::all().map(Code::number).collect();
        let mut reasons: Vec<&str> = Code::all().map(Code::reason).collect();
        assert_eq!(Code::all().filter(|code| code.is_of_a2a()).count(), 9);
        assert!(Code::all().all(|code| Code::of_number(code.number().into()) == Some(code)));
        numbers.sort_unstable();
        numbers.dedup();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!((numbers.len(), reasons.len()), (14, 14));
    }

    #[test]
    fn each_version_writes_errors_in_its_own_way() {
        let failure = Failure::from(Code::TaskNotFound).about("taskId", "t1");
        assert_eq!(
            failure.to_json(Version::V1),
            json!({"code": -32001, "message": "Task not found", "data": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TASK_NOT_FOUND",
                "domain": "a2a-protocol.org", "metadata": {"taskId": "t1"}}]})
        );
        assert_eq!(failure.to_json(Version::V03), json!({"code": -32001, "message": "Task not found"}));
        assert_eq!(Failure::from(Code::Parse).to_json(Version::V1).get("data"), None);
    }

    #[test]
    fn wrong_fields_are_named() {
        let failure = Failure::from(Invalid::new("message.parts", Problem::Empty));
        let error = failure.to_json(Version::V1);
        assert_eq!(error["message"], "Invalid parameters: `message.parts` must not be empty");
        assert_eq!(
            error["data"],
            json!([{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [
                {"field": "message.parts", "description": "must not be empty"}]}])
        );
        let (status, body) = failure.to_http();
        assert_eq!((status, &body["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
        assert_eq!(body["error"]["details"][0]["reason"], "INVALID_PARAMS");
        assert_eq!(body["error"]["details"][1]["fieldViolations"][0]["field"], "message.parts");
    }
}
