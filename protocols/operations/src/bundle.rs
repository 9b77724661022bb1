//! The bundle: all definitions of a hub in one answer, for whoever keeps another hub, a repository or a screen in step with it. It never
//! holds a secret.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Shows the bundle.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetBundle {}

/// All definitions that are in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// The SHA-256 of `sections` as JSON with sorted keys and no spaces, in hexadecimal. Another one: something changed.
    pub etag: String,
    /// The version of the hub's program.
    pub program: String,
    /// Definitions by section and id, as the configuration file would say them. Secrets read `[redacted]`, which leaves them as
    /// they are where such a definition is put.
    pub sections: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
}

impl Operation for Get {
    const NAME: &'static str = "get_bundle";
    const TITLE: &'static str = "Show all definitions";
    const SUMMARY: &'static str = "Shows every connection, combo, alias, rule of names, budget, price and setting that is in \
         force, whether the file declares it or it was made by these operations, without secrets. Over REST the answer has an \
         ETag, and If-None-Match saves an answer that is known.";
    const SCOPE: Scope = Scope::ReadBackups;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/sync/bundle");
    const COMMAND: (&'static str, &'static str) = ("bundle", "show");
    const EXAMPLE: &'static str = "{}";
    type Args = GetBundle;
    type Result = Bundle;

    fn check(args: GetBundle) -> Result<GetBundle, Invalid> {
        Ok(args)
    }
}
