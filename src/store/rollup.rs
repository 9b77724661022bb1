//! How receipts become sums of usage: which row each counts in, and what it adds there. No SQL; the in-memory twin adds up by
//! the same rules.

use std::{
    collections::{BTreeMap, HashSet},
    hash::Hash,
};

use super::receipt_text::served_by;
use crate::{
    engine::receipt::{Outcome, Receipt},
    ops::ports::usage::{Count, DAY_MS, Dimension, HOUR_MS, Sums, bucket},
};

/// Names of models of one hour that are told apart. Only clients that invent names make more: those count as [`OTHER`].
const MODELS: usize = 2000;

/// Sessions of one hour that are told apart. Their ids are the clients' words.
const SESSIONS: usize = 10_000;

/// Where models and sessions count that are too many.
const OTHER: &str = "(other)";

/// One row of sums.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) span_ms: i64,
    pub(super) at: i64,
    pub(super) caller: String,
    pub(super) connection: String,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) dialect: &'static str,
    pub(super) outcome: &'static str,
    pub(super) status: &'static str,
}

/// One session.
pub(super) type Session = (String, String);

/// What receipts add.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) sums: BTreeMap<Place, Sums>,
    /// With the first and the last arrival.
    pub(super) sessions: BTreeMap<Session, (i64, i64, Sums)>,
}

/// The names of models and sessions that were seen in the last hour with a receipt.
#[derive(Debug, Default)]
pub(super) struct Names {
    hour: i64,
    seen: HashSet<String>,
    sessions: HashSet<Session>,
}

impl Names {
    fn of(&mut self, hour: i64, model: &str) -> String {
        self.enter(hour);
        told_apart(&mut self.seen, model.to_owned(), MODELS).unwrap_or_else(|| OTHER.to_owned())
    }

    fn session(&mut self, hour: i64, id: &str, caller: &str) -> Session {
        self.enter(hour);
        let session = (id.to_owned(), caller.to_owned());
        let known = told_apart(&mut self.sessions, session, SESSIONS);
        known.unwrap_or_else(|| (OTHER.to_owned(), caller.to_owned()))
    }

    fn enter(&mut self, hour: i64) {
        if hour > self.hour {
            self.hour = hour;
            self.seen.clear();
            self.sessions.clear();
        }
    }
}

/// The name, if it was seen before or there is room for it.
fn told_apart<T: Clone + Eq + Hash>(seen: &mut HashSet<T>, name: T, most: usize) -> Option<T> {
    if !seen.contains(&name) {
        if seen.len() >= most {
            return None;
        }
        seen.insert(name.clone());
    }
    Some(name)
}

/// What these receipts add.
pub(super) fn gather(receipts: &[Receipt], names: &mut Names) -> Sheet {
    let mut sheet = Sheet::default();
    for receipt in receipts {
        let sums = sums(receipt);
        let hour = place(receipt, names);
        let day = Place { span_ms: DAY_MS, at: receipt.at - receipt.at.rem_euclid(DAY_MS), ..hour.clone() };
        for place in [hour, day] {
            sheet.sums.entry(place).or_default().merge(&sums);
        }
        if let Some(session) = &receipt.session {
            let at = receipt.at;
            let key = names.session(hour_of(at), session, &receipt.caller);
            let (first, last, all) = sheet.sessions.entry(key).or_insert_with(|| (at, at, Sums::default()));
            (*first, *last) = ((*first).min(at), (*last).max(at));
            all.merge(&sums);
        }
    }
    sheet
}

const fn hour_of(at: i64) -> i64 {
    at - at.rem_euclid(HOUR_MS)
}

fn place(receipt: &Receipt, names: &mut Names) -> Place {
    let at = hour_of(receipt.at);
    let last = receipt.attempts.last();
    Place {
        span_ms: HOUR_MS,
        at,
        caller: receipt.caller.to_string(),
        connection: last.map(|attempt| attempt.connection.to_string()).unwrap_or_default(),
        provider: last.map(|attempt| attempt.provider.to_string()).unwrap_or_default(),
        model: last.map(|attempt| names.of(at, &attempt.model)).unwrap_or_default(),
        dialect: receipt.dialect.as_str(),
        outcome: receipt.outcome.as_str(),
        status: class(receipt.status),
    }
}

/// The class of a status.
pub(super) const fn class(status: u16) -> &'static str {
    match status {
        ..400 => "2xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

/// What one receipt adds.
pub(super) fn sums(receipt: &Receipt) -> Sums {
    let mut sums = Sums::default();
    sums.add(Count::Requests, 1);
    if matches!(receipt.outcome, Outcome::Failed | Outcome::Interrupted) {
        sums.add(Count::Errors, 1);
    }
    let answered = receipt.billed && served_by(receipt).is_some();
    match receipt.usage {
        Some(usage) => {
            sums.add(Count::Input, usage.input);
            sums.add(Count::Output, usage.output);
            sums.add(Count::Cached, usage.cached_input);
            sums.add(Count::Reasoning, usage.reasoning);
        }
        None => sums.add(Count::TokensUnknown, u64::from(answered)),
    }
    match receipt.cost {
        Some(cost) => {
            sums.add(Count::CostKnown, 1);
            sums.add(Count::CostPico, cost.pico());
            sums.add(Count::CostEstimated, u64::from(receipt.cost_estimated));
        }
        None => sums.add(Count::CostUnknown, u64::from(answered)),
    }
    sums.total[bucket(receipt.total_ms)] = 1;
    if let Some(first) = receipt.first_content_ms {
        sums.first[bucket(first)] = 1;
        let streamed = receipt.total_ms.saturating_sub(first);
        if let (true, true, Some(usage)) = (receipt.stream, streamed > 0, receipt.usage) {
            sums.add(Count::StreamedTokens, usage.output);
            sums.add(Count::StreamedMs, streamed.into());
        }
    }
    sums
}

impl Place {
    /// What it is in one respect.
    pub(super) fn of(&self, dimension: Dimension) -> String {
        match dimension {
            Dimension::At => self.at.to_string(),
            Dimension::Caller => self.caller.clone(),
            Dimension::Connection => self.connection.clone(),
            Dimension::Provider => self.provider.clone(),
            Dimension::Model => self.model.clone(),
            Dimension::Dialect => self.dialect.to_owned(),
            Dimension::Outcome => self.outcome.to_owned(),
            Dimension::Status => self.status.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_names_are_counted_together() {
        let mut names = Names::default();
        for nth in 0..MODELS {
            assert_ne!(names.of(1, &nth.to_string()), OTHER);
        }
        assert_eq!((names.of(1, "new").as_str(), names.of(1, "7").as_str()), (OTHER, "7"));
        assert_eq!(names.of(2, "new"), "new", "another hour");
    }
}
