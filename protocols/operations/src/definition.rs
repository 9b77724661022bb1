//! Every operation without its types, for what goes through all of them: routes, commands, tools, documents, tests.

use schemars::{Schema, SchemaGenerator};

use crate::{Hints, Operation, Route, Scope, catalog};

/// An operation as data.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// [`Operation::NAME`].
    pub name: &'static str,
    /// [`Operation::TITLE`].
    pub title: &'static str,
    /// [`Operation::SUMMARY`].
    pub summary: &'static str,
    /// [`Operation::SCOPE`].
    pub scope: Scope,
    /// [`Operation::HINTS`].
    pub hints: Hints,
    /// [`Operation::ROUTE`].
    pub route: Route,
    /// [`Operation::COMMAND`].
    pub command: (&'static str, &'static str),
    /// [`Operation::EXAMPLE`].
    pub example: &'static str,
    /// [`Operation::ENDS_WITH_CALLER`].
    pub ends_with_caller: bool,
    /// [`Operation::WORDS`].
    pub words: &'static [&'static str],
    /// The JSON Schema of the arguments.
    pub args: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of the result.
    pub result: fn(&mut SchemaGenerator) -> Schema,
}

impl Definition {
    /// The operation as data.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            title: O::TITLE,
            summary: O::SUMMARY,
            scope: O::SCOPE,
            hints: O::HINTS,
            route: O::ROUTE,
            command: O::COMMAND,
            example: O::EXAMPLE,
            ends_with_caller: O::ENDS_WITH_CALLER,
            words: O::WORDS,
            args: |schemas| schemas.subschema_for::<O::Args>(),
            result: |schemas| schemas.subschema_for::<O::Result>(),
        }
    }

    /// Every operation that there is.
    #[must_use]
    pub fn all() -> &'static [Self] {
        catalog::ALL
    }

    /// The operation of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|definition| definition.name == name)
    }

    /// The JSON Schema of the arguments with everything in it that it refers to.
    #[must_use]
    pub fn args_schema(&self) -> serde_json::Value {
        whole(self.args)
    }

    /// The JSON Schema of the result with everything in it that it refers to.
    #[must_use]
    pub fn result_schema(&self) -> serde_json::Value {
        whole(self.result)
    }
}

/// Follows the reference at the top, so that what reads it finds `properties` there.
fn whole(schema: fn(&mut SchemaGenerator) -> Schema) -> serde_json::Value {
    let mut generator = SchemaGenerator::default();
    let mut top = schema(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let named = top.get("$ref").and_then(|at| at.as_str()?.rsplit('/').next().map(str::to_owned));
    if let Some(found) = named.and_then(|name| definitions.get(&name).cloned()) {
        top = found;
    }
    if let Some(object) = top.as_object_mut() {
        let used = serde_json::to_string(&*object).unwrap_or_default().contains("#/$defs/");
        if used {
            object.insert("$defs".to_owned(), definitions.into());
        }
    }
    top
}
