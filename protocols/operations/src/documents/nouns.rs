//! The nouns, one line of data each, and the five operations that every one of them has.

use super::{
    DeleteDocument, Deleted, DocumentPage, DocumentView, ListDocuments, NameDocument, PutDocument,
    UpdateDocument, check_id, check_list, check_size,
};
use crate::{Definition, Hints, Invalid, Method, Operation, Route, Scope};

/// One kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noun {
    /// The word for one of them, in messages.
    pub one: &'static str,
    /// The section of the configuration that it belongs to; `settings` for single keys of all others.
    pub section: &'static str,
    /// Its operations: list, get, put, update, delete.
    pub operations: [Definition; 5],
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Definition {}

/// Every kind of document.
pub const NOUNS: [Noun; 7] = [
    connections::NOUN,
    combos::NOUN,
    aliases::NOUN,
    name_rules::NOUN,
    budgets::NOUN,
    prices::NOUN,
    settings::NOUN,
];

const LOOK: Hints = Hints { read_only: true, destructive: false, idempotent: true };
// What was there before can be had back from the audit log.
const CHANGE: Hints = Hints { read_only: false, destructive: false, idempotent: true };

/// The five operations of a noun.
macro_rules! noun {
    (
        $(#[$about:meta])*
        $module:ident, one: $one:literal, a: $a:literal, names: $one_name:literal / $many_name:literal, words: $many:literal,
        path: $path:literal, section: $section:literal, read: $read:ident, write: $write:ident,
        id: $id:literal, example: $example:literal, change: $change:literal
    ) => {
        $(#[$about])*
        pub mod $module {
            use super::*;

            /// The noun.
            pub const NOUN: Noun = Noun {
                one: $one,
                section: $section,
                operations: [
                    Definition::of::<List>(),
                    Definition::of::<Get>(),
                    Definition::of::<Put>(),
                    Definition::of::<Update>(),
                    Definition::of::<Delete>(),
                ],
            };

            /// Lists them.
            #[derive(Debug, Clone, Copy)]
            pub struct List;
            /// Shows one.
            #[derive(Debug, Clone, Copy)]
            pub struct Get;
            /// Makes one, or puts it in place of what is there.
            #[derive(Debug, Clone, Copy)]
            pub struct Put;
            /// Changes a part of one.
            #[derive(Debug, Clone, Copy)]
            pub struct Update;
            /// Deletes one.
            #[derive(Debug, Clone, Copy)]
            pub struct Delete;

            impl Operation for List {
                const NAME: &'static str = concat!("list_", $many_name);
                const TITLE: &'static str = concat!("List ", $many);
                const SUMMARY: &'static str = concat!(
                    "Lists the ", $many, " by id: those that the configuration file declares and those that were made \
                     by these operations, each with its definition, secrets masked."
                );
                const SCOPE: Scope = Scope::$read;
                const HINTS: Hints = LOOK;
                const ROUTE: Route = Route::new(Method::Get, $path);
                const COMMAND: (&'static str, &'static str) = ($many_name, "list");
                const EXAMPLE: &'static str = r#"{"limit": 20}"#;
                type Args = ListDocuments;
                type Result = DocumentPage;

                fn check(args: ListDocuments) -> Result<ListDocuments, Invalid> {
                    check_list(args)
                }
            }

            impl Operation for Get {
                const NAME: &'static str = concat!("get_", $one_name);
                const TITLE: &'static str = concat!("Show ", $a);
                const SUMMARY: &'static str =
                    concat!("Shows one ", $one, ": who declares it, its version and its definition, secrets masked.");
                const SCOPE: Scope = Scope::$read;
                const HINTS: Hints = LOOK;
                const ROUTE: Route = Route::new(Method::Get, concat!($path, "/{id}"));
                const COMMAND: (&'static str, &'static str) = ($many_name, "get");
                const EXAMPLE: &'static str = concat!(r#"{"id": ""#, $id, r#""}"#);
                type Args = NameDocument;
                type Result = DocumentView;

                fn check(args: NameDocument) -> Result<NameDocument, Invalid> {
                    Ok(NameDocument { id: check_id(&args.id)? })
                }
            }

            impl Operation for Put {
                const NAME: &'static str = concat!("put_", $one_name);
                const TITLE: &'static str = concat!("Make or replace ", $a);
                const SUMMARY: &'static str = concat!(
                    "Makes ", $a, ", or puts this definition in place of the one that is there. It is checked as the \
                     configuration file is, and in force when this is answered. What the file declares cannot be changed here."
                );
                const SCOPE: Scope = Scope::$write;
                const HINTS: Hints = CHANGE;
                const ROUTE: Route =
                    Route::new(Method::Put, concat!($path, "/{id}")).whole("definition").guarded();
                const COMMAND: (&'static str, &'static str) = ($many_name, "put");
                const EXAMPLE: &'static str = concat!(r#"{"id": ""#, $id, r#"", "definition": "#, $example, "}");
                type Args = PutDocument;
                type Result = DocumentView;

                fn check(args: PutDocument) -> Result<PutDocument, Invalid> {
                    check_size("definition", &args.definition)?;
                    Ok(PutDocument { id: check_id(&args.id)?, ..args })
                }
            }

            impl Operation for Update {
                const NAME: &'static str = concat!("update_", $one_name);
                const TITLE: &'static str = concat!("Change ", $a);
                const SUMMARY: &'static str = concat!(
                    "Changes a part of ", $a, ": what is not named stays, null takes away. It is checked as the \
                     configuration file is, and in force when this is answered. What the file declares cannot be changed here."
                );
                const SCOPE: Scope = Scope::$write;
                const HINTS: Hints = CHANGE;
                const ROUTE: Route =
                    Route::new(Method::Patch, concat!($path, "/{id}")).whole("changes").guarded();
                const COMMAND: (&'static str, &'static str) = ($many_name, "update");
                const EXAMPLE: &'static str = concat!(r#"{"id": ""#, $id, r#"", "changes": "#, $change, "}");
                type Args = UpdateDocument;
                type Result = DocumentView;

                fn check(args: UpdateDocument) -> Result<UpdateDocument, Invalid> {
                    check_size("changes", &args.changes)?;
                    Ok(UpdateDocument { id: check_id(&args.id)?, ..args })
                }
            }

            impl Operation for Delete {
                const NAME: &'static str = concat!("delete_", $one_name);
                const TITLE: &'static str = concat!("Delete ", $a);
                const SUMMARY: &'static str = concat!(
                    "Deletes ", $a, " that was made by these operations. It can be had back with undo_change. What \
                     the file declares cannot be deleted here."
                );
                const SCOPE: Scope = Scope::$write;
                const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
                const ROUTE: Route = Route::new(Method::Delete, concat!($path, "/{id}")).guarded();
                const COMMAND: (&'static str, &'static str) = ($many_name, "delete");
                const EXAMPLE: &'static str = concat!(r#"{"id": ""#, $id, r#""}"#);
                type Args = DeleteDocument;
                type Result = Deleted;

                fn check(args: DeleteDocument) -> Result<DeleteDocument, Invalid> {
                    Ok(DeleteDocument { id: check_id(&args.id)?, ..args })
                }
            }
        }
    };
}

