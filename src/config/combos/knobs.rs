//! What a combo says for all of its requests, instead of the sections `resilience`, `timeouts` and `routing`; and its last resort.

use std::{sync::Arc, time::Duration};

use crate::{
    config::{
        effective::Sink,
        fields::{Fields, mismatch},
        origin::Origin,
        routing,
        schema::Key,
    },
    engine::settings::{AUTO, Adherence, Knobs, is_below_auto},
};

pub(super) const RETRIES: Key = Key::new("retries", "a whole number from 0 to 10", "2");
pub(super) const RETRY_PAUSE: Key = Key::new("retry_pause_seconds", "seconds from 0 to 60", "0.5");
pub(super) const DEADLINE: Key = Key::new("deadline_seconds", "seconds from 0.001 to 86400 (a day)", "120");
pub(super) const AFFINITY: Key = Key::new("affinity", routing::AFFINITIES, "off");
pub(super) const FALLBACK: Key =
    Key::new("fallback", "`off`, `auto`, or a name below it such as `auto/coding:cheap`", "auto");

/// What is said for all requests; `None` if nothing is.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Option<Arc<Knobs>> {
    let knobs = Knobs {
        retries: said(fields, &RETRIES, sink, |sink| fields.number(sink, &RETRIES, 0..=10, 0)),
        retry_pause: said(fields, &RETRY_PAUSE, sink, |sink| {
            fields.seconds(sink, &RETRY_PAUSE, 0.0..=60.0, Duration::ZERO)
        }),
        deadline: said(fields, &DEADLINE, sink, |sink| {
            fields.seconds(sink, &DEADLINE, 0.001..=86_400.0, Duration::from_secs(1))
        }),
        affinity: said(fields, &AFFINITY, sink, |sink| {
            fields.choice(sink, &AFFINITY, &routing::ADHERENCE, Adherence::default())
        }),
    };
    (knobs != Knobs::default()).then(|| Arc::new(knobs))
}

/// What is tried when nothing else of the combo can be used.
pub(super) fn fallback(fields: &Fields<'_>, sink: &mut Sink) -> Option<Arc<str>> {
    let path = fields.path_of(&FALLBACK);
    let Some(written) = fields.text(sink, &FALLBACK) else {
        sink.holds(path, &FALLBACK, "off", Origin::Default);
        return None;
    };
    let name = (written.value == AUTO || is_below_auto(&written.value)).then_some(&*written.value);
    match (name, fields.node(&FALLBACK)) {
        (None, Some(node)) if written.value != "off" => {
            mismatch(sink, &path, &FALLBACK, node);
            return None;
        }
        _ => sink.holds(path, &FALLBACK, written.value.as_str(), written.origin),
    }
    name.map(Arc::from)
}

/// A value that has no default of its own, if it is written.
pub(super) fn said<T>(
    fields: &Fields<'_>,
    key: &Key,
    sink: &mut Sink,
    read: impl FnOnce(&mut Sink) -> T,
) -> Option<T> {
    if fields.node(key).is_none() {
        sink.holds_not(fields.path_of(key), Origin::Default);
        return None;
    }
    Some(read(sink))
}
