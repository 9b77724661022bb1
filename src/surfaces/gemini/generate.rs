//! `POST …/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`.

use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use canon::{Dialect, MODEL_LIMIT};
use gemini::{count_tokens, generate};
use http::Uri;

use crate::{
    engine::{code::Code, ports::Task, refusal::Refusal},
    surfaces::{
        api::{Api, Question, Visit, not_a_request},
        counting,
        delivery::Form,
        front::Ids,
        path,
    },
};

/// A call of `provider/model`, whose parts stand apart in the path.
pub(super) async fn call_below(
    api: State<Api>,
    ids: Extension<Ids>,
    call: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let whole = call.map(|Path((provider, model))| Path(format!("{provider}/{model}")));
    self::call(api, ids, whole, request).await
}

pub(super) async fn call(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    call: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // The route says it, also where the path spells its colon as `%3A`.
    let ids = Ids { dialect: Dialect::Gemini, ..ids };
    api.serve(ids, request, async |visit| {
        let question = question(&visit, &path::text(call)?)?;
        if question.task != Task::CountTokens {
            return api.answer(&visit, question).await;
        }
        let turn = || generate::decode(count_tokens::generation(&visit.body)?);
        let count = |total_tokens| count_tokens::Count { total_tokens, cached_content_token_count: None };
        counting::answer(&api, &visit, question, turn, count).await
    })
    .await
}

fn question(visit: &Visit, call: &str) -> Result<Question, Refusal> {
    let (model, verb) = call.rsplit_once(':').unwrap_or((call, ""));
    if model.len() > MODEL_LIMIT {
        let text = format!("A model's name has at most {MODEL_LIMIT} bytes.");
        return Err(Refusal::new(Code::InvalidParameter, text).about("model"));
    }
    let body = visit.body.clone();
    let scanned = |stream| generate::scan(&body, model.to_owned(), stream);
    let (task, facts) = match verb {
        "generateContent" => (Task::Generate, scanned(false)),
        "streamGenerateContent" => (Task::Generate, scanned(true)),
        "countTokens" => (Task::CountTokens, count_tokens::scan(&body, model.to_owned())),
        _ => {
            let text = format!(
                "There is nothing at {}: a model is asked by `:generateContent`, `:streamGenerateContent` or `:countTokens`.",
                visit.parts.uri.path()
            );
            return Err(Refusal::new(Code::UnknownRoute, text));
        }
    };
    let facts = facts.map_err(|error| not_a_request(&error))?;
    let mut question = Question::new(task, body.clone(), facts);
    question.form = if wants_events(&visit.parts.uri) { Form::Events } else { Form::Array };
    Ok(question)
}

fn wants_events(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default().as_bytes();
    url::form_urlencoded::parse(query).any(|(name, value)| matches!(&*name, "alt" | "$alt") && value == "sse")
}
