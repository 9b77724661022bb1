//! What a budget counts, as it is written behind `for`.

use super::{super::mask::shown, FOR, missing, tiers};
use crate::{
    config::{effective::Sink, fields::Fields},
    engine::settings::{Catalogue, PrefixMatch, Scope},
};

/// Longest name of a key that is taken, in bytes.
const LONGEST: usize = 256;

pub(super) fn read(fields: &Fields<'_>, catalogue: &Catalogue, sink: &mut Sink) -> Option<Scope> {
    let path = fields.path_of(&FOR);
    let Some(written) = fields.text(sink, &FOR) else {
        missing(fields, &FOR, sink);
        return None;
    };
    let Some(scope) = parse(&written.value, catalogue) else {
        let message = format!("expected {}, found {}", FOR.kind, shown(&written.value));
        let remedy = "write for example `for: \"*\"`, `for: ci`, `for: tier:key` or `for: provider:openai`";
        sink.problems.error(&path, &written.origin, message, remedy);
        return None;
    };
    sink.holds(path, &FOR, written.value, written.origin);
    Some(scope)
}

fn parse(text: &str, catalogue: &Catalogue) -> Option<Scope> {
    Some(match text.split_once(':') {
        Some(("tier", word)) => {
            Scope::Tier(tiers().into_iter().find(|(name, _)| *name == word).map(|(_, tier)| tier)?)
        }
        Some(("provider", word)) => match catalogue.by_prefix(&word.to_ascii_lowercase())? {
            PrefixMatch::Provider(provider) => Scope::Provider(provider.id.as_str().into()),
            PrefixMatch::Declined(_) => return None,
        },
        Some(("key", name)) => caller(name)?,
        _ if text == "all" => Scope::All,
        _ if text == "*" => Scope::EachCaller,
        _ => caller(text)?,
    })
}

fn caller(name: &str) -> Option<Scope> {
    (1..=LONGEST).contains(&name.len()).then(|| Scope::Caller(name.into()))
}
