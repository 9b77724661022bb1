//! The bundle: all definitions of a hub in one answer, for whoever keeps another hub, a repository or a screen in step with it. It never
//! shows a secret: who may have the secrets names a recipient, and gets them encrypted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Longest recipient, in characters.
const MAX_RECIPIENT: usize = 100;

/// Shows the bundle.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Whether with secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GetBundle {
    /// To whom the secrets are encrypted: `age1…`, as `trivium config bundle-key` prints it. Needs the scope `export:secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
}

/// What is encrypted in a bundle: everything that would be in `sections`, with its secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleContents {
    /// As [`Bundle::sections`], and nothing masked.
    pub sections: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
}

/// All definitions that are in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// The SHA-256 of `sections` as JSON with sorted keys and no spaces, in hexadecimal; where secrets are with it, a text that
    /// changes with them and with a restart of the hub, too. Another one: something changed.
    pub etag: String,
    /// The version of the hub's program.
    pub program: String,
    /// Definitions by section and id, as the configuration file would say them. Secrets read `[redacted]`, which leaves them as
    /// they are where such a definition is put.
    pub sections: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
    /// The same with secrets, encrypted to the recipient that was named: a file in the format of age, in its text form.
    /// `trivium config open` and `age --decrypt` read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

impl Operation for Get {
    const NAME: &'static str = "get_bundle";
    const TITLE: &'static str = "Show all definitions";
    const SUMMARY: &'static str = "Shows every connection, combo, alias, rule of names, budget, price and setting that is in \
         force, whether the file declares it or it was made by these operations, without secrets, or with them encrypted to a \
         recipient. Over REST the answer has an \
         ETag, and If-None-Match saves an answer that is known.";
    const SCOPE: Scope = Scope::ReadBundle;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/sync/bundle");
    const COMMAND: (&'static str, &'static str) = ("bundle", "show");
    const EXAMPLE: &'static str = "{}";
    type Args = GetBundle;
    type Result = Bundle;

    fn check(args: GetBundle) -> Result<GetBundle, Invalid> {
        let is_one = |text: &str| text.len() <= MAX_RECIPIENT && text.starts_with("age1");
        if args.recipient.as_deref().is_some_and(|recipient| !is_one(recipient)) {
            let message = "is no recipient such as `age1…`; `trivium config bundle-key` makes one";
            return Err(Invalid::new("recipient", message));
        }
        Ok(args)
    }
}
