//! The model list (`GET /v1/models`, `GET /v1/models/{id}`).

use serde::Serialize;

/// A list of models.
#[derive(Debug, Clone, Serialize)]
pub struct ModelList<'a> {
    /// Always `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<Model<'a>>,
}

impl<'a> ModelList<'a> {
    /// A list of `data`.
    #[must_use]
    pub const fn new(data: Vec<Model<'a>>) -> Self {
        Self { object: "list", data }
    }
}

/// One model.
#[derive(Debug, Clone, Serialize)]
pub struct Model<'a> {
    /// The id under which it is asked for.
    pub id: &'a str,
    /// Always `model`.
    pub object: &'static str,
    /// When it became known here, in seconds since the Unix epoch.
    pub created: i64,
    /// Who serves it.
    pub owned_by: &'a str,
}

impl<'a> Model<'a> {
    /// A model of `owned_by`.
    #[must_use]
    pub const fn new(id: &'a str, created: i64, owned_by: &'a str) -> Self {
        Self { id, object: "model", created, owned_by }
    }
}