noun! {
    /// Accounts at providers: entries of the section `providers`.
    connections, one: "connection", a: "a connection", names: "connection" / "connections", words: "connections",
    path: "/api/connections", section: "providers", read: ReadConnections, write: WriteConnections,
    id: "groq-2", example: r#"{"type": "groq", "api_key": "gsk_example", "models": ["llama-3.3-70b-versatile"]}"#,
    change: r#"{"priority": 5}"#
}
noun! {
    /// Virtual models: entries of the section `combos`.
    combos, one: "combo", a: "a combo", names: "combo" / "combos", words: "combos",
    path: "/api/combos", section: "combos", read: ReadCombos, write: WriteCombos,
    id: "coding", example: r#"{"strategy": "priority", "steps": ["llama-3.3-70b-versatile"]}"#,
    change: r#"{"strategy": "round-robin"}"#
}
noun! {
    /// Short names: entries of the section `aliases`.
    aliases, one: "alias", a: "an alias", names: "alias" / "aliases", words: "aliases",
    path: "/api/aliases", section: "aliases", read: ReadCombos, write: WriteCombos,
    id: "small", example: r#"{"targets": ["llama-3.3-70b-versatile"]}"#,
    change: r#"{"enabled": false}"#
}
noun! {
    /// Where unknown names lead: entries of the section `map`.
    name_rules, one: "rule of names", a: "a rule of names", names: "name_rule" / "name_rules", words: "rules of names",
    path: "/api/name-rules", section: "map", read: ReadCombos, write: WriteCombos,
    id: "claude", example: r#"{"match": "claude-*", "to": "llama-3.3-70b-versatile"}"#,
    change: r#"{"match": "claude-3*"}"#
}
noun! {
    /// What may be spent: entries of the section `budgets`.
    budgets, one: "budget", a: "a budget", names: "budget" / "budgets", words: "budgets",
    path: "/api/budgets", section: "budgets", read: ReadUsage, write: WriteBudget,
    id: "team", example: r#"{"for": "all", "limit": 50, "window": "day"}"#,
    change: r#"{"limit": 60}"#
}
noun! {
    /// What models cost: entries of the section `prices`.
    prices, one: "price", a: "a price", names: "price" / "prices", words: "prices",
    path: "/api/prices", section: "prices", read: ReadUsage, write: WritePricing,
    id: "llama", example: r#"{"model": "llama-3.3-*", "price": {"input": 0.5, "output": 0.8}}"#,
    change: r#"{"price": {"input": 0.6, "output": 0.8}}"#
}
noun! {
    /// Single keys of the other sections, by their path: `{"value": …}`.
    settings, one: "setting", a: "a setting", names: "setting" / "settings", words: "settings",
    path: "/api/settings", section: "settings", read: ReadSettings, write: WriteSettings,
    id: "timeouts.connect_seconds", example: r#"{"value": 5}"#,
    change: r#"{"value": 6}"#
}
