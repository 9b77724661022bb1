//! `/api/oauth`: logging in to connections.

use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use http::StatusCode;
use operations::oauth::{FinishLogin, ListOAuth, LoginStatus, LogoutConnection, StartLogin};

use super::{Admin, answer, read};
use crate::surfaces::{front::Ids, operation::refused, path};

pub(super) async fn list(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let listed = async move {
        let caller = admin.identify.caller(&request)?;
        admin.logins.list(&caller, ListOAuth {}).map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, listed.await, &ids)
}

pub(super) async fn start(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let started = async move {
        let (caller, args) = read::<StartLogin>(&admin, request).await?;
        admin.logins.start_login(&caller, args).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::CREATED, started.await, &ids)
}

pub(super) async fn finish(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let finished = async move {
        let (caller, args) = read::<FinishLogin>(&admin, request).await?;
        admin.logins.finish_login(&caller, args).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, finished.await, &ids)
}

pub(super) async fn status(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    login: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let state = async move {
        let caller = admin.identify.caller(&request)?;
        let login = path::text(login)?;
        admin.logins.login_status(&caller, LoginStatus { login }).map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, state.await, &ids)
}

pub(super) async fn logout(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    connection: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let ended = async move {
        let caller = admin.identify.caller(&request)?;
        let args = LogoutConnection { connection: path::text(connection)? };
        admin.logins.logout(&caller, args).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, ended.await, &ids)
}
