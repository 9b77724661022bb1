//! Windows as the store keeps them.

use std::sync::Arc;

use super::{
    counter::{Counter, Slot},
    learned::Learned,
};
use crate::engine::{
    ports::WindowRecord,
    settings::{Span, Unit},
};

/// Parts of a whole window of which only shares are known.
const WHOLE: f64 = 1e6;

/// A window of an earlier run.
pub(super) enum Kept {
    Counted(Vec<Slot>),
    Told(Box<Learned>),
}

/// A counter's state, with `lead` more than is counted. What is reserved counts as used: whoever reserved it will not
/// be there to settle it.
pub(super) fn counted(
    connection: &Arc<str>,
    fingerprint: u64,
    counter: &Counter,
    lead: u64,
    now: i64,
) -> WindowRecord {
    let mut slots: Vec<Slot> = counter.slots().collect();
    let ahead = counter.taken().saturating_sub(counter.used()).saturating_add(lead);
    let newest = counter.slot_now(now);
    match slots.last_mut() {
        Some(last) if last.at >= newest => last.used = last.used.saturating_add(ahead),
        _ if ahead > 0 => slots.push(Slot { at: newest, used: ahead }),
        _ => {}
    }
    let words: Vec<String> = slots.iter().map(|slot| format!("{}:{}", slot.at, slot.used)).collect();
    WindowRecord {
        connection: Arc::clone(connection),
        name: Arc::clone(&counter.name),
        model: counter.limit.model.clone(),
        fingerprint,
        limit: Some(counter.limit.amount),
        used: counter.taken().saturating_add(lead),
        as_of: now,
        // The lead may have opened a slot.
        resets_at: counter.ends_at(now).max(counter.would_end_at(now)),
        state: format!("counted {}", words.join(" ")),
    }
}

/// The state of a window of which the provider tells.
pub(super) fn told(connection: &Arc<str>, fingerprint: u64, window: &Learned) -> WindowRecord {
    let refused = window.refused_until.map_or("-".to_owned(), |until| until.to_string());
    let unit = window.unit.map_or("-", Unit::as_str);
    let span = window.span.map_or("-".to_owned(), |span| span.to_string());
    let ends = window.resets_at.map_or("-".to_owned(), |until| until.to_string());
    let how = if window.refills { "evenly" } else { "at-once" };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    let used = (window.used * WHOLE).ceil() as u64;
    WindowRecord {
        connection: Arc::clone(connection),
        name: Arc::clone(&window.name),
        model: window.model.clone(),
        fingerprint,
        limit: window.limit,
        used,
        as_of: window.as_of,
        resets_at: window.ends_at(),
        state: format!("told {unit} {span} {ends} {how} {refused}"),
    }
}

/// Reads a record; `None` where it is none of this version's.
pub(super) fn read(record: &WindowRecord) -> Option<Kept> {
    let mut words = record.state.split_whitespace();
    match words.next()? {
        "counted" => {
            let slot = |word: &str| {
                let (at, used) = word.split_once(':')?;
                Some(Slot { at: at.parse().ok()?, used: used.parse().ok()? })
            };
            words.map(slot).collect::<Option<Vec<Slot>>>().map(Kept::Counted)
        }
        "told" => {
            let mut window = Learned::new(Arc::clone(&record.name), record.model.clone());
            window.unit = Unit::parse(words.next()?);
            window.span = Span::parse(words.next()?);
            window.resets_at = words.next()?.parse().ok();
            window.refills = words.next()? == "evenly";
            window.refused_until = words.next()?.parse().ok();
            (window.limit, window.as_of) = (record.limit, record.as_of);
            window.used = (record.used as f64 / WHOLE).min(1.0);
            window.told = Some((window.used, window.resets_at));
            Some(Kept::Told(Box::new(window)))
        }
        _ => None,
    }
}
