//! Windows as people are shown them.

use std::sync::Arc;

use super::{counter::Counter, learned::Learned};
use crate::engine::settings::{Span, Unit};

/// One window as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowState {
    /// Its name, alone of its kind for the account and the model.
    pub name: Arc<str>,
    /// The model, when only that one is meant.
    pub model: Option<Arc<str>>,
    /// What it counts; `None`: a share of something that the provider does not tell.
    pub unit: Option<Unit>,
    /// How long it is, where that is known.
    pub span: Option<Span>,
    /// How much fits, in the unit's parts (see [`Unit`]), where that is known.
    pub limit: Option<u64>,
    /// The share that is used, from 0 to 1, without what is reserved.
    pub used: f64,
    /// The share that requests under way have set aside, from 0 to 1.
    pub reserved: f64,
    /// When it is whole again, in milliseconds since the Unix epoch, where that is known.
    pub resets_at: Option<i64>,
    /// Where the figures come from.
    pub source: Source,
    /// When they were true, in milliseconds since the Unix epoch.
    pub as_of: i64,
    /// How much they are worth now.
    pub confidence: Confidence,
}

/// Where a window's figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The hub counts by the owner's configuration.
    Configured,
    /// An answer's headers.
    Header,
    /// A refusal.
    Refusal,
}

/// How much a window's figures are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Counted here. What others use of the account is not in it.
    Counted,
    /// The provider's own word of a moment ago.
    Told,
    /// The provider's word, older than a tenth of the window.
    Stale,
}

impl WindowState {
    pub(super) fn counted(counter: &Counter, now: i64) -> Self {
        let whole = counter.limit.amount.max(1) as f64;
        let reserved = counter.taken().saturating_sub(counter.used());
        Self {
            name: Arc::clone(&counter.name),
            model: counter.limit.model.clone(),
            unit: Some(counter.limit.unit),
            span: Some(counter.limit.span),
            limit: Some(counter.limit.amount),
            used: counter.used() as f64 / whole,
            reserved: reserved as f64 / whole,
            resets_at: Some(counter.ends_at(now)).filter(|ends| *ends > now),
            source: Source::Configured,
            as_of: now,
            confidence: Confidence::Counted,
        }
    }

    pub(super) fn told(window: &Learned, now: i64) -> Self {
        let refused = window.refused_until.is_some_and(|until| until > now);
        let ends = window.ends_at();
        let length = window.span.map_or(ends - window.as_of, Span::millis);
        let stale = !refused && now - window.as_of > length / 10;
        Self {
            name: Arc::clone(&window.name),
            model: window.model.clone(),
            unit: window.unit,
            span: window.span,
            limit: window.limit,
            used: window.used_at(now),
            reserved: 0.0,
            resets_at: Some(ends).filter(|ends| *ends > now),
            source: if refused { Source::Refusal } else { Source::Header },
            as_of: window.as_of,
            confidence: if stale { Confidence::Stale } else { Confidence::Told },
        }
    }
}
