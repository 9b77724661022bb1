//! The built-in catalogue: the TOML files beside this one, embedded in the binary and read once at the start.
//! The rows' meaning lives in `engine::settings::provider`, their lookup in `engine::settings::catalogue`.

mod models;

use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use crate::engine::settings::{BadRow, Catalogue, Clash, Declined, Provider};

/// The files in the order in which their rows are listed.
const FILES: [(&str, &str); 5] = [
    ("curated.toml", include_str!("catalog/curated.toml")),
    ("cloud.toml", include_str!("catalog/cloud.toml")),
    ("local.toml", include_str!("catalog/local.toml")),
    ("long_tail.toml", include_str!("catalog/long_tail.toml")),
    ("declined.toml", include_str!("catalog/declined.toml")),
];

/// A fault in the catalogue's data. Of the built-in files the tests make sure that there is none.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// The file is no TOML, or holds something besides `[[provider]]` and `[[declined]]`.
    #[error("catalogue file {file}: {detail}")]
    File {
        /// The file's name.
        file: String,
        /// What the parser said, with line and column.
        detail: Box<toml::de::Error>,
    },
    /// A row lacks a field, or has one that is unknown or of the wrong type.
    #[error("catalogue file {file}, row {row}: {detail}")]
    Row {
        /// The file's name.
        file: String,
        /// The row's id or name, or its number where it has neither.
        row: String,
        /// What the parser said.
        detail: Box<toml::de::Error>,
    },
    /// A row of a model says what cannot be.
    #[error("catalogue: {0}")]
    Model(#[from] BadRow),
    /// Two rows claim one word.
    #[error("catalogue: {clash} (the latter in {file})")]
    Clash {
        /// The file of the second row.
        file: String,
        /// The word and the rows.
        clash: Clash,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: Vec<toml::Value>,
    #[serde(default)]
    declined: Vec<toml::Value>,
}

/// The catalogue that comes with the binary.
///
/// # Errors
///
/// When the embedded data is faulty, which the tests of this module rule out.
pub fn builtin() -> Result<Catalogue, CatalogueError> {
    Ok(parse(&FILES)?.with_models(models::builtin()?))
}

fn parse(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
    let mut providers: Vec<Provider> = Vec::new();
    let mut declined: Vec<Declined> = Vec::new();
    // The file of each row by the label that a clash would give it.
    let mut origins: Vec<(String, &str)> = Vec::new();
    for &(name, text) in files {
        let file: File = toml::from_str(text)
            .map_err(|error| CatalogueError::File { file: name.to_owned(), detail: Box::new(error) })?;
        for (index, value) in file.provider.into_iter().enumerate() {
            let provider: Provider = row(name, "id", index, value)?;
            origins.push((provider.id.clone(), name));
            providers.push(provider);
        }
        for (index, value) in file.declined.into_iter().enumerate() {
            let entry: Declined = row(name, "name", index, value)?;
            origins.push((entry.prefixes.first().unwrap_or(&entry.name).clone(), name));
            declined.push(entry);
        }
    }
    Catalogue::new(providers, declined).map_err(|clash| {
        // From the back, since of two rows with one label the later is meant.
        let file = origins.iter().rfind(|(label, _)| *label == clash.second).map_or("", |(_, file)| file);
        CatalogueError::Clash { file: file.to_owned(), clash }
    })
}

fn row<T: DeserializeOwned>(
    file: &str,
    label: &str,
    index: usize,
    value: toml::Value,
) -> Result<T, CatalogueError> {
    let row = value
        .get(label)
        .and_then(toml::Value::as_str)
        .map_or_else(|| format!("number {}", index + 1), |word| format!("`{word}`"));
    value.try_into().map_err(|error| CatalogueError::Row {
        file: file.to_owned(),
        row,
        detail: Box::new(error),
    })
}

#[cfg(test)]
mod tests;
