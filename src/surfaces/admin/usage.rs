//! `/api/usage` and `/api/traces`: what was used, and single requests.

use axum::{
    Extension,
    extract::{
        Path, Query, Request, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use http::StatusCode;
use operations::{
    traces::{GetTrace, ListTraces},
    usage::GetUsage,
};

use super::{Admin, answer};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{front::Ids, operation::refused, path},
};

pub(super) async fn usage(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    query: Result<Query<GetUsage>, QueryRejection>,
    request: Request,
) -> Response {
    let told = async move {
        let caller = admin.identify.caller(&request)?;
        admin.usage.get(&caller, args(query)?).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, told.await, &ids)
}

pub(super) async fn list(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    query: Result<Query<ListTraces>, QueryRejection>,
    request: Request,
) -> Response {
    let listed = async move {
        let caller = admin.identify.caller(&request)?;
        admin.traces.list(&caller, args(query)?).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, listed.await, &ids)
}

pub(super) async fn get(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let told = async move {
        let caller = admin.identify.caller(&request)?;
        let request_id = path::text(id)?;
        admin.traces.get(&caller, GetTrace { request_id }).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, told.await, &ids)
}

pub(super) fn args<Args>(query: Result<Query<Args>, QueryRejection>) -> Result<Args, Refusal> {
    query.map(|Query(args)| args).map_err(|error| Refusal::new(Code::InvalidParameter, error.body_text()))
}
