//! Two further ways to ask for a chat: `POST /v1/chat/completions/web-search`, which searches the web whatever the
//! request says, at models that are tagged for it, and `…/stream-route`, which streams whatever the request says.

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use openai::chat;
use serde_json::{Map, Value, json};

use crate::{
    engine::{code::Code, ports::Task, refusal::Refusal},
    surfaces::{
        api::{Api, Question, WEB_SEARCH, not_a_request},
        front::Ids,
    },
};

/// The types of tools that are web searches.
const SEARCHES: [&str; 2] = ["web_search_preview", "web_search"];

pub(super) async fn web_search(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let mut question = changed(&visit.body, searching)?;
        question.tag = Some(WEB_SEARCH);
        api.answer(&visit, question).await
    })
    .await
}

pub(super) async fn stream_route(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let question = changed(&visit.body, |body| drop(body.insert("stream".to_owned(), true.into())))?;
        api.answer(&visit, question).await
    })
    .await
}

/// The question of a body that is changed first.
fn changed(body: &Bytes, change: impl FnOnce(&mut Map<String, Value>)) -> Result<Question, Refusal> {
    chat::scan(body).map_err(|error| not_a_request(&error))?;
    let mut object: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| Refusal::new(Code::InvalidJson, error.to_string()))?;
    change(&mut object);
    let body = Bytes::from(Value::Object(object).to_string());
    let facts = chat::scan(&body).map_err(|error| not_a_request(&error))?;
    Ok(Question::new(Task::Generate, body, facts))
}

/// Puts the search among the tools, if it is not there, and demands it.
fn searching(body: &mut Map<String, Value>) {
    let tools = body.entry("tools").or_insert_with(|| json!([]));
    if !tools.is_array() {
        *tools = json!([]);
    }
    let kind = |tool: &Value| tool.get("type").and_then(Value::as_str).map(str::to_owned);
    let listed = tools.as_array_mut().into_iter().flatten().filter_map(|tool| kind(tool));
    let found = listed.into_iter().find(|kind| SEARCHES.contains(&kind.as_str()));
    let name = found.unwrap_or_else(|| {
        if let Some(tools) = tools.as_array_mut() {
            tools.push(json!({"type": SEARCHES[0]}));
        }
        SEARCHES[0].to_owned()
    });
    body.insert("tool_choice".to_owned(), json!({"type": name}));
}
