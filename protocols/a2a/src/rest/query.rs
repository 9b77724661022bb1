//! From path, query and body to a request. All become the parameters of the JSON-RPC call, which one codec reads.

use serde_json::{Map, Value};

use super::Route;
use crate::model::Request;
use crate::operation::Operation;
use crate::shape::{Invalid, Problem};
use crate::v1;

/// How the text of a query parameter is read.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
}

use Kind::{Flag, Number, Text};

/// Reads the request of a route. The query is as it came, without the question mark; the body may be missing.
///
/// Query parameters that the operation does not have are ignored, as unknown fields are; of one that comes several times
/// the last counts.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn request(route: &Route, query: Option<&str>, body: Option<Value>) -> Result<Request, Invalid> {
    let mut params = match body.filter(|_| takes_body(route.operation)) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(Invalid::new("params", Problem::Expected("an object"))),
    };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let known = known(route.operation).iter().find(|(known, _)| *known == name);
        if let Some((name, kind)) = known {
            params.insert((*name).to_owned(), read(name, *kind, &value)?);
        }
    }
    let (task, push) = ids(route.operation);
    let of_path = [("tenant", &route.tenant), (task, &route.task), (push, &route.push)];
    for (name, value) in of_path {
        let Some(value) = value else { continue };
        match params.insert(name.to_owned(), Value::String(value.clone())) {
            Some(Value::String(other)) if other != *value && !other.is_empty() => {
                return Err(Invalid::new(name, Problem::Contradicts("the path")));
            }
            _ => {}
        }
    }
    v1::request(route.operation, Some(Value::Object(params)))
}

const fn takes_body(operation: Operation) -> bool {
    use Operation::{Cancel, CreatePush, Send, Stream, Subscribe};
    matches!(operation, Send | Stream | Cancel | Subscribe | CreatePush)
}

/// What the ids of the path are called among the parameters: the task's and the webhook's.
const fn ids(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::CreatePush | Operation::GetPush | Operation::ListPushes | Operation::DeletePush => {
            ("taskId", "id")
        }
        _ => ("id", "id"),
    }
}

/// The query parameters of an operation.
const fn known(operation: Operation) -> &'static [(&'static str, Kind)] {
    match operation {
        Operation::Get => &[("tenant", Text), ("historyLength", Number)],
        Operation::List => &[
            ("tenant", Text),
            ("contextId", Text),
            ("status", Text),
            ("pageSize", Number),
            ("pageToken", Text),
            ("historyLength", Number),
            ("statusTimestampAfter", Text),
            ("includeArtifacts", Flag),
        ],
        Operation::ListPushes => &[("tenant", Text), ("pageSize", Number), ("pageToken", Text)],
        Operation::Subscribe | Operation::GetPush | Operation::DeletePush | Operation::ExtendedCard => {
            &[("tenant", Text)]
        }
        Operation::Send | Operation::Stream | Operation::Cancel | Operation::CreatePush => &[],
    }
}

fn read(name: &str, kind: Kind, text: &str) -> Result<Value, Invalid> {
    let wrong = |what| Invalid::new(name, Problem::Expected(what));
    match kind {
        // Protobuf's words for enums have no empty one: an empty parameter is one that was left out.
        Text if text.is_empty() => Ok(Value::Null),
        Text => Ok(text.into()),
        Number => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number")),
        Flag => match text {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(wrong("true or false")),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;
    use crate::model::{CancelTask, GetTask, ListTasks, Params, TaskState};
    use crate::rest::route;

    fn read(method: &str, path: &str, query: &str, body: Option<Value>) -> Result<Request, String> {
        let route = route(method, path).unwrap();
        request(&route, Some(query), body).map_err(|error| error.to_string())
    }

    #[test]
    fn queries_are_typed() {
        let query = "contextId=c%201&status=TASK_STATE_WORKING&pageSize=20&historyLength=0&includeArtifacts=true\
            &statusTimestampAfter=2025-11-09T10:30:00Z&A2A-Version=1.0&pageToken=";
        let request = read("GET", "/acme/tasks", query, None).unwrap();
        let list = ListTasks {
            context_id: Some("c 1".into()),
            status: Some(TaskState::Working),
            page_size: Some(20),
            page_token: None,
            history_length: Some(0),
            status_timestamp_after: Some(crate::Timestamp::from_millis(1_762_684_200_000)),
            include_artifacts: true,
        };
        assert_eq!(request, Request { tenant: Some("acme".into()), params: Params::List(list) });
        let get = read("GET", "/tasks/t", "historyLength=3", None).unwrap();
        assert_eq!(get.params, Params::Get(GetTask { id: "t".into(), history_length: Some(3) }));
    }

    #[test]
    fn wrong_parameters_are_named() {
        let bad = |query| read("GET", "/tasks", query, None).unwrap_err();
        assert_eq!(bad("pageSize=150"), "`pageSize` must be between 1 and 100");
        assert_eq!(bad("pageSize=ten"), "`pageSize` must be a whole number");
        assert!(bad("historyLength=-5").starts_with("`historyLength` must be between 0"));
        assert!(bad("status=TASK_STATE_RUNNING").starts_with("`status` must be one of TASK_STATE_SUBMITTED"));
        assert_eq!(bad("includeArtifacts=yes"), "`includeArtifacts` must be true or false");
        assert!(bad("statusTimestampAfter=today").starts_with("`statusTimestampAfter` must be a time"));
    }

    #[test]
    fn the_path_holds_against_the_body() {
        let cancel = |body| read("POST", "/tasks/t:cancel", "", body);
        let plain = Params::Cancel(CancelTask { id: "t".into(), metadata: None });
        for body in
            [None, Some(json!(null)), Some(json!({})), Some(json!({"id": "t"})), Some(json!({"id": ""}))]
        {
            assert_eq!(cancel(body).unwrap().params, plain);
        }
        assert_eq!(cancel(Some(json!({"id": "u"}))).unwrap_err(), "`id` is not what the path says");
        assert_eq!(cancel(Some(json!([]))).unwrap_err(), "`params` must be an object");
        let push = json!({"id": "p", "url": "https://a"});
        let push = read("POST", "/tasks/t/pushNotificationConfigs", "", Some(push)).unwrap();
        let Params::CreatePush(push) = push.params else { panic!() };
        assert_eq!((push.task_id.as_str(), push.config.id.as_deref()), ("t", Some("p")));
    }
}
