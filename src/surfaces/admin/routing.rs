//! `/api/routing`: where a request would go, and why one went where it did.

use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use http::StatusCode;
use operations::routing::{ExplainRoute, SimulateRoute};

use super::{Admin, answer, read};
use crate::surfaces::{front::Ids, operation::refused, path};

pub(super) async fn simulate(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let simulated = async move {
        let (caller, args) = read::<SimulateRoute>(&admin, request).await?;
        admin.routing.simulate(&caller, args).map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, simulated.await, &ids)
}

pub(super) async fn explain(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let explained = async move {
        let caller = admin.identify.caller(&request)?;
        let request_id = path::text(id)?;
        admin.routing.explain(&caller, ExplainRoute { request_id }).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, explained.await, &ids)
}
