//! The documents that say what may be spent: as other documents, for callers who may see what is there. A budget of
//! another key is not there for those who may not see other keys, and they make none for one.

use operations::{
    Scope,
    documents::{
        DeleteDocument, Deleted, DocumentPage, DocumentView, ListDocuments, NameDocument, PutDocument,
        UpdateDocument, budgets::NOUN,
    },
};

use super::{OpError, documents::Documents, own, ports::Definition, registry::Asked};
use crate::engine::caller::Caller;

/// Lists those that the caller sees.
#[must_use]
pub fn list(documents: &Documents, caller: &Caller, args: &ListDocuments) -> DocumentPage {
    documents.list_those(&NOUN, args, |view| own::sees_definition(caller, &view.definition))
}

/// Shows one.
///
/// # Errors
/// When the caller sees none of that id.
pub fn get(documents: &Documents, caller: &Caller, args: NameDocument) -> Result<DocumentView, OpError> {
    let id = args.id.clone();
    let view = documents.get(&NOUN, args)?;
    if own::sees_definition(caller, &view.definition) { Ok(view) } else { Err(missing(id)) }
}

/// Makes one, or puts it in place of what is there.
///
/// # Errors
/// As for other documents; a conflict where the id is that of one that the caller does not see.
pub async fn put(documents: &Documents, asked: &Asked, args: PutDocument) -> Result<DocumentView, OpError> {
    own_alone(&asked.caller, &args.definition)?;
    if is_hidden(documents, &asked.caller, &args.id) {
        return Err(OpError::Conflict(format!("the name `{}` is taken; choose another", args.id)));
    }
    documents.put(&NOUN, asked, args).await
}

/// Changes a part of one.
///
/// # Errors
/// As for other documents.
pub async fn update(
    documents: &Documents,
    asked: &Asked,
    args: UpdateDocument,
) -> Result<DocumentView, OpError> {
    own_alone(&asked.caller, &args.changes)?;
    if is_hidden(documents, &asked.caller, &args.id) {
        return Err(missing(args.id));
    }
    documents.update(&NOUN, asked, args).await
}

/// Deletes one.
///
/// # Errors
/// As for other documents.
pub async fn delete(documents: &Documents, asked: &Asked, args: DeleteDocument) -> Result<Deleted, OpError> {
    if is_hidden(documents, &asked.caller, &args.id) {
        return Err(missing(args.id));
    }
    documents.delete(&NOUN, asked, args).await
}

/// Goes on only where a definition is not for a key that the caller may not see.
fn own_alone(caller: &Caller, definition: &Definition) -> Result<(), OpError> {
    if own::sees_definition(caller, definition) {
        Ok(())
    } else {
        Err(OpError::Forbidden { scope: Scope::ReadKeys })
    }
}

/// Whether there is one that the caller does not see.
fn is_hidden(documents: &Documents, caller: &Caller, id: &str) -> bool {
    let found = documents.get(&NOUN, NameDocument { id: id.to_owned() });
    found.is_ok_and(|view| !own::sees_definition(caller, &view.definition))
}

fn missing(name: String) -> OpError {
    OpError::NotFound { noun: NOUN.one, name }
}
