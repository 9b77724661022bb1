//! `/api/prices`: what models cost.

use axum::{
    Extension,
    extract::{Query, Request, State, rejection::QueryRejection},
    response::Response,
};
use http::StatusCode;
use operations::prices::ListPrices;

use super::{Admin, answer, usage::args};
use crate::surfaces::{front::Ids, operation::refused};

pub(super) async fn list(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    query: Result<Query<ListPrices>, QueryRejection>,
    request: Request,
) -> Response {
    let listed = || {
        let caller = admin.identify.caller(&request)?;
        admin.prices.list(&caller, args(query)?).map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, listed(), &ids)
}
