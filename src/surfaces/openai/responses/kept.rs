//! The responses that are kept: `GET`, `DELETE`, `POST …/cancel` and `GET …/input_items`. What a provider keeps is
//! asked of it; what the hub keeps is here.

use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use canon::Facts;
use http::{Method, Uri};
use serde_json::json;

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
        (id, Found::At { connection, fingerprint }) => {
            let pin = Keeper { connection, fingerprint };
            forward(&api, &visit, Method::GET, &id, "", pin).await
        }
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
            Found::At { connection, fingerprint } => {
                let pin = Keeper { connection, fingerprint };
                forward(&api, &visit, Method::DELETE, &id, "", pin).await?
            }
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
        (id, Found::At { connection, fingerprint }) => {
            let pin = Keeper { connection, fingerprint };
            forward(&api, &visit, Method::POST, &id, "/cancel", pin).await
        }
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
        (_, Found::Here(kept)) => Ok(listed(&kept)),
        (id, Found::At { connection, fingerprint }) => {
            let pin = Keeper { connection, fingerprint };
            forward(&api, &visit, Method::GET, &id, "/input_items", pin).await
        }
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

/// The input of a response, in one page.
fn listed(kept: &Kept) -> Response {
    let ids = || kept.input.iter().filter_map(|item| item.get("id"));
    Json(json!({
        "object": "list",
        "data": kept.input,
        "first_id": ids().next(),
        "last_id": ids().next_back(),
        "has_more": false,
    }))
    .into_response()
}
