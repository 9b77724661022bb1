//! What is known of models: the TOML files below `models`, embedded in the binary and read once at the start. The rows'
//! meaning and their look-up live in `engine::settings::book`.

#[cfg(test)]
mod tests;

use serde::Deserialize;

use super::CatalogueError;
use crate::engine::settings::{ModelBook, Rows};

/// The files. Of several rows for one model at one provider the first holds.
const FILES: [(&str, &str); 5] = [
    ("models/makers.toml", include_str!("models/makers.toml")),
    ("models/hosts.toml", include_str!("models/hosts.toml")),
    ("models/aggregators.toml", include_str!("models/aggregators.toml")),
    ("models/long_tail.toml", include_str!("models/long_tail.toml")),
    ("models/general.toml", include_str!("models/general.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    models: Vec<Rows>,
}

/// The book of models that comes with the binary.
pub(super) fn builtin() -> Result<ModelBook, CatalogueError> {
    Ok(ModelBook::new(rows()?)?)
}

fn rows() -> Result<Vec<Rows>, CatalogueError> {
    let mut rows = Vec::new();
    for (name, text) in FILES {
        let file: File = toml::from_str(text)
            .map_err(|error| CatalogueError::File { file: name.to_owned(), detail: Box::new(error) })?;
        rows.extend(file.models);
    }
    Ok(rows)
}
