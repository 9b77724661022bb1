//! The responses that are kept: `GET`, `DELETE`, `POST …/cancel` and `GET …/input_items`. What a provider keeps is
//! asked of it; what the hub keeps is here.

use std::{borrow::Cow, collections::HashMap};

use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use canon::{Facts, names};
use http::{Method, Uri};
use serde_json::{Value, json};

use crate::{
    engine::{code::Code, pipeline::Keeper, ports::Task, refusal::Refusal},
    ops::responses::{Found, Kept},
    surfaces::{
        api::{Api, Question, Visit},
        front::Ids,
        operation::refused,
        path,
    },
};

type Id = Result<Path<String>, PathRejection>;

pub(in super::super) async fn retrieve(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    id: Id,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| match find(&api, &visit, id).await? {
        (_, Found::Here(kept)) => Ok(Json(kept.response).into_response()),
        (id, Found::At(pin)) => forward(&api, &visit, Method::GET, &id, "", pin).await,
    })
    .await
}

pub(in super::super) async fn delete(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    id: Id,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let (id, found) = find(&api, &visit, id).await?;
        let answer = match found {
            Found::Here(_) => Json(json!({"id": id, "object": "response", "deleted": true})).into_response(),
            Found::At(pin) => forward(&api, &visit, Method::DELETE, &id, "", pin).await?,
        };
        api.responses.delete(&visit.caller, &id).await.map_err(|error| refused(&error))?;
        Ok(answer)
    })
    .await
}

pub(in super::super) async fn cancel(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    id: Id,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| match find(&api, &visit, id).await? {
        (id, Found::Here(_)) => {
            let text =
                format!("The response `{id}` is complete: only background responses can be cancelled.");
            Err(Refusal::new(Code::InvalidParameter, text).about("response_id"))
        }
        (id, Found::At(pin)) => forward(&api, &visit, Method::POST, &id, "/cancel", pin).await,
    })
    .await
}

pub(in super::super) async fn input_items(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    id: Id,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| match find(&api, &visit, id).await? {
        (_, Found::Here(kept)) => listed(&kept, &visit.parts.uri),
        (id, Found::At(pin)) => forward(&api, &visit, Method::GET, &id, "/input_items", pin).await,
    })
    .await
}

async fn find(api: &Api, visit: &Visit, id: Id) -> Result<(String, Found), Refusal> {
    let id = path::text(id)?;
    let found = api.responses.find(&visit.caller, &id).await.map_err(|error| refused(&error))?;
    let missing = || {
        let text = format!("Response with id '{id}' not found: it was not kept, has ended, or is not yours.");
        Refusal::new(Code::NotFound, text).about("response_id")
    };
    let found = found.ok_or_else(missing)?;
    Ok((id, found))
}

/// Asks the provider that keeps the response. Its id is text from a client, so it goes out escaped.
async fn forward(
    api: &Api,
    visit: &Visit,
    method: Method,
    id: &str,
    below: &str,
    pin: Keeper,
) -> Result<Response, Refusal> {
    let query = visit.parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/{}{below}{query}", escaped(id));
    let streams = method == Method::GET && below.is_empty() && wants_events(&visit.parts.uri);
    let facts = Facts { stream: streams, ..Facts::default() };
    let mut question = Question::new(Task::Kept { method, path }, Bytes::new(), facts);
    question.pin = Some(pin);
    api.answer(visit, question).await
}

fn wants_events(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "stream=true"))
}

fn escaped(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    id.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Items on a page when nothing was said, and at most, as OpenAI has it.
const PAGE: (usize, usize) = (20, 100);

/// A page of the input of a response, the last item first unless `order=asc`.
fn listed(kept: &Kept, uri: &Uri) -> Result<Response, Refusal> {
    let query: HashMap<Cow<'_, str>, Cow<'_, str>> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
    let limit = match query.get("limit").map(|limit| limit.parse::<usize>()) {
        None => PAGE.0,
        Some(Ok(limit @ 1..=100)) => limit,
        Some(_) => {
            let text = format!("`limit` must be a whole number from 1 to {}.", PAGE.1);
            return Err(Refusal::new(Code::InvalidParameter, text).about("limit"));
        }
    };
    let mut items: Vec<Value> =
        kept.input.iter().enumerate().map(|(at, item)| with_id(&kept.id, at, item)).collect();
    if query.get("order").is_none_or(|order| order != "asc") {
        items.reverse();
    }
    if let Some(after) = query.get("after") {
        let behind = items.iter().position(|item| item["id"] == **after).map_or(items.len(), |at| at + 1);
        items.drain(..behind);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    let (first, last) = (id(items.first()), id(items.last()));
    Ok(Json(
        json!({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": has_more}),
    )
    .into_response())
}

/// An item with an id, which clients page by: its own, or one that is the same each time.
fn with_id(response: &str, at: usize, item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(object) = item.as_object_mut() {
        let made = || format!("item_{:016x}{at:04x}", names::hash(response)).into();
        object.entry("id").or_insert_with(made);
    }
    item
}
