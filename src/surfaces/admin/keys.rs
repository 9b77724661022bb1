//! `/api/keys`: the operations on keys.

use axum::{
    Extension,
    extract::{
        Path, Query, Request, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use http::StatusCode;
use operations::keys::{CreateKey, GetKey, ListKeys, RevokeKey, RotateKey, UpdateKey};
use serde::Deserialize;

use super::{Admin, answer, read, read_or_default};
use crate::{
    engine::{code::Code, refusal::Refusal},
    ops::OpError,
    surfaces::{front::Ids, operation::refused, path},
};

pub(super) async fn list(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    query: Result<Query<ListKeys>, QueryRejection>,
    request: Request,
) -> Response {
    let args = query
        .map(|Query(args)| args)
        .map_err(|error| Refusal::new(Code::InvalidParameter, error.body_text()));
    let listed = async move {
        let caller = admin.identify.caller(&request)?;
        admin.keys.list(&caller, args?).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, listed.await, &ids)
}

pub(super) async fn create(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let created = async move {
        let (caller, args) = read::<CreateKey>(&admin, request).await?;
        admin.keys.create(&caller, args).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::CREATED, created.await, &ids)
}

pub(super) async fn show(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let shown = async move {
        let caller = admin.identify.caller(&request)?;
        let key = path::text(key)?;
        admin.keys.get(&caller, GetKey { key }).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, shown.await, &ids)
}

pub(super) async fn update(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let updated = async move {
        let (caller, args) = read::<UpdateKey>(&admin, request).await?;
        // The path names the key, whatever the body says.
        let args = UpdateKey { key: path::text(key)?, ..args };
        admin.keys.update(&caller, args).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, updated.await, &ids)
}

pub(super) async fn revoke(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let revoked = async move {
        let caller = admin.identify.caller(&request)?;
        let key = path::text(key)?;
        admin.keys.revoke(&caller, RevokeKey { key }).await.map_err(|error| refused(&error))
    };
    answer(StatusCode::OK, revoked.await, &ids)
}

/// The arguments of a rotation without the key, which the path names.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    grace_seconds: u64,
}

pub(super) async fn rotate(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let rotated = async move {
        let (caller, Rotation { grace_seconds }) = read_or_default::<Rotation>(&admin, request).await?;
        let args = RotateKey { key: path::text(key)?, grace_seconds };
        admin.keys.rotate(&caller, args).await.map_err(|error: OpError| refused(&error))
    };
    answer(StatusCode::OK, rotated.await, &ids)
}
