//! JSON Schemas on this wire: what Gemini accepts of them, and its older subset of OpenAPI read as JSON Schema.

mod accepted;
mod openapi;

pub use accepted::accepted;
pub use openapi::{json_schema, lower_types};

/// Keywords whose value is one schema.
const ONE: [&str; 2] = ["items", "additionalProperties"];

/// Keywords whose value is a list of schemas.
const LIST: [&str; 3] = ["anyOf", "oneOf", "prefixItems"];

/// Keywords whose value is an object of schemas, under names that are no keywords.
const NAMED: [&str; 2] = ["properties", "$defs"];
