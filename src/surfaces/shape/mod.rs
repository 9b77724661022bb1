//! Requests that go to another model than the one that was asked for, because the operator's combo says so: those that a
//! client makes in the background, and those of a size. Only the name in the body is changed. What is done to the rest of a
//! body is the providers', who know the target.

mod background;

use bytes::Bytes;
use canon::{Dialect, Facts, patched, rename, tokens};

use crate::engine::{
    pipeline::Snapshot,
    settings::Shaping,
    shaping::{Shape, Shaped},
};

/// Puts the name into body and facts under which the request is to be answered; answers what was done.
pub(super) fn rerouted(snapshot: &Snapshot, dialect: Dialect, body: &mut Bytes, facts: &mut Facts) -> Shaped {
    let name = snapshot.meaning(&facts.model);
    let found = snapshot.shapers.of(name).and_then(|shaping| elsewhere(shaping, dialect, body));
    let Some((to, shape)) = found else { return Shaped::default() };
    let asked = put(body, facts, &to);
    Shaped { asked: Some(asked), shapes: vec![shape] }
}

/// Puts a name into a body and its facts; answers the one that stood there.
fn put(body: &mut Bytes, facts: &mut Facts, name: &str) -> String {
    if let Some((range, text)) = rename(facts, name) {
        let moved = |at: usize| if at < range.end { at } else { at + text.len() - range.len() };
        let spans = &mut facts.spans;
        for span in [&mut spans.stream_options, &mut spans.turns] {
            *span = span.take().map(|span| moved(span.start)..moved(span.end));
        }
        spans.model = Some(range.start..range.start + text.len());
        *body = patched(body, vec![(range, text)]);
    }
    std::mem::replace(&mut facts.model, name.to_owned())
}

/// The first rule that applies. A body that no codec understands is left alone: it is refused elsewhere.
fn elsewhere(shaping: &Shaping, dialect: Dialect, body: &[u8]) -> Option<(std::sync::Arc<str>, Shape)> {
    if shaping.background.is_none() && shaping.small.is_none() && shaping.large.is_none() {
        return None;
    }
    let turn = dialects::decode(dialect, body).ok()?;
    if let Some(rule) = shaping.background.as_ref().filter(|rule| background::is_meant(&turn, &rule.phrases))
    {
        return Some((rule.to.clone(), Shape::Background));
    }
    let size = tokens::in_turn(&turn);
    if let Some(rule) = shaping.small.as_ref().filter(|rule| size < rule.tokens) {
        return Some((rule.to.clone(), Shape::Small));
    }
    let rule = shaping.large.as_ref().filter(|rule| size > rule.tokens)?;
    Some((rule.to.clone(), Shape::Large))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn spans_follow_the_name() {
        for body in [
            r#"{"model":"a","messages":[],"stream_options":{"include_usage":true}}"#,
            r#"{"stream_options":{"include_usage":true},"messages":[],"model":"a"}"#,
        ] {
            let (mut bytes, mut facts) =
                (Bytes::from_static(body.as_bytes()), openai::chat::scan(body.as_bytes()).unwrap());
            let to = "a longer name";
            let shaping = Shaping {
                small: Some(crate::engine::settings::BySize { tokens: 1000, to: to.into() }),
                ..Shaping::default()
            };
            let (name, shape) = elsewhere(&shaping, Dialect::Chat, &bytes).unwrap();
            assert_eq!((&*name, shape), (to, Shape::Small));
            put(&mut bytes, &mut facts, &name);
            assert_eq!(facts, openai::chat::scan(&bytes).unwrap());
        }
    }
}
