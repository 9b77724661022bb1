//! Which provider an entry's `type` means, and whether the hub can speak to it.

use canon::Dialect;

use super::{Against, TYPE};
use crate::{
    config::{effective::Sink, fields::Fields, mask::shown, origin::Origin},
    engine::settings::{PrefixMatch, Provider},
};

/// The catalogue's row for `type`. Reports words that name none, and those that are declined.
pub(super) fn provider<'a>(
    fields: &Fields<'_>,
    against: Against<'a>,
    sink: &mut Sink,
) -> Option<&'a Provider> {
    let path = fields.path_of(&TYPE);
    let Some(written) = fields.text(sink, &TYPE) else {
        if fields.node(&TYPE).is_none() {
            let remedy = "write whose account it is, such as `type: groq`; docs/providers.md lists the names";
            sink.problems.error(&path, fields.origin(), "`type` is missing", remedy);
        }
        return None;
    };
    let word = written.value.to_ascii_lowercase();
    match against.catalogue.by_prefix(&word) {
        Some(PrefixMatch::Provider(provider)) => {
            sink.holds(path, &TYPE, provider.id.as_str(), written.origin.clone());
            speaks(provider, against.spoken, &written.origin, fields, sink).then_some(provider)
        }
        Some(PrefixMatch::Declined(declined)) => {
            let message =
                format!("`{word}` is {}, which is not supported: {}", declined.name, declined.reason);
            sink.problems.error(
                &path,
                &written.origin,
                message,
                format!("use instead: {}", declined.instead),
            );
            None
        }
        None => {
            let remedy = match against.catalogue.nearest(&word) {
                Some(near) => format!("did you mean `{near}`? docs/providers.md lists the names"),
                None => {
                    "docs/providers.md lists the names; for any other server that speaks OpenAI's API write \
                         `type: openai-compatible` and its `base_url`"
                        .to_owned()
                }
            };
            sink.problems.error(&path, &written.origin, format!("unknown provider {}", shown(&word)), remedy);
            None
        }
    }
}

/// Whether one of the provider's dialects is one of the hub's.
fn speaks(
    provider: &Provider,
    spoken: &[Dialect],
    origin: &Origin,
    fields: &Fields<'_>,
    sink: &mut Sink,
) -> bool {
    if provider.dialects().any(|dialect| spoken.contains(&dialect)) {
        return true;
    }
    let dialects = provider.dialects().map(|dialect| dialect.to_string());
    let theirs: Vec<String> = dialects.chain(provider.other_wires.iter().cloned()).collect();
    let ours: Vec<&str> = spoken.iter().map(|dialect| dialect.as_str()).collect();
    let theirs = if theirs.is_empty() { "nothing known".to_owned() } else { theirs.join(", ") };
    let message =
        format!("`{}` speaks {theirs}; this version of Trivium speaks {}", provider.id, ours.join(", "));
    let remedy = "set `enabled: false` for now, and reach its models through a provider that hosts them too, such as \
                  `openrouter`; if it has an OpenAI-compatible URL, use `type: openai-compatible` with that";
    let remedy = match &provider.notice {
        Some(notice) => format!("{remedy}. Note: {notice}"),
        None => remedy.to_owned(),
    };
    sink.problems.error(&fields.path_of(&TYPE), origin, message, remedy);
    false
}
