//! Tasks, messages and artifacts, which both versions write almost alike. What differs is [`Spelling`]: the words of the
//! enums, the discriminator `kind`, and parts.

mod event;
mod message;
mod task;

pub(crate) use event::{
    read_artifact_update, read_status_update, write_artifact_update, write_status_update,
};
pub(crate) use message::{read_message, write_message};
pub(crate) use task::{read_task, write_task};

use serde_json::Value;

use crate::model::{Part, Role, TaskState};
use crate::shape::{Fields, Invalid, Object, Problem};

/// How a version spells what both have.
pub(crate) trait Spelling {
    /// The words for roles.
    const ROLES: &'static [(&'static str, Role)];
    /// The words for states.
    const STATES: &'static [(&'static str, TaskState)];
    /// Whether objects name their kind, and status updates say whether they are the last.
    const KINDS: bool;

    fn read_part(fields: Fields) -> Result<Part, Invalid>;
    fn write_part(part: &Part) -> Value;
}

/// Begins an object of a kind.
fn begin<S: Spelling>(kind: &'static str) -> Object {
    let object = Object::new();
    if S::KINDS { object.set("kind", kind) } else { object }
}

/// Refuses an object that says it is of another kind. One that does not say passes: clients leave it out where only one
/// kind is possible.
pub(crate) fn expect_kind<S: Spelling>(fields: &mut Fields, kind: &'static str) -> Result<(), Invalid> {
    if !S::KINDS {
        return Ok(());
    }
    match fields.optional("kind")? {
        Some(other) if other != kind => Err(fields.bad("kind", Problem::OneOf(vec![kind]))),
        _ => Ok(()),
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], it: &T) -> &'static str {
    words.iter().find(|(_, other)| other == it).map_or("", |(word, _)| word)
}
