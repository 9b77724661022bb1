//! Keys in the process environment, or in files of the form `.env`.

use super::{
    Input,
    draft::Draft,
    note_empty, trees,
    variables::{self, Given},
    written_variables,
};
use crate::config::{Env, origin::Origin};

pub(super) fn read(inputs: &[Input], env: &Env, draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for tree in trees(inputs) {
        draft.note(
            tree.place(),
            "this file holds no variables",
            "write `NAME=value` lines, or say whose it is with `--from`",
        );
    }
    if inputs.is_empty() {
        let own: Vec<(&str, &str, Origin)> =
            env.iter().map(|(name, value)| (name, value, Origin::Env(name.to_owned()))).collect();
        let given: Vec<Given<'_>> =
            own.iter().map(|(name, value, place)| Given { name, value, place }).collect();
        variables::accounts(&given, draft);
    } else {
        files(inputs, draft);
    }
    if draft.documents.is_empty() {
        let remedy = "docs/providers.md lists the variable of each provider";
        draft.note(&Origin::Default, "no variable holds a provider's key", remedy);
    }
}

/// Accounts of keys in files. The hub reads no such files itself.
pub(super) fn files(inputs: &[Input], draft: &mut Draft<'_>) {
    let given = given(inputs, draft);
    variables::accounts(&given, draft);
}

/// What the files set, which whoever fills in the variables may use.
pub(super) fn given<'i>(inputs: &'i [Input], draft: &mut Draft<'_>) -> Vec<Given<'i>> {
    let given: Vec<Given<'i>> = written_variables(inputs)
        .map(|one| Given { name: &one.name, value: &one.value, place: &one.place })
        .collect();
    for one in &given {
        draft.variable(one.name, one.value);
    }
    if let Some(first) = given.first() {
        let remedy =
            "give them to the hub: `set -a; . ./.env; set +a` before it starts, or the way of its service";
        draft.note(first.place, "the hub reads variables and no files of them", remedy);
    }
    given
}
