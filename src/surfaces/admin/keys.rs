//! `/api/keys`: the operations on keys.

use axum::{
    Extension, Json,
    extract::{
        Path, Query, Request, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use http::StatusCode;
use operations::keys::{CreateKey, ListKeys, RevokeKey, RotateKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Admin;
use crate::{
    engine::{caller::Caller, code::Code, refusal::Refusal},
    ops::OpError,
    surfaces::{body, front::Ids, operation::refused, path, render},
};

/// Arguments are a few hundred bytes; nothing here needs more.
const BODY_LIMIT: usize = 64 * 1024;

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

async fn read<Args: DeserializeOwned>(admin: &Admin, request: Request) -> Result<(Caller, Args), Refusal> {
    let (caller, bytes) = bytes(admin, request).await?;
    Ok((caller, parse(&bytes)?))
}

async fn read_or_default<Args: DeserializeOwned + Default>(
    admin: &Admin,
    request: Request,
) -> Result<(Caller, Args), Refusal> {
    let (caller, bytes) = bytes(admin, request).await?;
    Ok((caller, if bytes.is_empty() { Args::default() } else { parse(&bytes)? }))
}

async fn bytes(admin: &Admin, request: Request) -> Result<(Caller, bytes::Bytes), Refusal> {
    let caller = admin.identify.caller(&request)?;
    let (parts, body) = request.into_parts();
    Ok((caller, body::read(&parts.headers, body, BODY_LIMIT).await?))
}

fn parse<Args: DeserializeOwned>(bytes: &[u8]) -> Result<Args, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { Code::InvalidParameter } else { Code::InvalidJson };
        Refusal::new(code, format!("The body could not be read: {error}."))
    })
}

fn answer<T: Serialize>(status: StatusCode, result: Result<T, Refusal>, ids: &Ids) -> Response {
    match result {
        Ok(value) => (status, Json(value)).into_response(),
        Err(refusal) => render::refusal(&refusal, ids, false),
    }
}
