//! The closed list of edits to a body that passes through to a provider of its own dialect.

use anthropic::messages;
use bytes::Bytes;
use canon::{Dialect, Edit, Losses, Signature, patched, rename};
use gemini::generate;
use openai::{
    chat::{self, Changes},
    responses,
};

use super::{Providers, mend, search};
use crate::engine::{
    ports::{Call, Task},
    settings::Quirk,
};

/// A body as it goes out: shared with the client's, not copied, when it needed no edit.
pub(super) struct Edited {
    pub(super) body: Bytes,
    /// What was done to it.
    pub(super) edits: Vec<Edit>,
    /// What that changed for the client.
    pub(super) losses: Losses,
}

impl Edited {
    fn new(body: Bytes, edits: Vec<Edit>) -> Self {
        Self { body, edits, losses: Losses::default() }
    }
}

/// The body with the edits that it needs. `maker` is whose signatures the target takes.
pub(super) fn edited(providers: &Providers, call: &Call, maker: &str) -> Edited {
    let (body, facts, target) = (&call.request.body, &call.request.facts, &call.target);
    if matches!(call.request.task, Task::Kept { .. }) {
        return Edited::new(body.clone(), Vec::new());
    }
    let mended = mend::mended(call, maker);
    if search::has_own_form(call) {
        let mut edited = mended.unwrap_or_else(|| Edited::new(body.clone(), Vec::new()));
        search::in_own_form(call, &mut edited);
        return edited;
    }
    if target.dialect == Dialect::Chat && call.request.task == Task::Generate {
        return mended.unwrap_or_else(|| {
            let include_usage = !target.connection.provider.quirks.contains(&Quirk::NoStreamOptions);
            let (body, edits) = chat::apply(body, facts, Changes { model: &target.model, include_usage });
            Edited::new(body, edits)
        });
    }
    let mut edited = mended.unwrap_or_else(|| {
        let patch = rename(facts, &target.model);
        let edits = patch.iter().map(|_| Edit::Model).collect();
        Edited::new(patched(body, patch.into_iter().collect()), edits)
    });
    if let Some(own) = own_thoughts_only(providers, call, &edited.body, maker) {
        edited.body = own.into();
        edited.edits.push(Edit::ForeignThoughts);
    }
    edited
}

/// The body without thoughts that other vendors signed, if it holds any.
fn own_thoughts_only(providers: &Providers, call: &Call, body: &[u8], maker: &str) -> Option<Vec<u8>> {
    let (dialect, makers) = (call.target.dialect, &providers.makers);
    let is_own = |signature: &Signature| makers.is_own(signature, maker);
    // Signatures that crossed dialects carry their maker's name, and those that passed through are remembered. A body
    // with neither passes as it is.
    let named = match dialect {
        Dialect::Chat => return None,
        Dialect::Gemini => generate::may_be_named(body),
        Dialect::Messages | Dialect::Responses => Signature::may_be_in(body),
    };
    if !named && !makers.any_foreign(dialect, body, maker) {
        return None;
    }
    match dialect {
        Dialect::Chat => None,
        Dialect::Responses => responses::without_foreign_thoughts(body, is_own),
        Dialect::Messages => messages::without_foreign_thoughts(body, is_own),
        Dialect::Gemini => generate::without_foreign_thoughts(body, is_own),
    }
}
