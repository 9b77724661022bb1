//! The operations on keys, asked of a hub over its REST API or of the store.

use http::Method;
use operations::keys::{
    CreateKey, CreatedKey, GetKey, KeyPage, KeyView, ListKeys, RevokeKey, RevokedKeys, RotateKey, UpdateKey,
};
use serde::Serialize;

use super::Place;
use crate::cli::remote::{NOTHING, escape};

impl Place {
    /// Ends the use of the place.
    pub(super) async fn close(self) -> Result<(), String> {
        match self {
            Self::Hub(_) => Ok(()),
            Self::Store(local) => local.close().await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn create(&self, args: CreateKey) -> Result<CreatedKey, String> {
        match self {
            Self::Hub(hub) => hub.call(Method::POST, "/api/keys", Some(&args)).await,
            Self::Store(local) => local.create(args).await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn list(&self, args: ListKeys) -> Result<KeyPage, String> {
        match self {
            Self::Hub(hub) => {
                let path = args.cursor.map_or_else(
                    || "/api/keys".to_owned(),
                    |cursor| format!("/api/keys?cursor={}", escape(&cursor)),
                );
                hub.call(Method::GET, &path, NOTHING).await
            }
            Self::Store(local) => local.list(args).await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn get(&self, args: GetKey) -> Result<KeyView, String> {
        match self {
            Self::Hub(hub) => {
                hub.call(Method::GET, &format!("/api/keys/{}", escape(&args.key)), NOTHING).await
            }
            Self::Store(local) => local.get(args).await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn update(&self, args: UpdateKey) -> Result<KeyView, String> {
        match self {
            Self::Hub(hub) => {
                let path = format!("/api/keys/{}", escape(&args.key));
                hub.call(Method::PATCH, &path, Some(&args)).await
            }
            Self::Store(local) => local.update(args).await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn revoke(&self, args: RevokeKey) -> Result<RevokedKeys, String> {
        match self {
            Self::Hub(hub) => {
                hub.call(Method::DELETE, &format!("/api/keys/{}", escape(&args.key)), NOTHING).await
            }
            Self::Store(local) => local.revoke(args).await.map_err(|error| error.to_string()),
        }
    }

    pub(super) async fn rotate(&self, args: RotateKey) -> Result<CreatedKey, String> {
        match self {
            Self::Hub(hub) => {
                #[derive(Serialize)]
                struct Rotation {
                    grace_seconds: u64,
                }
                let path = format!("/api/keys/{}/rotate", escape(&args.key));
                hub.call(Method::POST, &path, Some(&Rotation { grace_seconds: args.grace_seconds })).await
            }
            Self::Store(local) => local.rotate(args).await.map_err(|error| error.to_string()),
        }
    }
}
